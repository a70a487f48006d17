/* The agent's report: lines of vmm/event.def in a room that never grows. */
#include "vmm/guest/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#define ROOM (1u << 20)

struct site {
	struct report report;
	char *room;
};

static int
setup(void **state)
{
	struct site *site = calloc(1, sizeof(*site));

	site->room = malloc(ROOM);
	report_init(&site->report, site->room, ROOM);
	*state = site;
	return 0;
}

static int
teardown(void **state)
{
	struct site *site = *state;

	free(site->room);
	free(site);
	return 0;
}

/* The nth line as JSON; fails if it is none. */
static json_t *
line(const struct site *site, size_t n)
{
	const char *at = site->room, *end = at + site->report.used, *stop;
	json_t *event;

	for (;;) {
		stop = memchr(at, '\n', (size_t)(end - at));
		assert_non_null(stop);
		if (n-- == 0)
			break;
		at = stop + 1;
	}
	assert_true(stop + 1 - at <= REPORT_LINE_MAX);
	event = json_loadb(at, (size_t)(stop - at), JSON_ALLOW_NUL, NULL);
	assert_non_null(event);
	return event;
}

static size_t
lines(const struct site *site)
{
	size_t n = 0;

	for (size_t i = 0; i < site->report.used; i++)
		n += site->room[i] == '\n';
	assert_true(site->report.used == 0 ||
		    site->room[site->report.used - 1] == '\n');
	return n;
}

static void
check_text(const json_t *event, const char *key, const char *want)
{
	assert_string_equal(
	    json_string_value(json_object_get(event, key)), want);
}

static void
add_path(struct site *site, uint64_t usec, const char *path)
{
	report_add(&site->report, usec, BY_SECCOMP, 7, REPORT_FILE_CREATE,
	    FIELD("path", path));
}

static void
an_event_is_a_line_with_its_time_and_fields(void **state)
{
	struct site *site = *state;
	json_t *event;

	report_add(&site->report, 1204567, BY_SECCOMP, 31, REPORT_FILE_RENAME,
	    FIELD("path", "/root/a"), FIELD("to", "/root/b"),
	    FIELD_NUMBER("parent", -3));
	assert_int_equal(lines(site), 1);
	event = line(site, 0);
	assert_true(json_real_value(json_object_get(event, "t")) == 1.204);
	assert_int_equal(json_integer_value(json_object_get(event, "pid")), 31);
	assert_int_equal(
	    json_integer_value(json_object_get(event, "parent")), -3);
	check_text(event, "by", "seccomp");
	check_text(event, "ev", "file.rename");
	check_text(event, "path", "/root/a");
	check_text(event, "to", "/root/b");
	json_decref(event);
}

static void
octets_that_are_no_text_are_escaped(void **state)
{
	static const struct {
		const char *octets, *want;
	} rows[] = {
	    {"a\"b\\c\n\x01", "a\"b\\c\n\x01"},
	    {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
	    {"\xf0\x9f\x99\x82", "\xf0\x9f\x99\x82"},
	    {"\xff", "\xc3\xbf"},             /* never in UTF-8 */
	    {"\xc3(", "\xc3\x83("},           /* cut short */
	    {"\xc0\xaf", "\xc3\x80\xc2\xaf"}, /* longer than need be */
	    {"\xe0\x80\xaf", "\xc3\xa0\xc2\x80\xc2\xaf"},
	    {"\xed\xa0\x80", "\xc3\xad\xc2\xa0\xc2\x80"}, /* half a pair */
	    {"\xf4\x90\x80\x80", "\xc3\xb4\xc2\x90\xc2\x80\xc2\x80"},
	    {"\xe2\x82", "\xc3\xa2\xc2\x82"}, /* the string ends in it */
	};
	struct site *site = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *event;

		add_path(site, i, rows[i].octets);
		event = line(site, i);
		check_text(event, "path", rows[i].want);
		json_decref(event);
	}
}

