/*
 * tools/sim/cmd_capacity.c - how many workers are enough?
 */
#include "tools/sim/cmd_priv.h"

#include "tools/sim/options_value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define ERR_MAX 256

double
cmd_target(const char *command, const char *arg)
{
	static const struct value_rule rule = {
	    "--target-p99", 0, 1e9, true, "seconds, such as --target-p99 2"};
	char err[ERR_MAX];
	double target_s;

	if (value_number(&rule, arg, &target_s, err, sizeof(err)) < 0)
		exit(options_fail(SIM_USAGE, command, "%s", err));
	return target_s;
}

static int
limits_of(const struct sim_options *o, size_t workers, struct model *model)
{
	char err[ERR_MAX];

	if (o->has_limits)
		return options_limits(
		    o, workers, false, &model->limits, err, sizeof(err));
	(void)feed_limits_make(workers, NULL, 0, &model->limits);
	if (model->policy != FEED_LEAST_WORK && workers > 1)
		optimize_equal_load(model, &model->limits);
	return 0;
}

int
cmd_capacity(const struct sim_options *o, const struct model *model,
    double target_s, cmd_evaluate *evaluate, void *arg,
    struct result *ret_result)
{
	size_t workers = o->has_limits ? o->n_limits + 1 : 1;
	struct model m = *model;
	bool enough = false;

	for (; workers <= FEED_MAX_LANES && !enough; workers++) {
		int r = limits_of(o, workers, &m);

		if (r == 0)
			r = evaluate(arg, &m, ret_result);
		if (r < 0)
			return r;
		enough =
		    ret_result->stable && ret_result->wait.p99_s <= target_s;
	}
	ret_result->target_p99_s = target_s;
	ret_result->meets_target = enough;
	return 0;
}
