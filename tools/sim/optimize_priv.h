/*
 * tools/sim/optimize_priv.h - what the parts of the optimiser share.
 */
#ifndef SLUICE_TOOLS_SIM_OPTIMIZE_PRIV_H
#define SLUICE_TOOLS_SIM_OPTIMIZE_PRIV_H

#include "tools/sim/optimize.h"

/* What an unstable system costs: more than any wait, less when it is nearer
 * to being stable. */
#define OPTIMIZE_UNSTABLE 1e9

/* Limits are sought as logarithms of octets in this range. */
struct optimize_range {
	double low, high;
};

struct optimize_range optimize_range(const struct model *model);

/* Limits of n lanes from the n_x logarithms x in any order, the rest none;
 * they ascend, by one octet where x doesn't tell them apart. */
struct feed_limits optimize_limits_of(size_t n, const double *x, size_t n_x);

/*
 * Minimise cost(x) over n values within the range, from x on, in first steps
 * of step; max_evaluations calls at most, fewer when steps of less than
 * tolerance remain.  x becomes the best seen.  Returns its cost.
 */
double optimize_minimise(double (*cost)(void *arg, const double *x, size_t n),
    void *arg, const struct optimize_range *range, double *x, size_t n,
    double step, double tolerance, int max_evaluations);

/* Whether FEED_STEAL has ever anything to steal: without surprises, it is
 * FEED_SIZE_LOAD message by message. */
bool optimize_has_surprises(const struct model *model);

/* optimize_limits() of the size policy, and of those that are simulated. */
int optimize_size(const struct model *model, struct optimum *ret_optimum);
int optimize_simulated(const struct model *model, double accuracy,
    const struct simulate_options *options, struct optimum *ret_optimum);

/* Sets best and simplest from the optima. */
void optimize_choose(struct recommendation *rec);

#endif
