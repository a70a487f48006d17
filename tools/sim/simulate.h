/*
 * tools/sim/simulate.h - a model run event by event on a virtual clock,
 * through feed/sort.c and feed/load.c as production runs them.
 *
 * Every policy sees the same messages for the same seed (arrivals, sizes,
 * detonations and hits have streams of their own).  The result is the same
 * bit for bit for one seed, however many threads compute it.  Memory doesn't
 * grow with the number of messages.
 *
 * 16 to 64 independent runs start empty and go on until what waits no longer
 * grows; that is the warm-up, and left out.  The interval is Student's, of the
 * runs' means; simulate.c says when they are long enough for it.
 */
#ifndef SLUICE_TOOLS_SIM_SIMULATE_H
#define SLUICE_TOOLS_SIM_SIMULATE_H

#include "tools/sim/model.h"

#include <stdbool.h>
#include <stdint.h>

struct trace;

struct simulate_options {
	uint64_t seed;
	uint64_t max_messages; /* measured, without the warm-up */
	double half_width;     /* stop when that share of the mean is reached
				* by the 99 % interval; 0: use all messages */
	double floor_s;        /* or that many seconds; with half_width */
	unsigned int threads;  /* 0: one for each processor */
	/* NULL, or called some times a second by one thread with how much of
	 * the work is done, 0 .. 1; false from it ends the run early. */
	bool (*progress)(void *arg, double done);
	void *arg;
};

/* A percentile is off by less than 1 % of itself, max_s not at all. */
struct wait_figures {
	uint64_t messages;
	double mean_s, p50_s, p95_s, p99_s, max_s;
};

struct simulation {
	/* false: the queues kept growing.  The waits mean nothing then; but
	 * those of a trace, which has an end, are what they are. */
	bool stable;
	struct wait_figures all;
	/* Half-width of the 99 % interval of all.mean_s, with what it may be
	 * too low; INFINITY: too few messages to tell. */
	double ci99_s;
	/* Near saturation: what waits was still growing, so the mean is too
	 * low, and more messages would tell more. */
	bool is_short;
	double utilisation;
	/* Work that came, for what could be done meanwhile; of a trace, from
	 * its first arrival to its last. */
	double load;
	/* By lane that served (small-first and steal: took) the message. */
	struct wait_figures lanes[FEED_MAX_LANES];
	double lane_utilisation[FEED_MAX_LANES];
	/* By class of size: the narrowest lane that admits. */
	struct wait_figures classes[FEED_MAX_LANES];
	uint64_t messages; /* simulated, with the warm-up */
	double seconds;    /* that it took */
};

/* 0, -ECANCELED: progress said so (what there is, is in *ret), or -ENOMEM. */
int simulate(const struct model *model, const struct simulate_options *options,
    struct simulation *ret_simulation);

/*
 * The same with given messages instead of drawn ones: their arrivals, sizes
 * and measured services; model's rate, sizes, tail and hits are left out, and
 * a and b, if both are above zero, are only what the feed believes before it
 * has learned.  One pass, no warm-up; ci99_s by batch means; utilisations are
 * of the time from the first arrival to the last completion.  Unstable is a
 * trace of a thousand messages and more to which more work came than could be
 * done, and still does at its end.
 */
int simulate_trace(const struct model *model, const struct trace *trace,
    struct simulation *ret_simulation);

#endif
