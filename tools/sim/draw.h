/*
 * tools/sim/draw.h - exponential and normal random numbers, many at a time.
 *
 * Exact: no table is interpolated, so the tails are those of the law.  Safe
 * in any number of threads that have an rng each.
 */
#ifndef SLUICE_TOOLS_SIM_DRAW_H
#define SLUICE_TOOLS_SIM_DRAW_H

#include <stddef.h>

struct rng;

/* n numbers of mean 1, all above or equal to 0. */
void draw_exponential(struct rng *rng, double *ret, size_t n);
/* n numbers of mean 0 and variance 1. */
void draw_normal(struct rng *rng, double *ret, size_t n);

#endif
