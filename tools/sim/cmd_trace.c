/*
 * tools/sim/cmd_trace.c - what replay and plot have in common: the options
 * that name a trace, and figures out of it.
 */
#include "tools/sim/cmd_trace_priv.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sim/options_value.h"
#include "tools/sim/sizes.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum option_key { OPT_LEDGER = 3000, OPT_FROM, OPT_TO };

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "The trace:", 1},
    {"ledger", OPT_LEDGER, "PATH", 0,
	"a site's ledger, such as /var/lib/sluice/ledger.db, instead of FILE",
	0},
    {"from", OPT_FROM, "TIME", 0,
	"leave out what arrived before: 2026-11-21, \"2026-11-21 14:30\", "
	"yesterday, today, now, or seconds since 1970",
	0},
    {"to", OPT_TO, "TIME", 0, "leave out what arrived after", 0}, {0}};

static void
set_path(struct argp_state *state, struct trace_options *o, const char *path)
{
	if (o->path)
		argp_error(state,
		    "\"%s\": there is a trace already, \"%s\": write one", path,
		    o->path);
	o->path = path;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct trace_options *o = state->input;
	char err[512];
	int r = 0;

	switch (key) {
	case ARGP_KEY_INIT:
		o->to_usec = UINT64_MAX;
		return 0;
	case OPT_LEDGER:
		set_path(state, o, arg);
		return 0;
	case ARGP_KEY_ARG:
		set_path(state, o, arg);
		return 0;
	case OPT_FROM:
		r = value_time("--from", arg, &o->from_usec, err, sizeof(err));
		break;
	case OPT_TO:
		r = value_time("--to", arg, &o->to_usec, err, sizeof(err));
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (r < 0)
		exit(options_fail(SIM_USAGE, state->name, "%s", err));
	return 0;
}

const struct argp trace_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

int
trace_options_read(const struct trace_options *o, struct trace *ret_trace,
    char *err, size_t err_size)
{
	if (!o->path) {
		(void)snprintf(err, err_size,
		    "there is no trace: write the name of a file, or --ledger "
		    "/var/lib/sluice/ledger.db");
		return -EINVAL;
	}
	if (o->from_usec > o->to_usec) {
		(void)snprintf(err, err_size,
		    "--from is later than --to: write --from first");
		return -EINVAL;
	}
	return trace_read(
	    o->path, o->from_usec, o->to_usec, ret_trace, err, err_size);
}

/* Least squares of service = a + b * bytes, neither below 0. */
static void
fit_service(const struct trace *t, struct model *model)
{
	double n = (double)t->n, x = 0, y = 0, xx = 0, xy = 0;
	double cov, var;

	for (size_t i = 0; i < t->n; i++) {
		double bytes = (double)t->messages[i].bytes;
		double sec = (double)t->messages[i].service_usec / 1e6;

		x += bytes / n;
		y += sec / n;
		xx += bytes * bytes / n;
		xy += bytes * sec / n;
	}
	var = xx - x * x;
	cov = xy - x * y;
	model->per_octet_s = var > 0 && cov > 0 ? cov / var : 0;
	model->fixed_s = y - model->per_octet_s * x;
	if (model->fixed_s < 0) {
		model->fixed_s = 0;
		model->per_octet_s = xy / xx;
	}
}

struct sizes *
trace_model(const struct trace *trace, struct model *model)
{
	CLEANUP(free_ptr) double *bytes = xcalloc(trace->n, sizeof(*bytes));
	uint64_t first = trace->messages[0].arrived_usec;
	uint64_t last = trace->messages[trace->n - 1].arrived_usec;
	struct sizes *sizes;

	for (size_t i = 0; i < trace->n; i++)
		bytes[i] = (double)trace->messages[i].bytes;
	sizes = sizes_of_list(bytes, trace->n);
	model->sizes = sizes;
	model->rate = (double)trace->n * 1e6 / fmax((double)(last - first), 1);
	fit_service(trace, model);
	return sizes;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The least of n ascending values that a share of them doesn't exceed. */
static double
quantile(const double *values, size_t n, double share)
{
	size_t i = (size_t)ceil(share * (double)n);

	return values[i > 0 ? i - 1 : 0];
}

bool
trace_measured(const struct trace *trace, const struct feed_limits *limits,
    size_t class, struct wait_summary *ret_summary)
{
	CLEANUP(free_ptr) double *waits = xcalloc(trace->n, sizeof(*waits));
	size_t n = 0;
	double sum = 0;

	for (size_t i = 0; i < trace->n; i++) {
		const struct trace_message *m = &trace->messages[i];

		if (m->wait_usec == TRACE_NO_WAIT ||
		    (limits && feed_class(limits, m->bytes) != class))
			continue;
		waits[n] = (double)m->wait_usec / 1e6;
		sum += waits[n++];
	}
	if (n == 0)
		return false;
	qsort(waits, n, sizeof(*waits), by_value);
	*ret_summary = (struct wait_summary){sum / (double)n,
	    quantile(waits, n, 0.5), quantile(waits, n, 0.95),
	    quantile(waits, n, 0.99), waits[n - 1]};
	return true;
}
