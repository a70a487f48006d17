/*
 * tools/sim/closed.h - what has a formula: the size policy, whose lanes are
 * independent M/G/1 queues (M/G/c with slots or by approximation).
 *
 * One server a lane: Pollaczek-Khinchine, W = lambda E[S^2] / (2 (1 - rho)).
 * More: Erlang's C for M/M/c times (1 + cv^2) / 2 (Lee and Longton 1959),
 * exact for exponential service and for one server.
 *
 * Sizes are taken as they are, not rounded to whole octets as messages are:
 * a limit L divides at L, a simulation does at L + 1/2.
 */
#ifndef SLUICE_TOOLS_SIM_CLOSED_H
#define SLUICE_TOOLS_SIM_CLOSED_H

#include "tools/sim/model.h"

#include <stdbool.h>

struct lane_figures {
	double share;       /* of the messages */
	double utilisation; /* of each server of the lane; >= 1: unstable */
	double wait_mean_s; /* in the queue, without service; INFINITY */
};

struct closed {
	bool stable; /* every lane is */
	/* Sum of share * wait; INFINITY when unstable, and in a stable system
	 * whose service has no variance (Pareto, ALPHA <= 2). */
	double wait_mean_s;
	double utilisation; /* of all servers together */
	struct lane_figures lanes[FEED_MAX_LANES];
};

/* The figures of model under FEED_SIZE, whatever its policy says. */
void closed_figures(const struct model *model, struct closed *ret_closed);

/* The rate below which every lane is stable with these limits, a second;
 * INFINITY: mail takes no service. */
double closed_rate_max(const struct model *model);

/* M/M/c: the mean wait in seconds; INFINITY at utilisation >= 1.  servers
 * is at least 1. */
double closed_mmc_wait(double rate, double mean_service_s, size_t servers);

#endif
