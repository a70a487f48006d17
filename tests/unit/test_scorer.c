/*
 * tests/unit/test_scorer.c - learned weights of calls.
 */
#include "tests/support/detector_site.h"

#define SCORER \
	"scorer s 10 T1000 \"S\"\n bias -1\n score 0.5\n least 2\n" \
	" weight 1.5 A\n weight 0.1 B\n weight -2 Speaks\n" \
	" weight 3 least 2 of X Y Z\n weight 0 A B X Y Z\n"

static void
sums_decide(void **state)
{
	static const struct {
		const char *events[8];
		bool found;
	} rows[] = {
	    {{"api.call|name=A", "api.call|name=B"}, true},
	    {{"api.call|name=A"}, false},
	    {{"api.call|name=A", "api.call|name=a"}, false},
	    {{"api.call|name=B", "api.call|name=Unknown"}, false},
	    {{"3*api.call|name=B", "2*api.call|name=A"}, true},
	    {{"9*api.call|name=B", "api.call|name=X"}, false},
	    {{"api.call|name=A", "api.call|name=B", "api.call|name=Speaks"},
		false},
	    {{"api.call|name=X", "api.call|name=Z"}, true},
	    {{"4*api.call|name=X"}, false},
	    {{"api.call|name=X", "api.call|name=Y", "api.call|name=Z",
		 "api.call|name=Speaks"},
		false},
	    {{"file.read|path=A", "file.read|path=B"}, false},
	};
	struct rules *rules = rules_of(SCORER);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct detector *d = detector_of(rules, rows[i].events);
		char ids[50];

		assert_int_equal(
		    evidence_ids(d, ids, sizeof(ids)), rows[i].found ? 10 : 0);
		assert_string_equal(
		    detector_reason(d), rows[i].found ? "S" : "");
		detector_free(d);
	}
	rules_free(rules);
}

/* A call that speaks for the program may still come. */
static void
nothing_is_decided_before_the_end(void **state)
{
	static const char calls[] = "{\"ev\":\"api.call\",\"name\":\"A\"}\n"
				    "{\"ev\":\"api.call\",\"name\":\"B\"}\n";
	static const char end[] = "{\"ev\":\"agent.end\",\"how\":\"exit\"}\n";
	struct rules *rules = rules_of("threshold 10\n" SCORER);
	struct detector *d = detector_new(rules);

	(void)state;
	detector_feed(d, calls, strlen(calls));
	assert_false(detector_is_proven(d));
	detector_feed(d, end, strlen(end));
	assert_true(detector_is_proven(d));
	detector_free(d);
	rules_free(rules);
}

static void
what_is_shipped_does_not_condemn_alone(void **state)
{
	struct rules *rules =
	    rules_from(TEST_SOURCE_DIR "/../../etc/behaviours.conf");
	static const char *const malicious[] = {"api.call|name=NtWriteFile",
	    "api.call|name=RegCreateKeyExA", "api.call|name=CopyFileA",
	    "api.call|name=GetSystemDirectoryA", "api.call|name=RegSetValueExA",
	    "api.call|name=CreateProcessInternalW", NULL};
	static const char *const benign[] = {
	    "api.call|name=SetUnhandledExceptionFilter",
	    "api.call|name=GetSystemTimeAsFileTime",
	    "api.call|name=LdrGetDllHandle", NULL};
	struct detector *d = detector_of(rules, malicious);
	char ids[100];

	(void)state;
	assert_int_equal(evidence_ids(d, ids, sizeof(ids)), 40);
	assert_string_equal(ids, "api-calls");
	assert_false(detector_is_proven(d));
	detector_free(d);
	d = detector_of(rules, benign);
	assert_int_equal(evidence_ids(d, ids, sizeof(ids)), 0);
	detector_free(d);
	rules_free(rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sums_decide),
	    cmocka_unit_test(nothing_is_decided_before_the_end),
	    cmocka_unit_test(what_is_shipped_does_not_condemn_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
