/*
 * tools/sim/simulate.c - how long to simulate, and what is reported.
 *
 * RUNS independent runs, each with streams of its own, start empty.  Warm-up:
 * they go on, twice as long each time, until what waited in the last quarter of
 * all that was simulated is less than a fifth above that of the second quarter
 * even if it is a standard error more than seen, and that is thrown away.  By
 * then the run is some times as long as the system remembers.  A system whose
 * waits go on to grow in proportion with time is unstable.
 *
 * Then come rounds of a length that grows by half each time.  The runs' means
 * are independent, so Student's t gives the interval.  It needs runs long
 * enough for their means to be nearly normal, and free of the first moments:
 * no round may be the last, but for the message limit, before batches of a
 * sixteenth of a run are nearly uncorrelated.  Where the limit comes first
 * and they are much alike, the runs are so short that their means are skewed
 * and the interval twice as wide: of M/M/1 at 0.9 to 0.98, 97 of 100 by t alone
 * held the truth, and 99 of these.
 *
 * Near saturation a system remembers longer than the runs last, and what is
 * measured is too little: M/M/1 at 0.995 by a million messages is half of it.
 * How much is missing then is known from the model (simulate_stable.h) and
 * added to the interval.  Where the runs themselves were still growing clearly
 * when the message limit ended the warm-up, nobody knows: no interval is told.
 */
#include "tools/sim/simulate.h"

#include "common/clock.h"
#include "tools/sim/simulate_crew.h"
#include "tools/sim/simulate_report.h"
#include "tools/sim/simulate_scale.h"
#include "tools/sim/simulate_stable.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define RUNS           64
#define LEAST_RUNS     16
#define LEAST_SHARE    2048 /* arrivals of a run: else fewer runs */
#define FIRST_WARM_UP  4096
#define LEAST_WARM_UPS 4 /* first ones, before it's given up */
#define MOST_ROUND     (UINT64_C(1) << 22)
#define LEVEL          1.2  /* last quarter to second, and its error: warm */
#define LINEAR         1.75 /* 2.33 is growth in proportion with time */
#define LINEAR_TIMES   3    /* so often after each other: unstable */
#define STARVING       0.05 /* of the arrivals; M/M/1 at 0.995: 0.02 */
#define CLEARLY        4.0  /* in standard errors */
/* For a memory that fades exponentially: batches of 2.7 times what it lasts
 * in the mean, or 1.2 times. */
#define UNCORRELATED 0.25
#define ALIKE        0.5
#define SKEWED       2 /* times the half-width */
/* What is missing of the mean for that to be said. */
#define MISSING 0.05

static size_t
run_count_of(uint64_t max_messages)
{
	size_t runs = RUNS;

	while (runs > LEAST_RUNS && max_messages / runs < LEAST_SHARE)
		runs /= 2;
	return runs;
}

/* Does it grow so fast, again and again, that it will never end? */
static bool
is_runaway(const struct trend *trend, unsigned int *times)
{
	*times = trend->ratio > LINEAR && trend->clearness > CLEARLY
		     ? *times + 1
		     : 0;
	return *times >= LINEAR_TIMES;
}

/*
 * Is a good share of all that came still waiting, and grows as fast?  Those
 * that starve are not worth waiting for; only policies that let messages
 * overtake count them, and what waits makes each of their steps slow.
 */
static bool
is_starving(
    const struct crew *crew, const struct trend *trend, uint64_t arrivals)
{
	double waiting = 0;

	for (size_t i = 0; i < crew->n; i++)
		waiting += (double)crew->runs[i].waiting / (double)crew->n;
	return trend->ratio > LINEAR && trend->clearness > CLEARLY &&
	       waiting > STARVING * (double)arrivals;
}

/* Servers that fill up for the first time look like growth too. */
static uint64_t
first_warm_up(const struct model *model)
{
	const uint64_t servers = model->limits.lanes * model->slots;

	return servers * 16 > FIRST_WARM_UP ? servers * 16 : FIRST_WARM_UP;
}

/* 0, -ECANCELED, -ENOMEM, or -EDOM: unstable. */
static int
warm_up(struct crew *crew, uint64_t share)
{
	const uint64_t first = first_warm_up(crew->runs[0].model);
	const uint64_t least = first * LEAST_WARM_UPS;
	const uint64_t most = share / 2 > least ? share / 2 : least;
	uint64_t done = 0, step = first;
	unsigned int times = 0;

	for (;; step = done) {
		struct trend trend;
		int r = crew_step(crew, step);

		if (r < 0)
			return r;
		done += step;
		trend = trend_of(crew->runs, crew->n);
		if (is_runaway(&trend, &times) ||
		    is_starving(crew, &trend, done))
			return -EDOM;
		if (trend.ratio + trend.error <= LEVEL)
			break;
		if (done >= most && times > 0)
			return -EDOM;
		if (done >= most) {
			crew->growing = trend.ratio - 2 * trend.error > LEVEL;
			break;
		}
	}
	crew->warm_up = done;
	crew_forget(crew);
	return 0;
}

