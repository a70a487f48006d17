/*
 * tests/unit/test_deliver.c - what the deliver role does with messages and
 * with what is said of them: the real role, in a process of its own.
 */
#include "tests/support/deliver_site.h"

#include "common/cleanup.h"

/* As if a role had died of it once. */
static void
put_suspect(struct site *s, const char *id)
{
	struct claim claim;
	const char *reason;

	site_put(s, id);
	assert_int_equal(
	    claim_take(s->spool, SPOOL_FEED1, id, &claim, &reason), 0);
	assert_int_equal(tries_write(&claim, (struct tries){0, 1}), 0);
	claim_drop(&claim);
}

static void
the_engines_get_the_message_and_its_envelope(void **state)
{
	struct site *s = *state;
	const struct wire_job *job;
	struct wire_job copy;
	char text[1000] = "";
	ssize_t n;

	site_put(s, "wAA00001");
	site_start(s, "");
	assert_true(site_job_within(s, SITE_PATIENCE_MSEC, &copy));
	job = &copy;
	assert_string_equal(job->id, "wAA00001");
	assert_string_equal(job->sender, "a@x.test");
	assert_string_equal(job->rcpt, "b@y.test");
	assert_string_equal(job->client, "localhost [127.0.0.1]");
	n = pread(s->msg.fds[0], text, sizeof(text) - 1, 0);
	assert_int_equal(n, job->bytes);
	assert_non_null(strstr(text, "\nSubject: s\n\n" TMPSPOOL_BODY));
	/* It can neither be changed nor unlocked through what was passed. */
	assert_int_equal(pwrite(s->msg.fds[0], "x", 1, 0), -1);
	ipc_drop_fds(&s->msg);
	/* Counted on disk before anybody parses it. */
	assert_int_equal(site_tries(s, SPOOL_FEED1, "wAA00001").begun, 1);
	assert_true(site_is_in(s, SPOOL_FEED1, "wAA00001"));
}

static void
each_verdict_has_its_place(void **state)
{
	static const struct {
		const char *engine;
		enum answer answer;
		enum spool_dir to;
		const char *verdict;
	} rows[] = {
	    {"clamd", ANSWER_CLEAN, SPOOL_OUT, "clean"},
	    {"clamd", ANSWER_HIT, SPOOL_VIRUS, "virus"},
	    {"policy", ANSWER_HIT, SPOOL_EXT, "ext"},
	    {"reading", ANSWER_AMBIGUOUS, SPOOL_EXT, "ambiguous"},
	    {"spam", ANSWER_HIT, SPOOL_SPAM, "spam"},
	    {"any", ANSWER_WARN, SPOOL_OUT, "warn"},
	    {"spam", ANSWER_UNKNOWN_SYSTEM, SPOOL_OUT, "clean"},
	};
	struct site *s = *state;
	char id[16];

	site_start(s, "");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct noted n;
		uint64_t job;

		(void)snprintf(id, sizeof(id), "wAA%05zu", i);
		site_put(s, id);
		job = site_job(s).job;
		site_clean(s, job + 1000); /* of nobody: ignored */
		site_answer(s, job, rows[i].engine, rows[i].answer,
		    rows[i].answer ? "because" : "",
		    i % 2 ? "{\"parts\":[]}" : "");
		site_arrives(s, rows[i].to, id);
		n = site_noted(s, id, EVENT_MOVE);
		assert_int_equal(n.count, 1);
		assert_int_equal(n.to, rows[i].to);
		assert_string_equal(n.verdict, rows[i].verdict);
		assert_string_equal(
		    n.reason, strcmp(n.verdict, "clean") ? "because" : "");
		assert_non_null(strstr(n.evidence, rows[i].engine));
		assert_non_null(strstr(n.evidence,
		    i % 2 ? "\"reading\":{\"parts\":[]}" : "\"reading\":null"));
	}
	site_stop(s);
}

/* Nothing else happens that could wake the role. */
static void
a_decided_message_waits_for_others_only_for_a_while(void **state)
{
	struct site *s = *state;
	struct wire_job first;

	site_put(s, "wAA00001");
	site_put(s, "wAA00002");
	site_put(s, "wAA00003");
	site_start(s, "");
	first = site_job(s);
	(void)site_job(s);
	(void)site_job(s);
	site_clean(s, first.job);
	site_arrives(s, SPOOL_OUT, first.id);
}

