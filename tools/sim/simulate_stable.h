/*
 * tools/sim/simulate_stable.h - whether queues grow for ever: from the model
 * before a simulation, and from its batches.
 */
#ifndef SLUICE_TOOLS_SIM_SIMULATE_STABLE_H
#define SLUICE_TOOLS_SIM_SIMULATE_STABLE_H

#include "tools/sim/simulate_priv.h"

/*
 * Is it certain that model is unstable?  work[k] is what the k'th class asks
 * for, in seconds of service at speed 1 a second.  size: a lane can't do its
 * class.  size+load, steal: for some k, the lanes from k on can't do the
 * classes from k on, which no other admits.  All: all lanes can't do all.
 */
bool is_overloaded(const struct model *model, const double *work);

/* The same with the work that model's law of sizes brings. */
bool model_is_overloaded(const struct model *model);

/*
 * How long model remembers, in arrivals; INFINITY if the sizes have no
 * variance.  Near saturation the work in a queue is a Brownian motion with
 * drift, reflected at nothing: its unit of time is its variance by the square
 * of its drift.  The longest of the lanes under size; under size+load and
 * steal, of the lanes from any on with what no other admits; of all together.
 */
double model_memory(const struct model *model);

/*
 * Of that motion, begun at nothing: the share of its final mean that it has in
 * the mean between two times in arrivals, 0 .. 1.
 * (Abate and Whitt 1987: the first moment of reflected Brownian motion.)
 */
double grown_share(double memory, double from, double to);

/*
 * How much waited in the last quarter of the batches, all runs together, for
 * one in the second quarter; the standard error of that; and by how many of
 * them it is above one.  1, INFINITY and 0 for less than eight batches, and
 * where something waited in one quarter only; 1, 0 and 0 where nothing did.
 */
struct trend {
	double ratio, error, clearness;
};

struct trend trend_of(const struct run *runs, size_t n);

/* Of each batch's mean with the next one's, -1 .. 1; 1 for less than eight. */
double correlation_of(const struct run *runs, size_t n);

#endif
