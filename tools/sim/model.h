/*
 * tools/sim/model.h - the system that is computed or simulated: arrivals,
 * sizes, service, queues, policy.  Seconds and octets throughout.
 */
#ifndef SLUICE_TOOLS_SIM_MODEL_H
#define SLUICE_TOOLS_SIM_MODEL_H

#include "feed/sort.h"

#include <stddef.h>

struct sizes;

struct model {
	struct feed_limits limits; /* its lanes are the workers, N */
	enum feed_policy policy;
	double rate;               /* Poisson arrivals, messages a second */
	double fixed_s;            /* service a + b * octets: a */
	double per_octet_s;        /* and b */
	const struct sizes *sizes; /* borrowed */
	size_t slots;              /* messages a lane serves at a time, >= 1 */
	double speed[FEED_MAX_LANES]; /* of each worker; 1: service as above */
	double patience;              /* FEED_SMALL_FIRST: ageing, feed_due() */
	/* Detonations: that share of messages takes, on top, a time even
	 * between 0 and tail_s. */
	double tail_share, tail_s;
	/* Known attachments: that share, at random, takes only fixed_s, and
	 * is never detonated. */
	double hit_share;
};

/* Mean and second moment (s, s^2) of the service of all mail at speed 1;
 * INFINITY where the sizes have none. */
struct service_moments {
	double mean_s, square_s2;
};

struct service_moments model_service(const struct model *model);

/* N * slots' total speed / mean service: no policy is stable above it.
 * INFINITY: mail takes no service. */
double model_rate_bound(const struct model *model);

/* Of all servers together, 0 .. above 1. */
double model_utilisation(const struct model *model);

#endif
