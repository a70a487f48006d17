#include "tools/sim/model.h"

#include "common/cleanup.h"
#include "tests/support/model_site.h"
#include "tests/support/near.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* All sizes as likely; a 1 s, b 1 ms. */
static struct model
model_by_hand(const double *bytes, size_t n, double rate)
{
	struct model m = {.rate = rate,
	    .fixed_s = 1,
	    .per_octet_s = 0.001,
	    .slots = 1,
	    .speed = {1}};

	assert_int_equal(feed_limits_make(1, NULL, 0, &m.limits), 0);
	m.sizes = sizes_of_list(bytes, n);
	return m;
}

static void
an_equal_service_waits_half_as_long_as_an_exponential(void **state)
{
	static const double bytes[] = {1000};
	struct model m = model_by_hand(bytes, 1, 0.4); /* S = 2: rho 0.8 */

	(void)state;
	assert_near(figures(&m).wait_mean_s, 4, 1e-9);
	m.slots = 3;
	m.rate = 1.2;
	assert_near(figures(&m).lanes[0].utilisation, 0.8, 1e-9);
	assert_near(
	    figures(&m).wait_mean_s, closed_mmc_wait(1.2, 2, 3) / 2, 1e-9);
	model_done(&m);
}

static void
detonations_and_hits_are_in_the_service(void **state)
{
	static const double bytes[] = {1000, 3000}; /* S = 2 and 4 */
	struct model m = model_by_hand(bytes, 2, 0.2);
	struct closed c;

	(void)state;
	assert_near(model_service(&m).mean_s, 3, 1e-12);
	assert_near(model_service(&m).square_s2, 10, 1e-12);
	/* A quarter of the mail has 0 .. 6 s on top: mean 0.75, square 3.
	 * Then S^2 is 4 + 3 + 3 and 16 + 6 + 3. */
	m.tail_share = 0.25;
	m.tail_s = 6;
	assert_near(model_service(&m).mean_s, 3.75, 1e-12);
	assert_near(model_service(&m).square_s2, 17.5, 1e-12);
	/* A fifth takes 1 s, whatever its size. */
	m.hit_share = 0.2;
	assert_near(model_service(&m).mean_s, 3.2, 1e-12);
	assert_near(model_service(&m).square_s2, 14.2, 1e-12);
	c = figures(&m);
	assert_near(c.utilisation, 0.64, 1e-12);
	assert_near(c.wait_mean_s, 0.2 * 14.2 / (2 * (1 - 0.64)), 1e-12);
	m.hit_share = 1;
	assert_near(model_service(&m).mean_s, 1, 1e-12);
	assert_near(model_service(&m).square_s2, 1, 1e-12);
	model_done(&m);
}

/* The lanes' parts of detonations and hits make up the whole. */
static void
detonations_and_hits_are_in_every_lane(void **state)
{
	struct model m = model_of(DUAL, 0.5, default_limits);
	struct closed c;
	double busy = 0;

	(void)state;
	m.tail_share = 0.01;
	m.tail_s = 60;
	m.hit_share = 0.3;
	c = figures(&m);
	for (size_t i = 0; i < 4; i++)
		busy += c.lanes[i].utilisation;
	assert_near(busy, 0.5 * model_service(&m).mean_s, 1e-9);
	/* Lane 1: 0.45 of the mail.  Hits 0.3 of it, 0.09 s each; the rest
	 * has 0.01 * 30 s on top of what the published example has. */
	assert_near(c.lanes[0].utilisation,
	    0.5 * (0.3 * 0.45 * 0.09 + 0.7 * (0.27999 / 1.39 + 0.45 * 0.3)),
	    5e-6);
	model_done(&m);
}

static void
speed_and_slots_carry_more(void **state)
{
	struct model m = model_of(DUAL, 1.39, default_limits);
	const struct closed slow = figures(&m);
	struct closed fast;

	(void)state;
	m.speed[3] = 2;
	fast = figures(&m);
	assert_near(
	    fast.lanes[3].utilisation, slow.lanes[3].utilisation / 2, 1e-12);
	/* lambda F / (2 (1 - rho)), with a quarter of F and half of rho. */
	assert_near(fast.lanes[3].wait_mean_s,
	    slow.lanes[3].wait_mean_s / 4 * (1 - 0.86360) / (1 - 0.43180),
	    1e-3);
	assert_near(
	    fast.lanes[2].wait_mean_s, slow.lanes[2].wait_mean_s, 1e-12);
	assert_near(model_rate_bound(&m), 2.6028 * 5 / 4, 7e-5);
	m.slots = 2;
	assert_near(model_rate_bound(&m), 2.6028 * 5 / 2, 2e-4);
	/* Lane 3 is now the busiest. */
	assert_near(closed_rate_max(&m), 2 * 1.39 / 0.62762, 5e-5);
	model_done(&m);
}

