#include "feed/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int
setup(void **state)
{
	*state = index_new();
	return 0;
}

static int
teardown(void **state)
{
	index_free(*state);
	return 0;
}

static void
assert_takes(struct index *index, const char *id, bool retry)
{
	char got[QUEUE_ID_MAX + 1];
	bool is_retry;

	assert_true(index_take(index, got, &is_retry));
	assert_string_equal(got, id);
	assert_int_equal(is_retry, retry);
}

static void
assert_empty(struct index *index)
{
	char got[QUEUE_ID_MAX + 1];
	bool is_retry;

	assert_false(index_has_work(index));
	assert_false(index_take(index, got, &is_retry));
}

static void
first_come_first_served_and_each_once(void **state)
{
	struct index *index = *state;

	index_add(index, "b");
	index_wake(index, "a");
	index_add(index, "b");
	index_wake(index, "b");
	assert_int_equal(index_count(index).ready, 2);
	assert_takes(index, "b", false);
	assert_takes(index, "a", false);
	assert_empty(index);
	index_forget(index, "b");
	index_add(index, "b");
	assert_takes(index, "b", false);
}

static void
a_parked_one_waits_for_its_event(void **state)
{
	struct index *index = *state;

	index_add(index, "a");
	assert_takes(index, "a", false);
	index_park(index, "a", false);
	assert_int_equal(index_count(index).parked, 1);
	assert_empty(index);
	index_add(index, "a"); /* a scan is no news of it */
	assert_empty(index);
	index_wake(index, "a");
	assert_takes(index, "a", false);
}

static void
a_deaf_one_waits_for_a_retry(void **state)
{
	struct index *index = *state;

	index_add(index, "a");
	assert_takes(index, "a", false);
	index_park(index, "a", true);
	index_wake(index, "a");
	assert_empty(index);
	index_retry_all(index);
	assert_takes(index, "a", true);
	index_park(index, "a", false);
	index_wake(index, "a");
	assert_takes(index, "a", false);
}

static void
retries_keep_their_order_and_come_last(void **state)
{
	struct index *index = *state;
	static const char *const ids[] = {"a", "b", "c"};

	for (int i = 0; i < 3; i++) {
		index_add(index, ids[i]);
		assert_takes(index, ids[i], false);
		index_park(index, ids[i], false);
	}
	index_retry_last(index, 1);
	assert_takes(index, "c", true);
	index_park(index, "c", false);
	index_retry_all(index);
	index_add(index, "new");
	assert_int_equal(index_count(index).parked, 3);
	assert_takes(index, "new", false);
	index_wake(index, "b"); /* overtakes by its event */
	assert_takes(index, "b", false);
	assert_takes(index, "a", true);
	assert_takes(index, "c", true);
	assert_empty(index);
}

static void
held_ones_hear_nothing_and_return_to_the_front(void **state)
{
	struct index *index = *state;

	index_add(index, "a");
	index_add(index, "b");
	index_add(index, "c");
	assert_takes(index, "a", false);
	assert_takes(index, "b", false);
	index_hold(index, "a");
	index_hold(index, "b");
	index_wake(index, "a");
	assert_int_equal(index_count(index).held, 2);
	index_release(index);
	assert_takes(index, "a", false);
	assert_takes(index, "b", false);
	assert_takes(index, "c", false);
}

static void
a_queued_one_waits_until_it_is_called(void **state)
{
	struct index *index = *state;

	index_add(index, "a");
	index_add(index, "b");
	assert_takes(index, "a", false);
	index_queue(index, "a");
	assert_takes(index, "b", false);
	index_queue(index, "b");
	index_wake(index, "a"); /* is no news */
	index_add(index, "a");
	index_retry_all(index);
	index_release(index);
	assert_empty(index);
	assert_int_equal(index_count(index).queued, 2);
	index_call(index, "b");
	assert_int_equal(index_count(index).queued, 1);
	index_forget(index, "b");
	assert_false(index_has(index, "b"));
	assert_true(index_has(index, "a"));
}

static void
what_was_queued_returns_to_the_front_in_its_order(void **state)
{
	struct index *index = *state;

	index_add(index, "a");
	index_add(index, "b");
	assert_takes(index, "a", false);
	index_queue(index, "a");
	assert_takes(index, "b", false);
	index_queue(index, "b");
	index_add(index, "c");
	index_unqueue(index);
	assert_takes(index, "a", false);
	assert_takes(index, "b", false);
	assert_takes(index, "c", false);
	assert_int_equal(index_count(index).queued, 0);
}

static void
a_report_is_made_once_for_each_stay(void **state)
{
	struct index *index = *state;

	index_add(index, "a");
	assert_true(index_first_report(index, "a"));
	assert_false(index_first_report(index, "a"));
	assert_takes(index, "a", false);
	index_forget(index, "a");
	assert_false(index_has(index, "a"));
	index_add(index, "a");
	assert_true(index_first_report(index, "a"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(first_come_first_served_and_each_once),
	    T(a_parked_one_waits_for_its_event),
	    T(a_deaf_one_waits_for_a_retry),
	    T(retries_keep_their_order_and_come_last),
	    T(held_ones_hear_nothing_and_return_to_the_front),
	    T(a_queued_one_waits_until_it_is_called),
	    T(what_was_queued_returns_to_the_front_in_its_order),
	    T(a_report_is_made_once_for_each_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
