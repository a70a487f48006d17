/*
 * tools/sim/cmd_wait.c - `sluice-sim wait`: what has a formula.
 */
#include "tools/sim/cmd_priv.h"

#include "common/cleanup.h"
#include "tools/sim/cmd_quantile.h"

#include <stdio.h>

#define ERR_MAX 512

static const char doc[] =
    "The mean wait of mail under the policy size, computed in no time: each "
    "queue takes a range of sizes of its own, and Pollaczek and Khinchine's "
    "formula tells the rest. Other policies have no formula: see "
    "\"sluice-sim simulate\".\v"
    "A wait is the time in a queue, without that of the scan itself. BUSY is "
    "the share of time for which a worker has something to do. Waits grow "
    "without end as it nears 100 %, and already double on the way from 50 % "
    "to 67 %. The mean is exact, the quantiles are good to 1 %.\n\n"
    "Example: 1.39 messages a second, of which nine in ten are small (2000 "
    "octets or so) and one is large (50000), scanned in 90 ms and 0.2128 ms "
    "an octet:\n\n"
    "  sluice-sim wait --rate 1.39 --service 0.09,0.0002128 \\\n"
    "      --sizes gaussmix:0.9,2000,400,0.1,50000,10000 \\\n"
    "      --limits 2000,10000,50000\n\n"
    "Exit status: 0 fine; 1 unstable: a queue gets more than its worker can "
    "do; 100 wrong usage; 111 the system failed.";

static const struct argp argp = {
    NULL, cmd_parse_plain, NULL, doc, cmd_children, NULL, NULL};

static int
check_policy(const struct sim_options *o, char *err, size_t err_size)
{
	for (size_t i = 0; i < o->n_policies; i++) {
		if (o->policies[i] == FEED_SIZE)
			continue;
		(void)snprintf(err, err_size,
		    "--policy: %s has no formula: write --policy size, or "
		    "use `sluice-sim simulate`",
		    feed_policy_name(o->policies[i]));
		return -1;
	}
	return options_need(o, NEED_MODEL, err, err_size);
}

static void
add_quantiles(const struct model *model, const struct closed *closed,
    struct result *result)
{
	static const double probabilities[] = {0.5, 0.95, 0.99};
	double wait_s[ARRAY_SIZE(probabilities)];

	cmd_quantiles(
	    model, closed, probabilities, ARRAY_SIZE(probabilities), wait_s);
	result->wait.p50_s = wait_s[0];
	result->wait.p95_s = wait_s[1];
	result->wait.p99_s = wait_s[2];
}

int
cmd_wait(int argc, char **argv)
{
	CLEANUP(options_done) struct sim_options o;
	struct closed closed;
	struct result result;
	struct model model;
	char err[ERR_MAX];

	options_init(&o);
	options_parse(&argp, argc, argv, &o);
	if (check_policy(&o, err, sizeof(err)) < 0 ||
	    options_model(&o, FEED_SIZE, &model, err, sizeof(err)) < 0)
		return options_fail(SIM_USAGE, argv[0], "%s", err);
	closed_figures(&model, &closed);
	result_of_closed(&result, &model, &closed);
	if (result.stable)
		add_quantiles(&model, &closed, &result);
	(void)cmd_keeps_up(argv[0], &model);
	return cmd_finish(argv[0], o.form, &result, 1);
}
