/*
 * tests/unit/test_deliver_wrap.c - what the deliver role does with mail that
 * an engine wants a warning for: the real role, the test is the engines.
 */
#include "tests/support/deliver_site.h"
#include "tests/support/wrapped.h"

#include "common/cleanup.h"

#define EVIDENCE \
	"{\"parts\":[{\"names\":[\"a.exe\"],\"verdicts\":[" \
	"{\"engine\":\"fake\",\"answer\":\"warn\"}]}]}"

#define ORIGINAL \
	"Received: from client.test\n\tby mx.sluice.test; now\n" \
	"Subject: s\n\n" TMPSPOOL_BODY

static void
warn_of(struct site *s, const char *reason)
{
	site_answer(s, site_job(s).job, "fake", ANSWER_WARN, reason, EVIDENCE);
}

static char *
text_of(const struct site *s, enum spool_dir dir, const char *name)
{
	char *text;
	size_t len;

	assert_int_equal(
	    read_file(s->spool->fds[dir], name, 100000, &text, &len), 0);
	return text;
}

/* It is in out, once enclosed, under this warning and with this header. */
static void
is_wrapped(const struct site *s, const char *id, const char *warning,
    const char *header)
{
	CLEANUP(free_ptr) char *df = NULL, *qf = NULL, *boundary = NULL;
	char name[40];
	const char *inner;
	size_t len;

	site_arrives(s, SPOOL_OUT, id);
	(void)snprintf(name, sizeof(name), "qf%s", id);
	qf = text_of(s, SPOOL_OUT, name);
	name[0] = 'd';
	df = text_of(s, SPOOL_OUT, name);
	boundary = wrapped_boundary(qf);
	inner = wrapped_original(boundary, df, strlen(df), &len);
	assert_non_null(inner);
	assert_int_equal(len, sizeof(ORIGINAL) - 1);
	assert_memory_equal(inner, ORIGINAL, len);
	if (!strstr(df, warning))
		fail_msg("\"%s\" isn't in:\n%s", warning, df);
	if (header && !strstr(qf, header))
		fail_msg("\"%s\" isn't in:\n%s", header, qf);
}

static void
what_an_engine_warns_of_goes_out_wrapped(void **state)
{
	struct site *s = *state;
	struct noted n;

	site_put(s, "wAA00001");
	site_start(s, "");
	warn_of(s, "it is odd");
	is_wrapped(s, "wAA00001", "Beware:\n  \"a.exe\"\n(it is odd)\n", NULL);
	n = site_noted(s, "wAA00001", EVENT_MOVE);
	assert_int_equal(n.count, 1);
	assert_int_equal(n.to, SPOOL_OUT);
	assert_string_equal(n.verdict, "warn");
	assert_string_equal(n.reason, "it is odd");
	assert_non_null(strstr(n.evidence, "\"answer\":\"warn\""));
	assert_int_equal(site_tries(s, SPOOL_OUT, "wAA00001").begun, 1);
	site_stop(s);
}

static void
what_stops_a_message_needs_no_warning(void **state)
{
	static const struct {
		const char *engine;
		enum answer answer;
		enum spool_dir to;
	} rows[] = {{"clamd", ANSWER_HIT, SPOOL_VIRUS},
	    {"policy", ANSWER_HIT, SPOOL_EXT},
	    {"spam", ANSWER_HIT, SPOOL_SPAM}};
	struct site *s = *state;

	site_start(s, "");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(free_ptr) char *df = NULL;
		struct wire_judgement j = {.n_answers = 4};
		char id[16], name[20];

		(void)snprintf(id, sizeof(id), "wAA%05zu", i);
		(void)snprintf(name, sizeof(name), "df%s", id);
		site_put(s, id);
		j.job = site_job(s).job;
		answer_set(&j.answers[0], "reading", ANSWER_CLEAN, "%s", "");
		answer_set(&j.answers[1], i ? "clamd" : "policy", ANSWER_CLEAN,
		    "%s", "");
		answer_set(&j.answers[2], "fake", ANSWER_WARN, "w");
		answer_set(
		    &j.answers[3], rows[i].engine, rows[i].answer, "because");
		if (i == 2) { /* and the third that must answer */
			j.n_answers = 5;
			answer_set(
			    &j.answers[4], "policy", ANSWER_CLEAN, "%s", "");
		}
		assert_int_equal(
		    ipc_send(s->fd, WIRE_JUDGEMENT, &j, sizeof(j), NULL, 0), 0);
		site_arrives(s, rows[i].to, id);
		df = text_of(s, rows[i].to, name);
		assert_string_equal(df, TMPSPOOL_BODY);
	}
	site_stop(s);
}

