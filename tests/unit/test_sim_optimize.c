#include "tools/sim/optimize_priv.h"

#include "tests/support/model_site.h"
#include "tests/support/near.h"

#include <errno.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
equal_load_limits_load_every_worker_the_same(void **state)
{
	static const char *const laws[] = {
	    DUAL, "exp:6800", "lognormal:8,1.5", "pareto:1.5,500,1000000"};

	(void)state;
	for (size_t i = 0; i < COUNT(laws); i++) {
		struct model m = model_of(laws[i], 0.1, default_limits);
		struct closed c;

		m.speed[0] = 2; /* and one that does twice as much */
		optimize_equal_load(&m, &m.limits);
		c = figures(&m);
		for (size_t j = 0; j < m.limits.lanes; j++)
			assert_near(c.lanes[j].utilisation, c.utilisation,
			    1e-3 * c.utilisation);
		model_done(&m);
	}
}

/* Published: 2062, 51904, 1.71.  The second limit lies in a gap of the law
 * and stays where it was. */
static void
the_published_limits_are_what_the_default_ones_lead_to(void **state)
{
	struct model m = model_of(DUAL, 1.39, default_limits);
	struct optimum o;

	(void)state;
	assert_int_equal(optimize_near(&m, &o), 0);
	assert_near((double)o.limits.max_bytes[0], 2062, 10);
	assert_int_equal(o.limits.max_bytes[1], default_limits[1]);
	assert_near((double)o.limits.max_bytes[2], 51904, 100);
	assert_near(o.wait_mean_s, 1.70772, 1e-5);
	m.limits = o.limits;
	assert_near(figures(&m).wait_mean_s, o.wait_mean_s, 1e-12);
	model_done(&m);
}

/* Four servers, a = 0.09 s, b = 1 / 4700 s: computed independently. */
static void
exponential_sizes_have_the_known_optimum(void **state)
{
	static const struct {
		const char *law;
		double rate, limits[3], wait_s, digit;
	} rows[] = {
	    {"exp:2751.3", 1.77677, {2150, 4154, 7012}, 0.1559, 1e-4},
	    {"exp:2751.3", 2.96128, {2197, 4185, 7016}, 0.3641, 1e-4},
	    {"exp:2751.3", 4.14580, {2237, 4212, 7020}, 0.8503, 1e-4},
	    {"exp:2751.3", 5.33031, {2269, 4234, 7024}, 3.2823, 1e-4},
	    {"exp:6800", 0.78084, {5653, 10667, 17763}, 0.3625, 1e-4},
	    {"exp:6800", 1.30140, {5819, 10784, 17805}, 0.8475, 1e-4},
	    {"exp:6800", 1.82196, {5968, 10889, 17849}, 1.9812, 1e-4},
	    {"exp:6800", 2.34252, {6091, 10976, 17888}, 7.6542, 2e-4},
	    {"exp:20000", 0.46027, {17681, 32340, 53019}, 2.4297, 1e-4},
	    {"exp:20000", 0.82848, {18637, 33025, 53367}, 21.9703, 1e-3},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct model m =
		    model_of(rows[i].law, rows[i].rate, default_limits);
		struct optimum o;

		assert_int_equal(optimize_limits(&m, 0.01, NULL, &o), 0);
		assert_near(o.wait_mean_s, rows[i].wait_s, rows[i].digit);
		for (size_t j = 0; j < 3; j++)
			assert_near((double)o.limits.max_bytes[j],
			    rows[i].limits[j], 5e-4 * rows[i].limits[j]);
		/* It has one hollow alone: any start leads there. */
		assert_int_equal(optimize_near(&m, &o), 0);
		assert_near(
		    o.wait_mean_s, rows[i].wait_s, 0.01 * rows[i].wait_s);
		model_done(&m);
	}
}

/* The wait with the best of all limits on a coarse grid. */
static double
best_of_all(struct model *m, double low, double high)
{
	const double step = pow(high / low, 1.0 / 24);
	double best = INFINITY;

	for (double a = low; a < high; a *= step)
		for (double b = a * step; b < high; b *= step)
			for (double c = b * step; c < high; c *= step) {
				m->limits.max_bytes[0] = (uint64_t)a;
				m->limits.max_bytes[1] = (uint64_t)b;
				m->limits.max_bytes[2] = (uint64_t)c;
				best = fmin(best, figures(m).wait_mean_s);
			}
	return best;
}

