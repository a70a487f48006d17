/*
 * tests/unit/test_lot.c - which message of a feed queue is tried when.
 */
#include "worker/lot.h"

#include "common/io.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
setup(void **state)
{
	struct lot *lot = xcalloc(1, sizeof(*lot));

	lot_init(lot);
	*state = lot;
	return 0;
}

static int
teardown(void **state)
{
	struct lot *lot = *state;

	while (lot->by_id)
		lot_forget(lot, lot->by_id);
	assert_int_equal(
	    lot->n_waiting + lot->n_judged + lot->n_long + lot->n_done, 0);
	assert_int_equal(lot->n_suspects, 0);
	free(lot);
	return 0;
}

static void
counts_are(const struct lot *lot, size_t waiting, size_t judged, size_t done)
{
	assert_int_equal(lot->n_waiting, waiting);
	assert_int_equal(lot->n_judged, judged);
	assert_int_equal(lot->n_done, done);
}

static void
a_name_seen_twice_is_one_item(void **state)
{
	struct lot *lot = *state;
	struct item *a = lot_see(lot, "wAA"), *b = lot_see(lot, "wAB");

	assert_true(a->is_fresh);
	assert_int_equal(a->claim.qf_fd, -1);
	a->is_fresh = false;
	assert_ptr_equal(lot_see(lot, "wAA"), a);
	assert_false(a->is_fresh);
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(lot_find(lot, "wAB"), b);
	assert_null(lot_find(lot, "wA"));
	counts_are(lot, 2, 0, 0);
}

static void
the_first_that_may_be_tried_comes_first(void **state)
{
	const struct mono now = {5000};
	struct lot *lot = *state;
	struct item *items[3];
	struct mono next;

	assert_null(lot_next(lot, now, &next));
	assert_int_equal(next.usec, 0);
	for (int i = 0; i < 3; i++)
		items[i] = lot_see(lot, (const char *[]){"a", "b", "c"}[i]);
	assert_ptr_equal(lot_next(lot, now, &next), items[0]);
	items[0]->not_before.usec = 9000;
	assert_ptr_equal(lot_next(lot, now, &next), items[1]);
	items[1]->not_before.usec = 7000;
	items[2]->not_before.usec = 5000; /* this very instant */
	assert_ptr_equal(lot_next(lot, now, &next), items[2]);
	items[2]->not_before.usec = 8000;
	assert_null(lot_next(lot, now, &next));
	assert_int_equal(next.usec, 7000);
}

static void
what_is_judged_or_done_is_not_tried_again(void **state)
{
	struct lot *lot = *state;
	struct item *a = lot_see(lot, "a"), *b = lot_see(lot, "b");
	struct mono next;

	lot_put(lot, a, ITEM_JUDGED);
	counts_are(lot, 1, 1, 0);
	lot_put(lot, b, ITEM_DONE);
	counts_are(lot, 0, 1, 1);
	assert_null(lot_next(lot, mono_now(), &next));
	/* Put back it stands behind those that wait. */
	(void)lot_see(lot, "c");
	lot_put(lot, a, ITEM_WAITING);
	assert_string_equal(lot_next(lot, mono_now(), &next)->id, "c");
	counts_are(lot, 2, 0, 1);
}

static void
only_what_is_judged_is_found_by_its_job(void **state)
{
	struct lot *lot = *state;
	struct item *a = lot_see(lot, "a"), *b = lot_see(lot, "b");

	a->job = 7;
	b->job = 8;
	assert_null(lot_find_job(lot, 7));
	lot_put(lot, a, ITEM_JUDGED);
	lot_put(lot, b, ITEM_JUDGED);
	assert_ptr_equal(lot_find_job(lot, 7), a);
	assert_ptr_equal(lot_find_job(lot, 8), b);
	assert_null(lot_find_job(lot, 9));
	lot_put(lot, a, ITEM_DONE);
	assert_null(lot_find_job(lot, 7));
}

