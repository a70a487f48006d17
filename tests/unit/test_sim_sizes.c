#include "tools/sim/sizes.h"

#include "tests/support/near.h"
#include "tests/support/sizes_site.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* --------------------------------------------------------------- moments */

#define PANELS 8000

/* x^k f(x) over (low, high), by Simpson's rule in the logarithm of x. */
static double
integral(const struct sizes *sizes, double low, double high, int k)
{
	const double from = log(low), step = (log(high) - from) / PANELS;
	double sum = 0;

	for (int i = 0; i <= PANELS; i++) {
		const double weight = i == 0 || i == PANELS ? 1
				      : i % 2 == 1          ? 4
							    : 2;
		double x = exp(from + i * step);

		/* The ends belong to the interval, whatever exp() says. */
		x = fmin(fmax(x, low * (1 + 1e-15)), high * (1 - 1e-15));
		sum += weight * pow(x, k + 1) * sizes_density(sizes, x);
	}
	return sum * step / 3;
}

static void
check_integral(const struct sizes *sizes, double low, double high)
{
	const struct moments m = sizes_moments(sizes, low, high);
	const double whole = 1e-9;

	assert_near(m.m0, integral(sizes, low, high, 0), whole);
	assert_near(m.m1, integral(sizes, low, high, 1), whole * high);
	assert_near(m.m2, integral(sizes, low, high, 2), whole * high * high);
}

static void
moments_are_the_integrals_of_the_density(void **state)
{
	/* Also where the bins of the histogram begin and end, for Simpson
	 * can't see a step. */
	static const double edges[] = {1, 10, 80, 100, 500, 1000, 2000, 4000,
	    5000, 1e4, 2e4, 5e4, 1e5, 2e5, 1e6, 1e7, 1e8};

	for (size_t i = 0; i < ARRAY_SIZE(sizes_specs); i++) {
		struct sizes *sizes = parse(*state, sizes_specs[i]);

		if (strncmp(sizes_specs[i], "list:", 5) != 0)
			for (size_t k = 1; k < ARRAY_SIZE(edges); k++)
				check_integral(sizes, edges[k - 1], edges[k]);
		sizes_free(sizes);
	}
}

static struct moments
sum_of(struct moments a, struct moments b)
{
	return (struct moments){a.m0 + b.m0, a.m1 + b.m1, a.m2 + b.m2};
}

static void
moments_of_neighbours_add_up(void **state)
{
	static const double cuts[] = {0, 1, 150, 200.6, 2000, 2062, 5e4, 1e6};

	for (size_t i = 0; i < ARRAY_SIZE(sizes_specs); i++) {
		struct sizes *sizes = parse(*state, sizes_specs[i]);
		const struct moments all =
		    sizes_moments(sizes, -INFINITY, INFINITY);
		struct moments sum = {0, 0, 0};

		for (size_t k = 0; k < ARRAY_SIZE(cuts); k++)
			sum = sum_of(
			    sum, sizes_moments(sizes, cuts[k],
				     k + 1 < ARRAY_SIZE(cuts) ? cuts[k + 1]
							      : INFINITY));
		assert_near(all.m0, 1, 1e-12);
		assert_near(sum.m0, 1, 1e-12);
		assert_near(sum.m1, all.m1, 1e-12 * all.m1);
		assert_near(sum.m2, all.m2, 1e-12 * all.m2);
		sizes_free(sizes);
	}
}

