#include "tools/sim/closed.h"

#include "common/cleanup.h"
#include "tests/support/model_site.h"
#include "tests/support/near.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* All that the published example prints of a set of limits. */
static void
check_published(const uint64_t *limits, double wait_s, double rate_max,
    const double lanes[4][3])
{
	struct model m = model_of(DUAL, 1.39, limits);
	const struct closed c = figures(&m);

	assert_true(c.stable);
	assert_near(c.wait_mean_s, wait_s, 6e-6);
	assert_near(closed_rate_max(&m), rate_max, 6e-5);
	assert_near(c.utilisation, 0.534, 6e-4);
	for (size_t i = 0; i < 4; i++) {
		/* Half a unit of the last digit that is printed. */
		const double digit = lanes[i][2] > 20 ? 6e-5 : 6e-6;

		assert_near(c.lanes[i].share, lanes[i][0], 6e-6);
		assert_near(c.lanes[i].utilisation, lanes[i][1], 6e-6);
		assert_near(c.lanes[i].wait_mean_s, lanes[i][2], digit);
	}
	model_done(&m);
}

static void
the_published_example_comes_out_with_default_limits(void **state)
{
	static const double lanes[4][3] = {
	    {0.45, 0.27999, 0.08818},
	    {0.45, 0.36495, 0.16895},
	    {0.05, 0.62762, 7.76399},
	    {0.05, 0.86360, 39.7563},
	};

	(void)state;
	check_published(default_limits, 2.49170, 1.6095, lanes);
}

static void
the_published_example_comes_out_with_published_limits(void **state)
{
	static const double lanes[4][3] = {
	    {0.50543, 0.32022, 0.10885},
	    {0.39457, 0.32472, 0.14333},
	    {0.05755, 0.74234, 13.65385},
	    {0.04245, 0.74889, 19.09813},
	};

	(void)state;
	check_published(published_limits, 1.70802, 1.8561, lanes);
}

static void
the_published_service_comes_out(void **state)
{
	struct model m = model_of(DUAL, 1.39, default_limits);
	const struct moments x = sizes_moments(m.sizes, 0, INFINITY);

	(void)state;
	assert_near(x.m1, 6800, 0.01);
	assert_near(x.m2, 2.6374e8, 5e3);
	assert_near(model_service(&m).mean_s, 1.53681, 6e-6);
	assert_near(model_rate_bound(&m), 2.6028, 6e-5);
	assert_near(model_utilisation(&m), 1.39 / 2.6028, 2e-5);
	model_done(&m);
}

/* Mean, load, wait at the default limits (0: unstable),
 * equal-load limits and wait, optimal limits and wait. */
static const struct exponential_row {
	double mean, load, rate, wait_s;
	uint64_t equal[3];
	double equal_s;
	uint64_t best[3];
	double best_s;
} exponential_rows[] = {
    {2751.3, .3, 1.77677, 1.2036, {2282, 4242, 7026}, .1566, {2150, 4154, 7012},
	.1559},
    {2751.3, .5, 2.96128, 0, {2282, 4242, 7026}, .3653, {2197, 4185, 7016},
	.3641},
    {2751.3, .7, 4.14580, 0, {2282, 4242, 7026}, .8523, {2237, 4212, 7020},
	.8503},
    {2751.3, .9, 5.33031, 0, {2282, 4242, 7026}, 3.2876, {2269, 4234, 7024},
	3.2823},
    {6800, .3, .78084, 1.2301, {6139, 11010, 17904}, .3659,
	{5653, 10667, 17763}, .3625},
    {6800, .5, 1.30140, 0, {6139, 11010, 17904}, .8537, {5819, 10784, 17805},
	.8475},
    {6800, .7, 1.82196, 0, {6139, 11010, 17904}, 1.9920, {5968, 10889, 17849},
	1.9812},
    {6800, .9, 2.34252, 0, {6139, 11010, 17904}, 7.6835, {6091, 10976, 17888},
	7.6542},
    {20000, .5, .46027, 0, {18812, 33151, 53436}, 2.4550, {17681, 32340, 53019},
	2.4297},
    {20000, .9, .82848, 0, {18812, 33151, 53436}, 22.0948,
	{18637, 33025, 53367}, 21.9703},
};

