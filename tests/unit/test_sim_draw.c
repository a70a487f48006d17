/*
 * Bounds: every check of numbers drawn passes a right generator but for one
 * seed in a million, as the normal approximation has it (BOUND standard
 * deviations, both sides).  The seeds are fixed, so a pass stays a pass.
 */
#include "tools/sim/draw.h"

#include "tests/support/near.h"
#include "tools/sim/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BOUND 4.9
/* Multiples of BATCH; fewer where each costs an erfc(). */
#define DRAWS      ((size_t)20000000)
#define CELL_DRAWS ((size_t)4000000)
#define BATCH      1000

struct law {
	void (*draw)(struct rng *, double *, size_t);
	double (*cdf)(double);
	/* E[x^k] for k of 1, 2, 3, 4, and that of 2k, for its spread. */
	double moment[4], moment2[4];
};

static double
normal_cdf(double x)
{
	return 0.5 * erfc(-x * M_SQRT1_2);
}

static double
exponential_cdf(double x)
{
	return -expm1(-x);
}

static const struct law normal = {
    draw_normal, normal_cdf, {0, 1, 0, 3}, {1, 3, 15, 105}};
static const struct law exponential = {
    draw_exponential, exponential_cdf, {1, 2, 6, 24}, {2, 24, 720, 40320}};

/* draws numbers; each batch goes to count. */
static void
draw_all(const struct law *law, uint64_t seed, size_t draws,
    void (*count)(void *arg, const double *x), void *arg)
{
	struct rng rng;
	double x[BATCH];

	rng_init(&rng, seed, 0);
	for (size_t i = 0; i < draws; i += BATCH) {
		law->draw(&rng, x, BATCH);
		count(arg, x);
	}
}

/* --------------------------------------------------------------- moments */

static void
add_powers(void *arg, const double *x)
{
	double *sum = arg;

	for (size_t i = 0; i < BATCH; i++) {
		double power = 1;

		for (size_t k = 0; k < 4; k++)
			sum[k] += power *= x[i];
	}
}

static void
check_moments(const struct law *law)
{
	const double n = (double)DRAWS;
	double sum[4] = {0};

	draw_all(law, 1, DRAWS, add_powers, sum);
	for (size_t k = 0; k < 4; k++) {
		const double m = law->moment[k];
		const double spread = sqrt((law->moment2[k] - m * m) / n);

		assert_near(sum[k] / n, m, BOUND * spread);
	}
}

static void
normal_numbers_have_their_moments(void **state)
{
	(void)state;
	check_moments(&normal);
}

static void
exponential_numbers_have_their_moments(void **state)
{
	(void)state;
	check_moments(&exponential);
}

/* ----------------------------------------------------------------- tails */

#define FAR 16

struct tails {
	double step;
	uint64_t above[FAR], below[FAR]; /* i steps from 0 */
};

static void
count_tails(void *arg, const double *x)
{
	struct tails *t = arg;

	for (size_t i = 0; i < BATCH; i++) {
		for (size_t k = 1; k < FAR && x[i] > (double)k * t->step; k++)
			t->above[k]++;
		for (size_t k = 1; k < FAR && x[i] < -(double)k * t->step; k++)
			t->below[k]++;
	}
}

/* Would a number with that Poisson mean be as far off once in a million?
 * Each side by Chernoff's bound: P <= e^-mean (e mean / n)^n. */
static void
check_rare(uint64_t count, double mean, const char *what)
{
	const double n = (double)count;
	const double log_p = n - mean + (n > 0 ? n * log(mean / n) : 0);

	if (log_p >= log(5e-7))
		return;
	print_error("%s: %g, not about %g\n", what, n, mean);
	fail();
}

static void
check_tails(
    const struct law *law, double step, double (*beyond)(double x), bool both)
{
	struct tails t = {.step = step};

	draw_all(law, 2, DRAWS, count_tails, &t);
	for (size_t k = 1; k < FAR; k++) {
		const double mean = (double)DRAWS * beyond((double)k * step);

		check_rare(t.above[k], mean, "above");
		check_rare(t.below[k], both ? mean : 0, "below");
	}
}

static double
normal_beyond(double x)
{
	return 0.5 * erfc(x * M_SQRT1_2);
}

static double
exponential_beyond(double x)
{
	return exp(-x);
}

/* The tail of the ziggurat begins at 3.654: 2,600 a side are in it. */
static void
normal_tails_are_those_of_erfc(void **state)
{
	(void)state;
	check_tails(&normal, 0.365, normal_beyond, true);
}

/* It begins at 7.697: 9,000 are in it, and four in its own tail. */
static void
exponential_tails_fall_as_they_should(void **state)
{
	(void)state;
	check_tails(&exponential, 1, exponential_beyond, false);
}

