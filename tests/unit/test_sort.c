#include "feed/sort.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint64_t defaults[] = {2000, 10000, 50000};

static struct feed_limits
limits_of(size_t lanes, const uint64_t *bytes, size_t count)
{
	struct feed_limits l;

	assert_int_equal(feed_limits_make(lanes, bytes, count, &l), 0);
	return l;
}

static void
an_idle_system_uses_the_smallest_queue_that_admits(void **state)
{
	const struct feed_limits l = limits_of(4, defaults, 3);
	const uint64_t idle[4] = {0};
	static const struct {
		uint64_t bytes;
		size_t lane;
	} rows[] = {
	    {0, 0},
	    {1, 0},
	    {2000, 0},
	    {2001, 1},
	    {10000, 1},
	    {10001, 2},
	    {50000, 2},
	    {50001, 3},
	    {UINT64_MAX, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    feed_pick(FEED_SIZE_LOAD, &l, idle, rows[i].bytes),
		    rows[i].lane);
}

static void
the_least_loaded_of_the_admissible_is_chosen(void **state)
{
	const struct feed_limits l = limits_of(4, defaults, 3);
	static const struct {
		uint64_t empty[4];
		uint64_t bytes;
		size_t lane;
	} rows[] = {
	    {{9, 5, 7, 8}, 100, 1},
	    {{9, 5, 7, 4}, 100, 3},
	    {{0, 5, 7, 8}, 3000, 1},   /* the emptiest does not admit it */
	    {{0, 0, 0, 99}, 60000, 3}, /* nothing else does */
	    {{5, 5, 5, 5}, 100, 0},    /* ties: the smallest limit */
	    {{6, 5, 5, 5}, 100, 1},
	    {{6, 6, 5, 5}, 20000, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    feed_pick(FEED_SIZE_LOAD, &l, rows[i].empty, rows[i].bytes),
		    rows[i].lane);
}

static void
queues_beyond_the_limits_have_none(void **state)
{
	const struct feed_limits l = limits_of(3, defaults, 1);
	const uint64_t empty[3] = {1, 9, 8};

	(void)state;
	assert_int_equal(l.max_bytes[0], 2000);
	assert_true(l.max_bytes[1] == UINT64_MAX);
	assert_int_equal(feed_pick(FEED_SIZE_LOAD, &l, empty, 1000000), 2);
}

static void
one_queue_takes_everything(void **state)
{
	const struct feed_limits l = limits_of(1, NULL, 0);
	const uint64_t empty[1] = {UINT64_MAX};

	(void)state;
	assert_int_equal(feed_pick(FEED_SIZE_LOAD, &l, empty, UINT64_MAX), 0);
}

static void
limits_that_make_no_sense_are_refused(void **state)
{
	static const uint64_t falling[] = {10000, 2000};
	static const uint64_t equal[] = {2000, 2000};
	struct feed_limits l = {.lanes = 77};

	(void)state;
	assert_int_equal(feed_limits_make(0, NULL, 0, &l), -EINVAL);
	assert_int_equal(
	    feed_limits_make(FEED_MAX_LANES + 1, NULL, 0, &l), -EINVAL);
	assert_int_equal(feed_limits_make(3, defaults, 3, &l), -EINVAL);
	assert_int_equal(feed_limits_make(4, falling, 2, &l), -EINVAL);
	assert_int_equal(feed_limits_make(4, equal, 2, &l), -EINVAL);
	assert_int_equal(l.lanes, 77); /* untouched */
}

static void
a_policy_that_ignores_the_load_or_the_limits_does(void **state)
{
	const struct feed_limits l = limits_of(4, defaults, 3);
	const uint64_t empty[4] = {9, 5, 7, 3};

	(void)state;
	assert_int_equal(feed_pick(FEED_SIZE, &l, empty, 100), 0);
	assert_int_equal(feed_pick(FEED_SIZE, &l, empty, 10001), 2);
	assert_int_equal(feed_pick(FEED_LEAST_WORK, &l, empty, 100), 3);
	assert_int_equal(feed_pick(FEED_LEAST_WORK, &l, empty, 60000), 3);
	assert_int_equal(feed_pick(FEED_STEAL, &l, empty, 100), 3);
	assert_int_equal(feed_pick(FEED_STEAL, &l, empty, 60000), 3);
}

static void
a_policy_is_found_by_its_name(void **state)
{
	enum feed_policy got = FEED_POLICIES;

	(void)state;
	for (int i = 0; i < FEED_POLICIES; i++) {
		assert_int_equal(
		    feed_policy_parse(
			feed_policy_name((enum feed_policy)i), &got),
		    0);
		assert_int_equal(got, i);
	}
	assert_int_equal(feed_policy_parse("size+", &got), -EINVAL);
	assert_int_equal(got, FEED_POLICIES - 1); /* untouched */
}

static void
a_message_is_due_the_later_the_longer_it_takes(void **state)
{
	(void)state;
	assert_int_equal(feed_due(1000, 50, 0), 1000);
	assert_int_equal(feed_due(1000, 50, 100), 6000);
	/* never due, yet not taken for an empty class */
	assert_true(feed_due(1000, UINT64_MAX / 2, 3) == UINT64_MAX - 1);
	assert_true(feed_due(UINT64_MAX - 5, 1, 5) == UINT64_MAX - 1);
}

#define NONE UINT64_MAX

/* One worker of four kept for up to 100 octets, which take 10. */
static void
large_mail_leaves_one_worker_free_or_soon_free(void **state)
{
	static const uint64_t bytes[] = {100}, limit_usec[4] = {10};
	const struct feed_limits l = limits_of(4, bytes, 1);
	static const struct {
		uint64_t due[4], empty[4];
		size_t take;
	} rows[] = {
	    {{NONE, NONE, NONE, NONE}, {0, 0, 0, 0}, 4},
	    {{7, 5, NONE, NONE}, {0, 90, 0, 90}, 1}, /* due first */
	    {{5, 7, NONE, NONE}, {0, 90, 0, 90}, 0},
	    {{5, 5, NONE, NONE}, {0, 90, 0, 90}, 0},  /* equal: the smaller */
	    {{7, 5, NONE, NONE}, {0, 90, 90, 90}, 0}, /* it is the kept one */
	    {{NONE, 5, NONE, NONE}, {0, 90, 90, 90}, 4},
	    {{NONE, 5, NONE, NONE}, {0, 90, 90, 11}, 4},
	    {{NONE, 5, NONE, NONE}, {0, 90, 90, 10}, 1}, /* as good as free */
	    {{NONE, 5, NONE, NONE}, {0, 90, 90, NONE}, 4},
	    {{NONE, 5, NONE, NONE}, {0, NONE, NONE, NONE}, 1}, /* the last */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    feed_take(&l, 0, rows[i].due, rows[i].empty, limit_usec),
		    rows[i].take);
}

/* One worker kept for up to 100 octets, and two for up to 500. */
static void
each_limit_keeps_one_more_worker(void **state)
{
	static const uint64_t bytes[] = {100, 500}, limit_usec[4] = {10, 50};
	const struct feed_limits l = limits_of(4, bytes, 2);
	static const struct {
		uint64_t due[4], empty[4];
		size_t take;
	} rows[] = {
	    {{NONE, NONE, 3, NONE}, {90, 0, 0, 0}, 2},
	    {{NONE, NONE, 3, NONE}, {90, 0, 0, 90}, 4},
	    {{NONE, 5, 3, NONE}, {90, 0, 0, 90}, 1},
	    {{NONE, NONE, 3, NONE}, {50, 0, 0, 90}, 2},
	    {{NONE, NONE, 3, NONE}, {50, 0, 50, 90}, 4}, /* nor 10 for 100 */
	    {{9, 5, 3, NONE}, {50, 0, 50, 90}, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    feed_take(&l, 1, rows[i].due, rows[i].empty, limit_usec),
		    rows[i].take);
}

static void
a_free_lane_steals_what_it_admits_where_most_is_left(void **state)
{
	const struct feed_limits l = limits_of(4, defaults, 3);
	const uint64_t empty[4] = {3, 9, 9, 30};
	static const struct {
		size_t lane;
		uint64_t head[4];
		size_t from;
	} rows[] = {
	    {0, {NONE, NONE, NONE, NONE}, 4},
	    {0, {5, NONE, NONE, NONE}, 4}, /* not from itself */
	    {0, {NONE, 2000, 5, 2001}, 1}, {0, {NONE, 2000, 5, 1999}, 3},
	    {3, {5, 5, 5, NONE}, 1}, /* equal: the narrowest */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    feed_steal(&l, rows[i].lane, empty, rows[i].head),
		    rows[i].from);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		an_idle_system_uses_the_smallest_queue_that_admits),
	    cmocka_unit_test(the_least_loaded_of_the_admissible_is_chosen),
	    cmocka_unit_test(queues_beyond_the_limits_have_none),
	    cmocka_unit_test(one_queue_takes_everything),
	    cmocka_unit_test(limits_that_make_no_sense_are_refused),
	    cmocka_unit_test(a_policy_that_ignores_the_load_or_the_limits_does),
	    cmocka_unit_test(a_policy_is_found_by_its_name),
	    cmocka_unit_test(a_message_is_due_the_later_the_longer_it_takes),
	    cmocka_unit_test(large_mail_leaves_one_worker_free_or_soon_free),
	    cmocka_unit_test(each_limit_keeps_one_more_worker),
	    cmocka_unit_test(
		a_free_lane_steals_what_it_admits_where_most_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
