/*
 * tools/sim/optimize.c - NLopt wrapped, and who optimises which policy.
 */
#include "tools/sim/optimize.h"

#include "common/cleanup.h"
#include "tools/sim/optimize_priv.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <nlopt.h>

DEFINE_CLEANUP(nlopt_opt, nlopt_destroy);

/* NLopt's form of it. */
struct objective {
	double (*cost)(void *arg, const double *x, size_t n);
	void *arg;
};

static double
call(unsigned int n, const double *x, double *gradient, void *arg)
{
	const struct objective *o = arg;

	assert(!gradient); /* the algorithm doesn't use any */
	return o->cost(o->arg, x, n);
}

double
optimize_minimise(double (*cost)(void *arg, const double *x, size_t n),
    void *arg, const struct optimize_range *range, double *x, size_t n,
    double step, double tolerance, int max_evaluations)
{
	struct objective objective = {cost, arg};
	CLEANUP(nlopt_destroyp) nlopt_opt opt = NULL;
	double least;
	nlopt_result r;

	/* Sbplx (Rowan 1990): simplices in subspaces; a cost with steps and
	 * plateaus, as simulations and gaps in the law have, doesn't hurt. */
	opt = nlopt_create(NLOPT_LN_SBPLX, (unsigned int)n);
	r = opt ? nlopt_set_min_objective(opt, call, &objective)
		: NLOPT_OUT_OF_MEMORY;
	if (r >= 0)
		r = nlopt_set_lower_bounds1(opt, range->low);
	if (r >= 0)
		r = nlopt_set_upper_bounds1(opt, range->high);
	if (r >= 0)
		r = nlopt_set_initial_step1(opt, step);
	if (r >= 0)
		r = nlopt_set_xtol_abs1(opt, tolerance);
	if (r >= 0)
		r = nlopt_set_maxeval(opt, max_evaluations);
	assert(r >= 0);
	for (size_t i = 0; i < n; i++)
		x[i] = fmin(fmax(x[i], range->low), range->high);
	/* Rounding that stops it early still leaves the best in x. */
	(void)nlopt_optimize(opt, x, &least);
	return cost(arg, x, n);
}

/*
 * A lane that is idle at some instant was due to be empty by then ever since
 * the last message came to it.  So whatever waits elsewhere by size+load and
 * would be admitted there was placed wrongly, unless a prediction was wrong.
 */
bool
optimize_has_surprises(const struct model *model)
{
	bool even = model->slots == 1;

	for (size_t i = 0; i < model->limits.lanes; i++)
		even = even && model->speed[i] == 1;
	return !even || model->tail_share > 0 || model->hit_share > 0;
}

int
optimize_limits(const struct model *model, double accuracy,
    const struct simulate_options *options, struct optimum *ret_optimum)
{
	struct model same = *model;

	if (!(model_utilisation(model) < 1)) {
		*ret_optimum = (struct optimum){.wait_mean_s = INFINITY};
		return -EDOM;
	}
	if (model->policy == FEED_SIZE)
		return optimize_size(model, ret_optimum);
	if (model->policy == FEED_STEAL && !optimize_has_surprises(model))
		same.policy = FEED_SIZE_LOAD;
	return optimize_simulated(&same, accuracy, options, ret_optimum);
}
