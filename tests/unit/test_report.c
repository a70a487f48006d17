/*
 * tests/unit/test_report.c - lines of a guest, good and bad.
 */
#include "vmm/report.h"

#include "common/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct guest_event event;

static int
read_line(const char *line)
{
	return report_read(line, strlen(line), &event);
}

static void
an_event_is_read(void **state)
{
	(void)state;
	assert_int_equal(
	    read_line("{\"t\":1.204,\"by\":\"seccomp\",\"pid\":31,\"ev\":"
		      "\"file.rename\",\"path\":\"/a\",\"to\":\"/b\",\"n\":7}"),
	    0);
	assert_int_equal(event.kind, GUEST_FILE_RENAME);
	assert_int_equal(event.msec, 1204);
	assert_int_equal(event.pid, 31);
	assert_int_equal(event.times, 7);
	assert_string_equal(event.field[FIELD_PATH], "/a");
	assert_string_equal(event.field[FIELD_TO], "/b");
	assert_int_equal(event.length[FIELD_TO], 2);
	assert_null(event.field[FIELD_ARGS]);
}

static void
what_is_not_told_has_a_default(void **state)
{
	(void)state;
	assert_int_equal(read_line(" { \"ev\" : \"hook.set\" } \r"), 0);
	assert_int_equal(event.kind, GUEST_HOOK_SET);
	assert_int_equal(event.msec, 0);
	assert_int_equal(event.pid, 0);
	assert_int_equal(event.times, 1);
}

static void
every_kind_of_event_is_known_by_its_name(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < GUEST_KINDS; k++) {
		char line[100];

		(void)snprintf(line, sizeof(line), "{\"ev\":\"%s\"}",
		    guest_kind_name((enum guest_kind)k));
		assert_int_equal(read_line(line), 0);
		assert_int_equal(event.kind, k);
	}
}

