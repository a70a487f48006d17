#include "tools/sim/sizes.h"

#include "tests/support/near.h"
#include "tests/support/sizes_site.h"
#include "tools/sim/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * Kolmogorov and Smirnov: a right generator strays by more than
 * 2.7 / sqrt(DRAWS) for one seed in a million, by 2 exp(-2 * 2.7^2), or less
 * as sizes are whole.  The seed is fixed.
 */
#define DRAWS  ((size_t)200000)
#define STRAYS 2.7

static int
by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* bytes is sorted; size k is drawn for all from k - 1/2 to k + 1/2. */
static double
strays(const struct sizes *sizes, const uint64_t *bytes, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++) {
		const double x = (double)bytes[i];

		if (i + 1 < n && bytes[i + 1] == bytes[i])
			continue;
		most = fmax(most, fabs(sizes_cdf(sizes, x + 0.5) -
				       (double)(i + 1) / (double)n));
	}
	return most * sqrt((double)n);
}

static void
draws_are_distributed_as_the_law_says(void **state)
{
	uint64_t *bytes = xcalloc(DRAWS, sizeof(*bytes));
	double *octets = xcalloc(DRAWS, sizeof(*octets));

	for (size_t i = 0; i < ARRAY_SIZE(sizes_specs); i++) {
		struct sizes *sizes = parse(*state, sizes_specs[i]);
		struct rng rng;

		rng_init(&rng, 1, i);
		/* Not a multiple of any batch. */
		sizes_draw(sizes, &rng, octets, bytes, 7);
		sizes_draw(sizes, &rng, octets + 7, bytes + 7, DRAWS - 7);
		qsort(bytes, DRAWS, sizeof(*bytes), by_size);
		assert_true(bytes[0] >= 1);
		assert_in_range(
		    bytes[0], 1, (uint64_t)sizes_quantile(sizes, 0.001) + 1);
		assert_near(0, strays(sizes, bytes, DRAWS), STRAYS);
		sizes_free(sizes);
	}
	free(bytes);
	free(octets);
}

/* The mean of DRAWS sizes is off by more than 5 standard deviations for one
 * seed in a million. */
static void
draws_have_the_mean_of_the_law(void **state)
{
	static const char *const with_variance[] = {"exp:2751.3", DUAL,
	    "lognormal:8,1.2", "pareto:4.5,500", "pareto:2,500,1e6",
	    "hist:@hist", "list:@list"};
	uint64_t *bytes = xcalloc(DRAWS, sizeof(*bytes));
	double *octets = xcalloc(DRAWS, sizeof(*octets));

	for (size_t i = 0; i < ARRAY_SIZE(with_variance); i++) {
		struct sizes *sizes = parse(*state, with_variance[i]);
		const struct moments m = sizes_moments(sizes, 0, INFINITY);
		const double sd = sqrt(m.m2 - m.m1 * m.m1);
		struct rng rng;
		double sum = 0;

		rng_init(&rng, 2, i);
		sizes_draw(sizes, &rng, octets, bytes, DRAWS);
		for (size_t k = 0; k < DRAWS; k++)
			sum += (double)bytes[k];
		/* Two of five sizes of the list are rounded by 0.4. */
		assert_near(sum / (double)DRAWS, m.m1,
		    5 * sd / sqrt((double)DRAWS) + 0.16);
		sizes_free(sizes);
	}
	free(bytes);
	free(octets);
}

static void
draws_are_whole_octets_within_the_law(void **state)
{
	struct sizes *list = parse(*state, "list:@list");
	struct sizes *cut = parse(*state, "pareto:0.5,700,800");
	struct sizes *far = parse(*state, "pareto:0.01,1");
	struct sizes *below = parse(*state, "gaussmix:1,0.001,1000");
	uint64_t bytes[1000];
	double octets[ARRAY_SIZE(bytes)];
	struct rng rng;

	rng_init(&rng, 3, 0);
	sizes_draw(list, &rng, octets, bytes, ARRAY_SIZE(bytes));
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		assert_true(bytes[i] == 100 || bytes[i] == 201 ||
			    bytes[i] == 300 || bytes[i] == 100000);
	sizes_draw(cut, &rng, octets, bytes, ARRAY_SIZE(bytes));
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		assert_in_range(bytes[i], 700, 800);
	/* What has no place in 64 bits, and what is below 0. */
	sizes_draw(far, &rng, octets, bytes, ARRAY_SIZE(bytes));
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		assert_in_range(bytes[i], 1, (uint64_t)1 << 62);
	sizes_draw(below, &rng, octets, bytes, ARRAY_SIZE(bytes));
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		assert_in_range(bytes[i], 1, 10000);
	sizes_free(list);
	sizes_free(cut);
	sizes_free(far);
	sizes_free(below);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(draws_are_distributed_as_the_law_says),
	    cmocka_unit_test(draws_have_the_mean_of_the_law),
	    cmocka_unit_test(draws_are_whole_octets_within_the_law),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
