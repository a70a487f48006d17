/*
 * tools/sim/progress.h - how far a long computation is and how long it will
 * still take, on standard error; and an end to it by SIGINT.
 */
#ifndef SLUICE_TOOLS_SIM_PROGRESS_H
#define SLUICE_TOOLS_SIM_PROGRESS_H

#include "common/clock.h"

#include <stdbool.h>
#include <stddef.h>

struct simulate_options;

struct progress {
	bool show;
	bool is_terminal; /* the line is written over again */
	struct mono begun, shown;
	const char *what;  /* borrowed: the policy, the plot's point */
	double base, part; /* this run is base .. base + part of the work */
};

/*
 * Begin; run gets a callback that says no after SIGINT.  From now on SIGINT
 * no longer ends the process by itself, unless it comes twice.
 */
void progress_init(
    struct progress *progress, bool show, struct simulate_options *run);

/* The i-th of n runs begins, and is called what. */
void progress_step(
    struct progress *progress, const char *what, size_t i, size_t n);

/* Clear the line. */
void progress_end(struct progress *progress);

/* Was there a SIGINT? */
bool progress_is_cancelled(void);

/* Seconds that are left after spent_s for the share done; NAN: can't tell. */
double progress_left_s(double spent_s, double done);

#endif
