/*
 * tests/unit/test_answer.c - the answers that engines give.
 */
#include "worker/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
every_answer_has_its_name(void **state)
{
	(void)state;
	assert_string_equal(answer_name(ANSWER_CLEAN), "clean");
	assert_string_equal(answer_name(ANSWER_HIT), "hit");
	assert_string_equal(answer_name(ANSWER_AMBIGUOUS), "ambiguous");
	assert_string_equal(
	    answer_name(ANSWER_UNKNOWN_SYSTEM), "unknown(system)");
	assert_string_equal(
	    answer_name(ANSWER_UNKNOWN_MESSAGE), "unknown(message)");
	assert_string_equal(answer_name(ANSWER_WARN), "warn");
}

static void
an_answer_is_filled_whole(void **state)
{
	struct engine_answer a, zero = {.answer = 0};

	(void)state;
	memset(&a, 0xee, sizeof(a));
	answer_set(&a, "clamd", ANSWER_HIT, "%s-%d", "Eicar", 1);
	assert_string_equal(a.engine, "clamd");
	assert_int_equal(a.answer, ANSWER_HIT);
	assert_string_equal(a.reason, "Eicar-1");
	assert_int_equal(a.usec, 0);
	assert_true(a.score == 0.0);
	/* It travels: nothing of the sender's memory goes with it. */
	assert_memory_equal(a.reason + 8, zero.reason, sizeof(a.reason) - 8);
	assert_memory_equal(a.engine + 6, zero.engine, sizeof(a.engine) - 6);
}

static void
long_words_are_cut_and_end(void **state)
{
	char longer[3 * ANSWER_REASON_MAX + 1];
	struct engine_answer a;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	answer_set(&a, longer, ANSWER_CLEAN, "%s", longer);
	assert_int_equal(strlen(a.engine), ANSWER_ENGINE_MAX - 1);
	assert_int_equal(strlen(a.reason), ANSWER_REASON_MAX - 1);
}

static void
a_reason_is_one_printable_line(void **state)
{
	struct engine_answer a;

	(void)state;
	answer_set(&a, "e", ANSWER_HIT, "%s",
	    "a\nb\tc\x7f"
	    "d\xc3\xa9~ !");
	assert_string_equal(a.reason, "a?b?c?d??~ !");
}

static void
the_worse_of_two_counts(void **state)
{
	static const enum answer order[ANSWER_COUNT] = {ANSWER_CLEAN,
	    ANSWER_WARN, ANSWER_UNKNOWN_SYSTEM, ANSWER_UNKNOWN_MESSAGE,
	    ANSWER_AMBIGUOUS, ANSWER_HIT};

	(void)state;
	for (int i = 0; i < ANSWER_COUNT; i++)
		for (int j = 0; j < ANSWER_COUNT; j++)
			assert_int_equal(answer_worse(order[i], order[j]),
			    order[i > j ? i : j]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_answer_has_its_name),
	    cmocka_unit_test(an_answer_is_filled_whole),
	    cmocka_unit_test(long_words_are_cut_and_end),
	    cmocka_unit_test(a_reason_is_one_printable_line),
	    cmocka_unit_test(the_worse_of_two_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
