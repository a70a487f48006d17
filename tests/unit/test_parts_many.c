/*
 * tests/unit/test_parts_many.c - a message of many parts: what it may take
 * of clamd and of our descriptors.
 */
#include "tests/support/judge_site.h"
#include "tests/support/open_files.h"

#define MANY 300

/* MANY different parts; arg is what clamd is to say of each. */
static bool
leave_many(struct reading_writer *w, void *arg)
{
	char octets[64];

	for (int i = 0; i < MANY; i++) {
		int len = snprintf(octets, sizeof(octets), "%s%c%d",
		    (const char *)arg, '\0', i);

		(void)fake_part(w, octets, (size_t)len, "");
	}
	assert_int_equal(writer_commit(w, READING_COMPLETE, 0, false, ""), 0);
	return true;
}

static void
start(struct site *s, const char *answer)
{
	char err[200] = "";

	site_set(&s->conf->worker.engines, "clamd", "");
	assert_int_equal(site_start(s, err, sizeof(err)), 0);
	s->reading = leave_many;
	s->reading_arg = (void *)(uintptr_t)answer;
}

/* Clamd has got so many. */
static void
until_files(struct site *s, int n)
{
	const struct mono begun = mono_now();

	while (fake_clamd_files(s->clamd) < n &&
	       mono_span(begun, mono_now()) < SITE_PATIENCE_USEC)
		site_turn(s);
	assert_int_equal(fake_clamd_files(s->clamd), n);
}

static void
many_parts_take_few_descriptors_and_few_scans_at_a_time(void **state)
{
	struct site *s = *state;
	size_t before;

	start(s, "!hang");
	before = open_files();
	site_submit(s, 1, "!hang");
	until_files(s, 3);
	site_run_for(s, 100 * USEC_PER_MSEC); /* no fourth comes */
	assert_int_equal(fake_clamd_at_once(s->clamd), 3);
	assert_true(open_files() < before + 40);
}

static void
each_of_many_parts_is_scanned(void **state)
{
	struct site *s = *state;

	start(s, "OK");
	site_submit(s, 1, "OK");
	site_finish(s, 1);
	site_said(s, 1, "clamd", ANSWER_CLEAN, "");
	assert_int_equal(fake_clamd_files(s->clamd), MANY + 1);
}

/* One part of so many octets, clean. */
static bool
leave_one(struct reading_writer *w, void *arg)
{
	static char octets[1 << 20] = "!later";

	(void)fake_part(w, octets, *(const size_t *)arg, "");
	assert_int_equal(writer_commit(w, READING_COMPLETE, 0, false, ""), 0);
	return true;
}

static void
submit_with_one(struct site *s, const size_t *bytes, const char *message)
{
	char err[200] = "";

	site_set(&s->conf->worker.engines, "clamd", "");
	assert_int_equal(site_start(s, err, sizeof(err)), 0);
	s->reading = leave_one;
	s->reading_arg = (void *)(uintptr_t)bytes;
	site_submit(s, 1, message);
}

static void
a_small_part_is_scanned_beside_its_message(void **state)
{
	static const size_t bytes = 1000;
	struct site *s = *state;

	submit_with_one(s, &bytes, "!hang");
	until_files(s, 2);
	assert_int_equal(fake_clamd_at_once(s->clamd), 2);
}

/* clamd unpacks it from the message anyhow, and then knows it. */
static void
a_large_part_waits_for_the_scan_of_its_message(void **state)
{
	static const size_t bytes = 1 << 20;
	struct site *s = *state;

	submit_with_one(s, &bytes, "!later");
	site_finish(s, 1);
	site_said(s, 1, "clamd", ANSWER_CLEAN, "");
	assert_int_equal(fake_clamd_files(s->clamd), 2);
	assert_int_equal(fake_clamd_at_once(s->clamd), 1);
}

static void
parts_that_take_clamd_too_long_exceed_a_budget(void **state)
{
	struct site *s = *state;

	s->conf->clamd.timeout_usec = USEC_PER_SEC;
	start(s, "!later"); /* 0.1 s each, or more, of 4 times 1 s */
	site_submit(s, 1, "OK");
	site_finish(s, 1);
	site_said(s, 1, "clamd", ANSWER_UNKNOWN_MESSAGE, "budget exceeded");
	assert_true(fake_clamd_files(s->clamd) < 60);
}

static void
a_clamd_that_hangs_is_not_the_message_s_fault(void **state)
{
	struct site *s = *state;

	s->conf->clamd.timeout_usec = USEC_PER_SEC;
	start(s, "!hang");
	site_submit(s, 1, "OK");
	site_finish(s, 1);
	site_said(s, 1, "clamd", ANSWER_UNKNOWN_SYSTEM, "in time");
	assert_true(fake_clamd_files(s->clamd) < 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		many_parts_take_few_descriptors_and_few_scans_at_a_time,
		site_setup, site_teardown),
	    cmocka_unit_test_setup_teardown(
		each_of_many_parts_is_scanned, site_setup, site_teardown),
	    cmocka_unit_test_setup_teardown(
		a_small_part_is_scanned_beside_its_message, site_setup,
		site_teardown),
	    cmocka_unit_test_setup_teardown(
		a_large_part_waits_for_the_scan_of_its_message, site_setup,
		site_teardown),
	    cmocka_unit_test_setup_teardown(
		parts_that_take_clamd_too_long_exceed_a_budget, site_setup,
		site_teardown),
	    cmocka_unit_test_setup_teardown(
		a_clamd_that_hangs_is_not_the_message_s_fault, site_setup,
		site_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
