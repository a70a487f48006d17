/*
 * tests/unit/test_detector_trouble.c - guests that lie, flood or fall silent:
 * unknown, never clean, and in bounded memory.
 */
#include "tests/support/detector_site.h"
#include "vmm/mailbox.h"
#include "vmm/report.h"

#define RULES \
	"behaviour a 10 T1000 \"A\"\n when file.create path $\n" \
	" then process.start path $\n" \
	"behaviour b 20 T1000 \"B\"\n when file.write times 3 different " \
	"path\n"

#define START "{\"ev\":\"agent.start\",\"name\":\"a\",\"how\":\"elf\"}\n"
#define END   "{\"ev\":\"agent.end\",\"how\":\"exit\"}\n"

struct row {
	const char *report;
	bool ended, conclusive;
	const char *why;
};

static void
only_a_whole_report_is_conclusive(void **state)
{
	static const struct row rows[] = {
	    {START END, true, true, ""},
	    {START, false, true, ""},
	    {START "{\"ev\":\"agent.end\",\"how\":\"quiet\"}\n", true, true,
		""},
	    {START "{\"ev\":\"agent.end\",\"how\":\"deadline\"}\n", true, true,
		""},
	    {START, true, false, "cut off"},
	    {"", true, false, "did not begin"},
	    {"", false, false, "did not begin"},
	    {END, true, false, "did not begin"},
	    {START "{\"ev\":\"agent.end\",\"how\":\"no-opener\"}\n", true,
		false, "nothing in the guest opens"},
	    {START "{\"ev\":\"agent.end\",\"how\":\"no-opener\"}\n", false,
		false, "nothing in the guest opens"},
	    {START "{\"ev\":\"agent.end\",\"how\":\"failed\"}\n", true, false,
		"could not run"},
	    {START "{\"ev\":\"agent.end\"}\n", true, false, "could not run"},
	    {START "x\n" END, true, false, "no events"},
	    {START START END, true, false, "no events"},
	    {START END "{\"ev\":\"file.read\"}\n", true, false, "went on"},
	    {START END END, true, false, "went on"},
	    {START END "{", true, false, "lost"},
	    {START "{\"t\":9,\"ev\":\"file.read\"}\n"
		   "{\"t\":3,\"ev\":\"file.read\"}\n" END,
		true, false, "time went back"},
	    {START "{\"t\":9,\"ev\":\"file.read\"}\n"
		   "{\"t\":8,\"ev\":\"agent.end\",\"how\":\"exit\"}\n",
		true, true, ""},
	    {START "{\"ev\":\"agent.note\",\"text\":\"truncated: 3 events "
		   "lost\"}\n" END,
		true, false, "lost"},
	    {START "{\"ev\":\"agent.note\",\"text\":\"no watch on x\"}\n" END,
		true, false, "could not see"},
	};
	struct rules *rules = rules_of(RULES);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct detector *d = detector_new(rules);
		const char *why = NULL;
		bool is;

		detector_feed(d, rows[i].report, strlen(rows[i].report));
		is = detector_is_conclusive(d, rows[i].ended, &why);
		if (is != rows[i].conclusive || !strstr(why, rows[i].why) ||
		    is != (*why == '\0'))
			fail_msg("%s: %s", rows[i].report, why);
		detector_free(d);
	}
	rules_free(rules);
}

static void
lost_events_are_the_holders_word_too(void **state)
{
	struct rules *rules = rules_of(RULES);
	struct detector *d = detector_new(rules);
	const char *why;
	char *text;

	(void)state;
	detector_feed(d, START END, strlen(START END));
	detector_lost(d, 0);
	assert_true(detector_is_conclusive(d, true, &why));
	detector_lost(d, 7);
	assert_false(detector_is_conclusive(d, true, &why));
	text = detector_evidence(d, 1000);
	assert_non_null(strstr(text, "\"lost\":7,\"truncated\":true"));
	free(text);
	detector_free(d);
	rules_free(rules);
}

static void
lines_between_bad_ones_are_still_read(void **state)
{
	static const char text[] =
	    START "\n\n{\"ev\":\"file.create\",\"path\":\"/a\"}\nrubbish\n"
		  "{\"ev\":\"process.start\",\"path\":\"/a\"}\n" END;
	struct rules *rules = rules_of(RULES);
	struct detector *d = detector_new(rules);
	char ids[50], *evidence;

	(void)state;
	detector_feed(d, text, strlen(text));
	assert_int_equal(evidence_ids(d, ids, sizeof(ids)), 10);
	evidence = detector_evidence(d, 1000);
	assert_non_null(strstr(evidence, "\"events\":4,\"malformed\":1,"));
	free(evidence);
	detector_free(d);
	rules_free(rules);
}

static void
a_line_without_end_is_one_bad_line(void **state)
{
	static char octets[EVENT_LINE_MAX * 3];
	struct rules *rules = rules_of(RULES);
	struct detector *d = detector_new(rules);
	char *evidence;

	(void)state;
	memset(octets, 'x', sizeof(octets));
	detector_feed(d, octets, sizeof(octets));
	detector_feed(d, octets, sizeof(octets));
	detector_feed(d, "\n" START END, 1 + strlen(START END));
	evidence = detector_evidence(d, 1000);
	assert_non_null(strstr(evidence, "\"events\":2,\"malformed\":1,"));
	free(evidence);
	detector_free(d);
	rules_free(rules);
}

