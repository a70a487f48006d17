/*
 * worker/mef/update_make.c - what changed between two models.
 */
#include "worker/mef/update_priv.h"

#include "common/io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct make {
	struct mef_file old, new;
	struct pack *pack;
	uint32_t was[MEF_CHUNK], is[MEF_CHUNK];
};

/* Gaps first, then what is added: alike beside alike packs better. */
static int
pack_chunk(struct make *m)
{
	uint32_t n = 0;
	int r;

	for (uint32_t i = 0; i < MEF_CHUNK; i++)
		n += m->was[i] != m->is[i];
	r = pack_number(m->pack, n);
	for (uint32_t i = 0, gap = 0; r == 0 && n > 0 && i < MEF_CHUNK; i++) {
		if (m->was[i] == m->is[i]) {
			gap++;
			continue;
		}
		r = pack_number(m->pack, gap);
		gap = 0;
	}
	for (uint32_t i = 0; r == 0 && n > 0 && i < MEF_CHUNK; i++)
		if (m->was[i] != m->is[i])
			r = pack_number(
			    m->pack, mef_fold(m->is[i] - m->was[i]));
	return r;
}

static int
pack_known(
    struct make *m, const struct mef_known *was, const struct mef_known *is)
{
	const unsigned char one = 1;
	const struct mef_known *any = was ? was : is;
	int r;

	if (was && is && memcmp(was->n, is->n, sizeof(is->n)) == 0)
		return 0;
	r = pack_octets(m->pack, &one, 1);
	if (r == 0)
		r = pack_octets(
		    m->pack, any->digest.bytes, sizeof(any->digest.bytes));
	for (int c = 0; r == 0 && c < MEF_CLASSES; c++)
		r = pack_number(m->pack,
		    mef_fold((is ? is->n[c] : 0) - (was ? was->n[c] : 0)));
	return r;
}

/* Both lists ascend: one walk over both. */
static int
pack_all_known(struct make *m)
{
	const unsigned char zero = 0;
	uint64_t i = 0, j = 0;
	int r = 0;

	while (r == 0 && (i < m->old.side.n_known || j < m->new.side.n_known)) {
		struct mef_known was, is;
		int order = 0;

		if (i < m->old.side.n_known)
			was = mef_file_known(&m->old, i);
		else
			order = 1;
		if (j < m->new.side.n_known)
			is = mef_file_known(&m->new, j);
		else
			order = -1;
		if (order == 0)
			order =
			    memcmp(&was.digest, &is.digest, sizeof(is.digest));
		r = pack_known(
		    m, order <= 0 ? &was : NULL, order >= 0 ? &is : NULL);
		i += order <= 0;
		j += order >= 0;
	}
	return r < 0 ? r : pack_octets(m->pack, &zero, 1);
}

static int
pack_model(struct make *m, const struct mef_listener *listener)
{
	const uint64_t chunks = mef_update_chunks(&m->old.side, &m->new.side);
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < chunks; i++) {
		mef_file_chunk(&m->old, i, m->was);
		mef_file_chunk(&m->new, i, m->is);
		r = pack_chunk(m);
		if (listener->tell)
			listener->tell(listener->arg, i + 1, chunks);
	}
	return r < 0 ? r : pack_all_known(m);
}

static int
open_one(int fd, struct mef_file *file, const char *which, char *err,
    size_t err_size)
{
	char why[200];
	int r = mef_file_open(fd, file, why, sizeof(why));

	if (r == 0)
		r = digest_file(fd, 0, file->side.file_bytes, &file->side.file);
	else
		(void)snprintf(err, err_size, "the %s model: %s", which, why);
	return r;
}

static void
seal(struct mef_update *update, const struct make *m, size_t n)
{
	struct mef_update_head *h = &update->head;

	memcpy(h->magic, MEF_UPDATE_MAGIC, sizeof(h->magic));
	h->format = MEF_UPDATE_FORMAT;
	h->from = m->old.side;
	h->to = m->new.side;
	h->payload_bytes = n;
	h->payload = digest_memory(update->payload, n);
	h->check = digest_memory(h, offsetof(struct mef_update_head, check));
}

static int
make(struct make *m, const struct mef_listener *listener,
    struct mef_update **ret_update)
{
	CLEANUP(mef_update_freep)
	struct mef_update *update = xcalloc(1, sizeof(*update));
	size_t n = 0;
	int r = pack_model(m, listener);

	if (r == 0)
		r = pack_end(m->pack, &update->payload, &n);
	if (r < 0)
		return r;
	seal(update, m, n);
	*ret_update = TAKE_PTR(update);
	return 0;
}

int
mef_update_make(int old_fd, int new_fd, const struct mef_listener *listener,
    struct mef_update **ret_update, char *err, size_t err_size)
{
	struct make *m = xcalloc(1, sizeof(*m));
	char why[300] = "";
	int r = 0;

	if (old_fd >= 0)
		r = open_one(old_fd, &m->old, "old", why, sizeof(why));
	if (r == 0)
		r = open_one(new_fd, &m->new, "new", why, sizeof(why));
	if (r == 0) {
		m->pack = pack_new();
		r = make(m, listener, ret_update);
		(void)pack_free(m->pack);
	}
	if (r < 0)
		(void)snprintf(err, err_size, "%s", *why ? why : strerror(-r));
	mef_file_close(&m->old);
	mef_file_close(&m->new);
	free(m);
	return r;
}
