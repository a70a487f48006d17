/*
 * tools/sim/optimize_size.c - the size policy by formula.
 *
 * Its mean wait has plateaus and several hollows.  In VirScan's published
 * example two lanes share the small mail, and the limit above them lies in a
 * gap of the law, where moving it changes next to nothing: W is 1.71 s there.
 * But one lane for all small mail and three for the large makes 0.97 s.
 *
 * A lane's part of the wait depends on its own two limits alone, so dynamic
 * programming finds the best limits on a grid of sizes, with all hollows
 * considered.  From there it is a short way down.
 */
#include "tools/sim/closed.h"
#include "tools/sim/model_priv.h"
#include "tools/sim/optimize_priv.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define POINTS 160 /* limits on the grid; their moments are kept */

/* optimize_near(): its steps and reach, as shares of a limit, and the share
 * of the wait that a step must gain. */
#define NEAR_STEP  0.01
#define NEAR_REACH 0.05
#define NEAR_GAIN  1e-5
#define NEAR_SHARE 1e-3 /* of the mail: a lane that has less is idle */

/* An argument of optimize_minimise(). */
struct formula {
	struct model model;
	struct closed figures; /* of the last x */
	size_t evaluations;
};

static double
formula_cost(void *arg, const double *x, size_t n)
{
	struct formula *f = arg;
	double most = 0;

	f->evaluations++;
	f->model.limits = optimize_limits_of(f->model.limits.lanes, x, n);
	closed_figures(&f->model, &f->figures);
	if (f->figures.stable)
		return f->figures.wait_mean_s;
	for (size_t i = 0; i < f->model.limits.lanes; i++)
		most = fmax(most, f->figures.lanes[i].utilisation);
	return OPTIMIZE_UNSTABLE * fmin(most, 1e6);
}

/* Down from x, in first steps of step; the best seen is left in f. */
static void
descend(struct formula *f, double *x, double step)
{
	const struct optimize_range range = optimize_range(&f->model);
	const int n = (int)f->model.limits.lanes - 1;

	if (n > 0)
		(void)optimize_minimise(
		    formula_cost, f, &range, x, n, step, 1e-5, 400 * n);
	else
		(void)formula_cost(f, x, 0);
}

static void
logarithms_of(const struct feed_limits *limits, double *ret_x)
{
	for (size_t i = 0; i + 1 < limits->lanes; i++)
		ret_x[i] = log((double)limits->max_bytes[i]);
}

static void
result_of(const struct formula *f, struct optimum *ret_optimum)
{
	*ret_optimum = (struct optimum){
	    .limits = f->model.limits,
	    .wait_mean_s = f->figures.wait_mean_s,
	    .stable = f->figures.stable,
	    .evaluations = f->evaluations,
	};
}

/* Sizes without a variance: some lane has them with any limits, and the mean
 * wait is infinite.  Then those that load all lanes alike are as good. */
static bool
is_endless(const struct model *model)
{
	return isinf(model_service(model).square_s2);
}

static int
optimize_endless(const struct model *model, struct optimum *ret_optimum)
{
	struct formula f = {.model = *model, .evaluations = 1};

	optimize_equal_load(model, &f.model.limits);
	closed_figures(&f.model, &f.figures);
	result_of(&f, ret_optimum);
	return ret_optimum->stable ? 0 : -EDOM;
}

/* The limit at along, the others as they are. */
struct one {
	struct formula *formula;
	double *x;
	size_t along;
};

static double
one_cost(void *arg, const double *x, size_t n)
{
	struct one *one = arg;

	(void)n;
	one->x[one->along] = *x;
	return formula_cost(
	    one->formula, one->x, one->formula->model.limits.lanes - 1);
}

/* Whether a small step of the limit along gains anything worth the name.  In
 * a gap of the law it doesn't, and the limit stays where it is. */
static bool
is_on_a_slope(struct formula *f, const double *x, size_t along, double cost)
{
	const size_t n = f->model.limits.lanes - 1;
	double there[FEED_MAX_LANES], least = INFINITY;

	memcpy(there, x, n * sizeof(*x));
	for (int sign = -1; sign <= 1; sign += 2) {
		there[along] = x[along] + sign * NEAR_STEP;
		least = fmin(least, formula_cost(f, there, n));
	}
	return least < cost * (1 - NEAR_GAIN);
}

/* The limit along to where it is best, not far from where it is and not
 * beyond its neighbours. */
static double
improve_one(struct formula *f, double *x, size_t along, double cost)
{
	const size_t n = f->model.limits.lanes - 1;
	struct optimize_range near = {
	    x[along] - NEAR_REACH, x[along] + NEAR_REACH};
	struct one one = {f, x, along};
	double at = x[along], least;

	if (!is_on_a_slope(f, x, along, cost))
		return cost;
	if (along > 0)
		near.low = fmax(near.low, x[along - 1]);
	if (along + 1 < n)
		near.high = fmin(near.high, x[along + 1]);
	least = optimize_minimise(
	    one_cost, &one, &near, &at, 1, NEAR_STEP, 1e-6, 100);
	x[along] = at;
	return least;
}