static void
moments_of_known_laws_are_known(void **state)
{
	static const struct {
		const char *spec;
		double m1, m2;
	} rows[] = {
	    {"exp:100", 100, 20000},
	    {"gaussmix:1,1e6,1000", 1e6, 1e12 + 1e6},
	    {DUAL, 6800, 2.63744e8},
	    {"lognormal:3,0.5", 22.759895093526730, 665.14163304436181},
	    {"pareto:3,100", 150, 30000},
	    {"pareto:1.5,100", 300, INFINITY},
	    {"pareto:1,100", INFINITY, INFINITY},
	    {"list:@one", 4096, 4096. * 4096},
	    {"list:@list", 20160.24,
		(1e4 + 9e4 + 2 * 200.6 * 200.6 + 1e10) / 5},
	    /* Halves of the ends, thirds of their squares, by hand. */
	    {"hist:@hist", .1 * 500 + .5 * 2500 + .395 * 12500 + .005 * 60000,
		(.1 * 1e6 + .5 * 21e6 + .395 * 525e6 + .005 * 1.24e10) / 3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sizes *sizes = parse(*state, rows[i].spec);
		const struct moments m = sizes_moments(sizes, 0, INFINITY);

		assert_near(m.m1, rows[i].m1, 1e-6 * rows[i].m1);
		assert_near(m.m2, rows[i].m2, 1e-6 * rows[i].m2);
		sizes_free(sizes);
	}
}

static void
what_a_gaussian_has_below_zero_counts_as_zero(void **state)
{
	struct sizes *sizes = parse(*state, "gaussmix:1,1000,1000");
	const struct moments m = sizes_moments(sizes, 0, INFINITY);
	const double below = 0.15865525393145707; /* P(Z < -1) */

	assert_near(m.m0, 1, 1e-12);
	assert_near(sizes_cdf(sizes, -1), 0, 0);
	assert_near(sizes_cdf(sizes, 0), below, 1e-12);
	assert_near(m.m1, 1000 * (1 - below + 0.24197072451914337), 1e-9);
	assert_near(sizes_quantile(sizes, 0.1), 0, 0);
	sizes_free(sizes);
}

static void
an_interval_without_sizes_has_no_moments(void **state)
{
	static const double rows[][2] = {
	    {5, 5}, {6, 5}, {-2, -1}, {INFINITY, INFINITY}, {NAN, 5}, {5, NAN}};

	for (size_t i = 0; i < ARRAY_SIZE(sizes_specs); i++) {
		struct sizes *sizes = parse(*state, sizes_specs[i]);

		for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
			const struct moments m =
			    sizes_moments(sizes, rows[k][0], rows[k][1]);

			assert_true(m.m0 == 0 && m.m1 == 0 && m.m2 == 0);
		}
		assert_near(sizes_density(sizes, -1), 0, 0);
		sizes_free(sizes);
	}
}

/* ---------------------------------------------- distribution and quantiles */

static void
a_quantile_is_the_least_size_with_that_share(void **state)
{
	static const double shares[] = {
	    1e-6, .05, .2, .4, .5, .6, .8, .95, .99, .999999};

	for (size_t i = 0; i < ARRAY_SIZE(sizes_specs); i++) {
		struct sizes *sizes = parse(*state, sizes_specs[i]);
		double before = sizes_quantile(sizes, 0);

		for (size_t k = 0; k < ARRAY_SIZE(shares); k++) {
			const double p = shares[k];
			const double x = sizes_quantile(sizes, p);

			assert_true(x >= before);
			assert_true(sizes_cdf(sizes, x) >= p - 1e-12);
			assert_true(
			    x <= sizes_quantile(sizes, 0) ||
			    sizes_cdf(sizes, x * (1 - 1e-9)) <= p + 1e-12);
			before = x;
		}
		assert_true(sizes_quantile(sizes, 1) >= before);
		sizes_free(sizes);
	}
}

static void
the_ends_are_the_least_and_the_largest(void **state)
{
	static const struct {
		const char *spec;
		double least, largest;
	} rows[] = {
	    {"exp:100", 0, INFINITY},
	    {DUAL, 0, INFINITY},
	    {"lognormal:8,1", 0, INFINITY},
	    {"pareto:2,100", 100, INFINITY},
	    {"pareto:2,100,3000", 100, 3000},
	    {"hist:@hist", 0, 100000}, /* the last bin is empty */
	    {"list:@list", 100, 100000},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sizes *sizes = parse(*state, rows[i].spec);

		assert_near(sizes_quantile(sizes, 0), rows[i].least, 0);
		assert_near(sizes_quantile(sizes, 1), rows[i].largest, 0);
		assert_near(sizes_cdf(sizes, rows[i].largest), 1, 0);
		sizes_free(sizes);
	}
}

