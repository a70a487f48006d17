/*
 * tests/bench/gmime_parts.h - the plainest reading that mail can have: GMime's
 * own, in this process, each leaf decoded.
 */
#ifndef SLUICE_TESTS_GMIME_PARTS_H
#define SLUICE_TESTS_GMIME_PARTS_H

#include <stddef.h>

/* A decoded leaf; octets are borrowed for the call. */
typedef void gmime_part_fn(void *arg, const void *octets, size_t len);

/* Parse what fd holds, from its beginning, and call fn for each leaf.  Takes
 * fd over.  g_mime_init() comes before the first call. */
void gmime_parts(int fd, gmime_part_fn *fn, void *arg);

#endif
