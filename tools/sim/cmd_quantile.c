#include "tools/sim/cmd_quantile.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sim/sizes.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define STEPS      2048
#define MOST_STEPS (4 * STEPS)
/* A grid ends at so many times the mean wait of those who wait (e^-14), or at
 * twice, four times, ... as many where a few services are far above the mean.
 */
#define REACH      14.0
#define MOST_REACH (32 * REACH)
/* What is left of all mail beyond a grid's end, where all is well. */
#define REST 1e-5
/* Points of the even time of a detonation. */
#define TAIL_POINTS 16
/* Halvings of a bisection: more than a double has digits. */
#define HALVINGS 60

struct lane {
	double share, busy;
	double step_s; /* 0: nobody waits */
	size_t steps;
	double *above; /* P(W > i * step_s), i = 0 .. steps; owned */
};

/* Of what a lane takes, in octets. */
struct range {
	double low, high;
};

static struct range
range_of(const struct model *model, size_t i)
{
	const uint64_t *max = model->limits.max_bytes;
	bool last = i + 1 == model->limits.lanes || max[i] == UINT64_MAX;

	return (struct range){i > 0 ? (double)max[i - 1] : -INFINITY,
	    last ? INFINITY : (double)max[i]};
}

/* E[min(a + b x, y)] of the lane's messages, times their share of all. */
static double
plain_least(const struct model *model, const struct range *r, double y)
{
	const double a = model->fixed_s, b = model->per_octet_s;
	const double share = sizes_moments(model->sizes, r->low, r->high).m0;
	struct moments below;
	double x;

	if (y <= 0)
		return 0;
	if (b <= 0)
		return fmin(a, y) * share;
	x = (y - a) / b;
	if (x <= r->low)
		return y * share;
	below = sizes_moments(model->sizes, r->low, fmin(x, r->high));
	return a * below.m0 + b * below.m1 + y * (share - below.m0);
}

/* The same with detonations and hits. */
static double
least(const struct model *model, const struct range *r, double share, double y)
{
	const double hit = model->hit_share, tail = model->tail_share;
	double sum = 0, plain = plain_least(model, r, y);

	for (int i = 0; tail > 0 && i < TAIL_POINTS; i++) {
		double more = (i + 0.5) * model->tail_s / TAIL_POINTS;

		sum += more >= y
			   ? y * share
			   : more * share + plain_least(model, r, y - more);
	}
	return hit * fmin(model->fixed_s, y) * share +
	       (1 - hit) * ((1 - tail) * plain + tail * sum / TAIL_POINTS);
}

/* Mass of the residual service at each step of the grid, 0 .. steps. */
static void
residuals(const struct model *model, size_t i, struct lane *lane, double *mass)
{
	const struct range r = range_of(model, i);
	const double mean_s = lane->busy * model->speed[i] / model->rate;
	double before = 0;

	for (size_t k = 0; k <= lane->steps; k++) {
		double y = ((double)k + 0.5) * lane->step_s * model->speed[i];
		double upto =
		    fmin(least(model, &r, lane->share, y) / mean_s, 1);

		mass[k] = fmax(upto - before, 0);
		before = fmax(upto, before);
	}
}

/* Panjer's recursion; mass[0] is Fe of half a step. */
static void
compound(struct lane *lane, const double *mass, double *wait)
{
	const double factor = 1 / (1 - lane->busy * mass[0]);
	double sum;

	wait[0] = (1 - lane->busy) * factor;
	sum = wait[0];
	lane->above[0] = lane->busy; /* waits of 0 are an atom of their own */
	for (size_t k = 1; k <= lane->steps; k++) {
		double dot = 0;

		for (size_t j = 1; j <= k; j++)
			dot += mass[j] * wait[k - j];
		wait[k] = lane->busy * factor * dot;
		sum += wait[k];
		/* Half of a step's mass lies above its middle. */
		lane->above[k] = fmax(1 - sum + wait[k] / 2, 0);
	}
}

static void
lane_compute(struct lane *lane, const struct model *model, size_t i)
{
	const size_t n = lane->steps + 1;
	CLEANUP(free_ptr) double *mass = xcalloc(n, sizeof(*mass));
	CLEANUP(free_ptr) double *wait = xcalloc(n, sizeof(*wait));

	free(lane->above);
	lane->above = xcalloc(n, sizeof(*lane->above));
	residuals(model, i, lane, mass);
	compound(lane, mass, wait);
}

/* The grid becomes finer while it becomes longer, so long as it takes no
 * time. */
static void
lane_init(struct lane *lane, const struct model *model, size_t i,
    const struct lane_figures *f)
{
	double reach = REACH;

	*lane = (struct lane){
	    .share = f->share, .busy = f->utilisation, .steps = STEPS};
	if (!(f->wait_mean_s > 0))
		return;
	for (;; reach *= 2) {
		lane->step_s = reach * f->wait_mean_s / f->utilisation /
			       (double)lane->steps;
		lane_compute(lane, model, i);
		if (lane->share * lane->above[lane->steps] <= REST ||
		    reach >= MOST_REACH)
			return;
		if (lane->steps < MOST_STEPS)
			lane->steps *= 2;
	}
}

/* P(W > x); NAN beyond the grid, if something is there. */
static double
lane_above(const struct lane *lane, double x)
{
	double at, whole;
	size_t k;

	if (lane->step_s <= 0)
		return 0;
	at = x / lane->step_s;
	if (at >= (double)lane->steps)
		return lane->share * lane->above[lane->steps] <= REST ? 0 : NAN;
	k = (size_t)at;
	whole = (double)k;
	return lane->above[k] +
	       (at - whole) * (lane->above[k + 1] - lane->above[k]);
}

static double
all_above(const struct lane *lanes, size_t n, double x)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += lanes[i].share * lane_above(&lanes[i], x);
	return sum;
}

static double
quantile(const struct lane *lanes, size_t n, double high, double probability)
{
	double low = 0;

	if (all_above(lanes, n, 0) <= 1 - probability)
		return 0;
	for (int i = 0; i < HALVINGS; i++) {
		double middle = (low + high) / 2;
		double above = all_above(lanes, n, middle);

		/* Where a lane's tail is missing, all is too much to say. */
		if (isnan(above) || above <= 1 - probability)
			high = middle;
		else
			low = middle;
	}
	return isnan(all_above(lanes, n, high)) ? NAN : high;
}

void
cmd_quantiles(const struct model *model, const struct closed *closed,
    const double *probabilities, size_t n, double *ret_s)
{
	const size_t count = model->limits.lanes;
	CLEANUP(free_ptr) struct lane *lanes = xcalloc(count, sizeof(*lanes));
	bool known = model->slots == 1 && isfinite(closed->wait_mean_s);
	double high = 0;

	for (size_t i = 0; known && i < count; i++) {
		lane_init(&lanes[i], model, i, &closed->lanes[i]);
		high = fmax(high, lanes[i].step_s * (double)lanes[i].steps);
	}
	for (size_t i = 0; i < n; i++)
		ret_s[i] = known
			       ? quantile(lanes, count, high, probabilities[i])
			       : NAN;
	for (size_t i = 0; i < count; i++)
		free(lanes[i].above);
}
