/*
 * tests/support/prop_draw.h - random numbers of a property test, which prints
 * its seed: PROP_SEED=N gives the same again.
 */
#ifndef SLUICE_TESTS_PROP_DRAW_H
#define SLUICE_TESTS_PROP_DRAW_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t seed;

static inline uint64_t
draw(uint64_t below)
{
	seed ^= seed << 13; /* xorshift64 */
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* First of all. */
static inline void
draw_begin(void)
{
	const char *given = getenv("PROP_SEED");

	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) | 1;
	(void)printf("PROP_SEED=%" PRIu64 "\n", seed);
}

#endif
