/*
 * tools/sim/optimize_search.c - the best limits by simulation.
 *
 * The mean wait over the limits has many hollows: how many lanes are limited
 * matters more than where, and laws have gaps where nothing changes.  So for
 * some numbers of limited lanes a grid of limits is tried, geometric from the
 * first to the last; then the best of the grid is refined by NLopt, in every
 * limit for itself.
 *
 * All evaluations of a step see the same messages, so their differences are
 * known far better than the waits themselves, and the search is as
 * reproducible as a formula.
 */
#include "tools/sim/optimize_priv.h"

#include <errno.h>
#include <math.h>

/* Messages of each evaluation, on the grid and near the best. */
#define COARSE (UINT64_C(1) << 16)
#define FINE   (UINT64_C(1) << 18)
/* Points on the grid for one limit, and for the first and last of several. */
#define POINTS       10
#define POINTS_SPAN  6
#define REFINEMENTS  7 /* evaluations for each limit that is refined */
#define REFINED_MOST 4 /* with more limits the grid has to do */
#define SHAPES       4
/* A number of limited lanes is worth refining that is so near to the best. */
#define PROMISING 1.10
/* As good; the reference's optimum is flatter than this by far. */
#define AS_GOOD 1.01
/* The longest wait is worth this much of the mean. */
#define PATIENCE_AS_GOOD 1.02
/* Of the mean service: nobody asks to know a wait better than that. */
#define FLOOR 1e-4
/* Messages that a search sees are not those that confirm it. */
#define OTHER_SEED UINT64_C(0x5bd1e9955bd1e995)
/* What all evaluations together are thought to take, for progress alone. */
#define EXPECTED_SEARCH  80
#define EXPECTED_CONFIRM 0.4

static const double patiences[] = {3, 10, 30, 100, 300, 1000};
#define PATIENCES      (sizeof(patiences) / sizeof(patiences[0]))
#define PATIENCE_USUAL 100

/* So many limited lanes, and the best that was found with them. */
struct shape {
	size_t limits;
	double x[FEED_MAX_LANES];
	double wait_s;
};

struct search {
	struct model model;
	const struct simulate_options *options; /* the caller's */
	struct optimize_range range;
	uint64_t messages;
	size_t evaluations;
	int r; /* < 0: nothing counts any more */
};

static bool
on_progress(void *arg, double done)
{
	const struct search *s = arg;
	const double share =
	    fmin(((double)s->evaluations + done) / EXPECTED_SEARCH, 1);

	return s->options->progress(
	    s->options->arg, (1 - EXPECTED_CONFIRM) * share);
}

static bool
on_confirm(void *arg, double done)
{
	const struct search *s = arg;

	return s->options->progress(
	    s->options->arg, 1 - EXPECTED_CONFIRM * (1 - done));
}

/* The mean wait of s->model in seconds, or OPTIMIZE_UNSTABLE. */
static double
evaluate(struct search *s)
{
	const uint64_t most = s->options->max_messages;
	const struct simulate_options options = {
	    .seed = s->options->seed ^ OTHER_SEED,
	    .max_messages = s->messages < most ? s->messages : most,
	    .threads = s->options->threads,
	    .progress = s->options->progress ? on_progress : NULL,
	    .arg = s,
	};
	struct simulation simulation;

	if (s->r == 0)
		s->r = simulate(&s->model, &options, &simulation);
	s->evaluations++;
	/* Most are over before they would tell. */
	if (s->r == 0 && options.progress && !on_progress(s, 0))
		s->r = -ECANCELED;
	return s->r < 0 || !simulation.stable ? OPTIMIZE_UNSTABLE
					      : simulation.all.mean_s;
}

/* As optimize_minimise() calls it. */
static double
cost_of(void *arg, const double *x, size_t n)
{
	struct search *s = arg;

	s->model.limits = optimize_limits_of(s->model.limits.lanes, x, n);
	return evaluate(s);
}

/* False: unstable. */
static bool
try_span(struct search *s, struct shape *shape, double first, double last)
{
	const size_t n = shape->limits;
	double x[FEED_MAX_LANES] = {first}, wait_s;

	for (size_t i = 1; i < n; i++)
		x[i] = first + (last - first) * (double)i / (double)(n - 1);
	wait_s = cost_of(s, x, n);
	/* Of those that are alike, the last and lowest. */
	if (wait_s <= shape->wait_s) {
		shape->wait_s = wait_s;
		for (size_t i = 0; i < n; i++)
			shape->x[i] = x[i];
	}
	return wait_s < OPTIMIZE_UNSTABLE;
}

static double
spacing_of(const struct search *s, const struct shape *shape)
{
	return (s->range.high - s->range.low) /
	       (shape->limits == 1 ? POINTS : POINTS_SPAN);
}

/* Where limits are too low, lower ones are all the more: those aren't tried,
 * for nothing takes as long as what never becomes stable. */
