/*
 * tests/unit/test_policy_names.c - names, whatever they are made of.
 */
#include "tests/support/policy_site.h"

static void
disguised_endings_are_seen(void **state)
{
	static const char *const names[] = {"a.exe", "A.ExE", "a.exe.",
	    "a.exe ", "a.exe . .", "a.exe\"", "a.exe;", "a.pdf.exe",
	    "dir/a.exe", "c:\\x\\a.exe", "a.exe::$DATA", "a.e\xe2\x80\x8bxe",
	    "a.exe\xc2\xa0", "a.exe\xe3\x80\x80", "a.exe\xe2\x80\x8e",
	    "a.\xef\xbd\x85xe",
	    "a\xef\xbc\x8e"
	    "exe",
	    "a.e\001xe", "a.e\\x01xe", "a.exe\\u{200B}", "a.ex\\u{E0001}e",
	    "a.e\\u{0085}xe", "x.txt\xe2\x80\xaegpj.exe", ".exe", "a.exe\t",
	    "a.exe/", "a.exe/.", "d\\a.exe\\", "a.\xc3(.exe", "\xff.exe"};
	struct policy *policy = parse("refuse name *.exe \"no\"");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (judge_name(policy, names[i]) != POLICY_REFUSE)
			fail_msg("allowed: %s", names[i]);
	assert_int_equal(judge_name(policy, "a.exe.txt"), POLICY_ALLOW);
	assert_int_equal(judge_name(policy, "exe"), POLICY_ALLOW);
	assert_int_equal(judge_name(policy, "a.exe/b"), POLICY_ALLOW);
	assert_int_equal(judge_name(policy, ""), POLICY_ALLOW);
	policy_free(policy);
}

static void
odd_names_are_seen(void **state)
{
	static const struct {
		const char *name, *word;
	} odd[] = {{"a\xe2\x80\xaegpj.scr", "bidi"},
	    {"a\xe2\x81\xa7x.txt", "bidi"}, {"a.pdf         .txt", "blanks"},
	    {"a\xc2\xa0\xc2\xa0\xc2\xa0\xc2\xa0\xc2\xa0\xc2\xa0\xc2\xa0"
	     "\xc2\xa0.txt",
		"blanks"},
	    {"a\nb.txt", "control"}, {"a\x7f", "control"},
	    /* as the reader of a mail writes them */
	    {"a\\u{202E}gpj.scr", "bidi"}, {"a\\x0Ab.txt", "control"},
	    {"a.{20D04FE0-3AEA-1069-A2D8-08002B30309D}", "clsid"},
	    {"a.{20d04fe0-3aea-1069-a2d8-08002b30309d}.", "clsid"}};
	static const char *const plain[] = {"Rechnung f\xc3\xbcr M\xc3\xa4rz"
					    ".pdf",
	    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d.pdf", "a  b   c.txt",
	    /* as Windows quotes what it names, in a character set of its own */
	    "\\u{0093}Report\\u{0094} \xc2\x96 final.pdf", "a.{20d04fe0-3aea}",
	    "a\tb.txt", "        ", "a\\x41.txt", "a\\u{202E", "a\\u{41}",
	    "a\\x0", "a\\u{}", "\\"};
	char rule[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		struct policy *policy;

		(void)snprintf(rule, sizeof(rule), "refuse odd-name %s \"no\"",
		    odd[i].word);
		policy = parse(rule);
		if (judge_name(policy, odd[i].name) != POLICY_REFUSE)
			fail_msg("%zu: %s not %s", i, odd[i].name, odd[i].word);
		for (size_t k = 0; k < ARRAY_SIZE(plain); k++)
			if (judge_name(policy, plain[k]) != POLICY_ALLOW)
				fail_msg("%s is %s", plain[k], odd[i].word);
		policy_free(policy);
	}
}

