/*
 * tools/sim/plot_trace.c - predicted against measured waits of a trace.
 */
#include "tools/sim/cmd_plot_priv.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sim/sizes.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

/* Shorter waits are drawn there: a logarithmic axis has no zero. */
#define WAIT_MIN 1e-3

/* The waits that are drawn: the diagonal goes from one end to the other. */
struct span {
	double low_s, high_s;
};

static void
widen(struct span *span, double wait_s)
{
	span->low_s = fmin(span->low_s, wait_s);
	span->high_s = fmax(span->high_s, wait_s);
}

static void
write_point(struct plot *plot, struct span *span, double measured_s,
    double predicted_s, const char *name)
{
	double x = fmax(measured_s, WAIT_MIN), y = fmax(predicted_s, WAIT_MIN);

	widen(span, x);
	widen(span, y);
	(void)fprintf(plot->script, "%.9g %.9g ", x, y);
	plot_string(plot, name);
	(void)fputc('\n', plot->script);
}

/* All mail's mean and quantiles, and the mean of each class of size. */
static void
write_points(struct plot *plot, const struct trace *trace,
    const struct model *model, const struct simulation *s, struct span *span)
{
	struct wait_summary m;

	if (trace_measured(trace, NULL, 0, &m)) {
		write_point(plot, span, m.mean_s, s->all.mean_s, "mean");
		write_point(plot, span, m.p50_s, s->all.p50_s, "50 %");
		write_point(plot, span, m.p95_s, s->all.p95_s, "95 %");
		write_point(plot, span, m.p99_s, s->all.p99_s, "99 %");
	}
	for (size_t i = 0; i < model->limits.lanes; i++) {
		char name[40];

		if (!trace_measured(trace, &model->limits, i, &m))
			continue;
		if (model->limits.max_bytes[i] == UINT64_MAX)
			(void)snprintf(name, sizeof(name), "larger");
		else
			(void)snprintf(name, sizeof(name), "to %ju",
			    (uintmax_t)model->limits.max_bytes[i]);
		write_point(plot, span, m.mean_s, s->classes[i].mean_s, name);
	}
}

static int
write_policy(struct plot *plot, const struct plot_options *o, size_t p,
    const struct trace *trace, struct span *span, char *err, size_t err_size)
{
	CLEANUP(free_ptr) struct simulation *s = xcalloc(1, sizeof(*s));
	struct model model;
	int r;

	r = options_model(&o->sim, o->sim.policies[p], &model, err, err_size);
	if (r == 0) {
		struct sizes *sizes = trace_model(trace, &model);

		r = simulate_trace(&model, trace, s);
		(void)sizes_free(sizes);
	}
	if (r < 0)
		return r;
	(void)fprintf(plot->script, "$points%zu << EOD\n", p);
	write_points(plot, trace, &model, s, span);
	(void)fputs("EOD\n", plot->script);
	return 0;
}

static void
write_frame(struct plot *plot, const struct plot_options *o, size_t messages,
    const struct span *span)
{
	char title[200];

	(void)snprintf(title, sizeof(title),
	    "Predicted against measured: %zu messages of %.120s", messages,
	    o->from.path);
	(void)fputs("set title ", plot->script);
	plot_string(plot, title);
	(void)fprintf(plot->script,
	    "\nset xlabel \"measured wait, seconds\"\nset ylabel \"predicted "
	    "wait, seconds\"\nset logscale xy\n"
	    "set xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\nplot x with lines "
	    "lc rgb '#909090' title \"as measured\"",
	    span->low_s / 1.5, span->high_s * 4, span->low_s / 1.5,
	    span->high_s * 1.5);
	for (size_t p = 0; p < o->sim.n_policies; p++)
		(void)fprintf(plot->script,
		    ", $points%zu using 1:2:3 with labels left offset 0.7,0 "
		    "point pt %zu ps 1.2 lc %zu title \"%s\"",
		    p, p + 4, p + 1, feed_policy_name(o->sim.policies[p]));
	(void)fputc('\n', plot->script);
}

static int
draw(struct plot_options *o, const struct trace *trace, char *err,
    size_t err_size)
{
	struct wait_summary measured;
	struct span span = {WAIT_MIN, WAIT_MIN};
	struct plot plot;
	int r = 0;

	if (!trace_measured(trace, NULL, 0, &measured)) {
		(void)snprintf(err, err_size,
		    "%s: no wait was measured: write lines with WAIT_SECONDS, "
		    "or use a ledger",
		    o->from.path);
		return -ENODATA;
	}
	plot_begin(&plot, o->output, 800, 800);
	for (size_t p = 0; r == 0 && p < o->sim.n_policies; p++)
		r = write_policy(&plot, o, p, trace, &span, err, err_size);
	if (r < 0) {
		plot_done(&plot);
		return r;
	}
	o->is_drawn = true;
	write_frame(&plot, o, trace->n, &span);
	return plot_end(&plot, err, err_size);
}

int
plot_trace(struct plot_options *o, char *err, size_t err_size)
{
	struct trace trace;
	int r;

	if (o->sim.n_policies == 0)
		o->sim.policies[o->sim.n_policies++] = FEED_SIZE_LOAD;
	r = trace_options_read(&o->from, &trace, err, err_size);
	if (r < 0)
		return r;
	r = draw(o, &trace, err, err_size);
	trace_done(&trace);
	return r;
}