static void
try_spans(struct search *s, struct shape *shape, double low, double spacing)
{
	bool bad[POINTS_SPAN][POINTS_SPAN] = {{false}};

	for (int i = POINTS_SPAN - 2; i >= 0; i--)
		for (int j = POINTS_SPAN - 1; j > i; j--)
			bad[i][j] =
			    (i + 1 < j && bad[i + 1][j]) ||
			    (j + 1 < POINTS_SPAN && bad[i][j + 1]) ||
			    !try_span(s, shape, low + (i + 0.5) * spacing,
				low + (j + 0.5) * spacing);
}

/* Points in the middle of even parts of the range. */
static void
try_grid(struct search *s, struct shape *shape)
{
	const double low = s->range.low, spacing = spacing_of(s, shape);
	bool good = true;

	shape->wait_s = INFINITY;
	if (shape->limits == 0)
		(void)try_span(s, shape, low, low);
	for (int i = POINTS - 1; shape->limits == 1 && i >= 0 && good; i--)
		good = try_span(s, shape, low + (i + 0.5) * spacing, low);
	if (shape->limits > 1)
		try_spans(s, shape, low, spacing);
}

static void
refine(struct search *s, struct shape *shape)
{
	const size_t n = shape->limits;

	if (n > 0 && n <= REFINED_MOST)
		shape->wait_s = optimize_minimise(cost_of, s, &s->range,
		    shape->x, n, spacing_of(s, shape) / 2,
		    spacing_of(s, shape) / 10, REFINEMENTS * (int)n);
	else
		shape->wait_s = cost_of(s, shape->x, n);
}

/* How many lanes may be limited: none, one, two, half, all but the last.  The
 * last not where limits keep workers free: too few would be left. */
static size_t
shapes_of(const struct model *model, struct shape *shapes)
{
	const size_t lanes = model->limits.lanes;
	const size_t limits[] = {0, 1, 2, lanes / 2,
	    model->policy == FEED_SMALL_FIRST ? 0 : lanes - 1};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (i == 0 ||
		    (limits[i] > shapes[n - 1].limits && limits[i] < lanes &&
			model->policy != FEED_LEAST_WORK))
			shapes[n++].limits = limits[i];
	return n;
}

/* The shape with the fewest limits of those that are as good as the best. */
static const struct shape *
search_limits(struct search *s, struct shape *shapes, size_t n)
{
	double best = INFINITY;
	const struct shape *chosen = NULL;

	s->messages = COARSE;
	for (size_t i = 0; i < n; i++) {
		try_grid(s, &shapes[i]);
		best = fmin(best, shapes[i].wait_s);
	}
	s->messages = FINE;
	for (size_t i = 0; i < n; i++)
		if (n > 1 && shapes[i].wait_s <= PROMISING * best)
			refine(s, &shapes[i]);
		else if (n > 1)
			shapes[i].wait_s = INFINITY;
	best = INFINITY;
	for (size_t i = 0; i < n; i++)
		best = fmin(best, shapes[i].wait_s);
	for (size_t i = 0; i < n && !chosen; i++)
		if (shapes[i].wait_s <= AS_GOOD * best)
			chosen = &shapes[i];
	return chosen;
}

/* The least that is as good as the best: it bounds the longest wait. */
static void
search_patience(struct search *s)
{
	double waits_s[PATIENCES], best = INFINITY;
	size_t chosen = 0;

	s->messages = 2 * FINE; /* it matters when queues are long: rarely */
	for (size_t i = 0; i < PATIENCES; i++) {
		s->model.patience = patiences[i];
		waits_s[i] = evaluate(s);
		best = fmin(best, waits_s[i]);
	}
	while (waits_s[chosen] > PATIENCE_AS_GOOD * best)
		chosen++;
	s->model.patience = patiences[chosen];
}

static int
confirm(struct search *s, double accuracy, struct optimum *ret)
{
	struct simulate_options options = *s->options;
	int r;

	options.half_width = accuracy;
	options.floor_s = FLOOR * model_service(&s->model).mean_s;
	options.progress = options.progress ? on_confirm : NULL;
	options.arg = s;
	ret->limits = s->model.limits;
	ret->patience = s->model.patience;
	ret->evaluations = s->evaluations;
	r = simulate(&s->model, &options, &ret->run);
	if (r < 0)
		return r;
	ret->stable = ret->run.stable;
	ret->wait_mean_s = ret->stable ? ret->run.all.mean_s : INFINITY;
	ret->ci99_s = ret->run.ci99_s;
	return ret->stable ? 0 : -EDOM;
}

int
optimize_simulated(const struct model *model, double accuracy,
    const struct simulate_options *options, struct optimum *ret_optimum)
{
	struct search s = {
	    .model = *model,
	    .options = options,
	    .range = optimize_range(model),
	};
	struct shape shapes[SHAPES + 1] = {{0}};
	const struct shape *chosen;

	*ret_optimum = (struct optimum){.wait_mean_s = INFINITY};
	s.model.patience = PATIENCE_USUAL;
	chosen = search_limits(&s, shapes, shapes_of(model, shapes));
	if (s.r < 0)
		return s.r;
	(void)cost_of(&s, chosen->x, chosen->limits);
	if (model->policy == FEED_SMALL_FIRST)
		search_patience(&s);
	return s.r < 0 ? s.r : confirm(&s, accuracy, ret_optimum);
}