static double
wait_with(const struct model *m, const uint64_t *limits)
{
	struct model with = *m;

	assert_int_equal(feed_limits_make(4, limits, 3, &with.limits), 0);
	return figures(&with).wait_mean_s;
}

/* The limits are printed in whole octets: how much W may differ, when each is
 * half an octet off, and when W itself is rounded to four digits. */
static double
rounding(const struct model *m, const uint64_t *limits)
{
	double sum = 6e-5;

	for (size_t i = 0; i < 3; i++) {
		uint64_t more[3] = {limits[0], limits[1], limits[2]};
		uint64_t less[3] = {limits[0], limits[1], limits[2]};

		more[i]++;
		less[i]--;
		sum += fabs(wait_with(m, more) - wait_with(m, less)) / 4;
	}
	return sum;
}

static void
check_limits(const struct model *m, const uint64_t *limits, double wait_s)
{
	const double within = rounding(m, limits);

	/* Or the check would be worth nothing. */
	assert_true(within < 1e-3 * wait_s + 1e-4);
	assert_near(wait_with(m, limits), wait_s, within);
}

static void
exponential_servers_come_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(exponential_rows); i++) {
		const struct exponential_row *row = &exponential_rows[i];
		struct model m;
		char spec[32];

		(void)snprintf(spec, sizeof(spec), "exp:%g", row->mean);
		m = model_of(spec, row->rate, default_limits);
		/* Near saturation the sixth digit of the rate is seen. */
		m.rate = row->load * model_rate_bound(&m);
		assert_near(m.rate, row->rate, 6e-6);
		if (row->wait_s > 0)
			assert_near(
			    wait_with(&m, default_limits), row->wait_s, 6e-5);
		else
			assert_true(isinf(wait_with(&m, default_limits)));
		check_limits(&m, row->equal, row->equal_s);
		check_limits(&m, row->best, row->best_s);
		model_done(&m);
	}
}

/* ---------------------------------------------------------------- M/M/c */

/* Erlang's C by its definition, term by term. */
static double
erlang_c(double offered, size_t c)
{
	long double term = 1, sum = 0, waits;

	for (size_t k = 0; k < c; k++) {
		sum += term;
		term *= (long double)offered / (long double)(k + 1);
	}
	waits = term * c / (c - (long double)offered);
	return (double)(waits / (sum + waits));
}

static void
several_servers_wait_as_erlang_says(void **state)
{
	static const struct {
		double offered;
		size_t servers;
		double waits; /* the share that waits; 0: not known */
	} rows[] = {
	    {.5, 1, .5},
	    {1, 2, 1. / 3},
	    {2, 3, 4. / 9},
	    {2, 4, 4. / 23},
	    {.01, 3, 0},
	    {8, 10, 0},
	    {63.9, 64, 0},
	    {190, 200, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const double a = rows[i].offered, c = (double)rows[i].servers;
		const double waits = erlang_c(a, rows[i].servers);
		/* A service of 3 seconds. */
		const double wait_s =
		    closed_mmc_wait(a / 3, 3, rows[i].servers);

		assert_near(wait_s, waits * 3 / (c - a), 1e-9 * wait_s);
		if (rows[i].waits > 0)
			assert_near(waits, rows[i].waits, 1e-12);
	}
}

static void
several_servers_that_are_too_few_wait_for_ever(void **state)
{
	(void)state;
	assert_true(isinf(closed_mmc_wait(2, 1, 2)));
	assert_true(isinf(closed_mmc_wait(5, 1, 2)));
	assert_true(isinf(closed_mmc_wait(INFINITY, 1, 2)));
	assert_near(closed_mmc_wait(0, 1, 2), 0, 0);
	assert_near(closed_mmc_wait(1, 0, 2), 0, 0);
	/* More servers than any machine has: nobody waits, no overflow. */
	assert_near(closed_mmc_wait(1, 1, 100000), 0, 1e-300);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		the_published_example_comes_out_with_default_limits),
	    cmocka_unit_test(
		the_published_example_comes_out_with_published_limits),
	    cmocka_unit_test(the_published_service_comes_out),
	    cmocka_unit_test(exponential_servers_come_out),
	    cmocka_unit_test(several_servers_wait_as_erlang_says),
	    cmocka_unit_test(several_servers_that_are_too_few_wait_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
