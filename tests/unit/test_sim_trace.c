#include "tools/sim/trace.h"
#include "worker/ledger.h"

#include "common/store.h"
#include "tests/support/ledger_site.h"

#include <errno.h>
#include <math.h>

/* A text file of that content in the site's directory; freed with it. */
static char *
put_text(struct site *s, const char *text)
{
	char *path = xasprintf("%s/trace", s->path);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	return path;
}

static int
read_text(struct site *s, const char *text, struct trace *ret, char *err,
    size_t err_size)
{
	CLEANUP(free_ptr) char *path = put_text(s, text);

	return trace_read(path, 0, UINT64_MAX, ret, err, err_size);
}

static void
lines_of_numbers_are_messages(void **state)
{
	struct trace t;
	char err[400];

	assert_int_equal(
	    read_text(*state,
		"# a comment\n\n1700000000.25 6800 1.5\n"
		"  1700000000.25\t20 0.5 0.125\n1700000009 1 0 2 4\r\n",
		&t, err, sizeof(err)),
	    0);
	assert_int_equal(t.n, 3);
	assert_true(t.messages[0].arrived_usec == 1700000000250000);
	assert_true(t.messages[0].bytes == 6800 &&
		    t.messages[0].service_usec == 1500000);
	assert_true(t.messages[0].wait_usec == TRACE_NO_WAIT &&
		    t.messages[0].lane == FEED_MAX_LANES);
	assert_true(t.messages[1].wait_usec == 125000 &&
		    t.messages[1].lane == FEED_MAX_LANES);
	assert_true(t.messages[2].wait_usec == 2000000 &&
		    t.messages[2].lane == 3 && t.messages[2].service_usec == 0);
	trace_done(&t);
	assert_int_equal(t.n, 0);
}

/* Each bad file: what the complaint must say beside "trace:LINE:". */
static void
a_bad_line_is_named_with_its_value(void **state)
{
	static const struct {
		const char *text, *line, *says;
	} bad[] = {
	    {"1 2\n", "trace:1:", "only 2"},
	    {"1 2 3\n1 2\n", "trace:2:", "ARRIVED_SECONDS BYTES"},
	    {"1 2 3 4 5 6\n", "trace:1:", "\"6\" is one field too many"},
	    {"5 2 3\n4.5 2 3\n", "trace:2:", "goes back, from 5.0"},
	    {"x 2 3\n", "trace:1:", "ARRIVED_SECONDS: \"x\""},
	    {"1 nan 3\n", "trace:1:", "BYTES: \"nan\""},
	    {"1 0 3\n", "trace:1:", "BYTES: 0 is below 1"},
	    {"1 1.5 3\n", "trace:1:", "BYTES: 1.5"},
	    {"1 2 inf\n", "trace:1:", "SERVICE_SECONDS: \"inf\""},
	    {"1 2 -3\n", "trace:1:", "SERVICE_SECONDS: -3"},
	    {"1 2 3x\n", "trace:1:", "SERVICE_SECONDS: \"3x\""},
	    {"1 2 3 -1\n", "trace:1:", "WAIT_SECONDS: -1"},
	    {"1 2 3 4 0\n", "trace:1:", "LANE: 0"},
	    {"1 2 3 4 65\n", "trace:1:", "LANE: 65"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct trace t;
		char err[400] = "";

		assert_int_equal(
		    read_text(*state, bad[i].text, &t, err, sizeof(err)),
		    -EINVAL);
		if (!strstr(err, bad[i].line) || !strstr(err, bad[i].says) ||
		    !strstr(err, "write "))
			fail_msg("%s and '%s' expected of: %s", bad[i].line,
			    bad[i].says, err);
	}
}

static void
an_endless_line_is_refused(void **state)
{
	char text[5000];
	struct trace t;
	char err[400];

	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(
	    read_text(*state, text, &t, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "trace:1:"));
}

static void
nothing_to_read_has_a_reason(void **state)
{
	struct site *s = *state;
	CLEANUP(free_ptr) char *none = xasprintf("%s/none", s->path);
	struct trace t;
	char err[400];

	assert_int_equal(read_text(s, "", &t, err, sizeof(err)), -ENODATA);
	assert_non_null(strstr(err, "no message"));
	assert_int_equal(
	    read_text(s, "# nothing\n", &t, err, sizeof(err)), -ENODATA);
	assert_int_equal(
	    trace_read(none, 0, UINT64_MAX, &t, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, none));
	assert_int_equal(
	    trace_read(s->path, 0, UINT64_MAX, &t, err, sizeof(err)), -EISDIR);
	/* A ledger without a message. */
	assert_int_equal(
	    trace_read(s->db, 0, UINT64_MAX, &t, err, sizeof(err)), -ENODATA);
}

static void
what_arrived_outside_is_left_out(void **state)
{
	CLEANUP(free_ptr)
	char *path = put_text(*state, "1 10 1\n2 20 1\n3 30 1\n4 40 1\n");
	struct trace t;
	char err[400];

	assert_int_equal(trace_read(path, 2 * USEC_PER_SEC, 3 * USEC_PER_SEC,
			     &t, err, sizeof(err)),
	    0);
	assert_true(
	    t.n == 2 && t.messages[0].bytes == 20 && t.messages[1].bytes == 30);
	trace_done(&t);
	assert_int_equal(trace_read(path, 5 * USEC_PER_SEC, UINT64_MAX, &t, err,
			     sizeof(err)),
	    -ENODATA);
	assert_non_null(strstr(err, "other times"));
}

/* Journal lines of one message; the worker's came wait_usec after arrival. */
static void
judge(struct site *s, const char *id, unsigned int lane, uint64_t judged_usec,
    uint64_t wait_usec, uint64_t service_usec)
{
	struct event e = {.kind = EVENT_MOVE,
	    .t.usec = judged_usec - wait_usec / 2,
	    .from = SPOOL_IN,
	    .to = SPOOL_FEED1 + (int)lane,
	    .bytes = 1000 + lane,
	    .wait_usec = wait_usec / 4};

	(void)snprintf(e.id, sizeof(e.id), "%s", id);
	write_line(s->feed, &e);
	e.from = e.to;
	e.to = SPOOL_OUT;
	e.verdict = "clean";
	e.t.usec = judged_usec;
	e.wait_usec = wait_usec;
	e.service_usec = service_usec;
	write_line(s->worker, &e);
}

static void
a_ledger_gives_what_was_judged_by_arrival(void **state)
{
	static const struct event unanswered = {.kind = EVENT_WAIT,
	    .t.usec = 60000000,
	    .id = "C1",
	    .from = SPOOL_FEED1,
	    .wait_usec = 1000000};
	struct site *s = *state;
	struct trace t;
	char err[400];

	s->t = 50000000;
	judge(s, "B1", 1, 9000000, 5000000, 2000000); /* arrived at 4 s */
	judge(s, "Z1", 0, 9500000, 6500000, 500000);  /* at 3 s, id later */
	say(s, s->feed, "C1", SPOOL_IN, SPOOL_FEED1); /* still waits */
	write_line(s->worker, &unanswered);
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 6);
	assert_int_equal(
	    trace_read(s->db, 0, UINT64_MAX, &t, err, sizeof(err)), 0);
	assert_int_equal(t.n, 2);
	assert_true(t.messages[0].arrived_usec == 3000000 &&
		    t.messages[0].bytes == 1000 && t.messages[0].lane == 0);
	assert_true(t.messages[0].service_usec == 500000 &&
		    t.messages[0].wait_usec == 6000000);
	assert_true(t.messages[1].arrived_usec == 4000000 &&
		    t.messages[1].lane == 1 &&
		    t.messages[1].wait_usec == 3000000);
	trace_done(&t);
}

