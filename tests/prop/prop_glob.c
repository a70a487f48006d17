/*
 * tests/prop/prop_glob.c - random globs and texts against a matcher that
 * tries everything.
 */
#include "vmm/glob.h"

#include "tests/support/prop_draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RUNS 200000

static size_t
gen(char *ret, const char *octets, size_t most)
{
	const size_t n = draw(most + 1);

	for (size_t i = 0; i < n; i++)
		ret[i] = octets[draw(strlen(octets))];
	ret[n] = '\0';
	return n;
}

/* ~ is an asterisk that takes no slash. */
static bool
tries_everything(const char *glob, const char *text)
{
	if (*glob == '*' || *glob == '~')
		return tries_everything(glob + 1, text) ||
		       (*text && !(*glob == '~' && *text == '/') &&
			   tries_everything(glob, text + 1));
	if (!*glob || !*text)
		return !*glob && !*text;
	return (*glob == '?' || *glob == *text) &&
	       tries_everything(glob + 1, text + 1);
}

static void
check(const char *ours, const char *theirs, const char *text)
{
	struct glob *glob = glob_new(ours, strlen(ours));
	const bool fits = glob_fits(glob, text, strlen(text));
	struct glob_marks marks;

	glob_mark(text, strlen(text), &marks);
	if (fits != tries_everything(theirs, text) ||
	    (fits && !glob_may_fit(glob, &marks)))
		fail_msg("%s %s: %d", ours, text, fits);
	(void)glob_free(glob);
}

static void
prop_a_glob_fits_what_one_that_tries_everything_fits(void **state)
{
	char glob[10], text[14];

	(void)state;
	for (int i = 0; i < RUNS; i++) {
		(void)gen(glob, "aab*?/", 8);
		(void)gen(text, "aab/", 12);
		check(glob, glob, text);
	}
}

static void
prop_the_last_part_is_in_the_directory_itself(void **state)
{
	char begin[6], end[4], text[14], ours[20], theirs[20];

	(void)state;
	for (int i = 0; i < RUNS; i++) {
		(void)gen(begin, "aab*?/", 4);
		(void)gen(end, "ab", 2);
		(void)gen(text, "aab/", 10);
		(void)snprintf(ours, sizeof(ours), "%s/<>%s", begin, end);
		(void)snprintf(theirs, sizeof(theirs), "%s/~%s", begin, end);
		check(ours, theirs, text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		prop_a_glob_fits_what_one_that_tries_everything_fits),
	    cmocka_unit_test(prop_the_last_part_is_in_the_directory_itself),
	};

	draw_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