static void
a_very_long_name_fits_what_refuses_and_not_what_allows(void **state)
{
	char name[3000];
	struct policy *policy = parse("allow name a*\nhold name b* \"x\"");

	(void)state;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(judge_name(policy, name), POLICY_HOLD);
	name[200] = '\0';
	assert_int_equal(judge_name(policy, name), POLICY_ALLOW);
	policy_free(policy);
	policy = parse("refuse odd-name long \"x\"");
	assert_int_equal(judge_name(policy, name), POLICY_ALLOW);
	memset(name, 'a', 300);
	name[300] = '\0';
	assert_int_equal(judge_name(policy, name), POLICY_REFUSE);
	name[150] = '/'; /* each name alone is short enough */
	assert_int_equal(judge_name(policy, name), POLICY_ALLOW);
	policy_free(policy);
}

static void
directories_make_no_difference(void **state)
{
	struct policy *policy = parse("refuse name win?ail.dat \"no\"");

	(void)state;
	assert_int_equal(judge_name(policy, "Winmail.dat"), POLICY_REFUSE);
	assert_int_equal(judge_name(policy, "a/b/winmail.dat"), POLICY_REFUSE);
	assert_int_equal(judge_name(policy, "a\\winmail.dat"), POLICY_REFUSE);
	assert_int_equal(judge_name(policy, "xwinmail.dat"), POLICY_ALLOW);
	policy_free(policy);
}

static void
one_bad_name_of_several_is_enough(void **state)
{
	struct policy *policy = parse("allow name *.txt\n"
				      "refuse name *.exe \"no\"\n");
	struct reading_part p = part(2, "a.txt\0b.exe", "x/y", 0);
	const char *why;

	(void)state;
	assert_int_equal(policy_part(policy, &p, &why), POLICY_REFUSE);
	p = part(2, "a.txt\0b.txt", "x/y", 0);
	assert_int_equal(policy_part(policy, &p, &why), POLICY_ALLOW);
	policy_free(policy);
}

/* Equal files, each with its own name, as archives are full of them. */
static void
any_number_of_names_is_looked_at(void **state)
{
	struct policy *policy = parse("refuse odd-name bidi \"odd\"\n"
				      "refuse name *.exe \"program\"\n"
				      "allow name *.txt\n"
				      "hold type x/y \"other\"\n");
	char names[200 * 8];
	struct reading_part p = part(200, names, "x/y", 0);
	const char *why;

	(void)state;
	for (size_t i = 0; i < 200; i++)
		(void)snprintf(names + 8 * i, 8, "%03zu.txt", i);
	assert_int_equal(policy_part(policy, &p, &why), POLICY_ALLOW);
	(void)memcpy(names + 8 * 199 + 4, "pdf", 4);
	assert_int_equal(policy_part(policy, &p, &why), POLICY_HOLD);
	assert_string_equal(why, "other");
	(void)memcpy(names + 8 * 198 + 4, "exe", 4);
	assert_int_equal(policy_part(policy, &p, &why), POLICY_REFUSE);
	assert_string_equal(why, "program");
	policy_free(policy);
}

static void
a_hostile_glob_takes_no_time(void **state)
{
	char glob[200] = "", text[1000];
	const struct mono start = mono_now();

	(void)state;
	for (int i = 0; i < 60; i++)
		(void)strcat(glob, "*a");
	(void)strcat(glob, "b");
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_false(policy_glob(glob, text));
	assert_true(mono_span(start, mono_now()) < USEC_PER_SEC / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(disguised_endings_are_seen),
	    cmocka_unit_test(odd_names_are_seen),
	    cmocka_unit_test(
		a_very_long_name_fits_what_refuses_and_not_what_allows),
	    cmocka_unit_test(directories_make_no_difference),
	    cmocka_unit_test(one_bad_name_of_several_is_enough),
	    cmocka_unit_test(any_number_of_names_is_looked_at),
	    cmocka_unit_test(a_hostile_glob_takes_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
