/*
 * tools/sim/simulate_trace.c - a day that was, under another policy.
 */
#include "tools/sim/simulate.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "tools/sim/simulate_crew.h"
#include "tools/sim/simulate_report.h"
#include "tools/sim/simulate_stable.h"
#include "tools/sim/trace.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* With fewer, a burst tells nothing of the hour it belongs to. */
#define LEAST_MESSAGES 1000
/* So much more than can be done: a day that fills its workers to the brim is
 * none that overloads them. */
#define BEYOND 1.01

/* The work that messages from first on bring, by class, in seconds a second;
 * the last one's is for the time after it.  False: they all come at once. */
static bool
work_of(const struct model *model, const struct trace *trace, size_t first,
    double *ret_work)
{
	const struct trace_message *m = trace->messages;
	const uint64_t usec =
	    m[trace->n - 1].arrived_usec - m[first].arrived_usec;

	memset(ret_work, 0, FEED_MAX_LANES * sizeof(*ret_work));
	for (size_t i = first; usec > 0 && i + 1 < trace->n; i++)
		ret_work[feed_class(&model->limits, m[i].bytes)] +=
		    (double)m[i].service_usec / (double)usec;
	return usec > 0;
}

/* Did more come than could be done, and does it still at the end? */
static bool
is_trace_overloaded(const struct model *model, const struct trace *trace)
{
	const size_t firsts[] = {0, trace->n - trace->n / 4};
	double work[FEED_MAX_LANES];

	if (trace->n < LEAST_MESSAGES)
		return false;
	for (size_t k = 0; k < ARRAY_SIZE(firsts); k++) {
		if (!work_of(model, trace, firsts[k], work))
			return false;
		for (size_t i = 0; i < model->limits.lanes; i++)
			work[i] /= BEYOND;
		if (!is_overloaded(model, work))
			return false;
	}
	return true;
}

static double
load_of(const struct model *model, const struct trace *trace)
{
	double work[FEED_MAX_LANES], capacity = 0, asked = 0;

	(void)work_of(model, trace, 0, work);
	for (size_t i = 0; i < model->limits.lanes; i++) {
		capacity += model->speed[i] * (double)model->slots;
		asked += work[i];
	}
	return asked / capacity;
}

/* When the last message was done; the first arrived at 0. */
static uint64_t
done_usec(const struct run *run)
{
	uint64_t last_usec = 0;

	for (size_t i = 0; i < run->model->limits.lanes; i++) {
		const struct slot *slot = &run->slots[i * run->model->slots];

		/* Of one server, size keeps this alone. */
		if (run->free_usec[i] > last_usec)
			last_usec = run->free_usec[i];
		for (size_t k = 0; k < run->model->slots; k++)
			if (slot[k].free_usec > last_usec)
				last_usec = slot[k].free_usec;
	}
	return last_usec;
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
		report_tallies(model, tallies, done_usec(run), &simulation);
		simulation.load = load_of(model, trace);
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
