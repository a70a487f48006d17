/*
 * feed/sort.h - which feed queue a message goes to, and which message a free
 * worker takes: every placement policy, in one place.
 *
 * Pure: values in, values out, no clock, no input or output.  The daemon and
 * the simulator link the same object, so neither can differ from the other.
 */
#ifndef SLUICE_FEED_SORT_H
#define SLUICE_FEED_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEED_MAX_LANES 64

enum feed_policy {
	FEED_SIZE,        /* disjoint classes: the narrowest lane that admits */
	FEED_SIZE_LOAD,   /* VirScan's: the least loaded of those that admit */
	FEED_LEAST_WORK,  /* the least loaded of all; limits are left out */
	FEED_SMALL_FIRST, /* all wait together; a free lane takes by due time */
	FEED_STEAL,       /* size+load, and a free lane takes from the others */
	FEED_POLICIES
};

/* As in the configuration: "size", "size+load", "least-work", ... */
const char *feed_policy_name(enum feed_policy policy);
/* 0, or -EINVAL: no such policy (*ret_policy untouched). */
int feed_policy_parse(const char *name, enum feed_policy *ret_policy);

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

/* The class of a message of bytes (qf + df): the narrowest lane that admits
 * it.  Always below limits->lanes: the last admits everything. */
size_t feed_class(const struct feed_limits *limits, uint64_t bytes);

/*
 * The lane of a message that has arrived, below limits->lanes.
 *
 * empty_usec  one value a lane: when it is expected to be empty, from now;
 *             FEED_SIZE alone doesn't look at it
 *
 * Of lanes that are equally loaded the one with the smallest limit, which
 * keeps the wider ones free for what only they can take.  FEED_SMALL_FIRST
 * places nothing on arrival: see feed_take().
 */
size_t feed_pick(enum feed_policy policy, const struct feed_limits *limits,
    const uint64_t *empty_usec, uint64_t bytes);

/*
 * FEED_SMALL_FIRST: the order within a class, least first.  Shortest first
 * with ageing: each message is due patience times its predicted service after
 * it arrived, so who came later than that can't overtake it.  patience 0 is
 * first come, first served.
 */
uint64_t feed_due(
    uint64_t arrived_usec, uint64_t service_usec, uint64_t patience);

/*
 * FEED_SMALL_FIRST: the class from whose head the free lane takes its next
 * message, or limits->lanes: nothing waits that it may take.
 *
 *   Of the classes that wait, the one due first.  But what is larger than
 *   max_bytes[k - 1] is taken only while k other workers are free, or will be
 *   before a message of that size would be done.
 *
 * So the limits say how many workers are kept for mail up to which size, and
 * any worker may be the one that is kept: a lane's own limit binds nobody
 * here.  With (6431, none, none, none) large mail gets the fourth worker when
 * one of the others is about to be free again.
 *
 * due_usec    one value a class: feed_due() of its head, UINT64_MAX: empty
 * empty_usec  one value a lane: when it can take its next message, from now,
 *             0: it can now; UINT64_MAX: it is down.  Of workers that are
 *             down none is kept: the last one that runs takes everything
 * limit_usec  one value a limit: predicted service of a message of
 *             max_bytes[i] octets; not read where there is no limit
 *
 * No message starves.  What is due before one of service s that arrived at t
 * is all there at t + patience * s.  Once those are done that were in service
 * then, at least N - L of the N workers have such messages only, L being the
 * number of limits: a later one starts only where an earlier one was refused,
 * because N - k workers had more to do than the later one will take.  So with
 * V the service of all that waits at t + patience * s and is due no later
 * (and right predictions, and limits that stay), the wait is at most
 *
 *   patience * s + the longest left in service then + V / (N - L).
 */
size_t feed_take(const struct feed_limits *limits, size_t lane,
    const uint64_t *due_usec, const uint64_t *empty_usec,
    const uint64_t *limit_usec);

/*
 * FEED_STEAL: the lane from which the free lane takes the message that has
 * waited longest there, or limits->lanes: nobody has one that it admits.
 * That with the most work left; of equals the narrowest.
 *
 * head_bytes  one value a lane: size of what has waited longest, not in
 *             service; UINT64_MAX: nothing waits
 */
size_t feed_steal(const struct feed_limits *limits, size_t lane,
    const uint64_t *empty_usec, const uint64_t *head_bytes);

#endif