static void
a_message_that_kills_its_cell_twice_goes_to_error(void **state)
{
	struct site *s = *state;
	struct tries tries;
	struct noted n;

	site_put(s, "wAA00001");
	site_start(s, "");
	site_answer(s, site_job(s).job, "reading", ANSWER_UNKNOWN_MESSAGE,
	    "its cell died", "{}");
	site_no_job(s, 500);
	tries = site_tries(s, SPOOL_FEED1, "wAA00001");
	assert_int_equal(tries.died, 1);
	assert_int_equal(tries.begun, 0);
	assert_true(site_is_in(s, SPOOL_FEED1, "wAA00001"));
	site_answer(s, site_job(s).job, "reading", ANSWER_UNKNOWN_MESSAGE,
	    "its cell died again", "{\"parts\":[]}");
	site_arrives(s, SPOOL_ERROR, "wAA00001");
	assert_int_equal(site_tries(s, SPOOL_ERROR, "wAA00001").died, 2);
	assert_int_equal(site_noted(s, "wAA00001", EVENT_DIED).count, 2);
	n = site_noted(s, "wAA00001", EVENT_MOVE);
	assert_string_equal(n.verdict, "error");
	assert_string_equal(n.reason, "its cell died again");
	assert_non_null(strstr(n.evidence, "\"parts\""));
	assert_int_equal(site_noted(s, "wAA00001", EVENT_WAIT).count, 0);
	site_stop(s);
}

static void
tries_outlive_the_process(void **state)
{
	struct site *s = *state;

	site_put(s, "wAA00001");
	site_start(s, "");
	site_answer(s, site_job(s).job, "reading", ANSWER_UNKNOWN_MESSAGE,
	    "its cell died", "{}");
	site_no_job(s, 100);
	site_stop(s);
	(void)close(s->fd);
	site_start(s, "");
	site_answer(s, site_job(s).job, "reading", ANSWER_UNKNOWN_MESSAGE,
	    "and again", "{}");
	site_arrives(s, SPOOL_ERROR, "wAA00001");
}

static void
suspects_are_tried_one_at_a_time(void **state)
{
	struct site *s = *state;
	struct wire_job first, other;

	put_suspect(s, "wAA00001");
	put_suspect(s, "wAA00002");
	site_start(s, "");
	first = site_job(s);
	site_put(s, "wAA00003");
	other = site_job(s); /* who is none is not held up */
	assert_string_equal(other.id, "wAA00003");
	site_no_job(s, 300);
	site_clean(s, first.job);
	other = site_job(s);
	assert_string_not_equal(other.id, first.id);
	site_clean(s, other.job);
	site_arrives(s, SPOOL_OUT, "wAA00001");
	site_arrives(s, SPOOL_OUT, "wAA00002");
}

static void
a_failed_move_keeps_the_message(void **state)
{
	struct site *s = *state;

	site_put(s, "wAA00001");
	tmpspool_put(s->spool, SPOOL_OUT, "wAA00001"); /* another's name */
	site_start(s, "worker { backoff_max = 1s }");
	site_clean(s, site_job(s).job);
	site_no_job(s, 700);
	assert_true(site_is_in(s, SPOOL_FEED1, "wAA00001"));
	assert_true(site_is_in(s, SPOOL_OUT, "wAA00001"));
	/* It was judged: the next start has nothing to suspect it of. */
	assert_int_equal(site_tries(s, SPOOL_FEED1, "wAA00001").begun, 0);
	assert_int_equal(
	    unlinkat(s->spool->fds[SPOOL_OUT], "qfwAA00001", 0), 0);
	assert_int_equal(
	    unlinkat(s->spool->fds[SPOOL_OUT], "dfwAA00001", 0), 0);
	site_clean(s, site_job(s).job);
	site_arrives(s, SPOOL_OUT, "wAA00001");
	site_stop(s);
	site_logged(s, "mid=wAA00001 stays in feed1: move to out failed: "
		       "File exists");
}

static void
sigterm_ends_what_was_begun_and_no_more(void **state)
{
	struct site *s = *state;
	uint64_t a, b;

	site_start(s, "");
	site_put(s, "wAA00001");
	a = site_job(s).job;
	site_put(s, "wAA00002");
	b = site_job(s).job;
	assert_int_equal(kill(s->pid, SIGTERM), 0);
	site_no_job(s, 100);
	site_put(s, "wAA00003");
	site_no_job(s, 200);
	site_clean(s, b);
	site_arrives(s, SPOOL_OUT, "wAA00002");
	assert_int_equal(waitpid(s->pid, NULL, WNOHANG), 0);
	site_answer(s, a, "clamd", ANSWER_HIT, "V", "{}");
	assert_int_equal(site_end(s), 0);
	site_arrives(s, SPOOL_VIRUS, "wAA00001");
	assert_true(site_is_in(s, SPOOL_FEED1, "wAA00003"));
	assert_int_equal(site_tries(s, SPOOL_FEED1, "wAA00003").begun, 0);
}