/* ------------------------------------------------------------ instability */

static void
the_largest_stable_rate_is_where_it_becomes_unstable(void **state)
{
	struct model m = model_of(DUAL, 1, published_limits);
	const double most = closed_rate_max(&m);

	(void)state;
	m.rate = most * (1 - 1e-9);
	assert_true(figures(&m).stable);
	assert_true(isfinite(figures(&m).wait_mean_s));
	m.rate = most * (1 + 1e-9);
	assert_false(figures(&m).stable);
	assert_true(isinf(figures(&m).wait_mean_s));
	/* Two lanes wait for ever, the others do not. */
	assert_true(isfinite(figures(&m).lanes[0].wait_mean_s));
	model_done(&m);
}

/* Each figure is a number or INFINITY, and they agree with each other. */
static void
check_no_nan(const struct model *m)
{
	const struct closed c = figures(m);

	assert_true(c.wait_mean_s >= 0 && c.utilisation >= 0);
	assert_true(c.stable || isinf(c.wait_mean_s));
	assert_true(closed_rate_max(m) >= 0 && model_rate_bound(m) >= 0);
	for (size_t i = 0; i < m->limits.lanes; i++) {
		const struct lane_figures *f = &c.lanes[i];

		assert_true(f->share >= 0 && f->utilisation >= 0);
		assert_true(f->wait_mean_s >= 0);
		assert_true(f->utilisation < 1 || isinf(f->wait_mean_s));
	}
}

static void
what_no_server_can_carry_is_an_answer(void **state)
{
	static const char *const specs[] = {DUAL, "exp:2751", "lognormal:8,2",
	    "pareto:0.9,100", "pareto:1,100", "pareto:1.5,100", "pareto:2,100",
	    "pareto:1.1,10,100000"};
	static const double rates[] = {0, 1e-9, 1, 1e3, 1e300, INFINITY};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		for (size_t k = 0; k < ARRAY_SIZE(rates); k++) {
			struct model m =
			    model_of(specs[i], rates[k], default_limits);

			check_no_nan(&m);
			m.slots = 500;
			check_no_nan(&m);
			m.hit_share = 1;
			m.tail_share = 1;
			m.tail_s = 60;
			check_no_nan(&m);
			m.speed[1] = 0; /* a worker that is not there */
			check_no_nan(&m);
			m.fixed_s = m.per_octet_s = 0;
			check_no_nan(&m);
			m.hit_share = m.tail_s = 0;
			check_no_nan(&m);
			model_done(&m);
		}
}

static void
a_tail_without_a_variance_waits_for_ever(void **state)
{
	struct model m = model_of("pareto:1.5,1000", 0.01, default_limits);
	struct model n = model_of("pareto:0.9,1000", 0.01, default_limits);

	(void)state;
	assert_true(figures(&m).stable);
	assert_true(isinf(figures(&m).wait_mean_s));
	assert_true(isfinite(figures(&m).lanes[2].wait_mean_s));
	assert_false(figures(&n).stable); /* no mean either */
	assert_near(closed_rate_max(&n), 0, 0);
	assert_near(model_rate_bound(&n), 0, 0);
	model_done(&m);
	model_done(&n);
}

static void
lanes_that_get_nothing_wait_for_nothing(void **state)
{
	struct model m = model_of(DUAL, 0.5, default_limits);

	(void)state;
	/* The narrowest that admits takes it: three have no limit. */
	assert_int_equal(feed_limits_make(4, default_limits, 1, &m.limits), 0);
	assert_true(figures(&m).lanes[1].share > 0.54);
	for (size_t i = 2; i < 4; i++) {
		assert_near(figures(&m).lanes[i].share, 0, 0);
		assert_near(figures(&m).lanes[i].wait_mean_s, 0, 0);
		assert_near(figures(&m).lanes[i].utilisation, 0, 0);
	}
	model_done(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		an_equal_service_waits_half_as_long_as_an_exponential),
	    cmocka_unit_test(detonations_and_hits_are_in_the_service),
	    cmocka_unit_test(detonations_and_hits_are_in_every_lane),
	    cmocka_unit_test(speed_and_slots_carry_more),
	    cmocka_unit_test(
		the_largest_stable_rate_is_where_it_becomes_unstable),
	    cmocka_unit_test(what_no_server_can_carry_is_an_answer),
	    cmocka_unit_test(a_tail_without_a_variance_waits_for_ever),
	    cmocka_unit_test(lanes_that_get_nothing_wait_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
