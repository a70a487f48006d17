/*
 * feed/sort.h - which feed queue a message goes to.
 *
 * Pure: values in, values out, no clock, no input or output.  The daemon and
 * the simulator link the same object, so neither can differ from the other.
 */
#ifndef SLUICE_FEED_SORT_H
#define SLUICE_FEED_SORT_H

#include <stddef.h>
#include <stdint.h>

#define FEED_MAX_LANES 64

/* The largest message of each lane in octets; lane 0 is feed1. */
struct feed_limits {
	size_t lanes;
	uint64_t max_bytes[FEED_MAX_LANES];
};

/*
 * Make limits for lanes queues from the count limits of a configuration,
 * which must ascend; queues beyond them, at least the last, have none.
 *
 * Returns 0; -EINVAL: no lane or too many, a limit for the last lane, or
 * limits that do not ascend.  *ret_limits is set on success only.
 */
int feed_limits_make(size_t lanes, const uint64_t *max_bytes, size_t count,
    struct feed_limits *ret_limits);

/*
 * Size and load: of the lanes that admit bytes (qf + df), the one that is
 * expected to be empty first; of several, the one with the smallest limit,
 * which keeps the wider ones free for what only they can take.
 *
 * empty_usec  one value a lane: when it is expected to be empty, from now
 *
 * Returns the lane, always below limits->lanes: the last admits everything.
 */
size_t feed_pick(const struct feed_limits *limits, const uint64_t *empty_usec,
    uint64_t bytes);

#endif
