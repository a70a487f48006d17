#include "tools/sim/optimize_priv.h"

#include "tests/support/model_site.h"
#include "tests/support/near.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Two workers: there are few limits to try. */
static struct model
small_model(double rate)
{
	struct model m = model_of(DUAL, rate, default_limits);

	assert_int_equal(feed_limits_make(2, NULL, 0, &m.limits), 0);
	return m;
}

#define FEW ((struct simulate_options){.seed = 7, .max_messages = 4000})

static void
the_simplest_of_the_nearly_best_is_recommended(void **state)
{
	static const struct {
		double wait_s[FEED_POLICIES]; /* 0: not stable */
		enum feed_policy best, simplest;
	} rows[] = {
	    /* size, size+load, least-work, small-first, steal */
	    {{1, 1, 1, 1, 1}, FEED_SIZE, FEED_LEAST_WORK},
	    {{2, 1.04, 1.06, 1, 1}, FEED_SMALL_FIRST, FEED_SIZE_LOAD},
	    {{2, 1.06, 1.06, 1, 1.04}, FEED_SMALL_FIRST, FEED_STEAL},
	    {{1.04, 1.04, 1.06, 1, 2}, FEED_SMALL_FIRST, FEED_SIZE},
	    {{0.97, 0.18, 0.40, 0.16, 0.18}, FEED_SMALL_FIRST,
		FEED_SMALL_FIRST},
	    {{0, 9, 0, 0, 8}, FEED_STEAL, FEED_STEAL},
	    {{0, 0, 0, 0, 0}, FEED_POLICIES, FEED_POLICIES},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct recommendation *rec = calloc(1, sizeof(*rec));

		for (int j = 0; j < FEED_POLICIES; j++) {
			rec->by_policy[j].wait_mean_s = rows[i].wait_s[j];
			rec->by_policy[j].stable = rows[i].wait_s[j] > 0;
		}
		optimize_choose(rec);
		assert_int_equal(rec->best, rows[i].best);
		assert_int_equal(rec->simplest, rows[i].simplest);
		free(rec);
	}
}

static void
every_policy_is_compared_and_none_is_below_the_bound(void **state)
{
	const struct simulate_options options = FEW;
	struct recommendation *rec = calloc(1, sizeof(*rec));
	struct model m = small_model(0.6);

	(void)state;
	assert_int_equal(optimize_recommend(&m, 0.1, &options, rec), 0);
	for (int i = 0; i < FEED_POLICIES; i++) {
		const struct optimum *o = &rec->by_policy[i];

		assert_true(o->stable);
		assert_int_equal(o->limits.lanes, 2);
		assert_true(
		    o->wait_mean_s >= rec->by_policy[rec->best].wait_mean_s);
		assert_true(o->wait_mean_s + o->ci99_s >= rec->bound_s);
	}
	assert_true(rec->bound_s > 0);
	model_done(&m);
	free(rec);
}

static void
the_policies_are_simple_in_one_order(void **state)
{
	bool seen[FEED_POLICIES] = {false};

	(void)state;
	for (int i = 0; i < FEED_POLICIES; i++)
		seen[optimize_effort((enum feed_policy)i)] = true;
	for (int i = 0; i < FEED_POLICIES; i++)
		assert_true(seen[i]);
}

/* It has what it was confirmed with, and that is what simulate() says. */
static void
the_optimum_can_be_simulated_again(void **state)
{
	struct simulate_options options = FEW;
	struct optimum *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct simulation *s = calloc(1, sizeof(*s));
	struct model m = small_model(0.6);

	(void)state;
	m.policy = FEED_SMALL_FIRST;
	assert_int_equal(optimize_limits(&m, 0.1, &options, a), 0);
	options.threads = 1; /* nor does it depend on how many there are */
	assert_int_equal(optimize_limits(&m, 0.1, &options, b), 0);
	assert_memory_equal(&a->limits, &b->limits, sizeof(a->limits));
	assert_near(a->wait_mean_s, b->wait_mean_s, 0);
	m.limits = a->limits;
	m.patience = a->patience;
	options.half_width = 0.1;
	assert_int_equal(simulate(&m, &options, s), 0);
	assert_near(s->all.mean_s, a->wait_mean_s, 0);
	assert_near(a->run.all.mean_s, a->wait_mean_s, 0);
	model_done(&m);
	free(a);
	free(b);
	free(s);
}

static void
overload_has_no_advice(void **state)
{
	const struct simulate_options options = FEW;
	struct recommendation *rec = calloc(1, sizeof(*rec));
	struct model m = small_model(1.4);

	(void)state;
	assert_int_equal(optimize_recommend(&m, 0.1, &options, rec), -EDOM);
	assert_int_equal(rec->best, FEED_POLICIES);
	assert_int_equal(rec->simplest, FEED_POLICIES);
	assert_true(isinf(rec->bound_s));
	model_done(&m);
	free(rec);
}

struct watch {
	unsigned int calls;
	double last;
};

/* Never backwards, never beyond the end; stopped in the third policy. */
static bool
stop_there(void *arg, double done)
{
	struct watch *w = arg;

	w->calls++;
	assert_true(done >= w->last && done <= 1);
	w->last = done;
	return done < 2.0 / FEED_POLICIES;
}

static void
it_can_be_watched_and_stopped(void **state)
{
	/* The first policy has a formula, and is done at once. */
	struct watch w = {.last = 1.0 / FEED_POLICIES};
	struct simulate_options options = FEW;
	struct recommendation *rec = calloc(1, sizeof(*rec));
	struct model m = small_model(0.6);

	(void)state;
	options.progress = stop_there;
	options.arg = &w;
	options.threads = 1; /* whose asserts are heard */
	assert_int_equal(
	    optimize_recommend(&m, 0.1, &options, rec), -ECANCELED);
	assert_true(w.calls > 0 && w.last > 0.39 && w.last < 0.5);
	model_done(&m);
	free(rec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_simplest_of_the_nearly_best_is_recommended),
	    cmocka_unit_test(
		every_policy_is_compared_and_none_is_below_the_bound),
	    cmocka_unit_test(the_policies_are_simple_in_one_order),
	    cmocka_unit_test(the_optimum_can_be_simulated_again),
	    cmocka_unit_test(overload_has_no_advice),
	    cmocka_unit_test(it_can_be_watched_and_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