/* With them every lane has work, and none too much. */
static bool
is_a_start(const struct model *model)
{
	struct closed figures;

	closed_figures(model, &figures);
	for (size_t i = 0; i < model->limits.lanes; i++)
		if (figures.lanes[i].share < NEAR_SHARE)
			return false;
	return figures.stable;
}

int
optimize_near(const struct model *model, struct optimum *ret_optimum)
{
	struct formula f = {.model = *model};
	const size_t n = model->limits.lanes - 1;
	double x[FEED_MAX_LANES] = {0}, cost, before;

	if (is_endless(model))
		return optimize_endless(model, ret_optimum);
	if (!is_a_start(model))
		optimize_equal_load(model, &f.model.limits);
	logarithms_of(&f.model.limits, x);
	cost = formula_cost(&f, x, n);
	do {
		before = cost;
		for (size_t i = 0; i < n; i++)
			cost = improve_one(&f, x, i, cost);
	} while (cost < before);
	(void)formula_cost(&f, x, n); /* the figures of the best */
	result_of(&f, ret_optimum);
	return ret_optimum->stable ? 0 : -EDOM;
}

/* Limits, and the moments of what is up to them; the last one has all. */
struct grid {
	double x[POINTS + 1], spacing;
	struct moments below[POINTS + 1];
};

static void
grid_init(struct grid *grid, const struct model *model)
{
	const struct optimize_range range = optimize_range(model);

	grid->spacing = (range.high - range.low) / (POINTS - 1);
	for (size_t i = 0; i <= POINTS; i++) {
		grid->x[i] = range.low + (double)i * grid->spacing;
		grid->below[i] = model_service_between(model, -INFINITY,
		    i < POINTS ? round(exp(grid->x[i])) : INFINITY);
	}
}

/* The part of the mean wait that lane has with the mail between low and high;
 * as closed_figures(), from moments. */
static double
lane_cost(const struct model *model, size_t lane, const struct moments *low,
    const struct moments *high)
{
	const double share = high->m0 - low->m0, m1 = high->m1 - low->m1,
		     m2 = high->m2 - low->m2;
	const double mean_s = m1 / share / model->speed[lane];
	const double load = model->rate * share * mean_s / (double)model->slots;

	if (!(share > 0) || !(m1 > 0))
		return 0;
	if (!(load < 1))
		return OPTIMIZE_UNSTABLE * fmin(load, 1e6);
	return share *
	       closed_mmc_wait(model->rate * share, mean_s, model->slots) *
	       (m2 * share / (2 * m1 * m1));
}

/* The best limits on the grid.  least[i]: of the lanes so far, which have all
 * mail up to grid point i; from[lane][i]: where the lane begins then. */
static void
search_grid(const struct model *model, const struct grid *grid, double *ret_x)
{
	static const struct moments none = {0, 0, 0};
	unsigned char from[FEED_MAX_LANES][POINTS + 1] = {{0}};
	double least[POINTS + 1];
	size_t at = POINTS;

	for (size_t i = 0; i <= POINTS; i++)
		least[i] = lane_cost(model, 0, &none, &grid->below[i]);
	for (size_t lane = 1; lane < model->limits.lanes; lane++)
		for (size_t i = POINTS + 1; i-- > 0;) {
			double best = INFINITY;

			for (size_t j = 0; j <= i; j++) {
				const double cost =
				    least[j] + lane_cost(model, lane,
						   &grid->below[j],
						   &grid->below[i]);

				if (cost < best) {
					best = cost;
					from[lane][i] = (unsigned char)j;
				}
			}
			least[i] = best;
		}
	for (size_t lane = model->limits.lanes; lane-- > 1;)
		ret_x[lane - 1] = grid->x[at = from[lane][at]];
}

int
optimize_size(const struct model *model, struct optimum *ret_optimum)
{
	struct formula f = {.model = *model}, g = {.model = *model};
	double x[FEED_MAX_LANES] = {0};
	struct grid grid;

	if (is_endless(model))
		return optimize_endless(model, ret_optimum);
	optimize_equal_load(model, &f.model.limits);
	logarithms_of(&f.model.limits, x);
	descend(&f, x, 0.05);
	grid_init(&grid, model);
	search_grid(model, &grid, x);
	descend(&g, x, grid.spacing / 2);
	g.evaluations += f.evaluations;
	/* Of few sizes, a grid may miss what equal loads hit. */
	if (f.figures.stable &&
	    !(g.figures.wait_mean_s <= f.figures.wait_mean_s))
		g = f;
	result_of(&g, ret_optimum);
	return ret_optimum->stable ? 0 : -EDOM;
}
