#include "tools/sim/bound.h"

#include "tests/support/model_site.h"
#include "tests/support/near.h"

/* M/D/1's wait, s rho / (2 (1 - rho)), leaves no room below it. */
static void
one_worker_and_one_size_wait_just_as_long(void **state)
{
	static const double size = 20000;
	struct model m = model_of(DUAL, 0.15, default_limits);
	const double service_s = 0.09 + size / 4700, rho = 0.15 * service_s;

	(void)state;
	model_done(&m);
	m.sizes = sizes_of_list(&size, 1);
	assert_int_equal(feed_limits_make(1, NULL, 0, &m.limits), 0);
	assert_near(bound_wait(&m), service_s * rho / (2 * (1 - rho)), 1e-6);
	model_done(&m);
}

/* The published example: those above four of as many as Poisson says. */
static void
who_comes_while_all_work_waits(void **state)
{
	struct model m = model_of(DUAL, 1.39, default_limits);
	const double mean = 1.39 * (0.09 + 6800. / 4700);
	double p = exp(-mean), waiting = 0;

	(void)state;
	for (int n = 1; n < 60; n++) {
		p *= mean / n;
		waiting += n > 4 ? (n - 4) * p : 0;
	}
	assert_near(bound_wait(&m), waiting / 1.39, 1e-6);
	model_done(&m);
}

/* Exponential service, first come, first served: Erlang's formula. */
static void
no_system_with_a_formula_is_below_it(void **state)
{
	(void)state;
	for (double rho = 0.05; rho < 1; rho += 0.05) {
		struct model m = model_of("exp:5000", 1, default_limits);
		double mmc_s, size_s;

		m.fixed_s = 0;
		m.rate = rho * 4 * 4700 / 5000;
		mmc_s = closed_mmc_wait(m.rate, 5000. / 4700, 4);
		size_s = figures(&m).wait_mean_s;
		assert_true(bound_wait(&m) > 0);
		assert_true(bound_wait(&m) < mmc_s);
		assert_true(bound_wait(&m) < size_s);
		model_done(&m);
	}
}

static void
it_grows_without_end_towards_overload(void **state)
{
	struct model m = model_of(DUAL, 1.39, default_limits);
	const double most = model_rate_bound(&m);
	double last = 0;

	(void)state;
	for (double left = 0.5; left > 1e-4; left /= 2) {
		m.rate = (1 - left) * most;
		assert_true(bound_wait(&m) > last);
		last = bound_wait(&m);
	}
	assert_true(last > 100);
	m.rate = most * 1.0001;
	assert_true(isinf(bound_wait(&m)));
	m.rate = 0;
	assert_true(bound_wait(&m) <= 0);
	model_done(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_worker_and_one_size_wait_just_as_long),
	    cmocka_unit_test(who_comes_while_all_work_waits),
	    cmocka_unit_test(no_system_with_a_formula_is_below_it),
	    cmocka_unit_test(it_grows_without_end_towards_overload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
