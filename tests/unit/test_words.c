/*
 * tests/unit/test_words.c - lines of words, taken apart.
 */
#include "tests/support/flow_site.h"

#include "common/words.h"

#include <string.h>

static void
words_have_names_and_values(void **state)
{
	char text[] = "found by=client  ordinal=2 rtt_var=null\n";
	struct words words;
	double number;

	(void)state;
	words_of(text, &words);
	assert_string_equal(words.first, "found");
	assert_int_equal(words.n, 3);
	assert_string_equal(words_value(&words, "by"), "client");
	assert_true(words_number(&words, "ordinal", &number) && number == 2);
	assert_true(words_number(&words, "rtt_var", &number) && isnan(number));
	assert_false(words_number(&words, "by", &number));
	assert_true(isnan(number));
	assert_null(words_value(&words, "found"));
}

static void
why_takes_the_rest(void **state)
{
	char text[] = "opinion score=2.25 why=idle_max (+0.8), x=1\nmore=1";
	struct words words;

	(void)state;
	words_of(text, &words);
	assert_string_equal(words_value(&words, "why"), "idle_max (+0.8), x=1");
	assert_null(words_value(&words, "x"));
	assert_null(words_value(&words, "more"));
}

static void
an_empty_line_has_no_words(void **state)
{
	char text[] = "";
	struct words words;

	(void)state;
	words_of(text, &words);
	assert_string_equal(words.first, "");
	assert_int_equal(words.n, 0);
}

static void
too_many_are_passed_over(void **state)
{
	char text[4 * (WORDS_MAX + 9)] = "";
	struct words words;

	(void)state;
	for (size_t i = 0; i < WORDS_MAX + 8; i++)
		(void)strcat(text, "a=1 ");
	words_of(text, &words);
	assert_int_equal(words.n, WORDS_MAX);
}

static void
only_decimal_numbers_are_numbers(void **state)
{
	static const char *const none[] = {
	    "", "null", "inf", "nan", "0x1", "1e999", "1 ", "1x", "-"};
	double number;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_false(word_is_number(none[i], &number));
	assert_true(word_is_number("-1.5e3", &number) && number == -1500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_have_names_and_values),
	    cmocka_unit_test(why_takes_the_rest),
	    cmocka_unit_test(an_empty_line_has_no_words),
	    cmocka_unit_test(too_many_are_passed_over),
	    cmocka_unit_test(only_decimal_numbers_are_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
