/*
 * tools/sim/cmd_simulate.c - `sluice-sim simulate`: any policy, event by
 * event, through the code that the feed runs.
 */
#include "tools/sim/cmd_priv.h"

#include "tools/sim/progress.h"

#include <errno.h>
#include <math.h>

#define ERR_MAX 512

static const char doc[] =
    "Simulate mail that arrives at random, queue by queue and message by "
    "message, with the very code that places mail in production. Several "
    "policies see the same messages.\v"
    "MEAN WAIT is the time in a queue, without that of the scan; +- is the "
    "half-width of its 99 % confidence interval; 95 % of messages wait at most "
    "the figure under \"95 %\".\n\n"
    "Example: which of three policies is best for 1.39 messages a second on "
    "four workers, one of them for mail up to 6431 octets alone?\n\n"
    "  sluice-sim simulate --rate 1.39 --service 0.09,0.0002128 \\\n"
    "      --sizes gaussmix:0.9,2000,400,0.1,50000,10000 \\\n"
    "      --limits 6431 --policy size+load,least-work,small-first\n\n"
    "And how many workers would it take that 99 % of messages wait at most "
    "2 s?\n\n"
    "  sluice-sim simulate --rate 1.39 --service 0.09,0.0002128 \\\n"
    "      --sizes gaussmix:0.9,2000,400,0.1,50000,10000 \\\n"
    "      --policy least-work --target-p99 2\n\n"
    "Interrupted, it prints what it has.\n\n"
    "Exit status: 0 fine; 1 unstable: a queue would grow for ever; 100 wrong "
    "usage; 111 the system failed, or it was interrupted.";

struct simulate_command {
	struct sim_options sim; /* first: options_parse() */
	double target_s;        /* NAN: not asked */
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct simulate_command *o = state->input;

	if (key != CMD_TARGET)
		return cmd_parse_plain(key, arg, state);
	o->target_s = cmd_target(state->name, arg);
	return 0;
}

static int
evaluate(void *arg, const struct model *model, struct result *ret_result)
{
	return cmd_simulate_one(model, arg, ret_result);
}

static int
simulate_policy(const char *command, struct simulate_command *o, size_t i,
    struct result *ret_result, char *err, size_t err_size)
{
	bool search = !isnan(o->target_s);
	enum feed_policy policy = o->sim.policies[i];
	struct model model;
	int r;

	r = search ? cmd_limits_free(&o->sim, policy, &model, err, err_size)
		   : options_model(&o->sim, policy, &model, err, err_size);
	if (r < 0)
		return r;
	if (search)
		return cmd_capacity(&o->sim, &model, o->target_s, evaluate,
		    &o->sim.run, ret_result);
	if (i == 0)
		(void)cmd_keeps_up(command, &model);
	return cmd_simulate_one(&model, &o->sim.run, ret_result);
}

/* All policies, one after the other.  Returns the exit status. */
static int
run_all(const char *command, struct simulate_command *o)
{
	struct result results[FEED_POLICIES];
	struct progress progress;
	char err[ERR_MAX] = "";
	size_t n = 0, policies = o->sim.n_policies;
	int r = 0, status;

	progress_init(&progress, o->sim.progress, &o->sim.run);
	while (r == 0 && n < policies) {
		progress_step(&progress, feed_policy_name(o->sim.policies[n]),
		    n, policies);
		r = simulate_policy(
		    command, o, n, &results[n], err, sizeof(err));
		n += r == 0 || (r == -ECANCELED && isnan(o->target_s));
	}
	progress_end(&progress);
	if (err[0])
		return options_fail(SIM_USAGE, command, "%s", err);
	status = cmd_finish(command, o->sim.form, results, n);
	if (r < 0)
		status = cmd_trouble(command, r, n ? &results[n - 1] : NULL);
	return status;
}

int
cmd_simulate(int argc, char **argv)
{
	static const struct argp_option own[] = {CMD_TARGET_OPTION, {0}};
	static const struct argp argp = {
	    own, parse, NULL, doc, cmd_children, NULL, NULL};
	struct simulate_command o = {.target_s = NAN};
	char err[ERR_MAX];
	int status;

	options_init(&o.sim);
	options_parse(&argp, argc, argv, &o);
	if (o.sim.n_policies == 0)
		o.sim.policies[o.sim.n_policies++] = FEED_SIZE_LOAD;
	if (options_need(&o.sim, NEED_MODEL, err, sizeof(err)) < 0)
		status = options_fail(SIM_USAGE, argv[0], "%s", err);
	else
		status = run_all(argv[0], &o);
	options_done(&o.sim);
	return status;
}
