/*
 * tools/sim/plot_sizes.c - how large messages are, and where the limits are.
 */
#include "tools/sim/cmd_plot_priv.h"

#include "tools/sim/plot_fit.h"
#include "tools/sim/sizes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define POINTS 800
/* Larger messages than all but this share aren't drawn. */
#define REST 0.001
/* Sizes that spread further than so need a logarithmic axis. */
#define SPREAD_MAX 200.0
/* Densities below this share of the largest aren't drawn. */
#define DENSITY_SHARE 1e-5

struct range {
	double low, high;
	bool is_log;
};

static struct range
range_of(const struct sizes *sizes)
{
	struct range r = {
	    .low = 0, .high = 1.1 * sizes_quantile(sizes, 1 - REST)};
	double half = sizes_quantile(sizes, 0.5);

	if (half > 0 && r.high > SPREAD_MAX * half) {
		r.is_log = true;
		r.low = fmax(sizes_quantile(sizes, REST), 1);
	}
	return r;
}

static double
point(const struct range *r, int i)
{
	double t = (double)i / POINTS;

	return r->is_log ? r->low * pow(r->high / r->low, t)
			 : r->low + (r->high - r->low) * t;
}

/* "octets F f [F and f of the exponential law]"; returns the largest f. */
static double
write_data(struct plot *plot, const struct sizes *sizes, const struct range *r,
    double fit_mean)
{
	double top = 0;

	(void)fputs("$sizes << EOD\n", plot->script);
	for (int i = 0; i <= POINTS; i++) {
		double x = point(r, i), f = sizes_density(sizes, x);

		(void)fprintf(
		    plot->script, "%.9g %.9g %.9g", x, sizes_cdf(sizes, x), f);
		if (fit_mean > 0)
			(void)fprintf(plot->script, " %.9g %.9g",
			    -expm1(-x / fit_mean),
			    exp(-x / fit_mean) / fit_mean);
		(void)fputc('\n', plot->script);
		if (isfinite(f) && f > top)
			top = f;
	}
	(void)fputs("EOD\n", plot->script);
	return top;
}

static void
write_marks(
    struct plot *plot, const struct feed_limits *limits, const struct range *r)
{
	for (size_t i = 0; i + 1 < limits->lanes; i++) {
		double x = (double)limits->max_bytes[i];
		char label[64];

		if (limits->max_bytes[i] == UINT64_MAX || x > r->high ||
		    x < r->low)
			continue;
		(void)snprintf(label, sizeof(label), "feed%zu: %ju", i + 1,
		    (uintmax_t)limits->max_bytes[i]);
		plot_mark(plot, x, label);
	}
}

static void
write_panel(struct plot *plot, const char *title, int column, double fit_mean)
{
	(void)fprintf(plot->script,
	    "set title \"%s\"\nplot $sizes using 1:%d with lines lw 2 "
	    "title ",
	    title, column);
	(void)fputs("\"these sizes\"", plot->script);
	if (fit_mean > 0)
		(void)fprintf(plot->script,
		    ", $sizes using 1:%d with lines lw 2 dt 3 lc rgb "
		    "'#505050' title \"exponential, mean %.0f\"",
		    column + 2, fit_mean);
	(void)fputc('\n', plot->script);
}

static void
write_script(struct plot *plot, const struct sim_options *o,
    const struct feed_limits *limits)
{
	bool mixture = strncmp(sizes_spec(o->sizes), "gaussmix:", 9) == 0;
	double fit_mean = mixture ? plot_exponential_fit(o->sizes) : 0;
	struct range r = range_of(o->sizes);
	double top = write_data(plot, o->sizes, &r, fit_mean);
	char title[200];

	(void)snprintf(
	    title, sizeof(title), "Sizes of messages: %.150s", o->sizes_as);
	/* One margin for both, so that their limits stand above each other. */
	(void)fputs(
	    "set lmargin 11\nset multiplot layout 2,1 title ", plot->script);
	plot_string(plot, title);
	(void)fprintf(plot->script,
	    "\nset key right\nset xrange [%.9g:%.9g]\n%sset xlabel \"octets\"\n"
	    "set ylabel \"share up to that size\"\nset yrange [0:1]\n"
	    "set key bottom\n",
	    r.low, r.high, r.is_log ? "set logscale x\n" : "");
	write_marks(plot, limits, &r);
	write_panel(plot, "Distribution", 2, fit_mean);
	(void)fprintf(plot->script,
	    "set ylabel \"share an octet\"\nset logscale y\nset format y "
	    "'%%.0e'\nset yrange [%.9g:%.9g]\nset key top\n",
	    top * DENSITY_SHARE, top * 2);
	write_panel(plot, "Density", 3, fit_mean);
	(void)fputs("unset multiplot\n", plot->script);
}

int
plot_sizes(struct plot_options *o, char *err, size_t err_size)
{
	struct feed_limits limits;
	struct plot plot;
	int r = options_need(&o->sim, NEED_SIZES, err, err_size);

	if (r == 0)
		r = options_limits(
		    &o->sim, o->sim.workers, false, &limits, err, err_size);
	if (r < 0)
		return r;
	o->is_drawn = true;
	plot_begin(&plot, o->output, 900, 900);
	write_script(&plot, &o->sim, &limits);
	return plot_end(&plot, err, err_size);
}
