/*
 * tools/sim/cmd_recommend.c - `sluice-sim recommend`: every policy at its
 * best, how far each is from what none can beat, and which to take.
 */
#include "tools/sim/cmd_priv.h"

#include "common/cleanup.h"
#include "tools/sim/options_value.h"
#include "tools/sim/progress.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>

#define ERR_MAX 512
/* Who is so near to the best is as good, and the simplest of them better. */
#define AS_GOOD 1.05

static const char doc[] =
    "Compare the policies, each with the limits that are best for it, and "
    "recommend the simplest whose mean wait is within 5 % of the least.\v"
    "ABOVE BOUND is how much longer mail waits than a bound which no policy "
    "can beat. --policy restricts the comparison; --limits is left out, for "
    "limits are part of the answer.\n\n"
    "Example:\n\n"
    "  sluice-sim recommend --rate 1.39 --service 0.09,0.0002128 \\\n"
    "      --sizes gaussmix:0.9,2000,400,0.1,50000,10000\n\n"
    "Exit status: 0 fine; 1 no limits are stable for some policy; 100 wrong "
    "usage; 111 the system failed, or it was interrupted.";

static const struct argp argp = {
    NULL, cmd_parse_plain, NULL, doc, cmd_children, NULL, NULL};

/* Mark the best of those that are asked for, and the simplest as good. */
static const struct result *
mark(struct result *results, size_t n)
{
	struct result *best = NULL, *simplest;

	for (size_t i = 0; i < n; i++)
		if (results[i].stable && isfinite(results[i].wait.mean_s) &&
		    (!best || results[i].wait.mean_s < best->wait.mean_s))
			best = &results[i];
	if (!best)
		return NULL;
	best->is_best = true;
	simplest = best;
	for (size_t i = 0; i < n; i++)
		if (results[i].stable &&
		    results[i].wait.mean_s <= AS_GOOD * best->wait.mean_s &&
		    optimize_effort(results[i].policy) <
			optimize_effort(simplest->policy))
			simplest = &results[i];
	simplest->is_recommended = true;
	return simplest;
}

/* What to write into the configuration. */
static void
print_fragment(const struct result *chosen)
{
	(void)printf("\tfeed {\n\t\tqueues = %zu\n\t\tpolicy = \"%s\"\n",
	    chosen->limits.lanes, feed_policy_name(chosen->policy));
	if (chosen->limits.max_bytes[0] != UINT64_MAX) {
		(void)fputs("\t\tlimits = \"", stdout);
		for (size_t i = 0; i < chosen->limits.lanes; i++)
			if (chosen->limits.max_bytes[i] != UINT64_MAX)
				(void)printf("%s%ju", i ? " " : "",
				    (uintmax_t)chosen->limits.max_bytes[i]);
		(void)puts("\"");
	}
	if (!isnan(chosen->patience))
		(void)printf("\t\tpatience = %.0f\n", chosen->patience);
	(void)puts("\t}");
}

static void
print_advice(const struct result *chosen)
{
	char wait[32], bound[32];

	(void)output_seconds(chosen->wait.mean_s, wait, sizeof(wait));
	(void)output_seconds(chosen->bound_s, bound, sizeof(bound));
	(void)printf(
	    "\nUse the policy %s: mail waits %s, and no policy could "
	    "bring that below %s.\nIn sluice.conf (keep the old lines, "
	    "to go back):\n\n",
	    feed_policy_name(chosen->policy), wait, bound);
	print_fragment(chosen);
}

static int
simulate_each(struct sim_options *o, const struct recommendation *rec,
    struct progress *progress, struct result *results, size_t *ret_n)
{
	char err[ERR_MAX];

	for (size_t i = 0; i < o->n_policies; i++) {
		const enum feed_policy policy = o->policies[i];
		struct model model;
		int r;

		r = cmd_limits_free(o, policy, &model, err, sizeof(err));
		assert(r == 0); /* as before */
		progress_step(
		    progress, feed_policy_name(policy), i, o->n_policies);
		r = cmd_result_of_optimum(
		    &model, &rec->by_policy[policy], &o->run, &results[i]);
		if (r < 0)
			return r;
		results[i].bound_s = rec->bound_s;
		*ret_n = i + 1;
	}
	return 0;
}

static int
recommend(const char *command, struct sim_options *o)
{
	struct result results[FEED_POLICIES];
	const struct result *chosen;
	struct recommendation rec = {.bound_s = NAN};
	struct simulate_options search;
	struct progress progress;
	struct model model;
	char err[ERR_MAX];
	size_t n = 0;
	int r = 0, status;

	if (cmd_limits_free(o, FEED_SIZE, &model, err, sizeof(err)) < 0)
		return options_fail(SIM_USAGE, command, "%s", err);
	progress_init(&progress, o->progress, &o->run);
	progress_step(&progress, "looking", 0, 1);
	search = options_search(o);
	if (cmd_keeps_up(command, &model))
		r = optimize_recommend(
		    &model, options_accuracy(o), &search, &rec);
	if (r == -EDOM)
		r = 0; /* as rec is: unstable, all of them */
	if (r == 0)
		r = simulate_each(o, &rec, &progress, results, &n);
	progress_end(&progress);
	if (r < 0)
		return cmd_trouble(command, r, NULL);
	chosen = mark(results, n);
	status = cmd_finish(command, o->form, results, n);
	if (chosen && o->form == OUTPUT_TABLE)
		print_advice(chosen);
	return status;
}

int
cmd_recommend(int argc, char **argv)
{
	CLEANUP(options_done) struct sim_options o;
	char err[ERR_MAX];

	options_init(&o);
	options_parse(&argp, argc, argv, &o);
	if (options_need(&o, NEED_MODEL, err, sizeof(err)) < 0)
		return options_fail(SIM_USAGE, argv[0], "%s", err);
	if (o.n_policies == 0)
		(void)value_policies(
		    "all", o.policies, &o.n_policies, err, sizeof(err));
	return recommend(argv[0], &o);
}
