/*
 * tools/sim/cmd_shared.c - what the sub-commands share.
 */
#include "tools/sim/cmd_priv.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sim/sizes.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const struct argp_child cmd_children[] = {
    {&options_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}};

error_t
cmd_parse_plain(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "what is \"%s\"?", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Of every queue that takes the largest, and of what waits with it. */
static void
say_infinite(const char *command, const struct model *model)
{
	(void)options_fail(SIM_FINE, command,
	    "--sizes: the variance of %s is infinite, and so is the mean wait "
	    "by the policy size, or for one worker; elsewhere a simulated mean "
	    "and its interval tell little. Go by the quantiles, or write a "
	    "largest size",
	    sizes_spec(model->sizes));
}

bool
cmd_keeps_up(const char *command, const struct model *model)
{
	double busy = model_utilisation(model), workers;
	char advice[64] = "";

	if (busy < 1 && isinf(model_service(model).square_s2))
		say_infinite(command, model);
	if (busy < 1)
		return true;
	if (isinf(busy)) {
		(void)options_fail(SIM_UNSTABLE, command,
		    "--sizes: the mean of %s is infinite, so no workers could "
		    "keep up: write a largest size",
		    sizes_spec(model->sizes));
		return false;
	}
	workers = floor((double)model->limits.lanes * busy) + 1;
	if (workers <= FEED_MAX_LANES)
		(void)snprintf(advice, sizeof(advice),
		    ", or at least --workers %.0f", workers);
	(void)options_fail(SIM_UNSTABLE, command,
	    "--rate: %g messages a second keep these %zu workers %.4g times "
	    "as busy as they can be: write less than --rate %.4g%s",
	    model->rate, model->limits.lanes, busy, model_rate_bound(model),
	    advice);
	return false;
}

void
cmd_result_unstable(struct result *ret_result, const struct model *model)
{
	struct closed closed;

	closed_figures(model, &closed);
	closed.stable = false;
	result_of_closed(ret_result, model, &closed);
}

void
cmd_result_infinite(struct result *result, const struct model *model)
{
	struct closed closed;

	if (model->slots > 1 ||
	    (model->policy != FEED_SIZE && model->limits.lanes > 1))
		return;
	closed_figures(model, &closed);
	if (!closed.stable || isfinite(closed.wait_mean_s))
		return;
	result->stable = true;
	result->wait.mean_s = INFINITY;
	result->ci99_s = NAN;
	for (size_t i = 0; i < model->limits.lanes; i++)
		if (isinf(closed.lanes[i].wait_mean_s))
			result->queues[i].wait_mean_s = INFINITY;
}

int
cmd_simulate_one(const struct model *model, const struct simulate_options *run,
    struct result *ret_result)
{
	CLEANUP(free_ptr) struct simulation *s = NULL;
	struct closed closed;
	int r;

	/* The formula's answer is exact, and comes at once. */
	closed_figures(model, &closed);
	if ((model->policy == FEED_SIZE && !closed.stable) ||
	    model_utilisation(model) >= 1) {
		cmd_result_unstable(ret_result, model);
		return 0;
	}
	s = xcalloc(1, sizeof(*s));
	r = simulate(model, run, s);
	if (r < 0 && r != -ECANCELED)
		return r;
	result_of_simulation(ret_result, model, s);
	cmd_result_infinite(ret_result, model);
	return r;
}

/* Which queue, or queues, is it? */
static void
say_unstable(const char *command, const struct result *r)
{
	const char *policy = feed_policy_name(r->policy);
	bool said = false;

	for (size_t i = 0; i < r->limits.lanes; i++) {
		if (!(r->queues[i].utilisation >= 1))
			continue;
		said = true;
		(void)options_fail(SIM_UNSTABLE, command,
		    "--limits: with the policy %s feed%zu gets %.5g times "
		    "what its worker can do: choose others (`sluice-sim "
		    "optimize`), or write a lower --rate",
		    policy, i + 1, r->queues[i].utilisation);
	}
	if (!said)
		(void)options_fail(SIM_UNSTABLE, command,
		    "--limits: with the policy %s the queues keep growing: "
		    "choose others (`sluice-sim optimize`), or write a lower "
		    "--rate",
		    policy);
}

static int
say_target(const char *command, const struct result *r, int status)
{
	if (r->meets_target)
		return status;
	return options_fail(SIM_UNSTABLE, command,
	    "--target-p99: %g s can't be had with the policy %s and up to %d "
	    "workers (%zu: %g s): write more seconds",
	    r->target_p99_s, feed_policy_name(r->policy), FEED_MAX_LANES,
	    r->limits.lanes, r->wait.p99_s);
}

static void
say_short(const char *command, const struct result *r)
{
	(void)options_fail(SIM_FINE, command,
	    "--messages: with the policy %s what waits was still growing, so "
	    "the mean is too low: write more than --messages %.0e",
	    feed_policy_name(r->policy), (double)r->messages);
}

int
cmd_finish(const char *command, enum output_form form,
    const struct result *results, size_t n)
{
	int status = SIM_FINE;

	output_results(form, results, n);
	for (size_t i = 0; i < n; i++) {
		if (results[i].stable && results[i].is_short)
			say_short(command, &results[i]);
		if (!isnan(results[i].target_p99_s))
			status = say_target(command, &results[i], status);
		if (results[i].stable)
			continue;
		status = SIM_UNSTABLE;
		/* Above 1 no limits help, and cmd_keeps_up() has said so. */
		if (!(results[i].load >= 1))
			say_unstable(command, &results[i]);
	}
	return status;
}

int
cmd_trouble(const char *command, int r, const struct result *last)
{
	if (r == -ECANCELED && last)
		return options_fail(SIM_SYSTEM, command,
		    "interrupted: %s is of %ju messages",
		    feed_policy_name(last->policy), (uintmax_t)last->messages);
	return options_fail(SIM_SYSTEM, command, "%s",
	    r == -ECANCELED ? "interrupted" : strerror(-r));
}
