/*
 * tools/sim/cmd_replay.c - `sluice-sim replay`: the mail that came, through
 * other queues.
 */
#include "tools/sim/cmd_priv.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sim/cmd_trace_priv.h"
#include "tools/sim/options_value.h"
#include "tools/sim/progress.h"
#include "tools/sim/sizes.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ERR_MAX 512

static const char doc[] =
    "What would yesterday have looked like with other limits, another policy, "
    "more workers? Takes when messages arrived, how large they were and how "
    "long their scans took from FILE or from a site's ledger.\v"
    "FILE has a line a message, in order of arrival: seconds since 1970, "
    "octets, seconds of the scan and, if known, seconds of the wait and the "
    "number of its feed queue. The row (measured) tells the waits that were "
    "recorded. From a ledger come the messages that were judged.\n\n"
    "Examples:\n\n"
    "  sluice-sim replay --ledger /var/lib/sluice/ledger.db \\\n"
    "      --from yesterday --to today --policy all\n"
    "  sluice-sim replay mail.trace --policy least-work --target-p99 2\n\n"
    "The second asks how many workers it takes that 99 % of messages wait at "
    "most 2 s.\n\n"
    "Exit status: 0 fine; 1 unstable, or no number of workers is enough; 100 "
    "wrong usage or a wrong trace; 111 the system failed.";

struct replay_options {
	struct sim_options sim; /* first: options_parse() */
	struct trace_options from;
	double target_s; /* NAN: not asked */
};

static const struct argp_child children[] = {
    {&trace_argp, 0, NULL, 0}, {&options_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct replay_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->from;
		state->child_inputs[1] = &o->sim;
		return 0;
	case CMD_TARGET:
		o->target_s = cmd_target(state->name, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
evaluate(void *arg, const struct model *model, struct result *ret_result)
{
	CLEANUP(free_ptr) struct simulation *s = xcalloc(1, sizeof(*s));
	int r = simulate_trace(model, arg, s);

	if (r == 0)
		result_of_trace(ret_result, model, s);
	return r;
}

static int
replay_one(const struct replay_options *o, enum feed_policy policy,
    struct trace *trace, const struct model *line, struct result *ret_result,
    char *err, size_t err_size)
{
	bool search = !isnan(o->target_s);
	struct model model;
	int r;

	r = search ? cmd_limits_free(&o->sim, policy, &model, err, err_size)
		   : options_model(&o->sim, policy, &model, err, err_size);
	if (r < 0)
		return r;
	model.sizes = line->sizes;
	model.rate = line->rate;
	model.fixed_s = line->fixed_s;
	model.per_octet_s = line->per_octet_s;
	err[0] = '\0';
	if (search)
		return cmd_capacity(
		    &o->sim, &model, o->target_s, evaluate, trace, ret_result);
	return evaluate(trace, &model, ret_result);
}

/* More work than the workers had time for. */
static void
say_overloaded(const char *command, const struct result *r)
{
	double workers = floor((double)r->limits.lanes * r->load) + 1;
	char advice[64] = "write";

	if (r->stable || !(r->load >= 1))
		return;
	if (workers <= FEED_MAX_LANES)
		(void)snprintf(advice, sizeof(advice),
		    "write at least --workers %.0f, or", workers);
	(void)options_fail(SIM_UNSTABLE, command,
	    "--workers: the trace has %.4g times as much work as %zu workers "
	    "could do in its time, and still has at its end, so the waits are "
	    "as long as the trace lets them grow: %s other times",
	    r->load, r->limits.lanes, advice);
}

static int
replay_all(
    const char *command, const struct replay_options *o, struct trace *trace)
{
	struct result results[FEED_POLICIES];
	struct wait_summary measured;
	bool has_measured = trace_measured(trace, NULL, 0, &measured);
	struct model line = {0};
	struct sizes *sizes = trace_model(trace, &line);
	char err[ERR_MAX] = "";
	size_t n = 0;
	int r = 0;

	for (; r == 0 && n < o->sim.n_policies; n += r == 0) {
		r = replay_one(o, o->sim.policies[n], trace, &line, &results[n],
		    err, sizeof(err));
		if (r == 0 && has_measured)
			results[n].measured = &measured;
	}
	(void)sizes_free(sizes);
	if (n > 0)
		say_overloaded(command, &results[0]);
	if (r < 0 && err[0])
		return options_fail(SIM_USAGE, command, "%s", err);
	return r < 0 ? cmd_trouble(command, r, NULL)
		     : cmd_finish(command, o->sim.form, results, n);
}

/* The trace has them all, and nothing is drawn. */
static void
note_left_out(const char *command, const struct sim_options *o)
{
	const struct {
		bool is;
		const char *option;
	} given[] = {
	    {o->has_rate, "--rate"},
	    {o->has_service, "--service"},
	    {o->sizes != NULL, "--sizes"},
	    {o->model.tail_share > 0, "--tail"},
	    {o->model.hit_share > 0, "--hits"},
	    {o->has_messages, "--messages"},
	    {o->run.half_width > 0, "--half-width"},
	    {o->has_seed, "--seed"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (given[i].is)
			(void)options_fail(SIM_FINE, command,
			    "%s is left out: the trace has its own",
			    given[i].option);
}

int
cmd_replay(int argc, char **argv)
{
	static const struct argp_option own[] = {CMD_TARGET_OPTION, {0}};
	static const struct argp argp = {
	    own, parse, "[FILE]", doc, children, NULL, NULL};
	struct replay_options o = {.target_s = NAN};
	struct trace trace;
	char err[ERR_MAX];
	int r, status;

	options_init(&o.sim);
	options_parse(&argp, argc, argv, &o);
	note_left_out(argv[0], &o.sim);
	if (o.sim.n_policies == 0)
		o.sim.policies[o.sim.n_policies++] = FEED_SIZE_LOAD;
	r = trace_options_read(&o.from, &trace, err, sizeof(err));
	if (r == 0) {
		status = replay_all(argv[0], &o, &trace);
		trace_done(&trace);
	} else {
		status = options_fail(options_status_of(r), argv[0], "%s", err);
	}
	options_done(&o.sim);
	return status;
}
