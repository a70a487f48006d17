/*
 * worker/links.h - links in text and pages (docs/decisions/0010).
 *
 * Best effort: a link that is not found is not fetched, which leaves mail
 * where it would be without links.enabled.  Linear in the length of the text;
 * never fails.
 */
#ifndef SLUICE_WORKER_LINKS_H
#define SLUICE_WORKER_LINKS_H

#include "worker/cell_priv.h"

/* Octets of one message's texts in which links are looked for. */
#define LINKS_LOOK_BYTES (UINT64_C(4) << 20)

/* An address in the form of url_read(); NULL: one that is too long. */
typedef void links_found(void *arg, const char *url);

/*
 * Addresses that stand in plain text: http://, https:// and www., up to a
 * blank, quote or bracket, without the punctuation behind.  entities: "&amp;"
 * and the like stand for characters.
 */
void links_in_text(
    struct span text, bool entities, links_found *found, void *arg);

/*
 * Addresses of a page: what its elements lead to (a, area, iframe, embed,
 * object, script, ..., a refresh), relative ones where there is a base, and
 * all that stand anywhere in its source as in plain text, so in comments and
 * scripts too.
 */
void links_in_page(struct span page, links_found *found, void *arg);

/*
 * Look at a text or page that is part index: links that lead to files and may
 * be asked go into the reading, each once, as many as c->limits->links.
 */
void links_look(struct cell *c, int32_t index, const struct source *src,
    struct span octets);

#endif