/* Its message stays, begun and not charged. */
static void
stays_begun(struct site *s)
{
	const struct tries tries = site_tries(s, SPOOL_FEED1, "wAA00001");

	assert_int_equal(site_end(s), 111);
	assert_true(site_is_in(s, SPOOL_FEED1, "wAA00001"));
	assert_int_equal(tries.begun, 1);
	assert_int_equal(tries.died, 0);
}

static void
a_malformed_judgement_ends_the_role(void **state)
{
	struct site *s = *state;
	struct wire_judgement j = {.n_answers = WIRE_ANSWERS + 1};

	site_put(s, "wAA00001");
	site_start(s, "");
	j.job = site_job(s).job;
	assert_int_equal(
	    ipc_send(s->fd, WIRE_JUDGEMENT, &j, sizeof(j), NULL, 0), 0);
	stays_begun(s);
}

static void
the_death_of_the_engines_ends_the_role(void **state)
{
	struct site *s = *state;

	site_put(s, "wAA00001");
	site_start(s, "");
	(void)site_job(s);
	(void)close(s->fd);
	s->fd = -1;
	stays_begun(s);
}

static void
what_can_be_no_message_is_set_aside_unjudged(void **state)
{
	static const char d[] = "V8\nT1\nK0\nN0\ndwAA00002\n.\n";
	struct site *s = *state;
	char *body = xcalloc(1, 8192);

	site_put(s, "wAA00001");
	memset(body, 'x', 8191);
	tmp_put(s->spool->fds[SPOOL_FEED1], "dfwAA00001", body, 8191);
	site_put(s, "wAA00002");
	tmp_put(s->spool->fds[SPOOL_FEED1], "qfwAA00002", d, sizeof(d) - 1);
	site_start(s, "budget { message = 4KiB }");
	site_arrives(s, SPOOL_ERROR, "wAA00001");
	assert_string_equal(site_noted(s, "wAA00001", EVENT_MOVE).reason,
	    "budget exceeded: larger than budget.message");
	for (int i = 0;
	     i < 1000 && !tmpspool_has(s->spool, SPOOL_ERROR, "qfwAA00002");
	     i++)
		(void)usleep(1000);
	assert_true(tmpspool_has(s->spool, SPOOL_ERROR, "qfwAA00002"));
	assert_string_not_equal(
	    site_noted(s, "wAA00002", EVENT_MOVE).reason, "");
	site_no_job(s, 50);
	free(body);
}

static void
the_trace_header_is_added_to_what_passes(void **state)
{
	struct site *s = *state;
	char *qf;
	size_t len;

	site_start(s, "worker { trace_header = true }");
	site_put(s, "wAA00001");
	site_clean(s, site_job(s).job);
	site_arrives(s, SPOOL_OUT, "wAA00001");
	assert_int_equal(read_file(s->spool->fds[SPOOL_OUT], "qfwAA00001",
			     1 << 20, &qf, &len),
	    0);
	assert_non_null(strstr(qf, "H??X-Sluice: clean; worker=1\n"));
	free(qf);
	site_put(s, "wAA00002");
	site_answer(s, site_job(s).job, "clamd", ANSWER_HIT, "V", "{}");
	site_arrives(s, SPOOL_VIRUS, "wAA00002");
	assert_int_equal(read_file(s->spool->fds[SPOOL_VIRUS], "qfwAA00002",
			     1 << 20, &qf, &len),
	    0);
	assert_null(strstr(qf, "X-Sluice"));
	free(qf);
}

static void
a_second_role_of_the_same_number_refuses_to_start(void **state)
{
	struct site *s = *state, second = {.path = s->path};

	site_start(s, "");
	site_put(s, "wAA00001");
	(void)site_job(s); /* it runs */
	/* Roles give back no memory at their end; a sanitizer would replace
	 * the exit status of one that ends before its sandbox. */
	(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	site_start(&second, "");
	assert_int_equal(site_end(&second), 100);
	site_logged(&second, "another worker of that number runs");
	free(second.log);
	(void)close(second.fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, site_setup, site_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_engines_get_the_message_and_its_envelope),
	    TEST(each_verdict_has_its_place),
	    TEST(a_decided_message_waits_for_others_only_for_a_while),
	    TEST(a_message_that_kills_its_cell_twice_goes_to_error),
	    TEST(tries_outlive_the_process),
	    TEST(suspects_are_tried_one_at_a_time),
	    TEST(a_failed_move_keeps_the_message),
	    TEST(sigterm_ends_what_was_begun_and_no_more),
	    TEST(a_malformed_judgement_ends_the_role),
	    TEST(the_death_of_the_engines_ends_the_role),
	    TEST(what_can_be_no_message_is_set_aside_unjudged),
	    TEST(the_trace_header_is_added_to_what_passes),
	    TEST(a_second_role_of_the_same_number_refuses_to_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
