#include "worker/warning.h"

#include "queues/wrap.h"
#include "tests/support/tmpspool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
	char *dir, *path;
	struct warning *warning;
	char err[512];
};

static int
set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->dir = tmp_new();
	f->path = xasprintf("%s/wrap.txt", f->dir);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	(void)warning_free(f->warning);
	tmp_remove(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static int
load(struct fixture *f, const char *text, size_t len)
{
	f->warning = warning_free(f->warning);
	tmp_put(AT_FDCWD, f->path, text, len);
	return warning_load(f->path, &f->warning, f->err, sizeof(f->err));
}

static void
expect(struct fixture *f, const char *file, const char *reason,
    const char *evidence, const char *want)
{
	CLEANUP(free_ptr) char *got = NULL;

	assert_int_equal(load(f, file, strlen(file)), 0);
	got = warning_text(f->warning, reason, evidence, strlen(evidence));
	assert_string_equal(got, want);
}

#define PART(names, answer) \
	"{\"names\":[" names "],\"verdicts\":[{\"engine\":\"clamd\"," \
	"\"answer\":\"clean\"},{\"engine\":\"x\",\"answer\":\"" answer "\"}]}"
#define EVIDENCE(parts) "{\"parts\":[" parts "]}"

static void
what_was_found_takes_its_place(void **state)
{
	struct fixture *f = *state;

	expect(f, "{no {{reason}}:\n{{names}}\n{{reason}} \xc3\xa4", "why so",
	    EVIDENCE(PART("\"a.txt\"", "clean") "," PART(
		"\"b.exe\",\"c.exe\"", "warn") "," PART("\"d\"", "hit")),
	    "{no why so:\n  \"b.exe\"\n  \"c.exe\"\nwhy so \xc3\xa4");
	expect(f, "{{names}}", "", EVIDENCE(PART("\"a\"", "clean")),
	    "  (a file without a name)\n");
}

static void
a_name_is_one_word_in_one_line(void **state)
{
	struct fixture *f = *state;

	expect(f, "{{names}}", "",
	    EVIDENCE(PART("\"\\n\\r\\t\\u0000x\\\"\\\\\","
			  "\"http://a.test/\",\"a@b.test<c>\","
			  "\"\xd1\x8f\\u202e\xf0\x9f\x98\x80.exe\","
			  "\"{{reason}}\",\"=41--\"",
		"warn")),
	    "  (a file without a name)\n");
	/* A NUL is no JSON text for us: all of it goes.  Without it: */
	expect(f, "{{names}}", "",
	    EVIDENCE(PART("\"\\n\\r\\tx\\\"\\\\\",\"http://a.test/\","
			  "\"a@b.test<c>\","
			  "\"\xd1\x8f\\u202e\xf0\x9f\x98\x80.exe\","
			  "\"{{reason}}\",\"=41--\"",
		"warn")),
	    "  \"???x??\"\n  \"http???a.test?\"\n  \"a?b.test?c?\"\n"
	    "  \"???.exe\"\n  \"{{reason}}\"\n  \"=41--\"\n");
	expect(f, "{{reason}}", "x\"\\\n{{names}} http://y\xff\xfe", "",
	    "x???{{names}} http:??y??");
}

static void
long_names_lose_their_middle_and_many_are_counted(void **state)
{
	struct fixture *f = *state;

	expect(f, "{{names}}", "",
	    EVIDENCE(PART("\"0123456789012345678901234567890123456789"
			  "012345678901234567890123456789.exe\"",
		"warn")),
	    "  \"01234567890123456789012345678901234567890..."
	    "4567890123456789.exe\"\n");
	expect(f, "{{names}}", "",
	    EVIDENCE(PART("1,\"\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\","
			  "\"9\",\"10\",\"11\",\"12\"",
		"warn")),
	    "  \"\"\n  \"2\"\n  \"3\"\n  \"4\"\n  \"5\"\n  \"6\"\n  \"7\"\n"
	    "  \"8\"\n  \"9\"\n  \"10\"\n  and 2 more\n");
}

static void
evidence_of_any_form_does_no_harm(void **state)
{
	static const char *const texts[] = {"", "null", "[", "{}", "[1]",
	    "{\"parts\":1}", "{\"parts\":{\"a\":1}}", "{\"parts\":[1,null,[]]}",
	    "{\"parts\":[{\"names\":1,\"verdicts\":[{\"answer\":\"warn\"}]}]}",
	    "{\"parts\":[{\"names\":[\"a\"],\"verdicts\":[1,{\"answer\":2}]}]}",
	    "{\"parts\":[{\"names\":[\"a\"],\"verdicts\":\"warn\"}]}"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		expect(f, "{{names}}", "", texts[i],
		    "  (a file without a name)\n");
}

static void
a_wrong_file_is_refused_by_its_line(void **state)
{
	static const struct {
		const char *text, *err;
	} rows[] = {
	    {"a\n\xff\n", "wrap.txt:2: not UTF-8"},
	    {"a\n\nb\r\n", "wrap.txt:3: a control character"},
	    {"\x7f", "wrap.txt:1: a control character"},
	    {"a\n{{name}}", "wrap.txt:2: \"{{\" without a known name"},
	    {"{{{reason}}", "wrap.txt:1: \"{{\" without"},
	    {"", "wrap.txt:1: empty"},
	};
	struct fixture *f = *state;
	CLEANUP(free_ptr) char *many = xcalloc(1, WARNING_FILE_MAX + 2);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(
		    load(f, rows[i].text, strlen(rows[i].text)), -EINVAL);
		if (!strstr(f->err, rows[i].err))
			fail_msg("%s: not %s", f->err, rows[i].err);
	}
	assert_int_equal(load(f, "a\0b", 3), -EINVAL);
	assert_non_null(strstr(f->err, ":1: a NUL"));
	memset(many, 'x', WARNING_FILE_MAX + 1);
	assert_int_equal(load(f, many, WARNING_FILE_MAX), 0);
	assert_int_equal(load(f, many, WARNING_FILE_MAX + 1), -EFBIG);
	assert_non_null(strstr(f->err, "larger than 16384"));
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(
	    warning_load(f->path, &f->warning, f->err, sizeof(f->err)),
	    -ENOENT);
	assert_non_null(strstr(f->err, "tools/setup"));
}

static void
the_longest_text_can_be_wrapped(void **state)
{
	struct fixture *f = *state;
	CLEANUP(free_ptr) char *file = xcalloc(1, WARNING_FILE_MAX + 1);
	CLEANUP(free_ptr) char *text = NULL, *evidence = NULL;
	char name[80];
	size_t len = 0;

	for (int i = 0; i < WARNING_PLACES_MAX; i++)
		len += (size_t)sprintf(file + len, "{{names}}");
	memset(file + len, 'x', WARNING_FILE_MAX - len);
	assert_int_equal(load(f, file, WARNING_FILE_MAX), 0);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	evidence = xasprintf(
	    EVIDENCE(PART("\"%s\",\"%s\",\"%s\",\"%s\",\"%s\",\"%s\","
			  "\"%s\",\"%s\",\"%s\",\"%s\",\"%s\"",
		"warn")),
	    name, name, name, name, name, name, name, name, name, name, name);
	text = warning_text(f->warning, "", evidence, strlen(evidence));
	assert_true(strlen(text) > WARNING_FILE_MAX + 10000);
	assert_true(strlen(text) <= WRAP_TEXT_MAX);
	/* and one more place is one too many */
	memcpy(file + len, "{{reason}}", strlen("{{reason}}"));
	assert_int_equal(load(f, file, WARNING_FILE_MAX), -EINVAL);
	assert_non_null(strstr(f->err, "more than 16"));
}

static void
the_sample_is_right(void **state)
{
	struct fixture *f = *state;
	CLEANUP(free_ptr) char *text = NULL;

	assert_int_equal(warning_load(TEST_SOURCE_DIR "/../../etc/wrap.txt",
			     &f->warning, f->err, sizeof(f->err)),
	    0);
	text = warning_text(f->warning, "because", "{}", 2);
	assert_non_null(strstr(text, "\n\n  (a file without a name)\n\n"));
	assert_non_null(strstr(text, "Why: because\n"));
	assert_null(strstr(text, "{{"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_found_takes_its_place),
	    TEST(a_name_is_one_word_in_one_line),
	    TEST(long_names_lose_their_middle_and_many_are_counted),
	    TEST(evidence_of_any_form_does_no_harm),
	    TEST(a_wrong_file_is_refused_by_its_line),
	    TEST(the_longest_text_can_be_wrapped),
	    TEST(the_sample_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