static void
a_list_steps_at_its_sizes(void **state)
{
	struct sizes *sizes = parse(*state, "list:@list");

	assert_near(sizes_cdf(sizes, 99.9), 0, 0);
	assert_near(sizes_cdf(sizes, 100), 0.2, 0);
	assert_near(sizes_cdf(sizes, 200.5), 0.2, 0);
	assert_near(sizes_cdf(sizes, 200.6), 0.6, 0);
	assert_near(sizes_quantile(sizes, 0.2), 100, 0);
	assert_near(sizes_quantile(sizes, 0.2000001), 200.6, 0);
	assert_near(sizes_quantile(sizes, 0.6), 200.6, 0);
	assert_near(sizes_quantile(sizes, 0.7), 300, 0);
	sizes_free(sizes);
}

/* Long enough for whole blocks of sums, with many that are equal. */
static void
a_long_list_sums_as_one_by_one(void **state)
{
	double bytes[1000], sum = 0, square = 0, count = 0;
	struct sizes *sizes;
	struct moments m;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		bytes[i] = (double)(i * 7919 % 501);
	sizes = sizes_of_list(bytes, ARRAY_SIZE(bytes));
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		if (bytes[i] > 33 && bytes[i] <= 456) {
			count++;
			sum += bytes[i];
			square += bytes[i] * bytes[i];
		}
	m = sizes_moments(sizes, 33, 456);
	assert_near(m.m0, count / 1000, 1e-15);
	assert_near(m.m1, sum / 1000, 1e-12);
	assert_near(m.m2, square / 1000, 1e-9);
	assert_string_equal(sizes_spec(sizes), "list");
	sizes_free(sizes);
}

/* The density of a list is smoothed, but all of it is there. */
static void
the_density_of_a_list_makes_one(void **state)
{
	static const char *const lists[] = {"list:@list", "list:@one"};
	const int panels = 400000;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct sizes *sizes = parse(*state, lists[i]);
		double sum = 0;

		for (int k = 0; k < panels; k++)
			sum += sizes_density(sizes, (k + 0.5) * 0.5) * 0.5;
		assert_near(sum, 1, 1e-3);
		sizes_free(sizes);
	}
}

/* Three bins of three, but the last two end at the same size. */
static void
many_equal_sizes_are_in_one_bin_of_the_density(void **state)
{
	static const double bytes[] = {1, 2, 3, 4, 4, 4, 4, 4, 4};
	struct sizes *sizes = sizes_of_list(bytes, ARRAY_SIZE(bytes));

	(void)state;
	assert_near(sizes_density(sizes, 2), 1. / 3 / 2, 1e-12);
	assert_near(sizes_density(sizes, 3.5), 2. / 3, 1e-12);
	sizes_free(sizes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(moments_are_the_integrals_of_the_density),
	    cmocka_unit_test(moments_of_neighbours_add_up),
	    cmocka_unit_test(moments_of_known_laws_are_known),
	    cmocka_unit_test(what_a_gaussian_has_below_zero_counts_as_zero),
	    cmocka_unit_test(an_interval_without_sizes_has_no_moments),
	    cmocka_unit_test(a_quantile_is_the_least_size_with_that_share),
	    cmocka_unit_test(the_ends_are_the_least_and_the_largest),
	    cmocka_unit_test(a_list_steps_at_its_sizes),
	    cmocka_unit_test(a_long_list_sums_as_one_by_one),
	    cmocka_unit_test(the_density_of_a_list_makes_one),
	    cmocka_unit_test(many_equal_sizes_are_in_one_bin_of_the_density),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
