/*
 * tools/sim/simulate_trace.c - a day that was, under another policy.
 */
#include "tools/sim/simulate.h"

#include "common/clock.h"
#include "tools/sim/simulate_crew.h"
#include "tools/sim/simulate_report.h"
#include "tools/sim/simulate_stable.h"
#include "tools/sim/trace.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Was there more to do than could be done in the time of the trace? */
static bool
is_trace_overloaded(const struct model *model, const struct trace *trace)
{
	const struct trace_message *m = trace->messages;
	const uint64_t usec = m[trace->n - 1].arrived_usec - m[0].arrived_usec;
	double work[FEED_MAX_LANES] = {0};

	if (usec == 0)
		return false;
	for (size_t i = 0; i < trace->n; i++)
		work[feed_class(&model->limits, m[i].bytes)] +=
		    (double)m[i].service_usec / (double)usec;
	return is_overloaded(model, work);
}

/* Batches follow each other in one run, so what they have in common makes the
 * interval wider: as if each were the first-order autoregression of the last.
 */
static double
half_width_s(const struct run *run)
{
	const struct series *s = &run->series;
	const double r = fmax(correlation_of(run, 1), 0);
	double means[SERIES];

	for (size_t i = 0; i < s->n; i++)
		means[i] = series_mean(s, i, i + 1) / USEC_PER_SEC;
	if (r >= 1)
		return INFINITY;
	return stats_interval(means, s->n).half_width * sqrt((1 + r) / (1 - r));
}

static int
run_trace(struct run *run, const struct trace *trace, struct tally *tallies)
{
	const struct counts counts = {
	    tallies, tallies + run->model->limits.lanes};

	for (size_t left = trace->n; left > 0;) {
		const size_t n = left < BATCH ? left : BATCH;

		run_batch(run, counts, n);
		left -= n;
	}
	run_drain(run, counts);
	return run->failed ? -ENOMEM : 0;
}

int
simulate_trace(const struct model *model, const struct trace *trace,
    struct simulation *ret_simulation)
{
	const double began_s = crew_clock_s();
	struct simulation simulation;
	struct tally *tallies;
	struct run *run;
	int r = -ENOMEM;

	report_unstable(0, &simulation);
	run = calloc(1, sizeof(*run));
	tallies = calloc(2 * model->limits.lanes, sizeof(*tallies));
	if (!run || !tallies)
		goto out;
	run_init(run, model, trace, 0, 0);
	r = run_trace(run, trace, tallies);
	if (r == 0) {
		report_tallies(model, tallies, run_at_usec(run), &simulation);
		simulation.stable = !is_trace_overloaded(model, trace);
		simulation.ci99_s = half_width_s(run);
		simulation.messages = trace->n;
		simulation.seconds = crew_clock_s() - began_s;
		*ret_simulation = simulation;
	}
	run_done(run);
out:
	free(tallies);
	free(run);
	return r;
}
