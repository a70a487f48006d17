/*
 * feed/mix.h - what sizes mail has of late: a histogram that fades, and the
 * law of sizes that it amounts to.
 *
 * Buckets of a 16th of an octave (4.4 %) from 64 octets to 1 GiB, 6 KiB in
 * all.  A message counts half of what it did once half_life others have come
 * after it.  Pure.
 */
#ifndef SLUICE_FEED_MIX_H
#define SLUICE_FEED_MIX_H

#include <stddef.h>
#include <stdint.h>

#define MIX_STEPS   16 /* an octave */
#define MIX_OCTAVES 24 /* 64 octets .. 1 GiB */
#define MIX_BUCKETS (MIX_STEPS * MIX_OCTAVES + 2)

struct mix {
	double next;   /* what the next message weighs */
	double growth; /* and by how much more than the one before it */
	double weight, square;
	double counts[MIX_BUCKETS], bytes[MIX_BUCKETS];
};

void mix_init(struct mix *mix, double half_life);
void mix_add(struct mix *mix, uint64_t bytes);

/* Messages of equal weight that would tell as much. */
double mix_count(const struct mix *mix);

/*
 * A law of sizes: ascending intervals (low, high] that don't overlap, each
 * with its share of the messages, all above 0 and 1 together, and their mean.
 */
struct mix_point {
	double low, high, share, mean;
};

struct mix_law {
	size_t n; /* 0: nothing is known */
	struct mix_point points[MIX_BUCKETS];
};

void mix_law(const struct mix *mix, struct mix_law *ret_law);

#endif
