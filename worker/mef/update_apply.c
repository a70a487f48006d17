/*
 * worker/mef/update_apply.c - the other model of the one that there is.
 */
#include "worker/mef/update_priv.h"

#include "common/io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define WORD  sizeof(uint32_t)
#define BLOCK 4096u /* what becomes a hole where it is zero */

/* Known documents that are written at a time. */
#define BATCH 1024u

struct apply {
	struct mef_file model;
	const struct mef_update_side *to;
	bool is_revert;
	struct unpack *unpack;
	int out;
	uint32_t words[MEF_CHUNK], at[MEF_CHUNK];
	struct mef_known batch[BATCH];
	uint64_t n_known; /* written or in batch */
};

static int
write_at(int fd, const void *octets, size_t n, uint64_t offset)
{
	const char *from = octets;

	while (n > 0) {
		const ssize_t w = pwrite(fd, from, n, (off_t)offset);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w < 0 ? -errno : -EIO;
		from += w;
		n -= (size_t)w;
		offset += (uint64_t)w;
	}
	return 0;
}

/* Without its blocks of zeroes: the file has its size already. */
static int
write_sparse(int fd, const void *octets, size_t n, uint64_t offset)
{
	static const char zeroes[BLOCK];
	const char *from = octets;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i += BLOCK) {
		const size_t m = n - i < BLOCK ? n - i : BLOCK;

		if (memcmp(from + i, zeroes, m) != 0)
			r = write_at(fd, from + i, m, offset + i);
	}
	return r;
}

/* n places of a chunk, ascending, into a->at. */
static int
unpack_places(struct apply *a, uint32_t n)
{
	uint64_t place = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t gap;
		int r = unpack_number(a->unpack, &gap);

		if (r < 0)
			return r;
		place += gap;
		if (place >= MEF_CHUNK)
			return -EBADMSG;
		a->at[i] = (uint32_t)place++;
	}
	return 0;
}

static int
unpack_added(struct apply *a, uint32_t *ret_added)
{
	uint32_t folded;
	int r = unpack_number(a->unpack, &folded);

	if (r < 0)
		return r;
	*ret_added = a->is_revert ? 0 - mef_unfold(folded) : mef_unfold(folded);
	return 0;
}

static int
change_chunk(struct apply *a, uint64_t chunk)
{
	uint32_t n, added;
	int r = unpack_number(a->unpack, &n);

	if (r == 0 && n > MEF_CHUNK)
		r = -EBADMSG;
	if (r == 0)
		r = unpack_places(a, n);
	mef_file_chunk(&a->model, chunk, a->words);
	for (uint32_t i = 0; r == 0 && i < n; i++) {
		r = unpack_added(a, &added);
		if (r == 0)
			a->words[a->at[i]] += added;
	}
	return r;
}

static int
write_chunk(struct apply *a, uint64_t chunk)
{
	const uint64_t begin = chunk * MEF_CHUNK;
	const uint64_t end = mef_side_words(a->to);
	uint64_t n = begin < end ? end - begin : 0;

	if (n > MEF_CHUNK)
		n = MEF_CHUNK;
	/* What is beyond the end belongs to the other model. */
	for (uint64_t i = n; i < MEF_CHUNK; i++)
		if (a->words[i] != 0)
			return -EBADMSG;
	return write_sparse(a->out, a->words, n * WORD, begin * WORD);
}

/* The first n_known - n of the result are in the file, n in the batch. */
static int
flush(struct apply *a, uint64_t n)
{
	return write_at(a->out, a->batch, n * sizeof(a->batch[0]),
	    a->to->known_offset + (a->n_known - n) * sizeof(a->batch[0]));
}

static int
put_known(struct apply *a, const struct mef_known *known)
{
	if (known->n[MEF_BENIGN] == 0 && known->n[MEF_MALICIOUS] == 0)
		return 0;
	if (a->n_known == a->to->n_known)
		return -EBADMSG;
	a->batch[a->n_known++ % BATCH] = *known;
	return a->n_known % BATCH == 0 ? flush(a, BATCH) : 0;
}

/* One that differs, with what is added to it; -ENODATA: no more of them. */
static int
unpack_known(struct apply *a, struct mef_known *ret)
{
	unsigned char more;
	int r = unpack_octets(a->unpack, &more, 1);

	if (r == 0 && more > 1)
		r = -EBADMSG;
	if (r == 0 && more == 0)
		return -ENODATA;
	if (r == 0)
		r = unpack_octets(
		    a->unpack, ret->digest.bytes, sizeof(ret->digest.bytes));
	for (int c = 0; r == 0 && c < MEF_CLASSES; c++)
		r = unpack_added(a, &ret->n[c]);
	if (r == 0 && ret->n[MEF_BENIGN] == 0 && ret->n[MEF_MALICIOUS] == 0)
		r = -EBADMSG; /* else the list could have no end */
	return r;
}

/* Known documents of the model before this digest, from *i on; NULL: all. */
static int
copy_known(struct apply *a, uint64_t *i, const struct digest *before)
{
	int r = 0;

	for (; r == 0 && *i < a->model.side.n_known; ++*i) {
		const struct mef_known k = mef_file_known(&a->model, *i);

		if (before && memcmp(&k.digest, before, sizeof(*before)) >= 0)
			break;
		r = put_known(a, &k);
	}
	return r;
}