struct excess {
	double from, sum;
	uint64_t n;
};

static void
count_excess(void *arg, const double *x)
{
	struct excess *e = arg;

	for (size_t i = 0; i < BATCH; i++)
		if (fabs(x[i]) > e->from) {
			e->sum += fabs(x[i]) - e->from;
			e->n++;
		}
}

/* By how much those beyond from, where the tail begins, are so; mean and
 * variance. */
static void
check_excess(const struct law *law, double from, double mean, double variance)
{
	struct excess e = {.from = from};

	draw_all(law, 4, DRAWS, count_excess, &e);
	assert_in_range(e.n, 1000, 100000);
	assert_near(
	    e.sum / (double)e.n, mean, BOUND * sqrt(variance / (double)e.n));
}

static void
tails_are_as_long_as_they_should_be(void **state)
{
	const double r = 3.6541528853610088;
	/* Mill's ratio: of the density to what is beyond. */
	const double mill = exp(-r * r / 2) / sqrt(2 * M_PI) / normal_beyond(r);

	(void)state;
	check_excess(&normal, r, mill - r, 1 + r * mill - mill * mill);
	check_excess(&exponential, 7.69711747013104972, 1, 1);
}

/* ------------------------------------------------------------ chi square */

#define CELLS 4096
#define SIDE  32 /* of the square of pairs */

struct cells {
	const struct law *law;
	uint64_t one[CELLS];
	uint64_t pair[SIDE * SIDE];
};

static size_t
cell_of(double u, size_t cells)
{
	const size_t cell = (size_t)(u * (double)cells);

	return cell < cells ? cell : cells - 1;
}

static void
count_cells(void *arg, const double *x)
{
	struct cells *c = arg;
	double before = 0;

	for (size_t i = 0; i < BATCH; i++) {
		const double u = c->law->cdf(x[i]);

		c->one[cell_of(u, CELLS)]++;
		if (i % 2 == 1)
			c->pair[cell_of(before, SIDE) * SIDE +
				cell_of(u, SIDE)]++;
		before = u;
	}
}

/* Chi square of even cells against its normal approximation by Wilson and
 * Hilferty; too even is as suspicious as too uneven. */
static void
check_even(const uint64_t *counts, size_t cells, double draws)
{
	const double mean = draws / (double)cells;
	const double v = 2. / (9 * ((double)cells - 1));
	double square = 0, z;

	for (size_t i = 0; i < cells; i++) {
		const double off = (double)counts[i] - mean;

		square += off * off / mean;
	}
	z = (cbrt(square / ((double)cells - 1)) - (1 - v)) / sqrt(v);
	assert_near(z, 0, BOUND);
}

/* Cells far narrower than a layer, so that a wedge that is wrong is seen;
 * and that neighbours don't know of each other. */
static void
check_cells(const struct law *law)
{
	struct cells *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->law = law;
	draw_all(law, 3, CELL_DRAWS, count_cells, c);
	check_even(c->one, CELLS, (double)CELL_DRAWS);
	check_even(c->pair, SIDE * SIDE, (double)(CELL_DRAWS / 2));
	free(c);
}

static void
normal_numbers_fill_their_cells_evenly(void **state)
{
	(void)state;
	check_cells(&normal);
}

static void
exponential_numbers_fill_their_cells_evenly(void **state)
{
	(void)state;
	check_cells(&exponential);
}

/* --------------------------------------------------------------- streams */

static void
check_stream(const struct law *law)
{
	double whole[BATCH], parts[BATCH], other[BATCH];
	struct rng a, b, c;

	rng_init(&a, 7, 0);
	rng_init(&b, 7, 0);
	rng_init(&c, 7, 1);
	law->draw(&a, whole, BATCH);
	law->draw(&b, parts, 1);
	law->draw(&b, parts + 1, 0);
	law->draw(&b, parts + 1, BATCH - 1);
	law->draw(&c, other, BATCH);
	assert_memory_equal(whole, parts, sizeof(whole));
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(whole, other, sizeof(whole));
}

static void
the_same_stream_gives_the_same_numbers_in_any_batches(void **state)
{
	(void)state;
	check_stream(&normal);
	check_stream(&exponential);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(normal_numbers_have_their_moments),
	    cmocka_unit_test(exponential_numbers_have_their_moments),
	    cmocka_unit_test(normal_tails_are_those_of_erfc),
	    cmocka_unit_test(exponential_tails_fall_as_they_should),
	    cmocka_unit_test(tails_are_as_long_as_they_should_be),
	    cmocka_unit_test(normal_numbers_fill_their_cells_evenly),
	    cmocka_unit_test(exponential_numbers_fill_their_cells_evenly),
	    cmocka_unit_test(
		the_same_stream_gives_the_same_numbers_in_any_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
