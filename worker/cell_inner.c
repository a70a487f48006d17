/*
 * worker/cell_inner.c - the names of what is in compressed files.
 *
 * Such a file has no list of members: who unfolds a.txt.gz gets a.txt.  Its
 * part may gain names for as long as the message is being read, so they are
 * handed on at the end.
 */
#include "worker/cell_priv.h"

#include "common/cleanup.h"
#include "worker/reading_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct hand_on {
	struct cell *c;
	struct cell_pair *pair;
	size_t seen; /* names of the outer one */
};

void
cell_unfolded(struct cell *c, int32_t outer, int32_t inner)
{
	if (inner < 0 || inner == outer)
		return;
	c->pairs =
	    reallocarray(c->pairs, c->n_pairs + 1, sizeof(struct cell_pair));
	if (!c->pairs)
		abort();
	c->pairs[c->n_pairs++] =
	    (struct cell_pair){.outer = outer, .inner = inner};
}

/* The length of name without what says that it is compressed, or 0. */
static size_t
inner_length(const char *name)
{
	static const char *const ends[] = {
	    ".gz", ".bz2", ".bz", ".xz", ".lzma", ".lz", ".lz4", ".zst", ".z"};
	const size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const size_t n = strlen(ends[i]);

		if (len > n && strcasecmp(name + len - n, ends[i]) == 0)
			return len - n;
	}
	return 0;
}

static void
hand_on(void *arg, const char *name)
{
	struct hand_on *h = arg;
	char inner[READING_NAME_MAX + 1];
	const size_t len = inner_length(name);

	if (h->seen++ < h->pair->names || len == 0 || len >= sizeof(inner))
		return;
	(void)memcpy(inner, name, len);
	inner[len] = '\0';
	writer_name(h->c->w, h->pair->inner, inner);
}

/* Again while there are more, for of two pairs in each other the inner one may
 * come first. */
void
cell_inner_names(struct cell *c)
{
	bool is_new = true;

	for (unsigned i = 0; is_new && i <= c->limits->depth; i++) {
		is_new = false;
		for (size_t k = 0; k < c->n_pairs; k++) {
			struct cell_pair *pair = &c->pairs[k];
			struct hand_on h = {.c = c, .pair = pair};

			writer_each_name(c->w, pair->outer, hand_on, &h);
			is_new |= h.seen > pair->names;
			pair->names = h.seen;
		}
	}
	if (writer_parts(c->w) > c->limits->parts)
		cell_status(
		    c, READING_TOO_MANY, "more parts than budget.parts");
}
