/*
 * feed/propose.h - the limits that would make mail wait least, by policy,
 * from the law of its sizes and the service line.
 *
 * FEED_SIZE           the best of all limits at the bounds of the law's
 *                     intervals, by dynamic programming: a lane's part of the
 *                     mean wait depends on its own sizes alone
 * FEED_SIZE_LOAD,     some lanes kept free of all that is large, the others
 * FEED_STEAL,         without a limit; how many, and what is large, by
 * FEED_SMALL_FIRST    foresee_wait() of some twenty candidates
 * FEED_LEAST_WORK     it has no limits
 *
 * Several lanes that are kept free have limits one octet apart: a list of
 * limits ascends.  Pure.
 */
#ifndef SLUICE_FEED_PROPOSE_H
#define SLUICE_FEED_PROPOSE_H

#include "feed/foresee.h"

/* Limits at which each lane has the same share of the work under FEED_SIZE:
 * needs no rate, and is near the best where sizes have no gap. */
void propose_equal_load(
    const struct foresee *what, size_t lanes, struct feed_limits *ret_limits);

/*
 * The limits to take.  law->n and rate above 0.  Where no limits are stable,
 * FEED_SIZE gets those of equal load.
 */
void propose_limits(
    const struct foresee *what, size_t lanes, struct feed_limits *ret_limits);

#endif
