/*
 * tools/sim/options.h - what the sub-commands of sluice-sim have in common:
 * exit statuses, the options that describe a system, and the model they make.
 */
#ifndef SLUICE_TOOLS_SIM_OPTIONS_H
#define SLUICE_TOOLS_SIM_OPTIONS_H

#include "tools/sim/model.h"
#include "tools/sim/simulate.h"

#include <argp.h>
#include <stdbool.h>

/* Of them alone there are default limits, too. */
#define WORKERS_DEFAULT 4
/* With a half-width to reach: what is given up after. */
#define MESSAGES_PATIENT 400000000

/* Exit statuses of every sub-command (sluice-sim(8), EXIT STATUS). */
enum sim_status {
	SIM_FINE = 0,
	SIM_UNSTABLE = 1, /* or: no number of workers is enough */
	SIM_USAGE = 100,
	SIM_SYSTEM = 111,
};

enum output_form { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV };

/*
 * Starts as options_init() leaves it; options_done() frees it.  A command
 * puts it first in its own options and names options_argp as a child.
 */
struct sim_options {
	struct model model;   /* without limits and policy: options_model() */
	struct sizes *sizes;  /* owned; NULL: not given */
	const char *sizes_as; /* how --sizes was written */
	size_t workers, n_limits, n_policies, n_speeds;
	uint64_t limits[FEED_MAX_LANES];
	enum feed_policy policies[FEED_POLICIES];
	struct simulate_options run;
	bool has_workers, has_rate, has_service, has_limits, has_messages;
	bool has_seed;
	bool has_no_limit; /* --limits '', which is all of a single queue's */
	bool progress;     /* show it; by default if stderr is a terminal */
	enum output_form form;
};

/* The parser of these options; its input is a struct sim_options. */
extern const struct argp options_argp;

void options_init(struct sim_options *options);
void options_done(struct sim_options *options);

/*
 * Parse argv by argp, whose input begins with a struct sim_options that is
 * initialised.  Ends the process after --help and, with SIM_USAGE and the
 * reason on standard error, when a value is wrong.
 */
void options_parse(const struct argp *argp, int argc, char **argv, void *input);

/* What a command can't do without; options_need() names what is missing. */
#define NEED_RATE    1u
#define NEED_SERVICE 2u
#define NEED_SIZES   4u
#define NEED_MODEL   (NEED_RATE | NEED_SERVICE | NEED_SIZES)

int options_need(const struct sim_options *options, unsigned int needs,
    char *err, size_t err_size);

/*
 * The limits for so many workers: those given, or the default ones of four
 * workers.  need: there must be some where there is more than one worker.
 * Returns 0, or -EINVAL.
 */
int options_limits(const struct sim_options *options, size_t workers, bool need,
    struct feed_limits *ret_limits, char *err, size_t err_size);

/* options->model with limits as above (FEED_LEAST_WORK needs none) and this
 * policy; borrows the sizes.  0 or -EINVAL. */
int options_model(const struct sim_options *options, enum feed_policy policy,
    struct model *ret_model, char *err, size_t err_size);

/* What share of the mean the half-width of an optimum may be. */
double options_accuracy(const struct sim_options *options);

/* How an optimum is simulated: until it is known to that share, or as many
 * messages as were asked for. */
struct simulate_options options_search(const struct sim_options *options);

/* "sluice-sim COMMAND: TEXT" on standard error.  Returns status. */
int options_fail(enum sim_status status, const char *command, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* The status for a -errno of reading a file that the caller named. */
enum sim_status options_status_of(int error);

#endif
