/*
 * tools/sim/rng.h - streams of random numbers: xoshiro256++ (Blackman and
 * Vigna, 2019), seeded by splitmix64; inline, for GSL's generators cost a
 * call each and the simulator draws three numbers a message.
 */
#ifndef SLUICE_TOOLS_SIM_RNG_H
#define SLUICE_TOOLS_SIM_RNG_H

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

/* Stream number stream of seed: different streams are independent. */
static inline void
rng_init(struct rng *rng, uint64_t seed, uint64_t stream)
{
	uint64_t x = seed + stream * UINT64_C(0xd1342543de82ef95);

	for (int i = 0; i < 4; i++) {
		uint64_t z = x += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		rng->s[i] = z ^ (z >> 31);
	}
}

static inline uint64_t
rng_rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

static inline uint64_t
rng_next(struct rng *rng)
{
	uint64_t *s = rng->s;
	const uint64_t result = rng_rotl(s[0] + s[3], 23) + s[0];
	const uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rng_rotl(s[3], 45);
	return result;
}

/* Even in [0, 1), 53 bits. */
static inline double
rng_unit(struct rng *rng)
{
	return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

#endif
