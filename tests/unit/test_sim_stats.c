#include "tools/sim/stats.h"

#include "tools/sim/heap.h"
#include "tools/sim/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void
assert_near(double got, double expected, double within)
{
	if (!(fabs(got - expected) <= within))
		fail_msg("%.17g, not %.17g +- %g", got, expected, within);
}

static struct tally *
tally_of(const uint64_t *waits_usec, size_t n)
{
	struct tally *tally = calloc(1, sizeof(*tally));

	assert_non_null(tally);
	for (size_t i = 0; i < n; i++)
		tally_add(tally, tally_bucket(waits_usec[i]), waits_usec[i], 3);
	return tally;
}

static void
short_waits_have_a_bucket_each(void **state)
{
	(void)state;
	for (uint64_t usec = 0; usec < 128; usec++)
		assert_true(tally_bucket(usec) < tally_bucket(usec + 1));
	assert_int_equal(tally_bucket(0), 0);
}

static void
longer_ones_share_it_with_less_than_a_hundredth_around(void **state)
{
	(void)state;
	for (uint64_t usec = 128; usec < UINT64_C(1) << 46;
	     usec += usec / 1000 + 1) {
		const size_t bucket = tally_bucket(usec);

		assert_true(bucket >= tally_bucket(usec - 1));
		assert_true(bucket < tally_bucket(usec + usec / 100 + 1));
	}
}

static void
a_wait_of_years_is_in_the_last_bucket(void **state)
{
	(void)state;
	assert_int_equal(tally_bucket(UINT64_C(1) << 60), TALLY_BUCKETS - 1);
}

static void
figures_of_known_waits(void **state)
{
	uint64_t waits_usec[1000];
	struct wait_figures f;
	struct tally *tally;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		waits_usec[i] = (i * 337 % 1000 + 1) * 1000; /* 1 .. 1000 ms */
	tally = tally_of(waits_usec, 1000);
	tally_figures(tally, &f);
	assert_int_equal(f.messages, 1000);
	assert_near(f.mean_s, 0.5005, 1e-12);
	assert_near(f.p50_s, 0.5, 0.005);
	assert_near(f.p95_s, 0.95, 0.0095);
	assert_near(f.p99_s, 0.99, 0.0099);
	assert_near(f.max_s, 1.0, 1e-12);
	assert_int_equal(tally->busy_usec, 3000);
	free(tally);
}

static void
a_percentile_among_zeros_is_zero(void **state)
{
	const uint64_t waits_usec[] = {0, 0, 0, 7};
	struct tally *tally = tally_of(waits_usec, 4);
	struct wait_figures f;

	(void)state;
	tally_figures(tally, &f);
	assert_near(f.p50_s, 0, 0);
	assert_near(f.p99_s, 7e-6, 1e-15);
	free(tally);
}

static void
nothing_counted_is_all_zero(void **state)
{
	struct tally *tally = tally_of(NULL, 0);
	struct wait_figures f = {.messages = 7};

	(void)state;
	tally_figures(tally, &f);
	assert_int_equal(f.messages, 0);
	assert_near(f.mean_s, 0, 0);
	free(tally);
}

static void
merged_counts_are_those_of_all(void **state)
{
	const uint64_t waits_usec[] = {5, 900, 44, 123456789, 0, 17};
	struct tally *all = tally_of(waits_usec, 6);
	struct tally *first = tally_of(waits_usec, 2);
	struct tally *rest = tally_of(waits_usec + 2, 4);

	(void)state;
	tally_merge(first, rest);
	assert_memory_equal(first, all, sizeof(*all));
	free(all);
	free(first);
	free(rest);
}