static void
strings_are_decoded(void **state)
{
	static const struct {
		const char *json, *text;
	} rows[] = {
	    {"", ""},
	    {"a\\u0062c", "abc"},
	    {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
	    {"\\u00e9\\u20ac", "\xc3\xa9\xe2\x82\xac"},
	    {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
	    {"\xc3\xa9\xf0\x9f\x98\x80", "\xc3\xa9\xf0\x9f\x98\x80"},
	    {"a\\u0000b", "a\xef\xbf\xbd"
			  "b"},
	    {"\x7f", "\x7f"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[200];

		(void)snprintf(line, sizeof(line),
		    "{\"ev\":\"file.read\",\"path\":\"%s\"}", rows[i].json);
		assert_int_equal(read_line(line), 0);
		assert_string_equal(event.field[FIELD_PATH], rows[i].text);
		assert_int_equal(
		    event.length[FIELD_PATH], strlen(rows[i].text));
	}
}

static void
numbers_are_kept_as_they_stand(void **state)
{
	(void)state;
	assert_int_equal(read_line("{\"ev\":\"net.connect\",\"port\":443,"
				   "\"addr\":-0.5e+99,\"proto\":null}"),
	    0);
	assert_string_equal(event.field[FIELD_PORT], "443");
	assert_string_equal(event.field[FIELD_ADDR], "-0.5e+99");
	assert_string_equal(event.field[FIELD_PROTO], "");
}

static void
lines_that_are_no_events_are_refused(void **state)
{
	static const char *const rows[] = {
	    "",
	    " ",
	    "x",
	    "{}",
	    "[]",
	    "null",
	    "{\"ev\":\"file.read\"",
	    "{\"ev\":\"file.read\"}}",
	    "{\"ev\":\"file.read\"} x",
	    "{\"ev\":\"file.read\",}",
	    "{\"ev\" \"file.read\"}",
	    "{ev:\"file.read\"}",
	    "{\"ev\":\"file.reads\"}",
	    "{\"ev\":\"file.rea\"}",
	    "{\"ev\":1}",
	    "{\"path\":\"/a\"}",
	    "{\"ev\":\"file.read\",\"ev\":\"file.read\"}",
	    "{\"ev\":\"file.read\",\"path\":\"a\",\"path\":\"b\"}",
	    "{\"ev\":\"file.read\",\"t\":1,\"t\":1}",
	    "{\"ev\":\"file.read\",\"pid\":1,\"pid\":1}",
	    "{\"ev\":\"file.read\",\"path\":[\"a\"]}",
	    "{\"ev\":\"file.read\",\"path\":{\"a\":1}}",
	    "{\"ev\":\"file.read\",\"x\":[]}",
	    "{\"ev\":\"file.read\",\"t\":-1}",
	    "{\"ev\":\"file.read\",\"t\":1e3}",
	    "{\"ev\":\"file.read\",\"t\":100001}",
	    "{\"ev\":\"file.read\",\"t\":99999999999999999999999}",
	    "{\"ev\":\"file.read\",\"t\":\"1\"}",
	    "{\"ev\":\"file.read\",\"pid\":2147483648}",
	    "{\"ev\":\"file.read\",\"pid\":1.5}",
	    "{\"ev\":\"file.read\",\"pid\":-1}",
	    "{\"ev\":\"file.read\",\"n\":0}",
	    "{\"ev\":\"file.read\",\"n\":99999999999999999999}",
	    "{\"ev\":\"file.read\",\"code\":01}",
	    "{\"ev\":\"file.read\",\"code\":1.}",
	    "{\"ev\":\"file.read\",\"code\":.1}",
	    "{\"ev\":\"file.read\",\"code\":1e}",
	    "{\"ev\":\"file.read\",\"code\":+1}",
	    "{\"ev\":\"file.read\",\"code\":-}",
	    "{\"ev\":\"file.read\",\"code\":truex}",
	    "{\"ev\":\"file.read\",\"code\":tru}",
	    "{\"ev\":\"file.read\",\"path\":\"\\x\"}",
	    "{\"ev\":\"file.read\",\"path\":\"\\u12g4\"}",
	    "{\"ev\":\"file.read\",\"path\":\"\\u12\"}",
	    "{\"ev\":\"file.read\",\"path\":\"\\ud83d\"}",
	    "{\"ev\":\"file.read\",\"path\":\"\\ud83d\\u0041\"}",
	    "{\"ev\":\"file.read\",\"path\":\"\\ude00\"}",
	    "{\"ev\":\"file.read\",\"path\":\"\n\"}",
	    "{\"ev\":\"file.read\",\"path\":\"\x1f\"}",
	    "{\"ev\":\"file.read\",\"path\":\"\xff\"}",
	    "{\"ev\":\"file.read\",\"path\":\"\xc0\x80\"}",
	    "{\"ev\":\"file.read\",\"path\":\"\xed\xa0\x80\"}",
	    "{\"ev\":\"file.read\",\"path\":\"\xf5\x80\x80\x80\"}",
	    "{\"ev\":\"file.read\",\"path\":\"\xc3\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (read_line(rows[i]) != -EBADMSG)
			fail_msg("%s", rows[i]);
	assert_int_equal(
	    report_read("{\"ev\":\"file.read\",\"path\":\"\0\"}", 29, &event),
	    -EBADMSG);
}

/* A line with a path of n octets, blanks before its end up to `whole`. */
static int
read_long(size_t n, size_t whole)
{
	static char line[2 * EVENT_LINE_MAX];
	const int head =
	    snprintf(line, sizeof(line), "{\"ev\":\"file.read\",\"path\":\"");

	memset(line + head, 'a', n);
	line[(size_t)head + n] = '"';
	memset(line + head + n + 1, ' ', sizeof(line) - (size_t)head - n - 1);
	line[whole - 1] = '}';
	return report_read(line, whole, &event);
}

static void
length_has_its_limits(void **state)
{
	(void)state;
	assert_int_equal(read_long(EVENT_STRING_MAX, 2000), 0);
	assert_int_equal(event.length[FIELD_PATH], EVENT_STRING_MAX);
	assert_int_equal(read_long(EVENT_STRING_MAX + 1, 2000), -EBADMSG);
	assert_int_equal(read_long(10, EVENT_LINE_MAX), 0);
	assert_int_equal(read_long(10, EVENT_LINE_MAX + 1), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_event_is_read),
	    cmocka_unit_test(what_is_not_told_has_a_default),
	    cmocka_unit_test(every_kind_of_event_is_known_by_its_name),
	    cmocka_unit_test(strings_are_decoded),
	    cmocka_unit_test(numbers_are_kept_as_they_stand),
	    cmocka_unit_test(lines_that_are_no_events_are_refused),
	    cmocka_unit_test(length_has_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
