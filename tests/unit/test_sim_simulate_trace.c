#include "tools/sim/simulate.h"

#include "tools/sim/rng.h"
#include "tools/sim/trace.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND   UINT64_C(1000000)
#define MESSAGES 5000

static struct model
model_of(
    enum feed_policy policy, size_t lanes, const uint64_t *limits, size_t count)
{
	struct model model = {.policy = policy, .slots = 1};

	assert_int_equal(
	    feed_limits_make(lanes, limits, count, &model.limits), 0);
	for (size_t i = 0; i < FEED_MAX_LANES; i++)
		model.speed[i] = 1;
	return model;
}

static struct simulation
replay(const struct model *model, const struct trace *trace)
{
	struct simulation s;

	assert_int_equal(simulate_trace(model, trace, &s), 0);
	assert_int_equal(s.all.messages, trace->n);
	assert_int_equal(s.messages, trace->n);
	return s;
}

static void
assert_near(double got, double expected, double within)
{
	if (!(fabs(got - expected) <= within))
		fail_msg("%.9f, not %.9f +- %g", got, expected, within);
}

/* A large message, then small ones; in seconds. */
static struct trace_message few[] = {
    {.arrived_usec = 100 * SECOND, .bytes = 9000, .service_usec = 8 * SECOND},
    {.arrived_usec = 101 * SECOND, .bytes = 100, .service_usec = 4 * SECOND},
    {.arrived_usec = 102 * SECOND, .bytes = 9000, .service_usec = 8 * SECOND},
    {.arrived_usec = 103 * SECOND, .bytes = 100, .service_usec = 3 * SECOND},
    {.arrived_usec = 104 * SECOND, .bytes = 90, .service_usec = 2 * SECOND},
};

static const struct trace few_trace = {5, few};

/* By hand, with two lanes, the first for up to 1000 octets. */
static void
a_few_messages_wait_as_reckoned(void **state)
{
	static const uint64_t limit[] = {1000};
	static const struct {
		enum feed_policy policy;
		size_t count;
		double waits_s, max_s;
	} rows[] = {
	    /* Small 1-5, 5-8, 8-10; large 0-8, 8-16. */
	    {FEED_SIZE, 1, 0 + 2 + 4 + 0 + 6, 6},
	    /* 0-8 | 1-5, then whoever is next: 5-13 | 8-11, 11-13. */
	    {FEED_SMALL_FIRST, 0, 0 + 0 + 3 + 5 + 7, 7},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct model m =
		    model_of(rows[i].policy, 2, limit, rows[i].count);
		const struct simulation s = replay(&m, &few_trace);

		assert_near(s.all.mean_s, rows[i].waits_s / 5, 1e-9);
		assert_near(s.all.max_s, rows[i].max_s, 1e-9);
		assert_true(isinf(s.ci99_s));
	}
}

/* The second lane is faster by half: 5 1/3 s for each large message. */
static void
a_fast_worker_takes_less(void **state)
{
	static const uint64_t limit[] = {1000};
	struct model m = model_of(FEED_SIZE, 2, limit, 1);
	struct simulation s;

	(void)state;
	m.speed[1] = 1.5;
	s = replay(&m, &few_trace);
	assert_near(s.lanes[1].max_s, 8 / 1.5 - 2, 1e-6);
	assert_near(s.lanes[0].max_s, 4, 1e-9);
}

static struct trace_message many[MESSAGES];
static const struct trace many_trace = {MESSAGES, many};

/* Nine in ten of 1 s, the others of 11: 2 s in the mean. */
static void
draw_many(double mean_gap_s)
{
	struct rng rng;
	uint64_t now_usec = 0;

	rng_init(&rng, 4, 0);
	for (size_t i = 0; i < MESSAGES; i++) {
		const double gap_s = -log(1 - rng_unit(&rng)) * mean_gap_s;
		const bool large = rng_unit(&rng) < 0.1;

		now_usec += (uint64_t)(gap_s * 1e6);
		many[i] = (struct trace_message){.arrived_usec = now_usec,
		    .bytes = large ? 11000 : 1000,
		    .service_usec = large ? 11 * SECOND : SECOND};
	}
}

/* Whoever came first goes where a server is free first: one line of code
 * each, and nothing of the simulator's. */
static double
one_line_mean_s(size_t servers)
{
	uint64_t free_usec[8] = {0}, sum_usec = 0;

	for (size_t i = 0; i < MESSAGES; i++) {
		uint64_t begin_usec = many[i].arrived_usec;
		size_t first = 0;

		for (size_t k = 1; k < servers; k++)
			first = free_usec[k] < free_usec[first] ? k : first;
		if (free_usec[first] > begin_usec)
			begin_usec = free_usec[first];
		free_usec[first] = begin_usec + many[i].service_usec;
		sum_usec += begin_usec - many[i].arrived_usec;
	}
	return (double)sum_usec / 1e6 / MESSAGES;
}

/* First come, first served by any of four, however it comes about. */
static void
four_workers_and_one_line_wait_as_reckoned(void **state)
{
	struct model ways[] = {
	    model_of(FEED_SMALL_FIRST, 4, NULL, 0),
	    model_of(FEED_SMALL_FIRST, 1, NULL, 0),
	    model_of(FEED_SMALL_FIRST, 2, NULL, 0),
	    model_of(FEED_SIZE, 1, NULL, 0),
	    model_of(FEED_LEAST_WORK, 1, NULL, 0),
	    model_of(FEED_STEAL, 1, NULL, 0),
	};

	(void)state;
	draw_many(0.6);
	ways[2].slots = 2;
	ways[1].slots = ways[3].slots = ways[4].slots = ways[5].slots = 4;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const struct simulation s = replay(&ways[i], &many_trace);

		assert_near(s.all.mean_s, one_line_mean_s(4), 1e-9);
		assert_true(s.stable);
		assert_true(s.ci99_s > 0);
	}
}

