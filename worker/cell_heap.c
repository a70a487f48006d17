/*
 * The heap that cells start with.  All of it is their parent's, so that each
 * page which a cell writes to is copied first: the fewer, the better.
 */
#include "worker/cell_priv.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* glibc's caches of freed pieces: one for each 16 octets up to this size, of
 * so many pieces each. */
#define CACHED_MAX_BYTES 1032
#define CACHED_PIECES    7

/* The least that malloc(3) gives. */
#define LEAST_BYTES 24

/*
 * GLib keeps pieces of its own, all over the heap; this has it ask malloc(3).
 * It looks when its types are made, which is before main().
 */
__attribute__((constructor(101))) static void
use_one_heap(void)
{
	(void)setenv("G_SLICE", "always-malloc", 1);
}

void
cell_heap_prepare(void)
{
	/* A cell ends before giving memory back could be of use. */
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
	(void)mallopt(M_TOP_PAD, 1 << 18);
	/* Small pieces freed before the fork would be joined together in every
	 * cell, each touch a page copied (a fifth of a cell's page faults). */
	(void)mallopt(M_MXFAST, 0);
}

/* Never to be freed, but not lost either: one leads to the next. */
static uintptr_t
take(size_t bytes)
{
	static void *newest;
	void **piece = malloc(bytes);

	if (piece) {
		*piece = newest;
		newest = piece;
	}
	return (uintptr_t)piece;
}

void
cell_heap_settle(void)
{
	uintptr_t top, at;

	for (size_t n = LEAST_BYTES; n <= CACHED_MAX_BYTES; n += 16)
		for (int i = 0; i < CACHED_PIECES; i++)
			(void)take(n);
	/* What follows the last piece in use is all new. */
	top = (uintptr_t)sbrk(0) - mallinfo2().keepcost;
	do
		at = take(LEAST_BYTES);
	while (at && at < top);
	(void)malloc_trim(0);
}
