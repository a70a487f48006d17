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
	bool stable;
	size_t evaluations;
};

/* Equal-load limits: every lane has the same utilisation under FEED_SIZE. */
void optimize_equal_load(
    const struct model *model, struct feed_limits *ret_limits);

/*
 * The best limits for model->policy.  FEED_SIZE analytically (NLopt from the
 * equal-load limits), the others by simulation with common random numbers;
 * accuracy is the share of W that the half-width of the result may be.
 * 0, -ECANCELED, -EDOM: no limits are stable.
 */
int optimize_limits(const struct model *model, double accuracy,
    const struct simulate_options *options, struct optimum *ret_optimum);

struct recommendation {
	struct optimum by_policy[FEED_POLICIES];
	enum feed_policy best;     /* least wait */
	enum feed_policy simplest; /* within 5 % of it; the advice */
	double bound_s;            /* no policy can wait less: optimize.c */
};

int optimize_recommend(const struct model *model, double accuracy,
    const struct simulate_options *options,
    struct recommendation *ret_recommendation);

#endif
