/*
 * worker/links_priv.h - shared by links.c and links_page.c.
 */
#ifndef SLUICE_WORKER_LINKS_PRIV_H
#define SLUICE_WORKER_LINKS_PRIV_H

#include "worker/links.h"

/* Read one address and tell it, if it is one. */
void links_take(const char *base, const char *raw, size_t len, bool entities,
    links_found *found, void *arg);

/* Where this text begins next; NULL: not before end.  (memmem(3) is checked by
 * sanitizers in all of its length, each time.) */
const char *links_seek(const char *at, const char *end, const char *text);

/* Characters for their references (&amp; &#x2e;), those that matter in an
 * address; the result, without a NUL, is never longer.  Returns its length. */
size_t links_entities(const char *raw, size_t len, char *out);

#endif
