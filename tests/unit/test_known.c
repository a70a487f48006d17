#include "worker/known.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEX(c) c c c c c c c c c c c c c c c c
#define A      HEX("aaaa")
#define B      HEX("b0B1") /* either case */

static struct known *
parse(const char *text)
{
	struct known *known = NULL;
	char err[200] = "";

	if (known_parse(text, strlen(text), "f", &known, err, sizeof(err)) < 0)
		fail_msg("%s", err);
	return known;
}

static void
is(const struct known *known, const char *hex, int want)
{
	struct digest digest;
	bool is_malicious = false;

	assert_int_equal(digest_parse(hex, &digest), 0);
	if (!known_find(known, &digest, &is_malicious))
		assert_int_equal(want, -1);
	else
		assert_int_equal(is_malicious, want);
}

static void
files_are_found_as_what_they_are(void **state)
{
	struct known *known = parse("# ours\n\n  benign\t" A " # tool.exe\r\n"
				    "malicious " B "#x\n \t\n#");

	(void)state;
	is(known, A, 0);
	is(known, B, 1);
	is(known, HEX("0000"), -1);
	(void)known_free(known);
}

static void
an_empty_list_knows_nothing(void **state)
{
	struct known *known = NULL;
	char err[200];

	(void)state;
	assert_int_equal(known_load("none", &known, err, sizeof(err)), 0);
	is(known, A, -1);
	(void)known_free(known);
	known = parse("");
	is(known, A, -1);
	(void)known_free(known);
}

static void
what_is_wrong_is_said_with_its_line(void **state)
{
	static const struct {
		const char *text, *err;
	} wrong[] = {
	    {"\nbening " A, "f:2: write malicious or benign, then the SHA-256"},
	    {"benign", "f:1: write the SHA-256 in 64 hexadecimal digits"},
	    {"benign " A "a", "f:1: write the SHA-256 in 64"},
	    {"benign g" A, "f:1: write the SHA-256 in 64"},
	    {"benign " HEX("aaag"), "f:1: write the SHA-256 in 64"},
	    {"benign " A " tool.exe", "f:1: write # in front of a comment"},
	    {"benign " A "\nmalicious " B "\n#\nmalicious " A,
		"f:4: that file is on the list already"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct known *known = NULL;
		char err[200] = "";

		assert_int_equal(
		    known_parse(wrong[i].text, strlen(wrong[i].text), "f",
			&known, err, sizeof(err)),
		    -EINVAL);
		if (strncmp(err, wrong[i].err, strlen(wrong[i].err)) != 0)
			fail_msg("'%s', not '%s'", err, wrong[i].err);
		assert_null(known);
	}
}

static void
a_nul_is_wrong(void **state)
{
	struct known *known = NULL;
	char err[200];

	(void)state;
	assert_int_equal(
	    known_parse("benign\0", 7, "f", &known, err, sizeof(err)), -EINVAL);
}

static void
a_file_that_is_not_there_is_an_error(void **state)
{
	struct known *known = NULL;
	char err[200] = "";

	(void)state;
	assert_int_equal(
	    known_load("/nonexistent/f", &known, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "mef.known"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_are_found_as_what_they_are),
	    cmocka_unit_test(an_empty_list_knows_nothing),
	    cmocka_unit_test(what_is_wrong_is_said_with_its_line),
	    cmocka_unit_test(a_nul_is_wrong),
	    cmocka_unit_test(a_file_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
