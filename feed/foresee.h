/*
 * feed/foresee.h - how long mail will wait under given limits: from the law
 * of its sizes, the service line and the rate at which it comes.
 *
 * FEED_SIZE has a formula: independent M/G/1 queues, and for each
 * W = rate F / (2 (1 - rate E)), Pollaczek and Khinchine, where E and F are
 * the integrals of service and its square over the lane's sizes.
 *
 * For the policies that look at the load none is known, so a short simulation
 * asks feed_pick() itself: messages that follow the law, each with its place
 * in it, in an order that looks random and is always the same, so the same
 * values in give the same values out, and two sets of limits are compared on
 * the same mail.  FEED_STEAL and FEED_SMALL_FIRST are taken for
 * FEED_SIZE_LOAD with the same limits, which waits longer than both.
 *
 * The service of a size has no spread here, one message at a time is served,
 * and arrivals are Poisson's: waits come out too short where that is not so.
 * Compare limits by it; don't promise them.  Pure.
 */
#ifndef SLUICE_FEED_FORESEE_H
#define SLUICE_FEED_FORESEE_H

#include "feed/sort.h"

#include <stdbool.h>

struct line;
struct mix_law;

/* The mail and the workers, whatever the limits; all but lanes borrowed. */
struct foresee {
	enum feed_policy policy;
	const struct mix_law *law;
	const struct line *line; /* service; microseconds */
	double rate;             /* messages a microsecond */
};

struct foresight {
	double wait_usec; /* mean over all mail; INFINITY: it would pile up */
	double lane_wait_usec[FEED_MAX_LANES]; /* of those placed there */
	double lane_share[FEED_MAX_LANES];     /* of the messages */
};

/* The mean service in microseconds. */
double foresee_service_usec(const struct foresee *what);

/* The rate that fills lanes workers to a load of 0 .. 1. */
double foresee_rate(const struct foresee *what, size_t lanes, double load);

/* The waits under limits.  law->n above 0.  Takes some milliseconds: see
 * FORESEE_MESSAGES. */
void foresee_wait(const struct foresee *what, const struct feed_limits *limits,
    struct foresight *ret_foresight);

/* Messages of a simulation. */
#define FORESEE_MESSAGES 16384

#endif
