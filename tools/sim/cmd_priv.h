/*
 * tools/sim/cmd_priv.h - the sub-commands of sluice-sim, one file each, and
 * what they share.
 *
 * argv[0] is "sluice-sim COMMAND", so that --help and complaints name it.
 * Each returns the exit status of the process.
 */
#ifndef SLUICE_TOOLS_SIM_CMD_PRIV_H
#define SLUICE_TOOLS_SIM_CMD_PRIV_H

#include "tools/sim/optimize.h"
#include "tools/sim/output.h"

typedef int cmd_main(int argc, char **argv);

cmd_main cmd_wait;
cmd_main cmd_simulate;
cmd_main cmd_optimize;
cmd_main cmd_recommend;
cmd_main cmd_replay;
cmd_main cmd_plot;

/* Is there any policy that could keep up with this?  If not, says so, naming
 * the option, the value and what to write; and if it can, but mean waits are
 * infinite since the variance of the sizes is. */
bool cmd_keeps_up(const char *command, const struct model *model);

/*
 * By events, unless a formula says that it is unstable.
 * 0, -ECANCELED: interrupted, the result is of what was done; or -errno.
 */
int cmd_simulate_one(const struct model *model,
    const struct simulate_options *run, struct result *ret_result);

/* As options_model(), with no limits: the command looks for them. */
int cmd_limits_free(const struct sim_options *options, enum feed_policy policy,
    struct model *ret_model, char *err, size_t err_size);

/* The system at its optimum, simulated where that tells means alone; model
 * gets its limits and patience.  0 or -errno as cmd_simulate_one(). */
int cmd_result_of_optimum(struct model *model, const struct optimum *optimum,
    const struct simulate_options *run, struct result *ret_result);

/* Where the formula knows that the mean wait is infinite, a simulation's mean
 * is of its messages alone: not shown. */
void cmd_result_infinite(struct result *result, const struct model *model);

/* No limits are stable: what the formula tells of it nevertheless. */
void cmd_result_unstable(struct result *ret_result, const struct model *model);

/*
 * Print the results on standard output and what is wrong with them on
 * standard error.  Returns the exit status that they deserve.
 */
int cmd_finish(const char *command, enum output_form form,
    const struct result *results, size_t n);

/* What became of r < 0: a line on standard error.  last: the last result
 * that there is, NULL: none.  Returns the exit status. */
int cmd_trouble(const char *command, int r, const struct result *last);

/*
 * The option --target-p99 and its value; ends the process when it is wrong.
 */
#define CMD_TARGET 4000
#define CMD_TARGET_OPTION \
	{ \
		"target-p99", CMD_TARGET, "SECONDS", 0, \
		    "how many workers does it take that 99 % of messages " \
		    "wait at most so long? Without --limits, those that load " \
		    "all queues equally", \
		    3 \
	}
double cmd_target(const char *command, const char *arg);

/* The figures of a model.  0 or -errno. */
typedef int cmd_evaluate(
    void *arg, const struct model *model, struct result *ret_result);

/*
 * With how many workers does p99 come down to target_s?  The figures of the
 * first number that is enough, or of the last that was tried.
 * 0 or -errno of evaluate.
 */
int cmd_capacity(const struct sim_options *options, const struct model *model,
    double target_s, cmd_evaluate *evaluate, void *arg,
    struct result *ret_result);

/* For the argp of a command without arguments or options of its own. */
extern const struct argp_child cmd_children[];
error_t cmd_parse_plain(int key, char *arg, struct argp_state *state);

#endif
