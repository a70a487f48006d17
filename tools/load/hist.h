/*
 * tools/load/hist.h - a histogram of durations with 1 % wide buckets, so that
 * a soak of days keeps its percentiles in a fixed few kilobytes.
 */
#ifndef LOAD_HIST_H
#define LOAD_HIST_H

#include <stdint.h>

#define HIST_BUCKETS 2600 /* 1 µs × 1.01^2600 is some 48 hours */

struct hist {
	uint64_t total;
	uint64_t max_usec;
	uint32_t bucket[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t usec);

/* The duration in µs that a share of p (0 to 1) doesn't exceed; 0 if empty. */
double hist_percentile(const struct hist *h, double p);

#endif
