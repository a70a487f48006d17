/*
 * tools/load/rng.h - seeded random numbers.
 *
 * Own generator (xoshiro256**, seeded by splitmix64; both published as public
 * domain by Blackman and Vigna), so that one seed means one load on every
 * machine.  Every message has a stream of its own: message n of seed s is the
 * same bytes whatever was sent before it and however often it is sent again.
 */
#ifndef LOAD_RNG_H
#define LOAD_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *r);

/* Uniform in [0,1). */
double rng_unit(struct rng *r);

/* Uniform in 0 … n-1; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);

double rng_exponential(struct rng *r, double mean);
double rng_lognormal(struct rng *r, double mu, double sigma);

/* 1, 2, 3 … with the given mean (at least 1). */
uint64_t rng_geometric(struct rng *r, double mean);

/* Put pointers into random order. */
void rng_shuffle(struct rng *r, void **items, size_t count);

#endif