static void
a_long_string_is_cut_at_a_whole_character(void **state)
{
	struct site *site = *state;
	char path[3000];
	json_t *event;
	const char *got;

	memset(path, 0xff, sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	report_add(&site->report, 0, BY_SECCOMP, 7, REPORT_FILE_RENAME,
	    FIELD("path", path), FIELD("to", path), FIELD("more", path));
	memset(path, 'a', sizeof(path) - 1);
	memcpy(path + REPORT_STRING_MAX - 1, "\xc3\xbc", 2);
	add_path(site, 0, path);

	assert_int_equal(lines(site), 2);
	event = line(site, 0);
	got = json_string_value(json_object_get(event, "more"));
	assert_true(strlen(got) > 100 && strlen(got) <= REPORT_STRING_MAX);
	json_decref(event);
	event = line(site, 1);
	assert_int_equal(json_string_length(json_object_get(event, "path")),
	    REPORT_STRING_MAX - 1);
	json_decref(event);
}

static void
what_repeats_is_written_once_and_counted(void **state)
{
	struct site *site = *state;
	json_t *event;

	for (int i = 0; i < 1000; i++)
		add_path(site, (uint64_t)i * 1000, "/tmp/a");
	assert_int_equal(lines(site), 1);
	add_path(site, 1000000, "/tmp/b");
	assert_int_equal(lines(site), 3);
	event = line(site, 1);
	check_text(event, "path", "/tmp/a");
	assert_int_equal(json_integer_value(json_object_get(event, "n")), 999);
	assert_true(json_real_value(json_object_get(event, "t")) == 1.0);
	json_decref(event);
	assert_int_equal(site->report.lost, 0);
}

static void
repetitions_are_told_when_they_are_old_enough(void **state)
{
	struct site *site = *state;

	add_path(site, 0, "/tmp/a");
	add_path(site, 10, "/tmp/a");
	report_settle(&site->report, 20, 100);
	assert_int_equal(lines(site), 1);
	report_settle(&site->report, 200, 100);
	assert_int_equal(lines(site), 2);
	report_settle(&site->report, 900, 100);
	assert_int_equal(lines(site), 2);
}

static void
the_same_program_again_is_a_repetition_but_not_the_same_file(void **state)
{
	struct site *site = *state;

	for (int pid = 1; pid <= 3; pid++) {
		report_add(&site->report, 0, BY_SECCOMP, pid,
		    REPORT_PROCESS_START, FIELD("path", "/bin/true"));
		report_add(&site->report, 0, BY_PROC, pid, REPORT_PROCESS_EXIT,
		    FIELD_NUMBER("code", 0));
	}
	assert_int_equal(lines(site), 2);
	for (int pid = 1; pid <= 3; pid++)
		report_add(&site->report, 0, BY_FANOTIFY, pid, REPORT_FILE_READ,
		    FIELD("path", "/root/a"));
	assert_int_equal(lines(site), 5);
	report_settle(&site->report, 0, 0);
	assert_int_equal(lines(site), 7);
}

static void
times_never_go_back(void **state)
{
	struct site *site = *state;
	double last = 0;

	for (int i = 0; i < 500; i++) {
		add_path(site, (uint64_t)i * 1000, i % 100 ? "/a" : "/b");
		report_add(&site->report, (uint64_t)i * 1000, BY_PROC, 3,
		    REPORT_PROCESS_EXIT, FIELD_NUMBER("code", i / 150));
		if (i % 50 == 0)
			report_settle(&site->report, (uint64_t)i * 1000, 20000);
	}
	report_end(&site->report, 500000, "exit", 0);
	for (size_t i = 0; i < lines(site); i++) {
		json_t *event = line(site, i);
		double t = json_real_value(json_object_get(event, "t"));

		assert_true(t >= last);
		last = t;
		json_decref(event);
	}
	assert_true(lines(site) > 20);
}

static void
cheap_events_leave_half_of_their_kind(void **state)
{
	struct site *site = *state;
	char path[64];

	site->report.is_cheap = true;
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(path, sizeof(path), "/tmp/%d", i);
		add_path(site, 0, path);
	}
	assert_int_equal(lines(site), REPORT_KIND_LINES / 2);
	site->report.is_cheap = false;
	add_path(site, 0, "/etc/cron.d/a");
	assert_int_equal(lines(site), REPORT_KIND_LINES / 2 + 1);
}

static void
a_flood_of_one_kind_leaves_room_for_the_others(void **state)
{
	struct site *site = *state;
	char path[64];
	json_t *event;
	size_t before;

	for (int i = 0; i < 100000; i++) {
		(void)snprintf(path, sizeof(path), "/tmp/file-%d", i);
		add_path(site, (uint64_t)i, path);
	}
	before = lines(site);
	assert_int_equal(before, REPORT_KIND_LINES);
	assert_int_equal(site->report.lost, 100000 - before);

	report_add(&site->report, 100000, BY_SINK, 0, REPORT_NET_MAIL,
	    FIELD("to", "anna@example.net"));
	assert_int_equal(lines(site), before + 1);
	event = line(site, before);
	check_text(event, "to", "anna@example.net");
	json_decref(event);
}

static void
a_full_report_still_has_its_end_and_says_what_was_lost(void **state)
{
	struct site *site = *state;
	char path[900];
	json_t *event;
	size_t n;

	report_init(&site->report, site->room, 8192);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	for (int i = 0; i < 100; i++) {
		path[0] = (char)('a' + i % 26);
		add_path(site, 0, path);
	}
	for (int i = 0; i < 200; i++) { /* the last gap too */
		path[2] = '\0';
		path[1] = (char)('a' + i % 20);
		add_path(site, 0, path);
	}
	assert_true(site->report.lost > 80);
	report_end(&site->report, 5000000, "exit", 3);
	n = lines(site);
	assert_true(site->report.used <= 8192);
	event = line(site, n - 2);
	check_text(event, "ev", "agent.note");
	assert_non_null(strstr(
	    json_string_value(json_object_get(event, "text")), "truncated"));
	json_decref(event);
	event = line(site, n - 1);
	check_text(event, "ev", "agent.end");
	check_text(event, "how", "exit");
	assert_int_equal(json_integer_value(json_object_get(event, "code")), 3);
	json_decref(event);
}

static void
an_end_without_losses_says_nothing_of_losses(void **state)
{
	struct site *site = *state;

	add_path(site, 0, "/tmp/a");
	report_end(&site->report, 1, "exit", 0);
	assert_int_equal(lines(site), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	    TEST(an_event_is_a_line_with_its_time_and_fields),
	    TEST(octets_that_are_no_text_are_escaped),
	    TEST(a_long_string_is_cut_at_a_whole_character),
	    TEST(what_repeats_is_written_once_and_counted),
	    TEST(repetitions_are_told_when_they_are_old_enough),
	    TEST(the_same_program_again_is_a_repetition_but_not_the_same_file),
	    TEST(times_never_go_back),
	    TEST(cheap_events_leave_half_of_their_kind),
	    TEST(a_flood_of_one_kind_leaves_room_for_the_others),
	    TEST(a_full_report_still_has_its_end_and_says_what_was_lost),
	    TEST(an_end_without_losses_says_nothing_of_losses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
