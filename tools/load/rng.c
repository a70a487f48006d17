/* tools/load/rng.c - xoshiro256** and the few distributions of a load. */
#include "rng.h"

#include <assert.h>
#include <math.h>

static uint64_t
splitmix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

void
rng_init(struct rng *r, uint64_t seed, uint64_t stream)
{
	uint64_t state = seed;

	/* Mixed first, so that seed 1 stream 2 isn't seed 2 stream 1. */
	state = splitmix(&state) ^ (stream * 0xd1342543de82ef95U);
	for (int i = 0; i < 4; i++)
		r->s[i] = splitmix(&state);
}

static uint64_t
rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t
rng_next(struct rng *r)
{
	const uint64_t result = rotl(r->s[1] * 5, 7) * 9;
	const uint64_t t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = rotl(r->s[3], 45);
	return result;
}

double
rng_unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1.0p-53;
}

uint64_t
rng_below(struct rng *r, uint64_t n)
{
	assert(n > 0);
	/* Bias below 2^-32 for any n that a load uses. */
	return rng_next(r) % n;
}

double
rng_exponential(struct rng *r, double mean)
{
	return -mean * log1p(-rng_unit(r));
}

double
rng_lognormal(struct rng *r, double mu, double sigma)
{
	/* Box and Muller; one normal of the pair is enough. */
	const double radius = sqrt(-2.0 * log1p(-rng_unit(r)));
	const double angle = 2.0 * M_PI * rng_unit(r);

	return exp(mu + sigma * radius * cos(angle));
}

uint64_t
rng_geometric(struct rng *r, double mean)
{
	if (mean <= 1.0)
		return 1;
	return 1 + (uint64_t)(log1p(-rng_unit(r)) / log1p(-1.0 / mean));
}

void
rng_shuffle(struct rng *r, void **items, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		const size_t j = (size_t)rng_below(r, i);
		void *item = items[i - 1];

		items[i - 1] = items[j];
		items[j] = item;
	}
}