static void
suspects_count_while_they_are_judged(void **state)
{
	struct lot *lot = *state;
	struct item *a = lot_see(lot, "a"), *b = lot_see(lot, "b");

	a->is_suspect = true;
	assert_int_equal(lot->n_suspects, 0);
	lot_put(lot, a, ITEM_JUDGED);
	lot_put(lot, b, ITEM_JUDGED);
	assert_int_equal(lot->n_suspects, 1);
	lot_put(lot, a, ITEM_WAITING);
	assert_int_equal(lot->n_suspects, 0);
	lot_put(lot, a, ITEM_JUDGED);
	lot_forget(lot, a);
	assert_int_equal(lot->n_suspects, 0);
	assert_null(lot_find(lot, "a"));
}

static void
those_judged_together_share_the_time(void **state)
{
	struct lot *lot = *state;
	struct item *a = lot_see(lot, "a"), *b = lot_see(lot, "b");

	lot->clock.usec = 0;
	lot->share = 0;
	lot_clock(lot, (struct mono){4000}); /* nobody: nobody is charged */
	assert_int_equal(lot->share, 0);
	lot_put(lot, a, ITEM_JUDGED);
	lot->share = 0;
	lot->clock.usec = 4000;
	lot_clock(lot, (struct mono){7000});
	assert_int_equal(lot->share, 3000);
	lot_put(lot, b, ITEM_JUDGED);
	lot->share = 0;
	lot->clock.usec = 7000;
	lot_clock(lot, (struct mono){9000});
	assert_int_equal(lot->share, 1000);
	assert_int_equal(lot->clock.usec, 9000);
}

/* A change of company is charged at the old company's price. */
static void
the_clock_is_read_before_the_company_changes(void **state)
{
	struct lot *lot = *state;
	struct item *a = lot_see(lot, "a"), *b = lot_see(lot, "b");
	uint64_t alone;

	lot_put(lot, a, ITEM_JUDGED);
	lot->share = 0;
	lot->clock.usec = mono_now().usec - 1000000;
	lot_put(lot, b, ITEM_JUDGED);
	assert_true(lot->share >= 1000000); /* a was alone for a second */
	alone = lot->share;
	lot->clock.usec = mono_now().usec - 1000000;
	lot_forget(lot, b);
	assert_true(lot->share - alone >= 500000);
	assert_true(lot->share - alone < 1000000);
}

static void
a_forgotten_item_gives_up_its_claim(void **state)
{
	struct lot *lot = *state;
	struct item *a = lot_see(lot, "a");
	const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	a->claim.qf_fd = fd;
	a->line = xstrdup("line");
	lot_forget(lot, a);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	a = lot_see(lot, "a"); /* as new */
	assert_true(a->is_fresh);
	assert_null(a->line);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void
who_was_left_unfinished_often_waits_longer(void **state)
{
	const uint64_t most = 30 * USEC_PER_SEC;

	(void)state;
	assert_int_equal(lot_suspect_pause(0, most), 0);
	assert_int_equal(lot_suspect_pause(1, most), 0);
	assert_int_equal(lot_suspect_pause(2, most), USEC_PER_SEC / 4);
	assert_int_equal(lot_suspect_pause(4, most), USEC_PER_SEC);
	for (uint32_t begun = 9; begun < 200; begun++)
		assert_int_equal(lot_suspect_pause(begun, most), most);
	assert_int_equal(lot_suspect_pause(UINT32_MAX, most), most);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_was_left_unfinished_often_waits_longer),
	    TEST(a_name_seen_twice_is_one_item),
	    TEST(the_first_that_may_be_tried_comes_first),
	    TEST(what_is_judged_or_done_is_not_tried_again),
	    TEST(only_what_is_judged_is_found_by_its_job),
	    TEST(suspects_count_while_they_are_judged),
	    TEST(those_judged_together_share_the_time),
	    TEST(the_clock_is_read_before_the_company_changes),
	    TEST(a_forgotten_item_gives_up_its_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
