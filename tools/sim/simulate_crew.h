/*
 * tools/sim/simulate_crew.h - independent runs of one model, stepped by some
 * threads.
 *
 * Which thread steps a run makes no difference: a run has its own random
 * numbers and sums, and what threads count is whole numbers that are added.
 */
#ifndef SLUICE_TOOLS_SIM_SIMULATE_CREW_H
#define SLUICE_TOOLS_SIM_SIMULATE_CREW_H

#include "tools/sim/simulate_priv.h"

#include <stdatomic.h>

struct crew {
	const struct simulate_options *options; /* borrowed */
	size_t lanes;
	size_t n;
	struct run *runs;
	size_t threads;
	struct tally *tallies; /* 2 * lanes of them a thread */
	uint64_t share;        /* arrivals of each run in this step */
	_Atomic size_t next;   /* run that nobody steps yet */
	_Atomic uint64_t messages;
	_Atomic bool stopped;
	uint64_t warm_up;  /* arrivals of each run that were thrown away */
	bool growing;      /* and what waited still grew then */
	double memory;     /* model_memory() */
	double floor_s;    /* options->floor_s, of the model's time */
	double expected;   /* messages to come, with those that came */
	double shown;      /* to progress */
	double shown_at_s; /* by the clock */
};

int crew_init(struct crew *crew, const struct model *model,
    const struct simulate_options *options, size_t runs);
void crew_done(struct crew *crew);

/* share more arrivals for each run.  0, -ECANCELED or -ENOMEM. */
int crew_step(struct crew *crew, uint64_t share);

/* Everything so far was the warm-up. */
void crew_forget(struct crew *crew);

/* What all threads counted, 2 * lanes tallies, to ret. */
void crew_tallies(const struct crew *crew, struct tally *ret_tallies);

/* Seconds of the machine's clock. */
double crew_clock_s(void);

#endif
