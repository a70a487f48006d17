/*
 * tools/sim/cmd_optimize.c - `sluice-sim optimize`: the limits with which
 * mail waits least under a policy.
 */
#include "tools/sim/cmd_priv.h"

#include "common/cleanup.h"
#include "tools/sim/progress.h"

#include <errno.h>

#define ERR_MAX 512
#define BETTER  0.01 /* of the wait; less is no other place */

static const char doc[] =
    "Find the limits with which mail waits least on average, for each of the "
    "policies given (size+load). For small-first, the patience too.\v"
    "The policy size is optimised by formula, and at once: each of --limits "
    "is moved to where mail waits least, until none gains any more. Where "
    "quite other limits make it wait less, they are named too. The other "
    "policies take simulations that all see the same messages, until the mean "
    "is known to --half-width (0.01); --limits is left out. Nearly as good "
    "limits are many: near the best the mean wait hardly changes.\n\n"
    "Example:\n\n"
    "  sluice-sim optimize --rate 1.39 --service 0.09,0.0002128 \\\n"
    "      --sizes gaussmix:0.9,2000,400,0.1,50000,10000 --policy size\n\n"
    "Exit status: 0 fine; 1 no limits are stable; 100 wrong usage; 111 the "
    "system failed, or it was interrupted.";

static const struct argp argp = {
    NULL, cmd_parse_plain, NULL, doc, cmd_children, NULL, NULL};

/* A formula knows means; the rest takes a simulation. */
static int
result_of_formula(const struct model *model, const struct simulate_options *run,
    struct result *ret_result)
{
	struct result simulated;
	struct closed closed;
	int r = cmd_simulate_one(model, run, &simulated);

	if (r < 0)
		return r;
	closed_figures(model, &closed);
	result_of_closed(ret_result, model, &closed);
	simulated.wait.mean_s = ret_result->wait.mean_s;
	ret_result->wait = simulated.wait;
	ret_result->messages = simulated.messages;
	ret_result->messages_per_s = simulated.messages_per_s;
	return 0;
}

int
cmd_result_of_optimum(struct model *model, const struct optimum *optimum,
    const struct simulate_options *run, struct result *ret_result)
{
	int r = 0;

	if (!optimum->stable) {
		cmd_result_unstable(ret_result, model);
		return 0;
	}
	model->limits = optimum->limits;
	if (model->policy == FEED_SMALL_FIRST)
		model->patience = optimum->patience;
	if (optimum->run.messages > 0)
		result_of_simulation(ret_result, model, &optimum->run);
	else
		r = result_of_formula(model, run, ret_result);
	cmd_result_infinite(ret_result, model);
	ret_result->evaluations = optimum->evaluations;
	return r;
}

int
cmd_limits_free(const struct sim_options *o, enum feed_policy policy,
    struct model *ret_model, char *err, size_t err_size)
{
	struct sim_options any = *o;

	/* They are what is looked for: any will do, as many as there are. */
	any.has_limits = true;
	any.n_limits = 0;
	return options_model(&any, policy, ret_model, err, err_size);
}

/* Of the size policy: what its limits lead to, and what is better. */
static int
optimize_from(struct model *model, const struct simulate_options *run,
    struct result *ret_result)
{
	struct optimum near, best;
	int r = optimize_near(model, &near);

	if (r == 0)
		r = optimize_limits(model, 0, run, &best);
	if (r < 0)
		return r;
	if (near.wait_mean_s <= best.wait_mean_s * (1 + BETTER))
		return cmd_result_of_optimum(model, &best, run, ret_result);
	r = cmd_result_of_optimum(model, &near, run, ret_result);
	ret_result->better_limits = best.limits;
	ret_result->better_wait_s = best.wait_mean_s;
	return r;
}

static int
optimize_one(
    struct model *model, const struct sim_options *o, struct result *ret_result)
{
	const struct simulate_options search = options_search(o);
	struct optimum optimum;
	int r;

	if (model_utilisation(model) >= 1)
		r = -EDOM;
	else if (model->policy == FEED_SIZE)
		r = optimize_from(model, &o->run, ret_result);
	else
		r = optimize_limits(
		    model, options_accuracy(o), &search, &optimum);
	if (r == -EDOM) {
		cmd_result_unstable(ret_result, model);
		return 0;
	}
	if (r < 0 || model->policy == FEED_SIZE)
		return r;
	return cmd_result_of_optimum(model, &optimum, &o->run, ret_result);
}

/* The size policy starts somewhere; what the others have is left out. */
static int
start_of(const struct sim_options *o, enum feed_policy policy,
    struct model *ret_model, char *err, size_t err_size)
{
	if (policy == FEED_SIZE &&
	    (o->has_limits || o->workers == WORKERS_DEFAULT))
		return options_model(o, policy, ret_model, err, err_size);
	return cmd_limits_free(o, policy, ret_model, err, err_size);
}

static int
run_all(const char *command, struct sim_options *o)
{
	struct result results[FEED_POLICIES];
	struct progress progress;
	char err[ERR_MAX];
	size_t n = 0;
	int r = 0, status;

	progress_init(&progress, o->progress, &o->run);
	while (r == 0 && n < o->n_policies) {
		const enum feed_policy policy = o->policies[n];
		struct model model;

		if (start_of(o, policy, &model, err, sizeof(err)) < 0)
			return options_fail(SIM_USAGE, command, "%s", err);
		if (n == 0)
			(void)cmd_keeps_up(command, &model);
		progress_step(
		    &progress, feed_policy_name(policy), n, o->n_policies);
		r = optimize_one(&model, o, &results[n]);
		n += r == 0;
	}
	progress_end(&progress);
	status = cmd_finish(command, o->form, results, n);
	return r < 0 ? cmd_trouble(command, r, NULL) : status;
}

int
cmd_optimize(int argc, char **argv)
{
	CLEANUP(options_done) struct sim_options o;
	char err[ERR_MAX];

	options_init(&o);
	options_parse(&argp, argc, argv, &o);
	if (options_need(&o, NEED_MODEL, err, sizeof(err)) < 0)
		return options_fail(SIM_USAGE, argv[0], "%s", err);
	if (o.n_policies == 0)
		o.policies[o.n_policies++] = FEED_SIZE_LOAD;
	return run_all(argv[0], &o);
}
