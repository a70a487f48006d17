/*
 * tools/sim/recommend.c - every policy at its best, and which to take.
 */
#include "tools/sim/bound.h"
#include "tools/sim/optimize_priv.h"

#include <errno.h>
#include <math.h>

/* What is so near to the best is as good, and then the simplest is better:
 * a site's own mail is known less well than this. */
#define AS_GOOD 1.05

unsigned int
optimize_effort(enum feed_policy policy)
{
	static const unsigned int efforts[FEED_POLICIES] = {
	    [FEED_LEAST_WORK] = 0,
	    [FEED_SIZE] = 1,
	    [FEED_SIZE_LOAD] = 2,
	    [FEED_STEAL] = 3,
	    [FEED_SMALL_FIRST] = 4,
	};

	return efforts[policy];
}

/* The part of the work that one policy's search is. */
struct part {
	const struct simulate_options *options;
	int done; /* policies */
};

static bool
on_progress(void *arg, double done)
{
	const struct part *part = arg;

	return part->options->progress(
	    part->options->arg, (part->done + done) / FEED_POLICIES);
}

/* Without limits, size+load is least-work message by message. */
static bool
is_without_limits(const struct optimum *optimum)
{
	return optimum->stable && optimum->limits.max_bytes[0] == UINT64_MAX;
}

static int
optimize_policy(const struct model *model, enum feed_policy policy,
    double accuracy, const struct simulate_options *options,
    struct recommendation *rec)
{
	struct model one = *model;

	one.policy = policy;
	if (policy == FEED_STEAL && !optimize_has_surprises(model)) {
		rec->by_policy[FEED_STEAL] = rec->by_policy[FEED_SIZE_LOAD];
		return 0;
	}
	if (policy == FEED_LEAST_WORK &&
	    is_without_limits(&rec->by_policy[FEED_SIZE_LOAD])) {
		rec->by_policy[policy] = rec->by_policy[FEED_SIZE_LOAD];
		return 0;
	}
	return optimize_limits(
	    &one, accuracy, options, &rec->by_policy[policy]);
}

void
optimize_choose(struct recommendation *rec)
{
	double least_s = INFINITY;

	rec->best = FEED_POLICIES;
	for (int i = 0; i < FEED_POLICIES; i++)
		if (rec->by_policy[i].stable &&
		    rec->by_policy[i].wait_mean_s < least_s) {
			least_s = rec->by_policy[i].wait_mean_s;
			rec->best = (enum feed_policy)i;
		}
	rec->simplest = rec->best;
	for (int i = 0; i < FEED_POLICIES; i++)
		if (rec->by_policy[i].stable &&
		    rec->by_policy[i].wait_mean_s <= AS_GOOD * least_s &&
		    optimize_effort((enum feed_policy)i) <
			optimize_effort(rec->simplest))
			rec->simplest = (enum feed_policy)i;
}

int
optimize_recommend(const struct model *model, double accuracy,
    const struct simulate_options *options,
    struct recommendation *ret_recommendation)
{
	struct recommendation rec = {.bound_s = bound_wait(model)};
	struct part part = {options, 0};
	struct simulate_options partly = *options;

	partly.progress = options->progress ? on_progress : NULL;
	partly.arg = &part;
	for (; part.done < FEED_POLICIES; part.done++) {
		int r = optimize_policy(model, (enum feed_policy)part.done,
		    accuracy, &partly, &rec);

		if (r < 0 && r != -EDOM)
			return r;
	}
	optimize_choose(&rec);
	*ret_recommendation = rec;
	return rec.best == FEED_POLICIES ? -EDOM : 0;
}
