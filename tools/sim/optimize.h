/*
 * tools/sim/optimize.h - the limits that make mail wait least, and which
 * policy to choose.
 */
#ifndef SLUICE_TOOLS_SIM_OPTIMIZE_H
#define SLUICE_TOOLS_SIM_OPTIMIZE_H

#include "tools/sim/model.h"
#include "tools/sim/simulate.h"

struct optimum {
	struct feed_limits limits;
	double patience;    /* FEED_SMALL_FIRST: the best found */
	double wait_mean_s; /* there */
	double ci99_s;      /* 0: analytic, exact */
	bool stable;        /* false: -EDOM was returned, nothing else is set */
	size_t evaluations;
	/* What confirmed it: a run with options->seed, which the search didn't
	 * use.  All zero for FEED_SIZE by formula. */
	struct simulation run;
};

/*
 * Equal-load limits: every lane has the same utilisation under FEED_SIZE.
 * For a law of few sizes, as near to it as they allow.
 */
void optimize_equal_load(
    const struct model *model, struct feed_limits *ret_limits);

/*
 * The best limits for model->policy; the limits and the patience that model
 * has are left out, but for the number of lanes.
 *
 * FEED_SIZE analytically: the best of a grid, all combinations considered,
 * then NLopt.  The others by simulations that all see the same messages, of
 * another seed than options->seed: first some thousand messages on a grid of
 * sizes, with none, some or all but the last of the lanes limited, then more
 * around the best.  Of what is as good to 1 % the fewest limits are taken,
 * and for FEED_SMALL_FIRST the least patience that is as good to 2 %, for it
 * bounds the longest wait.
 *
 * The winner is run again with options->seed until the half-width of its mean
 * wait is accuracy of it, or 1e-4 of the mean service, or
 * options->max_messages are through;
 * options->half_width is left out.  The same arguments give the same answer,
 * with any number of threads.
 *
 * 0 (wait_mean_s may be INFINITY: FEED_SIZE and sizes without a variance);
 * -ECANCELED; -ENOMEM; -EDOM: no limits are stable (*ret_optimum is set).
 */
int optimize_limits(const struct model *model, double accuracy,
    const struct simulate_options *options, struct optimum *ret_optimum);

/*
 * FEED_SIZE by formula: what model's limits become when one after the other
 * is moved to where mail waits least, by small steps, until none gains.  From
 * equal-load limits where model's overload a lane or leave one idle.  The
 * published optimum is what the default limits become; optimize_limits() may
 * find better ones elsewhere.
 * 0; -EDOM: not stable (*ret_optimum is set).
 */
int optimize_near(const struct model *model, struct optimum *ret_optimum);

/*
 * How simple a policy is to run and to explain, 0 the simplest:
 *
 *   0  least-work   nothing to configure, nothing to go stale
 *   1  size         limits, but no state: who waits where can be told by heart
 *   2  size+load    limits and what each queue expects; fixed at arrival
 *   3  steal        the same, and messages move between queues
 *   4  small-first  one order that exists in memory alone; decided late
 */
unsigned int optimize_effort(enum feed_policy policy);

struct recommendation {
	struct optimum by_policy[FEED_POLICIES]; /* stable tells which are */
	enum feed_policy best;     /* least wait; FEED_POLICIES: none stable */
	enum feed_policy simplest; /* within 5 % of it; the advice */
	double bound_s;            /* no policy can wait less: bound.h */
};

/*
 * Every policy at its best for model.  0; -ECANCELED; -ENOMEM; -EDOM: none is
 * stable with any limits (*ret_recommendation is set).
 */
int optimize_recommend(const struct model *model, double accuracy,
    const struct simulate_options *options,
    struct recommendation *ret_recommendation);

#endif
