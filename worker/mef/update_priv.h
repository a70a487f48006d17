/*
 * worker/mef/update_priv.h - what the files of updates share: the packed
 * stream, the walk over a model's words, and a mapped model.
 *
 * The unpacked payload: for each chunk of MEF_CHUNK words, from the first on
 * until the larger of both models ends, the number of words that differ, the
 * gaps before each of them, and what is added to each; then for each known
 * document whose counts differ, ascending, an octet 1, its digest and what is
 * added to its counts; then an octet 0.  Numbers are of 7 bits an octet, the
 * lowest first; what is added is modulo 2^32 and small either way, so its sign
 * is its lowest bit.
 */
#ifndef SLUICE_WORKER_MEF_UPDATE_PRIV_H
#define SLUICE_WORKER_MEF_UPDATE_PRIV_H

#include "worker/mef/update.h"

/* Words that are compared at a time; their difference takes 1 MiB at most. */
#define MEF_CHUNK 65536u

struct mef_update {
	struct mef_update_head head;
	unsigned char *payload;
};

/* A model file in memory, read only. */
struct mef_file {
	const unsigned char *octets; /* NULL: none */
	struct mef_update_side side;
};

/*
 * Map a model; fills all of side but its digest from the file's own head, and
 * checks that its known documents are where it says and in order.
 * Returns 0; -EBADMSG with err; or -errno.
 */
int mef_file_open(
    int fd, struct mef_file *ret_file, char *err, size_t err_size);
/* The same for a file that must have the size which side promises. */
int mef_file_map(
    int fd, const struct mef_update_side *side, struct mef_file *ret_file);
void mef_file_close(struct mef_file *file);

/* Are sizes and offsets possible, each by itself and all together? */
bool mef_side_is_sound(const struct mef_update_side *side);

/* Words before its known documents. */
uint64_t mef_side_words(const struct mef_update_side *side);

/* MEF_CHUNK words of it from that chunk on; 0 beyond its last. */
void mef_file_chunk(
    const struct mef_file *file, uint64_t chunk, uint32_t *ret_words);

/* Its i-th known document. */
struct mef_known mef_file_known(const struct mef_file *file, uint64_t i);

/* Chunks until the larger of both ends. */
uint64_t mef_update_chunks(
    const struct mef_update_side *a, const struct mef_update_side *b);

/* Packing; nothing else is written with it than what unpack_ reads. */
struct pack;
struct pack *pack_new(void);
struct pack *pack_free(struct pack *pack);
DEFINE_CLEANUP(struct pack *, pack_free);
/* 0; -EFBIG above MEF_UPDATE_MAX; -ENOMEM. */
int pack_octets(struct pack *pack, const void *octets, size_t n);
int pack_number(struct pack *pack, uint32_t number);
/* Ends it and gives away what came of it.  As above. */
int pack_end(struct pack *pack, unsigned char **ret, size_t *ret_n);

struct unpack;
/* packed is borrowed. */
struct unpack *unpack_new(const unsigned char *packed, size_t n);
struct unpack *unpack_free(struct unpack *unpack);
DEFINE_CLEANUP(struct unpack *, unpack_free);
/* 0; -EBADMSG: it ends before, or is not packed so. */
int unpack_octets(struct unpack *unpack, void *ret, size_t n);
int unpack_number(struct unpack *unpack, uint32_t *ret_number);
/* Is everything read, to the last octet? */
bool unpack_is_at_end(struct unpack *unpack);

/* What is added, small numbers for small ones of either sign; and back. */
static inline uint32_t
mef_fold(uint32_t added)
{
	return added << 1 ^ (added >> 31 ? UINT32_MAX : 0);
}

static inline uint32_t
mef_unfold(uint32_t folded)
{
	return folded >> 1 ^ (folded & 1 ? UINT32_MAX : 0);
}

#endif
