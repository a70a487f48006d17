/*
 * tools/sim/output.h - the figures of one policy, printed as a table for
 * people, as a JSON object, or as comma-separated values.
 */
#ifndef SLUICE_TOOLS_SIM_OUTPUT_H
#define SLUICE_TOOLS_SIM_OUTPUT_H

#include "tools/sim/closed.h"
#include "tools/sim/options.h"

struct simulation;

/* A figure that isn't known is NAN. */
struct wait_summary {
	double mean_s, p50_s, p95_s, p99_s, max_s;
};

struct result {
	enum feed_policy policy;
	struct feed_limits limits; /* least-work heeds none: they show none */
	bool stable;               /* false: waits that are NAN, or a trace's */
	struct wait_summary wait;
	double ci99_s; /* half-width of the 99 % interval of the mean */
	double utilisation;
	double load; /* simulation.load; of a formula, the utilisation */
	struct lane_figures queues[FEED_MAX_LANES];
	bool is_formula;       /* no chance in the mean */
	bool is_short;         /* simulation.is_short */
	uint64_t messages;     /* measured; 0: computed */
	double messages_per_s; /* simulated a second */
	double patience;       /* NAN: the policy has none */

	/* What only some commands know. */
	uint64_t evaluations;                /* optimize; 0: not said */
	struct feed_limits better_limits;    /* optimize; lanes 0: none found */
	double better_wait_s;                /* with better_limits */
	double bound_s;                      /* recommend; NAN: not said */
	bool is_best, is_recommended;        /* with bound_s */
	const struct wait_summary *measured; /* borrowed; NULL: none */
	double target_p99_s;                 /* asked for; NAN: not asked */
	bool meets_target;                   /* with target_p99_s */
};

/* Everything unknown, for this model. */
void result_init(struct result *result, const struct model *model);
void result_of_closed(
    struct result *ret, const struct model *model, const struct closed *closed);
void result_of_simulation(struct result *ret, const struct model *model,
    const struct simulation *simulation);
/* A trace's waits are shown though more came than could be done. */
void result_of_trace(struct result *ret, const struct model *model,
    const struct simulation *simulation);

/*
 * Print results to standard output.  A table has a row for each of them and,
 * below, one for each of their queues.
 */
void output_results(
    enum output_form form, const struct result *results, size_t n);

/* "0.2 ms", "1.71 s", "3.2 min", "-" for what is not finite; into buf, returns
 * buf. */
char *output_seconds(double seconds, char *buf, size_t size);

/* How far the mean is above the bound, as a share of it, 0 at least; NAN or
 * INFINITY: not known. */
double output_gap(const struct result *result);

/* For output_results(). */
void output_table(const struct result *results, size_t n);

#endif
