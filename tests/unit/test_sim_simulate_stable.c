#include "tools/sim/simulate_stable.h"

#include "tests/support/model_site.h"
#include "tests/support/near.h"

#include <math.h>

/* M/M/1: twice the load squared, by the square of what is left of it. */
static void
a_queue_remembers_as_long_as_reckoned(void **state)
{
	struct model m = model_of("exp:1000", 0.9, default_limits);

	(void)state;
	assert_int_equal(feed_limits_make(1, NULL, 0, &m.limits), 0);
	m.fixed_s = 0;
	m.per_octet_s = 1e-3;
	assert_near(model_memory(&m), 2 * 0.81 / 0.01, 1e-6);
	m.policy = FEED_LEAST_WORK;
	assert_near(model_memory(&m), 2 * 0.81 / 0.01, 1e-6);
	m.slots = 2;
	assert_near(model_memory(&m), 2 * 0.81 / 1.21, 1e-6);
	model_done(&m);
}

/* A lane for itself may be busier than all together. */
static void
the_slowest_lane_counts(void **state)
{
	struct model m = model_of(DUAL, 1.39, default_limits);
	double size, nested, all;

	(void)state;
	size = model_memory(&m);
	m.policy = FEED_SIZE_LOAD;
	nested = model_memory(&m);
	m.policy = FEED_SMALL_FIRST;
	all = model_memory(&m);
	assert_true(size > 100 && nested >= all && all > 1);
	assert_near(nested, size, 1e-9); /* the last lane's own mail */
	model_done(&m);
	m = model_of("pareto:1.5,1000", 0.1, default_limits);
	assert_true(isinf(model_memory(&m)));
	model_done(&m);
}

static void
a_mean_grows_to_what_it_will_be(void **state)
{
	double before = 0;

	(void)state;
	assert_near(grown_share(0, 0, 1), 1, 0);
	assert_near(grown_share(INFINITY, 0, 1e9), 0, 1e-9);
	/* At first as the square root: 2 sqrt(2 t / pi) at t. */
	assert_near(grown_share(1e8, 99, 101), 2 * sqrt(2e-6 / M_PI), 1e-5);
	for (int i = 0; i < 20; i++) {
		const double now = grown_share(100, i * 100, i * 100 + 100);

		assert_true(now > before && now <= 1);
		before = now;
	}
	assert_true(before > 0.999);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_queue_remembers_as_long_as_reckoned),
	    cmocka_unit_test(the_slowest_lane_counts),
	    cmocka_unit_test(a_mean_grows_to_what_it_will_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