/* With 1000 octets a lane of its own keeps the others' large ones away. */
static void
each_policy_waits_in_the_order_that_is_expected(void **state)
{
	static const uint64_t limit[] = {5000};
	double small_s[FEED_POLICIES], all_s[FEED_POLICIES];

	(void)state;
	draw_many(0.6);
	for (int i = 0; i < FEED_POLICIES; i++) {
		struct model m = model_of((enum feed_policy)i, 4, limit, 1);
		struct simulation s;

		m.patience = 1e6;
		s = replay(&m, &many_trace);
		small_s[i] = s.classes[0].mean_s;
		all_s[i] = s.all.mean_s;
	}
	assert_true(all_s[FEED_SMALL_FIRST] < all_s[FEED_SIZE_LOAD]);
	assert_true(all_s[FEED_SIZE_LOAD] < all_s[FEED_SIZE]);
	assert_true(all_s[FEED_STEAL] <= all_s[FEED_SIZE_LOAD] * 1.01);
	assert_true(small_s[FEED_SMALL_FIRST] < small_s[FEED_LEAST_WORK]);
}

/*
 * Where service is a line, and known from the days before, a prediction comes
 * true: the least loaded lane is the one that is free first.  Some octets more
 * or less make the line.
 */
static void
a_line_that_is_known_predicts_as_if_it_had_come(void **state)
{
	struct model m = model_of(FEED_LEAST_WORK, 4, NULL, 0);

	(void)state;
	draw_many(0.6);
	m.fixed_s = 1e-6; /* and 1 ms an octet */
	m.per_octet_s = 0.001;
	for (size_t i = 0; i < MESSAGES; i++) {
		many[i].bytes += i * 7919 % 500;
		many[i].service_usec = 1000 * many[i].bytes + 1;
	}
	assert_near(replay(&m, &many_trace).all.mean_s, one_line_mean_s(4),
	    1e-4 * one_line_mean_s(4));
}

/* patience 0 is first come, first served: the large ones don't starve. */
static void
patience_bounds_the_longest_wait(void **state)
{
	struct model m = model_of(FEED_SMALL_FIRST, 4, NULL, 0);
	struct simulation fifo, shortest;

	(void)state;
	draw_many(0.52);
	fifo = replay(&m, &many_trace);
	m.patience = 1e6;
	shortest = replay(&m, &many_trace);
	assert_true(shortest.all.mean_s < fifo.all.mean_s);
	assert_true(shortest.all.max_s > fifo.all.max_s);
}

/* But what waited is known. */
static void
more_work_than_time_is_unstable(void **state)
{
	const struct model m = model_of(FEED_LEAST_WORK, 4, NULL, 0);
	struct simulation s;

	(void)state;
	draw_many(0.45);
	s = replay(&m, &many_trace);
	assert_false(s.stable);
	assert_near(s.load, 2 / (4 * 0.45), 0.05);
	assert_true(s.all.mean_s > 0 && isfinite(s.all.mean_s));
	assert_true(s.utilisation > 0.98 && s.utilisation <= 1);
}

/* However much comes at once: it ends. */
static void
a_burst_is_not_unstable(void **state)
{
	static struct trace_message burst[100];
	const struct trace trace = {100, burst};

	(void)state;
	for (size_t gap_usec = 0; gap_usec < SECOND; gap_usec += SECOND / 2)
		for (int p = 0; p < FEED_POLICIES; p++) {
			const struct model m =
			    model_of((enum feed_policy)p, 1, NULL, 0);
			struct simulation s;

			for (size_t i = 0; i < 100; i++)
				burst[i] = (struct trace_message){
				    .arrived_usec = SECOND + gap_usec * i,
				    .bytes = 1000,
				    .service_usec = SECOND};
			s = replay(&m, &trace);
			assert_true(s.stable);
			assert_near(s.all.mean_s,
			    99 * (double)(SECOND - gap_usec) / 2e6, 1e-6);
			assert_near(s.utilisation, 1, 1e-9);
			assert_near(s.lane_utilisation[0], 1, 1e-9);
		}
}

/* A day with a morning too much for it, and an evening that isn't. */
static void
a_backlog_that_shrinks_at_the_end_is_not_unstable(void **state)
{
	const struct model m = model_of(FEED_LEAST_WORK, 4, NULL, 0);

	(void)state;
	draw_many(0.45);
	for (size_t i = MESSAGES * 3 / 4 - 1; i < MESSAGES; i++)
		many[i].arrived_usec +=
		    (i - MESSAGES * 3 / 4 + 1) * SECOND / 10;
	assert_true(replay(&m, &many_trace).load > 1);
	assert_true(replay(&m, &many_trace).stable);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_few_messages_wait_as_reckoned),
	    cmocka_unit_test(a_fast_worker_takes_less),
	    cmocka_unit_test(four_workers_and_one_line_wait_as_reckoned),
	    cmocka_unit_test(each_policy_waits_in_the_order_that_is_expected),
	    cmocka_unit_test(a_line_that_is_known_predicts_as_if_it_had_come),
	    cmocka_unit_test(patience_bounds_the_longest_wait),
	    cmocka_unit_test(more_work_than_time_is_unstable),
	    cmocka_unit_test(a_burst_is_not_unstable),
	    cmocka_unit_test(a_backlog_that_shrinks_at_the_end_is_not_unstable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