static int
change_known(struct apply *a)
{
	struct mef_known next;
	uint64_t i = 0;
	int r;

	while ((r = unpack_known(a, &next)) == 0) {
		r = copy_known(a, &i, &next.digest);
		if (r == 0 && i < a->model.side.n_known) {
			const struct mef_known k = mef_file_known(&a->model, i);

			if (memcmp(&k.digest, &next.digest, sizeof(k.digest)) ==
			    0) {
				i++;
				next.n[0] += k.n[0];
				next.n[1] += k.n[1];
			}
		}
		if (r == 0)
			r = put_known(a, &next);
		if (r < 0)
			return r;
	}
	if (r == -ENODATA)
		r = copy_known(a, &i, NULL);
	if (r == 0)
		r = flush(a, a->n_known % BATCH);
	return r;
}

static int
change_model(struct apply *a, const struct mef_listener *listener)
{
	const uint64_t chunks = mef_update_chunks(&a->model.side, a->to);
	int r = ftruncate(a->out, (off_t)a->to->file_bytes) < 0 ? -errno : 0;

	for (uint64_t i = 0; r == 0 && i < chunks; i++) {
		r = change_chunk(a, i);
		if (r == 0)
			r = write_chunk(a, i);
		if (listener->tell)
			listener->tell(listener->arg, i + 1, chunks);
	}
	if (r == 0)
		r = change_known(a);
	if (r == 0 &&
	    (a->n_known != a->to->n_known || !unpack_is_at_end(a->unpack)))
		r = -EBADMSG;
	return r;
}

/* Is it the model that the update starts from? */
static int
check_base(int fd, const struct mef_update_side *from)
{
	struct digest is;
	struct stat st;
	int r;

	if (fd < 0 || from->file_bytes == 0)
		return (fd < 0) == (from->file_bytes == 0) ? 0 : -ESTALE;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size != from->file_bytes)
		return -ESTALE;
	r = digest_file(fd, 0, from->file_bytes, &is);
	if (r < 0)
		return r;
	return memcmp(&is, &from->file, sizeof(is)) == 0 ? 0 : -ESTALE;
}

static int
check_result(int fd, const struct mef_update_side *to)
{
	struct digest is;
	int r = digest_file(fd, 0, to->file_bytes, &is);

	if (r < 0)
		return r;
	return memcmp(&is, &to->file, sizeof(is)) == 0 ? 0 : -EBADMSG;
}

static int
change(const struct mef_update *update, bool is_revert, int model_fd, int out,
    const struct mef_listener *listener)
{
	const struct mef_update_head *h = &update->head;
	const struct mef_update_side *from = is_revert ? &h->to : &h->from;
	struct apply *a;
	int r = check_base(model_fd, from);

	if (r < 0)
		return r;
	a = xcalloc(1, sizeof(*a));
	a->is_revert = is_revert;
	a->to = is_revert ? &h->from : &h->to;
	a->out = out;
	r = mef_file_map(model_fd, from, &a->model);
	if (r == 0) {
		a->unpack = unpack_new(update->payload, h->payload_bytes);
		r = change_model(a, listener);
		(void)unpack_free(a->unpack);
	}
	if (r == 0)
		r = check_result(out, a->to);
	mef_file_close(&a->model);
	free(a);
	return r;
}

static int
explain(const struct mef_update *update, bool is_revert, int r, char *err,
    size_t err_size)
{
	const struct mef_update_head *h = &update->head;
	const struct mef_update_side *from = is_revert ? &h->to : &h->from;
	char hex[DIGEST_HEX];

	if (r == -ESTALE)
		(void)snprintf(err, err_size,
		    "it %s release %" PRIu64 " with SHA-256 %.16s..., and "
		    "that is not the model here; %s",
		    is_revert ? "leads to" : "is for", from->release,
		    digest_hex(&from->file, hex),
		    is_revert ? "revert by the update that made this model"
			      : "get the update for the release that is here, "
				"or a whole model");
	else if (r == -EBADMSG)
		(void)snprintf(err, err_size,
		    "it does not make what it promises; who made it must "
		    "make it again");
	else if (r < 0)
		(void)snprintf(err, err_size, "%s", strerror(-r));
	return r;
}

int
mef_update_apply(const struct mef_update *update, int model_fd, int out_fd,
    const struct mef_listener *listener, char *err, size_t err_size)
{
	/* A whole model comes in place of whatever there is. */
	const int fd = mef_update_is_whole(update) ? -1 : model_fd;

	return explain(update, false,
	    change(update, false, fd, out_fd, listener), err, err_size);
}

int
mef_update_revert(const struct mef_update *update, int model_fd, int out_fd,
    const struct mef_listener *listener, char *err, size_t err_size)
{
	if (mef_update_is_whole(update)) {
		(void)snprintf(err, err_size,
		    "it carries a whole model and does not know what was "
		    "before; revert without it, to the former model");
		return -EINVAL;
	}
	return explain(update, true,
	    change(update, true, model_fd, out_fd, listener), err, err_size);
}
