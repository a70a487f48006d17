#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queues/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct event full = {
    .kind = EVENT_MOVE,
    .t = {UINT64_C(1795333110123456)},
    .id = "6AM7cU1D032072",
    .from = SPOOL_FEED1 + 2,
    .to = SPOOL_VIRUS,
    .bytes = 5000000000,
    .sender = "a@x.test",
    .rcpt = "b@y.test c@y.test",
    .verdict = "virus",
    .reason = "line one\nline \"two\"",
    .wait_usec = 17,
    .service_usec = 18,
    .evidence = "{\"clamd\":{\"name\":\"Eicar\"},\"n\":[1,2.5,null]}",
};

static void
assert_same(const char *a, const char *b)
{
	assert_true((a == NULL) == (b == NULL));
	if (a)
		assert_string_equal(a, b);
}

/* Format, parse, compare. */
static void
there_and_back(const struct event *e)
{
	char *line = event_format(e);
	struct event got;
	void *keep;

	assert_non_null(line);
	assert_null(strchr(line, '\n'));
	assert_int_equal(event_parse(line, strlen(line), &got, &keep), 0);
	assert_int_equal(got.kind, e->kind);
	assert_int_equal(got.t.usec, e->t.usec);
	assert_string_equal(got.id, e->id);
	assert_int_equal(got.from, e->from);
	assert_int_equal(got.to, e->to);
	assert_int_equal(got.bytes, e->bytes);
	assert_same(got.sender, e->sender);
	assert_same(got.rcpt, e->rcpt);
	assert_same(got.verdict, e->verdict);
	assert_same(got.reason, e->reason);
	assert_int_equal(got.wait_usec, e->wait_usec);
	assert_int_equal(got.service_usec, e->service_usec);
	assert_same(got.evidence, e->evidence);
	event_release(keep);
	free(line);
}

static void
every_kind_goes_there_and_back(void **state)
{
	struct event e = full;

	(void)state;
	there_and_back(&e);
	e.to = SPOOL_IN;
	e.kind = EVENT_DIED;
	there_and_back(&e);
	e.kind = EVENT_WAIT;
	e.sender = e.rcpt = e.verdict = e.evidence = NULL;
	there_and_back(&e);
	e = (struct event){.kind = EVENT_START, .reason = "worker 3"};
	there_and_back(&e);
}

static char *
reason_of(const char *reason, const char *evidence)
{
	struct event e = {
	    .kind = EVENT_START, .reason = reason, .evidence = evidence};
	char *line = event_format(&e), *text;
	struct event got;
	void *keep;

	assert_int_equal(event_parse(line, strlen(line), &got, &keep), 0);
	text = strdup(reason ? got.reason : got.evidence);
	event_release(keep);
	free(line);
	return text;
}

static void
octets_that_are_no_utf8_are_replaced(void **state)
{
	static const char *const pairs[][2] = {
	    {"caf\351 ok", "caf\357\277\275 ok"},
	    {"caf\303\251", "caf\303\251"},
	    {"\300\200x", "\357\277\275\357\277\275x"},
	    {"\355\240\200", "\357\277\275\357\277\275\357\277\275"},
	    {"\360\237\230\200", "\360\237\230\200"},
	    {"\364\220\200\200",
		"\357\277\275\357\277\275\357\277\275\357\277\275"},
	    {"\342\202", "\357\277\275\357\277\275"},
	    {"\1\177", "\1\177"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *got = reason_of(pairs[i][0], NULL);

		assert_string_equal(got, pairs[i][1]);
		free(got);
	}
}

static void
evidence_that_is_no_json_is_kept_as_a_string(void **state)
{
	static const char *const pairs[][2] = {
	    {"[ 1 , {\"a\" : \"b\"} ]", "[1,{\"a\":\"b\"}]"},
	    {"3", "3"},
	    {"{\"a\":", "\"{\\\"a\\\":\""},
	    {"", "\"\""},
	    {"\"\\u0000\"", "\"\\\"\\\\u0000\\\"\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *got = reason_of(NULL, pairs[i][0]);

		assert_string_equal(got, pairs[i][1]);
		free(got);
	}
}

static void
what_is_no_event_is_refused(void **state)
{
	static const char *const lines[] = {
	    "",
	    "{",
	    "[]",
	    "{}",
	    "3",
	    "{\"event\":\"move\",\"t\":1}",
	    "{\"event\":\"move\",\"id\":\"a\",\"from\":\"in\"}",
	    "{\"event\":\"move\",\"id\":\"a\",\"from\":\"in\",\"to\":\"x\"}",
	    "{\"event\":\"move\",\"id\":\"../a\",\"from\":\"in\",\"to\":"
	    "\"out\"}",
	    "{\"event\":\"jump\",\"id\":\"a\",\"from\":\"in\",\"to\":\"out\"}",
	    "{\"event\":\"start\",\"t\":-1}",
	    "{\"event\":\"start\",\"bytes\":\"many\"}",
	    "{\"event\":\"start\"} x",
	};
	struct event e;
	void *keep;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(
		    event_parse(lines[i], strlen(lines[i]), &e, &keep),
		    -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_goes_there_and_back),
	    cmocka_unit_test(octets_that_are_no_utf8_are_replaced),
	    cmocka_unit_test(evidence_that_is_no_json_is_kept_as_a_string),
	    cmocka_unit_test(what_is_no_event_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
