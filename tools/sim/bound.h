/*
 * tools/sim/bound.h - how long mail waits at least, whatever the policy.
 */
#ifndef SLUICE_TOOLS_SIM_BOUND_H
#define SLUICE_TOOLS_SIM_BOUND_H

#include "tools/sim/model.h"

/*
 * Seconds that the mean wait in queue is never below, for this model's rate,
 * sizes and servers and any policy that doesn't stop what it has begun, even
 * one that knows the future; INFINITY: the servers can't keep up.  The larger
 * of two bounds; their derivations are in bound.c.  No policy is known to
 * reach it.
 */
double bound_wait(const struct model *model);

#endif