static struct interval
interval_of(const struct crew *crew)
{
	double means[RUNS];

	for (size_t i = 0; i < crew->n; i++) {
		const struct run *run = &crew->runs[i];

		means[i] = run->all_messages
			       ? (double)run->all_sum_usec /
				     (double)run->all_messages / USEC_PER_SEC
			       : 0;
	}
	return stats_interval(means, crew->n);
}

/* Of the mean, for one that was seen in done arrivals of each run. */
static double
missing_of(const struct crew *crew, uint64_t done)
{
	const double from = (double)crew->warm_up;
	const double share =
	    grown_share(crew->memory, from, from + (double)done);

	return share > 0 ? 1 / share - 1 : INFINITY;
}

static bool
is_enough(const struct crew *crew, uint64_t done, double wanted)
{
	const struct interval now = interval_of(crew);
	/* Without a variance it would never be. */
	const double missing = isinf(crew->memory) ? 0 : missing_of(crew, done);

	return wanted > 0 &&
	       now.half_width + missing * now.mean <=
		   fmax(wanted * now.mean, crew->floor_s) &&
	       correlation_of(crew->runs, crew->n) < UNCORRELATED;
}

/* What is to come, as far as one can tell: for progress alone. */
static void
expect(struct crew *crew, uint64_t done, uint64_t share, double wanted)
{
	const struct interval now = interval_of(crew);
	double factor = (double)share / (double)done;

	if (wanted > 0 && now.mean > 0) {
		const double times =
		    now.half_width / fmax(now.mean * wanted, crew->floor_s);

		factor = fmin(factor, fmax(times * times, 1));
	}
	crew->expected = (double)atomic_load(&crew->messages) +
			 (factor - 1) * (double)(done * crew->n);
}

static int
measure(struct crew *crew, uint64_t share)
{
	const double wanted = crew->options->half_width;
	uint64_t done = 0, round = wanted > 0 ? FIRST_WARM_UP : MOST_ROUND;

	while (done < share) {
		int r;

		round = round < MOST_ROUND ? round : MOST_ROUND;
		round = round < share - done ? round : share - done;
		r = crew_step(crew, round);
		if (r < 0)
			return r;
		done += round;
		if (is_enough(crew, done, wanted))
			break;
		expect(crew, done, share, wanted);
		if (wanted > 0)
			round = (done / 2 + BATCH - 1) / BATCH * BATCH;
	}
	return 0;
}

/* What the runs counted; also after a part of the work. */
static int
report(struct crew *crew, struct simulation *ret)
{
	struct tally *tallies = calloc(2 * crew->lanes, sizeof(*tallies));
	uint64_t usec = 0;
	double missing;

	if (!tallies)
		return -ENOMEM;
	crew_tallies(crew, tallies);
	for (size_t i = 0; i < crew->n; i++)
		usec += run_at_usec(&crew->runs[i]) -
			crew->runs[i].measured_from_usec;
	report_tallies(crew->runs[0].model, tallies, usec, ret);
	ret->ci99_s = interval_of(crew).half_width;
	if (correlation_of(crew->runs, crew->n) >= ALIKE)
		ret->ci99_s *= SKEWED;
	missing = missing_of(crew, crew->runs[0].all_messages);
	ret->is_short = crew->growing || missing > MISSING;
	if (missing > 0)
		ret->ci99_s += missing * ret->all.mean_s;
	if (crew->growing || isinf(missing))
		ret->ci99_s = INFINITY;
	free(tallies);
	return 0;
}

static int
run_all(struct crew *crew, uint64_t max_messages, struct simulation *ret)
{
	const uint64_t share = (max_messages + crew->n - 1) / crew->n;
	struct trend trend;
	int r, reported;

	crew->expected = (double)(share * crew->n);
	r = warm_up(crew, share);
	if (r == 0)
		r = measure(crew, share);
	if (r == -EDOM)
		return 0; /* unstable */
	if (r == -ENOMEM)
		return r;
	reported = report(crew, ret);
	if (reported < 0)
		return reported;
	trend = trend_of(crew->runs, crew->n);
	ret->stable = !(trend.ratio > LINEAR && trend.clearness > CLEARLY);
	return r;
}

int
simulate(const struct model *model, const struct simulate_options *options,
    struct simulation *ret_simulation)
{
	const double began_s = crew_clock_s();
	const uint64_t max_messages =
	    options->max_messages ? options->max_messages : 1;
	struct simulation simulation;
	struct model scaled;
	struct crew crew;
	double scale;
	int r;

	report_unstable(model_utilisation(model), &simulation);
	if (model_is_overloaded(model)) {
		*ret_simulation = simulation;
		return 0;
	}
	scale = scale_model(model, &scaled);
	r = crew_init(&crew, &scaled, options, run_count_of(max_messages));
	if (r < 0)
		return r;
	crew.floor_s = options->floor_s * scale;
	crew.memory = model_memory(&scaled);
	r = run_all(&crew, max_messages, &simulation);
	simulation.messages = atomic_load(&crew.messages);
	simulation.seconds = crew_clock_s() - began_s;
	crew_done(&crew);
	scale_back(&simulation, scale);
	if (r != -ENOMEM)
		*ret_simulation = simulation;
	return r;
}
