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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