static void
no_limits_of_a_grid_are_better_than_the_optimum(void **state)
{
	static const double rates[] = {0.4, 1.39, 2.2};

	(void)state;
	for (size_t i = 0; i < COUNT(rates); i++) {
		struct model m = model_of(DUAL, rates[i], default_limits);
		struct optimum o;

		assert_int_equal(optimize_limits(&m, 0.01, NULL, &o), 0);
		assert_true(o.wait_mean_s <= best_of_all(&m, 900, 90000));
		m.limits = o.limits;
		assert_near(figures(&m).wait_mean_s, o.wait_mean_s, 1e-12);
		model_done(&m);
	}
}

/* One worker for all small mail and three for the large, not two and two. */
static void
the_published_optimum_is_not_the_best(void **state)
{
	struct model m = model_of(DUAL, 1.39, published_limits);
	struct optimum o;

	(void)state;
	assert_int_equal(optimize_limits(&m, 0.01, NULL, &o), 0);
	assert_true(o.wait_mean_s < 0.6 * figures(&m).wait_mean_s);
	assert_near(
	    sizes_cdf(m.sizes, (double)o.limits.max_bytes[0]), 0.9, 1e-3);
	model_done(&m);
}

static void
few_sizes_and_few_workers_have_an_optimum_too(void **state)
{
	static const double sizes[] = {1000, 1000, 1000, 90000};
	struct model m = model_of(DUAL, 0.05, default_limits);

	(void)state;
	model_done(&m);
	m.sizes = sizes_of_list(sizes, COUNT(sizes));
	for (size_t lanes = 1; lanes <= 3; lanes++) {
		struct optimum o;

		assert_int_equal(
		    feed_limits_make(lanes, NULL, 0, &m.limits), 0);
		assert_int_equal(optimize_limits(&m, 0.01, NULL, &o), 0);
		assert_int_equal(o.limits.lanes, lanes);
		for (size_t i = 1; i < lanes; i++)
			assert_true(
			    o.limits.max_bytes[i] > o.limits.max_bytes[i - 1]);
		if (lanes == 2) /* anywhere between the two sizes */
			assert_true(o.limits.max_bytes[0] >= 1000 &&
				    o.limits.max_bytes[0] < 90000);
	}
	model_done(&m);
}

static void
more_mail_than_the_workers_can_do_has_no_limits(void **state)
{
	const struct simulate_options options = {.max_messages = 1000};
	struct model m = model_of(DUAL, 2.61, default_limits);
	struct optimum o;

	(void)state;
	for (int i = 0; i < FEED_POLICIES; i++) {
		m.policy = (enum feed_policy)i;
		o.stable = true;
		assert_int_equal(
		    optimize_limits(&m, 0.01, &options, &o), -EDOM);
		assert_false(o.stable);
	}
	model_done(&m);
}

/* Sizes without a variance: an infinite mean, but no queue that grows. */
static void
an_infinite_mean_is_not_unstable(void **state)
{
	const struct simulate_options options = {.max_messages = 1000};
	struct model m = model_of("pareto:1.5,1000", 0.5, default_limits);
	struct optimum near, best;

	(void)state;
	assert_int_equal(optimize_near(&m, &near), 0);
	assert_int_equal(optimize_limits(&m, 0.1, &options, &best), 0);
	assert_true(near.stable && isinf(near.wait_mean_s));
	assert_true(best.stable && isinf(best.wait_mean_s));
	m.limits = best.limits;
	assert_true(figures(&m).stable);
	m.rate = 100;
	assert_int_equal(optimize_near(&m, &near), -EDOM);
	model_done(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_load_limits_load_every_worker_the_same),
	    cmocka_unit_test(
		the_published_limits_are_what_the_default_ones_lead_to),
	    cmocka_unit_test(exponential_sizes_have_the_known_optimum),
	    cmocka_unit_test(no_limits_of_a_grid_are_better_than_the_optimum),
	    cmocka_unit_test(the_published_optimum_is_not_the_best),
	    cmocka_unit_test(few_sizes_and_few_workers_have_an_optimum_too),
	    cmocka_unit_test(more_mail_than_the_workers_can_do_has_no_limits),
	    cmocka_unit_test(an_infinite_mean_is_not_unstable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