/* However many come, their number stays below SERIES and nothing is lost. */
static void
batches_are_joined_and_keep_their_sums(void **state)
{
	struct series series = {0};
	double backlog = 0;

	(void)state;
	for (uint64_t i = 0; i < 64 * SERIES; i++) {
		series_add(&series, (struct part){10, 10, i * 10, i});
		backlog += (double)i;
		assert_true(series.n < SERIES);
		assert_true(i < SERIES || series.n >= SERIES / 2);
	}
	assert_int_equal(series.n, SERIES / 2);
	assert_near(
	    series_mean(&series, 0, series.n), (64.0 * SERIES - 1) / 2, 1e-9);
	assert_near(series_backlog(&series, 0, series.n), backlog, 1e-9);
	/* In order: the first half of a ramp is lower by half its height. */
	assert_near(series_mean(&series, series.n / 2, series.n) -
			series_mean(&series, 0, series.n / 2),
	    32.0 * SERIES, 1e-9);
}

static void
student_is_as_in_the_tables(void **state)
{
	static const struct {
		size_t dof;
		double t;
	} rows[] = {{3, 5.841}, {4, 4.604}, {5, 4.032}, {7, 3.499}, {15, 2.947},
	    {31, 2.744}, {63, 2.656}, {1000000, 2.576}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_near(
		    stats_student99(rows[i].dof), rows[i].t, rows[i].t * 0.01);
}

static void
an_interval_of_known_means(void **state)
{
	const double means[] = {1, 2, 3, 4, 5};
	const struct interval i = stats_interval(means, 5);

	(void)state;
	assert_near(i.mean, 3, 1e-12);
	/* t with 4 degrees of freedom, times sqrt(2.5 / 5) */
	assert_near(i.half_width, 4.604 * 0.70711, 0.02);
	assert_true(isinf(stats_interval(means, 3).half_width));
}

static void
a_heap_gives_the_least_due_and_of_equals_the_oldest(void **state)
{
	struct heap heap = {0};
	struct waiting before = {0};
	struct rng rng;

	(void)state;
	rng_init(&rng, 1, 0);
	for (uint64_t i = 0; i < 1000; i++) {
		const struct waiting w = {
		    .due_usec = rng_next(&rng) % 50, .number = i};

		assert_true(heap_push(&heap, &w));
	}
	for (size_t i = 0; i < 1000; i++) {
		const uint64_t due_usec = heap_due(&heap);
		const struct waiting w = heap_pop(&heap);

		assert_int_equal(w.due_usec, due_usec);
		assert_true(i == 0 || before.due_usec < w.due_usec ||
			    (before.due_usec == w.due_usec &&
				before.number < w.number));
		before = w;
	}
	assert_true(heap_due(&heap) == UINT64_MAX);
	heap_done(&heap);
}

static void
a_fifo_keeps_the_order_while_it_grows(void **state)
{
	struct fifo fifo = {0};
	struct rng rng;
	uint64_t in = 0, out = 0;

	(void)state;
	rng_init(&rng, 2, 0);
	while (in < 5000) {
		const struct waiting w = {.bytes = in};

		if (fifo.n > 0 && rng_next(&rng) % 5 < 2) {
			assert_int_equal(fifo_first(&fifo)->bytes, out++);
			fifo_pop(&fifo);
			continue;
		}
		assert_true(fifo_push(&fifo, &w));
		in++;
		assert_int_equal(fifo.n, in - out);
	}
	while (fifo.n > 0) {
		assert_int_equal(fifo_first(&fifo)->bytes, out++);
		fifo_pop(&fifo);
	}
	assert_int_equal(out, in);
	fifo_done(&fifo);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(short_waits_have_a_bucket_each),
	    cmocka_unit_test(
		longer_ones_share_it_with_less_than_a_hundredth_around),
	    cmocka_unit_test(a_wait_of_years_is_in_the_last_bucket),
	    cmocka_unit_test(figures_of_known_waits),
	    cmocka_unit_test(a_percentile_among_zeros_is_zero),
	    cmocka_unit_test(nothing_counted_is_all_zero),
	    cmocka_unit_test(merged_counts_are_those_of_all),
	    cmocka_unit_test(batches_are_joined_and_keep_their_sums),
	    cmocka_unit_test(student_is_as_in_the_tables),
	    cmocka_unit_test(an_interval_of_known_means),
	    cmocka_unit_test(
		a_heap_gives_the_least_due_and_of_equals_the_oldest),
	    cmocka_unit_test(a_fifo_keeps_the_order_while_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