/* The header is not in the original, whatever the order of crashes. */
static void
the_trace_header_stands_on_the_warning(void **state)
{
	struct site *s = *state;

	site_put(s, "wAA00001");
	site_start(s, "worker { trace_header = true }");
	warn_of(s, "w");
	is_wrapped(s, "wAA00001", "Beware", "\nH??X-Sluice: warn; worker=1\n");
	site_stop(s);
}

/* As after a death between the wrap and the move. */
static void
a_message_that_is_judged_again_is_wrapped_once(void **state)
{
	struct site *s = *state;

	site_put(s, "wAA00001");
	tmpspool_put(s->spool, SPOOL_OUT, "wAA00001"); /* another's name */
	site_start(s, "worker { backoff_max = 1s }");
	warn_of(s, "first");
	site_no_job(s, 500);
	assert_int_equal(
	    unlinkat(s->spool->fds[SPOOL_OUT], "qfwAA00001", 0), 0);
	assert_int_equal(
	    unlinkat(s->spool->fds[SPOOL_OUT], "dfwAA00001", 0), 0);
	warn_of(s, "second");
	is_wrapped(s, "wAA00001", "(first)", NULL);
	site_stop(s);
	site_logged(s, "move to out failed: File exists");
}

/* A place that cannot be written to: a directory where nf should be. */
static void
what_could_not_be_wrapped_waits(void **state)
{
	struct site *s = *state;
	const int fd = s->spool->fds[SPOOL_FEED1];

	assert_int_equal(mkdirat(fd, "nfwAA00001", 0700), 0);
	site_put(s, "wAA00001");
	site_start(s, "worker { backoff_max = 1s }");
	warn_of(s, "w");
	site_no_job(s, 500);
	assert_true(site_is_in(s, SPOOL_FEED1, "wAA00001"));
	assert_int_equal(site_tries(s, SPOOL_FEED1, "wAA00001").begun, 0);
	assert_int_equal(unlinkat(fd, "nfwAA00001", AT_REMOVEDIR), 0);
	warn_of(s, "w");
	is_wrapped(s, "wAA00001", "Beware", NULL);
	site_stop(s);
	site_logged(s, "mid=wAA00001 is not wrapped: ");
	site_logged(s, "mid=wAA00001 stays in feed1");
}

/* Never out, and never a second verdict's work: it says so and sets aside. */
static void
what_can_never_be_wrapped_goes_to_error(void **state)
{
	struct site *s = *state;
	struct wire_job job;
	struct noted n;

	site_put(s, "wAA00001");
	site_start(s, "");
	job = site_job(s);
	/* The df is another file than the one that was judged. */
	assert_int_equal(
	    unlinkat(s->spool->fds[SPOOL_FEED1], "dfwAA00001", 0), 0);
	tmp_put(s->spool->fds[SPOOL_FEED1], "dfwAA00001", "other", 5);
	site_answer(s, job.job, "fake", ANSWER_WARN, "w", EVIDENCE);
	site_arrives(s, SPOOL_ERROR, "wAA00001");
	n = site_noted(s, "wAA00001", EVENT_MOVE);
	assert_int_equal(n.count, 1);
	assert_string_equal(n.verdict, "error");
	assert_string_equal(n.reason, "df changed after the claim");
	site_stop(s);
}

static void
without_its_text_it_does_not_start(void **state)
{
	struct site *s = *state;

	site_put_warning(s, "a\n{{nmaes}}\n");
	site_start(s, "");
	assert_int_equal(site_end(s), 100);
	site_logged(s, "conf/wrap.txt:2: \"{{\" without a known name");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_an_engine_warns_of_goes_out_wrapped),
	    TEST(what_stops_a_message_needs_no_warning),
	    TEST(the_trace_header_stands_on_the_warning),
	    TEST(a_message_that_is_judged_again_is_wrapped_once),
	    TEST(what_could_not_be_wrapped_waits),
	    TEST(what_can_never_be_wrapped_goes_to_error),
	    TEST(without_its_text_it_does_not_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
