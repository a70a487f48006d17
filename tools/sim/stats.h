/*
 * tools/sim/stats.h - waits counted in little memory, and intervals from
 * independent means.
 */
#ifndef SLUICE_TOOLS_SIM_STATS_H
#define SLUICE_TOOLS_SIM_STATS_H

#include "tools/sim/simulate.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Buckets of wait + 1 us: the exponent and the first 7 bits of the fraction
 * of its double, so each is at most 1/128 = 0.8 % of what it holds wide, and
 * up to 128 us every value has its own.  The last holds 2^47 us (4 years) and
 * more.
 */
#define TALLY_FRACTION_BITS 7
#define TALLY_BUCKETS       (48 << TALLY_FRACTION_BITS)

struct tally {
	uint64_t sum_usec, max_usec;
	uint64_t busy_usec; /* services of those counted */
	uint64_t buckets[TALLY_BUCKETS];
};

static inline size_t
tally_bucket(uint64_t wait_usec)
{
	const double x = (double)(int64_t)(wait_usec + 1);
	const size_t bias = (size_t)1023 << TALLY_FRACTION_BITS;
	uint64_t bits;
	size_t bucket;

	memcpy(&bits, &x, sizeof(bits));
	bucket = (bits >> (52 - TALLY_FRACTION_BITS)) - bias;
	return bucket < TALLY_BUCKETS ? bucket : TALLY_BUCKETS - 1;
}

static inline void
tally_add(struct tally *tally, size_t bucket, uint64_t wait_usec,
    uint64_t service_usec)
{
	tally->buckets[bucket]++;
	tally->sum_usec += wait_usec;
	tally->busy_usec += service_usec;
	if (__builtin_expect(wait_usec > tally->max_usec, 0))
		tally->max_usec = wait_usec;
}

/* Add what from holds to to. */
void tally_merge(struct tally *to, const struct tally *from);

/* A percentile is the middle of its bucket, never above the maximum. */
void tally_figures(const struct tally *tally, struct wait_figures *ret_figures);

/*
 * Means of consecutive messages, at most SERIES of them: when there are more,
 * each two become one.  So their number stays in SERIES / 2 .. SERIES, and
 * they become longer as the simulation goes on.
 */
#define SERIES 32

struct series {
	size_t n;      /* complete ones */
	uint64_t size; /* arrivals in each, 0: as the first that is added */
	struct part {
		uint64_t arrivals; /* meanwhile */
		uint64_t messages; /* that began service */
		uint64_t sum_usec; /* of their waits */
		uint64_t backlog;  /* what grows without bound if unstable */
	} parts[SERIES], filling;
};

void series_add(struct series *series, struct part part);

/* Mean of the batches from .. to - 1; 0 without a message. */
double series_mean(const struct series *series, size_t from, size_t to);

/* The sum of what may grow, in the same. */
double series_backlog(const struct series *series, size_t from, size_t to);

/* The value that Student's t with dof degrees of freedom, >= 3, exceeds in
 * either direction with probability 0.01 (relative error under 1 %). */
double stats_student99(size_t dof);

struct interval {
	double mean, half_width; /* 99 %; INFINITY for less than four means */
};

/* Of n means of independent, equally long runs. */
struct interval stats_interval(const double *means, size_t n);

#endif