/* More than a mailbox holds; each event another file, program and process. */
static void
a_flood_is_cut_off_and_unknown(void **state)
{
	struct rules *rules = rules_of(RULES);
	struct detector *d = detector_new(rules);
	const char *why;
	char line[100], ids[50];
	size_t n = 0, fed = 0;

	(void)state;
	detector_feed(d, START, strlen(START));
	while (fed <= MAILBOX_REPORT_MAX) {
		(void)snprintf(line, sizeof(line),
		    "{\"ev\":\"file.create\",\"path\":\"/%zx\"}\n", n++);
		fed += strlen(line);
		detector_feed(d, line, strlen(line));
	}
	(void)snprintf(
	    line, sizeof(line), "{\"ev\":\"process.start\",\"path\":\"/0\"}\n");
	detector_feed(d, line, strlen(line));
	assert_false(detector_is_conclusive(d, false, &why));
	assert_string_equal(why, "events were lost");
	assert_int_equal(evidence_ids(d, ids, sizeof(ids)), 0);
	detector_free(d);
	rules_free(rules);
}

/* Fewer octets than a mailbox holds, but more files than are remembered. */
static void
more_than_can_be_remembered_is_unknown(void **state)
{
	struct rules *rules = rules_of(RULES);
	struct detector *d = detector_new(rules);
	const char *why;
	char line[100];
	size_t fed = strlen(START);

	(void)state;
	detector_feed(d, START, fed);
	for (size_t n = 0; fed < MAILBOX_REPORT_MAX - 100; n++) {
		(void)snprintf(line, sizeof(line),
		    "{\"ev\":\"file.create\",\"path\":\"%zx\"}\n", n);
		fed += strlen(line);
		detector_feed(d, line, strlen(line));
	}
	assert_false(detector_is_conclusive(d, false, &why));
	assert_string_equal(why, "events were lost");
	detector_free(d);
	rules_free(rules);
}

static void
what_a_guest_writes_is_quoted_afresh(void **state)
{
	static const char text[] =
	    START "{\"ev\":\"file.create\",\"path\":\"/\\u0041\\\"\\\\\\u0001"
		  "\\u007f\\n\",\"x\":\"y\"}\n"
		  "{\"ev\":\"process.start\",\"pid\":7,\"t\":1.5,\"n\":2,"
		  "\"path\":\"/A\\\"\\\\\\u0001\\u007f\\n\"}\n";
	struct rules *rules = rules_of(RULES);
	struct detector *d = detector_new(rules);
	char *evidence;

	(void)state;
	detector_feed(d, text, strlen(text));
	evidence = detector_evidence(d, 4000);
	assert_string_equal(evidence,
	    "{\"score\":10,\"threshold\":100,\"behaviours\":[{\"id\":\"a\","
	    "\"name\":\"A\",\"attack\":\"T1000\",\"weight\":10,\"events\":["
	    "{\"t\":0.000,\"ev\":\"file.create\",\"path\":\"/A\\\"\\\\"
	    "\\u0001\\u007f\\u000a\"},{\"t\":1.500,\"pid\":7,\"ev\":"
	    "\"process.start\",\"n\":2,\"path\":\"/A\\\"\\\\\\u0001\\u007f"
	    "\\u000a\"}]}],\"events\":3,\"malformed\":0,\"lost\":0,"
	    "\"truncated\":false}");
	free(evidence);
	detector_free(d);
	rules_free(rules);
}

static void
evidence_fits_into_what_there_is(void **state)
{
	struct rules *rules = rules_of(RULES);
	struct detector *d = detector_new(rules);
	const char *at;
	char *line, *whole;
	size_t shortest = SIZE_MAX;

	(void)state;
	detector_feed(d, START, strlen(START));
	for (int i = 0; i < 3; i++) {
		line = xasprintf(
		    "{\"ev\":\"file.write\",\"path\":\"/%d/%0400d\\\"\"}\n", i,
		    0);
		detector_feed(d, line, strlen(line));
		free(line);
	}
	whole = detector_evidence(d, 65536);
	assert_non_null(strstr(whole, "000...\""));
	at = strstr(whole, "\"events\":[{");
	assert_non_null(at);
	for (size_t max = 0; max <= strlen(whole); max++) {
		char *text = detector_evidence(d, max);

		if (!text) {
			assert_true(shortest == SIZE_MAX);
			continue;
		}
		shortest = shortest == SIZE_MAX ? max : shortest;
		assert_true(strlen(text) <= max);
		assert_int_equal(strncmp(text, "{\"score\":20,", 12), 0);
		assert_int_equal(text[strlen(text) - 1], '}');
		if (max == strlen(whole))
			assert_string_equal(text, whole);
		free(text);
	}
	assert_true(shortest < 150);
	free(whole);
	detector_free(d);
	rules_free(rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_a_whole_report_is_conclusive),
	    cmocka_unit_test(lost_events_are_the_holders_word_too),
	    cmocka_unit_test(lines_between_bad_ones_are_still_read),
	    cmocka_unit_test(a_line_without_end_is_one_bad_line),
	    cmocka_unit_test(a_flood_is_cut_off_and_unknown),
	    cmocka_unit_test(more_than_can_be_remembered_is_unknown),
	    cmocka_unit_test(what_a_guest_writes_is_quoted_afresh),
	    cmocka_unit_test(evidence_fits_into_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
