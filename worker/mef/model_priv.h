/*
 * worker/mef/model_priv.h - the inside of a model.
 */
#ifndef SLUICE_WORKER_MEF_MODEL_PRIV_H
#define SLUICE_WORKER_MEF_MODEL_PRIV_H

#include "worker/mef/model.h"
#include "worker/mef/moments.h"

#define MEF_PAGE 4096u

struct mef_model {
	struct mef_head head;
	unsigned char *map; /* the file's octets up to known_offset */
	size_t map_bytes;   /* of the mapping: of a file all of it */
	bool is_mapped_file, is_writable;
	struct mef_known *known; /* own memory; NULL: within the mapping */
	uint64_t known_room;
	/* Counted documents that the moments lack; NULL: none was yet. */
	struct moments_lot *late[MEF_CLASSES];
	double *weights; /* solved from the moments; NULL: to be done */
};

struct mef_cell *mef_cells(struct mef_model *model, enum mef_family family);
/* With those of all documents that were counted. */
struct moments mef_moments(const struct mef_model *model, enum mef_class class);
void mef_moments_count(
    struct mef_model *model, const int32_t *x, enum mef_class class, int sign);

/* Get ready to be changed; 0, -EROFS, or -errno as mprotect(2). */
int mef_model_write(struct mef_model *model);

/* Where a feature counts: cells of the two halves of its table. */
static inline uint32_t
mef_first_cell(uint64_t hash, unsigned int log_cells)
{
	return (uint32_t)(hash >> (65 - log_cells));
}

static inline uint32_t
mef_second_cell(uint64_t hash, unsigned int log_cells)
{
	/* 2^64 / golden ratio: the lowest bits of some hashes have a meaning.
	 */
	return (uint32_t)((hash * UINT64_C(0x9e3779b97f4a7c15)) >>
			  (65 - log_cells)) |
	       UINT32_C(1) << (log_cells - 1);
}

/* Index of a known document, or where it belongs. */
uint64_t mef_known_place(const struct mef_model *model,
    const struct digest *digest, bool *ret_is_there);

/* The layout of an empty model; log_cells as mef_model_new(). */
void mef_head_init(
    struct mef_head *head, enum mef_set set, unsigned int log_cells);

/* Does a head describe a file of that length that we can read? */
bool mef_head_is_sane(const struct mef_head *head, uint64_t file_bytes);

/* SHA-256 of a head with its own digest as zeroes. */
struct digest mef_head_digest(const struct mef_head *head);

#endif