/* What an operator does later doesn't make the scan look later. */
static void
a_release_is_no_second_arrival(void **state)
{
	struct site *s = *state;
	struct trace t;
	char err[400];

	judge(s, "A1", 0, 9500000, 6500000, 500000);
	s->t = 900000000;
	say(s, s->worker, "A1", SPOOL_EXT, SPOOL_OUT);
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 3);
	assert_int_equal(
	    trace_read(s->db, 0, UINT64_MAX, &t, err, sizeof(err)), 0);
	assert_true(t.n == 1 && t.messages[0].arrived_usec == 3000000 &&
		    t.messages[0].wait_usec == 6000000);
	trace_done(&t);
}

static void
a_foreign_database_is_no_ledger(void **state)
{
	struct site *s = *state;
	CLEANUP(free_ptr) char *path = xasprintf("%s/other.db", s->path);
	struct store *store = NULL;
	struct trace t;
	char err[400];

	assert_int_equal(store_open(path, "CREATE TABLE x(y)", LEDGER_FORMAT,
			     false, &store, err, sizeof(err)),
	    0);
	assert_int_equal(
	    trace_read(path, 0, UINT64_MAX, &t, err, sizeof(err)), -EBADMSG);
	assert_non_null(strstr(err, "no ledger"));
	assert_non_null(strstr(err, path));
	(void)store_close(store);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
	    TEST(lines_of_numbers_are_messages),
	    TEST(a_bad_line_is_named_with_its_value),
	    TEST(an_endless_line_is_refused),
	    TEST(nothing_to_read_has_a_reason),
	    TEST(what_arrived_outside_is_left_out),
	    TEST(a_ledger_gives_what_was_judged_by_arrival),
	    TEST(a_release_is_no_second_arrival),
	    TEST(a_foreign_database_is_no_ledger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
