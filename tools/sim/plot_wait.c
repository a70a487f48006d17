/*
 * tools/sim/plot_wait.c - mean wait against load.
 */
#include "tools/sim/cmd_plot_priv.h"

#include "common/cleanup.h"
#include "tools/sim/progress.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

/* Of what the workers can do together; more would only cost time. */
static const double loads[] = {0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65,
    0.7, 0.75, 0.8, 0.85, 0.9, 0.95};
/* A point needn't be known better than its symbol is large. */
#define MESSAGES_A_POINT 1000000
/* The shortest wait that is drawn, in seconds. */
#define WAIT_MIN 1e-6

struct curve {
	size_t n;
	double wait_s[ARRAY_SIZE(loads)];
};

static int
compute(struct plot_options *o, size_t policy, const struct model *model,
    struct curve *ret)
{
	const double bound = model_rate_bound(model);
	struct model m = *model;

	ret->n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		struct result result;
		int r;

		m.rate = loads[i] * bound;
		progress_step(o->progress, feed_policy_name(m.policy),
		    policy * ARRAY_SIZE(loads) + i,
		    o->sim.n_policies * ARRAY_SIZE(loads));
		if (m.policy == FEED_SIZE) {
			struct closed closed;

			closed_figures(&m, &closed);
			result_of_closed(&result, &m, &closed);
		} else {
			r = cmd_simulate_one(&m, &o->sim.run, &result);
			if (r < 0)
				return r;
		}
		if (!result.stable || isinf(result.wait.mean_s))
			break; /* and so is every higher load */
		ret->wait_s[ret->n++] = fmax(result.wait.mean_s, WAIT_MIN);
	}
	return 0;
}

static void
limits_text(const struct feed_limits *limits, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < limits->lanes && n < size; i++) {
		if (limits->max_bytes[i] == UINT64_MAX)
			n += (size_t)snprintf(
			    buf + n, size - n, "%snone", i ? ", " : "");
		else
			n += (size_t)snprintf(buf + n, size - n, "%s%ju",
			    i ? ", " : "", (uintmax_t)limits->max_bytes[i]);
	}
}

static void
write_script(struct plot *plot, const struct plot_options *o,
    const struct model *model, const struct curve *curves)
{
	char limits[FEED_MAX_LANES * 8], title[FEED_MAX_LANES * 8 + 256];
	double bound = model_rate_bound(model);

	for (size_t p = 0; p < o->sim.n_policies; p++) {
		(void)fprintf(plot->script, "$curve%zu << EOD\n", p);
		for (size_t i = 0; i < curves[p].n; i++)
			(void)fprintf(plot->script, "%.9g %.9g\n",
			    100 * loads[i], curves[p].wait_s[i]);
		(void)fputs("EOD\n", plot->script);
	}
	limits_text(&model->limits, limits, sizeof(limits));
	(void)snprintf(title, sizeof(title), "%zu workers, limits %s; %.120s",
	    model->limits.lanes, limits, o->sim.sizes_as);
	(void)fputs("set title \"Mean wait against load\\n\".", plot->script);
	plot_string(plot, title);
	(void)fprintf(plot->script,
	    "\nset xlabel \"load, %% of what all workers can do (100 %%: %.4g "
	    "messages a second)\"\nset ylabel \"mean wait in the queue, "
	    "seconds\"\nset logscale y\nset xrange [0:100]\n",
	    bound);
	if (o->sim.has_rate && model->rate < bound) {
		(void)snprintf(title, sizeof(title), "--rate %g", model->rate);
		plot_mark(plot, 100 * model->rate / bound, title);
	}
	(void)fputs("plot ", plot->script);
	for (size_t p = 0; p < o->sim.n_policies; p++)
		if (curves[p].n > 0)
			(void)fprintf(plot->script,
			    "$curve%zu with linespoints lw 2 title \"%s\", ", p,
			    feed_policy_name(o->sim.policies[p]));
	(void)fputc('\n', plot->script);
}

static bool
is_empty(const struct curve *curves, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (curves[i].n > 0)
			return false;
	return true;
}

/* No load is a share of what workers can do if that is nothing. */
static int
refuse_sizes(const struct plot_options *o, char *err, size_t err_size)
{
	(void)snprintf(err, err_size,
	    "--sizes: the mean of %.200s is infinite: write a largest size",
	    o->sim.sizes_as);
	return -EINVAL;
}

static int
refuse_curves(const struct plot_options *o, const struct model *model,
    char *err, size_t err_size)
{
	if (isinf(model_service(model).square_s2))
		(void)snprintf(err, err_size,
		    "--sizes: the variance of %.200s is infinite, and so are "
		    "mean waits: write a largest size",
		    o->sim.sizes_as);
	else
		(void)snprintf(err, err_size,
		    "--limits: no policy is stable even at a load of 10 %%: "
		    "choose others (`sluice-sim optimize`)");
	return -EINVAL;
}

int
plot_wait(struct plot_options *o, char *err, size_t err_size)
{
	struct curve curves[FEED_POLICIES];
	struct model model = {0};
	struct plot plot;
	int r = options_need(&o->sim, NEED_SERVICE | NEED_SIZES, err, err_size);

	if (o->sim.n_policies == 0)
		for (; o->sim.n_policies < FEED_POLICIES; o->sim.n_policies++)
			o->sim.policies[o->sim.n_policies] =
			    (enum feed_policy)o->sim.n_policies;
	if (!o->sim.has_messages)
		o->sim.run.max_messages = MESSAGES_A_POINT;
	for (size_t p = 0; r == 0 && p < o->sim.n_policies; p++) {
		r = options_model(
		    &o->sim, o->sim.policies[p], &model, err, err_size);
		if (r == 0 && !(model_rate_bound(&model) > 0))
			r = refuse_sizes(o, err, err_size);
		if (r == 0)
			r = compute(o, p, &model, &curves[p]);
	}
	if (r < 0)
		return r;
	if (is_empty(curves, o->sim.n_policies))
		return refuse_curves(o, &model, err, err_size);
	o->is_drawn = true;
	progress_end(o->progress);
	plot_begin(&plot, o->output, 900, 600);
	write_script(&plot, o, &model, curves);
	return plot_end(&plot, err, err_size);
}
