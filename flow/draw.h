/*
 * flow/draw.h - random numbers that a seed determines, so that what was
 * learned can be learned again.
 */
#ifndef SLUICE_FLOW_DRAW_H
#define SLUICE_FLOW_DRAW_H

#include <stdint.h>

/*
 * One from 0 to below - 1, and the next seed.  splitmix64 (Steele, Lea,
 * Flood: Fast splittable pseudorandom number generators, 2014): any seed
 * will do.  The bias of the remainder is below / 2^64.
 */
static inline uint64_t
flow_draw(uint64_t *seed, uint64_t below)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % below;
}

#endif
