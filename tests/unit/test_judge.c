/*
 * tests/unit/test_judge.c - one message before all engines.
 */
#include "tests/support/judge_site.h"

#include "common/cleanup.h"

#include <errno.h>

/* What the cell leaves, as a row of the table below. */
struct seen {
	const char *part; /* what clamd is to say of the one part; NULL: none */
	const char *name;
	enum reading_status status;
	bool hold;
};

static bool
leave_seen(struct reading_writer *w, void *arg)
{
	const struct seen *seen = arg;

	if (seen->part)
		(void)fake_part(w, seen->part, strlen(seen->part), seen->name);
	assert_int_equal(
	    writer_commit(w, seen->status, seen->hold ? AMBIGUOUS_BOUNDARY : 0,
		seen->hold, seen->hold ? "two boundaries" : ""),
	    0);
	return true;
}

static bool
leave_nothing(struct reading_writer *w, void *arg)
{
	(void)w;
	(void)arg;
	return false;
}

static void
start(struct site *s)
{
	char err[200] = "";

	assert_int_equal(site_start(s, err, sizeof(err)), 0);
}

static void
judge_one(struct site *s, const char *raw)
{
	site_submit(s, 1, raw);
	site_finish(s, 1);
	assert_int_equal(s->judgement[1].job, 1);
}

/* What clamd says of the message and of its part, and what is to come of
 * both: the worse, a hit before not knowing. */
static const struct {
	const char *raw, *part;
	enum answer answer;
	const char *reason;
} scans[] = {
    {"OK", "OK", ANSWER_CLEAN, ""},
    {"OK", "B FOUND", ANSWER_HIT, "B"},
    {"OK", "New ERROR", ANSWER_UNKNOWN_SYSTEM, "New"},
    {"A FOUND", "OK", ANSWER_HIT, "A"},
    {"A FOUND", "New ERROR", ANSWER_HIT, "A"},
    {"New ERROR", "OK", ANSWER_UNKNOWN_SYSTEM, "New"},
    {"New ERROR", "B FOUND", ANSWER_HIT, "B"},
    {"Exceeded time limit ERROR", "New ERROR", ANSWER_UNKNOWN_MESSAGE, "time"},
};

static const struct {
	const char *reply;
	enum answer answer;
	double score;
	const char *reason;
} spams[] = {
    {SITE_HAM, ANSWER_CLEAN, 1.5, "1.5 of 5.0"},
    {SITE_SPAM, ANSWER_HIT, 9.5, "GTUBE"},
    {"nonsense", ANSWER_UNKNOWN_SYSTEM, 0, ""},
};

static const struct {
	enum reading_status status;
	bool hold;
	enum answer answer;
	const char *reason;
} readings[] = {
    {READING_COMPLETE, false, ANSWER_CLEAN, ""},
    {READING_COMPLETE, true, ANSWER_AMBIGUOUS,
	"ambiguous: boundary: two boundaries"},
    {READING_TOO_DEEP, false, ANSWER_UNKNOWN_MESSAGE, "budget exceeded: "},
    {READING_TOO_MANY, false, ANSWER_UNKNOWN_MESSAGE, "budget exceeded: "},
    {READING_FAILED, true, ANSWER_UNKNOWN_MESSAGE, "budget exceeded: "},
};

static const struct {
	const char *name;
	enum answer answer;
	const char *reason;
} names[] = {
    {"a.txt", ANSWER_CLEAN, ""},
    {"a.exe", ANSWER_HIT, "refused: a.exe: No programs, please"},
    {"a.iso", ANSWER_HIT, "held: a.iso: An image"},
};

static void
every_combination_of_answers_is_handed_over_whole(void **state)
{
	struct site *s = *state;
	struct seen seen;

	s->reading = leave_seen;
	s->reading_arg = &seen;
	start(s);
	for (size_t i = 0; i < ARRAY_SIZE(scans) * ARRAY_SIZE(spams) *
				   ARRAY_SIZE(readings) * ARRAY_SIZE(names);
	     i++) {
		const size_t a = i % ARRAY_SIZE(scans),
			     b = i / ARRAY_SIZE(scans),
			     c = b / ARRAY_SIZE(spams),
			     d = c / ARRAY_SIZE(readings);
		const size_t spam = b % ARRAY_SIZE(spams),
			     read = c % ARRAY_SIZE(readings);

		seen = (struct seen){scans[a].part, names[d].name,
		    readings[read].status, readings[read].hold};
		fake_spam_reply(s->spam, spams[spam].reply);
		judge_one(s, scans[a].raw);
		assert_int_equal(s->judgement[1].n_answers, 4);
		site_said(s, 1, "clamd", scans[a].answer, scans[a].reason);
		site_said(s, 1, "spam", spams[spam].answer, spams[spam].reason);
		site_said(s, 1, "reading", readings[read].answer,
		    readings[read].reason);
		site_said(s, 1, "policy", names[d].answer, names[d].reason);
		assert_true(
		    site_answer(s, 1, "spam")->score == spams[spam].score);
		assert_true(site_answer(s, 1, "clamd")->usec > 0);
	}
}

/* No names: the policy knows as little as the reading, and not more. */
static void
without_a_reading_the_policy_knows_nothing(void **state)
{
	static const struct {
		int status;
		enum answer answer;
	} rows[] = {{SIGSEGV, ANSWER_UNKNOWN_MESSAGE},
	    {SIGXCPU, ANSWER_UNKNOWN_MESSAGE},
	    {SIGKILL, ANSWER_UNKNOWN_SYSTEM}};
	struct site *s = *state;

	s->reading = leave_nothing;
	start(s);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		s->status = rows[i].status;
		judge_one(s, i == 0 ? "A FOUND" : "OK");
		site_said(s, 1, "reading", rows[i].answer, "");
		site_said(s, 1, "policy", rows[i].answer,
		    site_answer(s, 1, "reading")->reason);
		assert_string_equal(s->evidence[1], "{}");
		/* The raw message was judged all the same. */
		site_said(s, 1, "clamd", i == 0 ? ANSWER_HIT : ANSWER_CLEAN,
		    i == 0 ? "A" : "");
		site_said(s, 1, "spam", ANSWER_CLEAN, "");
	}
	assert_int_equal(fake_clamd_files(s->clamd), 3);
}

static void
engines_that_are_not_wanted_are_not_asked(void **state)
{
	static const struct seen seen = {
	    "OK", "a.exe", READING_COMPLETE, false};
	static const char *const lists[] = {"policy", "clamd", "spam", ""};
	struct site *s = *state;

	s->reading = leave_seen;
	s->reading_arg = (void *)(uintptr_t)&seen;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const int files = fake_clamd_files(s->clamd);
		const int requests = fake_spam_requests(s->spam);

		site_set(&s->conf->worker.engines, lists[i], "");
		start(s);
		judge_one(s, "OK");
		assert_int_equal(s->judgement[1].n_answers, *lists[i] ? 2 : 1);
		assert_string_equal(
		    s->judgement[1].answers[0].engine, "reading");
		if (*lists[i])
			assert_string_equal(
			    s->judgement[1].answers[1].engine, lists[i]);
		assert_int_equal(fake_clamd_files(s->clamd) - files,
		    i == 1 ? 2 : 0); /* the message and its part */
		assert_int_equal(
		    fake_spam_requests(s->spam) - requests, i == 2 ? 1 : 0);
		s->judge = judge_free(s->judge);
		for (int c = 0; c < SITE_CELLS; c++)
			fake_cell_end(&s->cells[c]);
		fake_scan_forget(&s->scan);
	}
}

static void
a_message_above_the_budget_is_not_even_read(void **state)
{
	static const struct seen seen = {NULL, "", READING_COMPLETE, false};
	struct site *s = *state;
	struct seen copy = seen;

	s->reading = leave_seen;
	s->reading_arg = &copy;
	s->conf->budget.message_bytes = 7;
	start(s);
	judge_one(s, "A FOUND"); /* just fits */
	site_said(s, 1, "clamd", ANSWER_HIT, "A");
	judge_one(s, "AB FOUND");
	assert_int_equal(s->judgement[1].n_answers, 1);
	site_said(s, 1, "reading", ANSWER_UNKNOWN_MESSAGE,
	    "budget exceeded: 8 octets (budget.message)");
	assert_string_equal(s->evidence[1], "{}");
	assert_int_equal(fake_clamd_files(s->clamd), 1);
	assert_int_equal(fake_spam_requests(s->spam), 1);
}

static void
messages_are_judged_at_the_same_time(void **state)
{
	struct seen seen = {NULL, "", READING_COMPLETE, false};
	struct site *s = *state;

	s->reading = leave_seen;
	s->reading_arg = &seen;
	start(s);
	judge_one(s, "OK"); /* clamd is proved */
	site_submit(s, 1, "!later");
	site_submit(s, 2, "B FOUND");
	site_submit(s, 3, "C FOUND");
	site_finish(s, 2);
	site_finish(s, 3);
	assert_int_equal(s->done[1], 0); /* the slow one holds up nobody */
	site_finish(s, 1);
	site_said(s, 1, "clamd", ANSWER_CLEAN, "");
	site_said(s, 2, "clamd", ANSWER_HIT, "B");
	site_said(s, 3, "clamd", ANSWER_HIT, "C");
}

static void
an_engine_that_hangs_is_unknown_in_time(void **state)
{
	struct seen seen = {"OK", "", READING_COMPLETE, false};
	struct site *s = *state;
	struct mono begun;

	s->reading = leave_seen;
	s->reading_arg = &seen;
	s->conf->clamd.timeout_usec = USEC_PER_SEC / 4;
	s->conf->spam.timeout_usec = USEC_PER_SEC / 5;
	start(s);
	judge_one(s, "OK");
	fake_spam_reply(s->spam, NULL);
	begun = mono_now();
	judge_one(s, "!hang");
	assert_true(mono_span(begun, mono_now()) < USEC_PER_SEC);
	site_said(s, 1, "clamd", ANSWER_UNKNOWN_SYSTEM, "in time");
	site_said(s, 1, "spam", ANSWER_UNKNOWN_SYSTEM, "");
	site_said(s, 1, "reading", ANSWER_CLEAN, "");
}

static void
the_loss_of_the_scan_role_is_told(void **state)
{
	struct site *s = *state;

	s->reading = leave_nothing;
	start(s);
	fake_scan_close(&s->scan);
	site_run_for(s, 20 * USEC_PER_MSEC);
	assert_int_equal(s->lost, 1);
}

static void
a_judge_is_not_made_of_wrong_words(void **state)
{
	struct site *s = *state;
	char err[200] = "", path[100];

	site_set(&s->conf->spam.address, "127.0.0.1", "");
	assert_int_equal(site_start(s, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "spam.address: 127.0.0.1"));
	site_set(&s->conf->spam.address, fake_spam_address(s->spam), "");
	(void)snprintf(path, sizeof(path), "%s/policy", s->dir);
	site_write(path, "refuse everything\n");
	assert_int_equal(site_start(s, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "/policy:1: "));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(site_start(s, err, sizeof(err)), -ENOENT);
	assert_null(s->judge);
}

static void
freeing_ends_jobs_without_their_callback(void **state)
{
	struct seen seen = {"!hang", "", READING_COMPLETE, false};
	struct site *s = *state;

	s->reading = leave_seen;
	s->reading_arg = &seen;
	start(s);
	for (uint64_t job = 0; job < SITE_JOBS; job++)
		site_submit(s, job, "!hang");
	site_run_for(s, 50 * USEC_PER_MSEC);
	s->judge = judge_free(s->judge);
	site_run_for(s, 50 * USEC_PER_MSEC);
	for (uint64_t job = 0; job < SITE_JOBS; job++)
		assert_int_equal(s->done[job], 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, site_setup, site_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_combination_of_answers_is_handed_over_whole),
	    TEST(without_a_reading_the_policy_knows_nothing),
	    TEST(engines_that_are_not_wanted_are_not_asked),
	    TEST(a_message_above_the_budget_is_not_even_read),
	    TEST(messages_are_judged_at_the_same_time),
	    TEST(an_engine_that_hangs_is_unknown_in_time),
	    TEST(the_loss_of_the_scan_role_is_told),
	    TEST(a_judge_is_not_made_of_wrong_words),
	    TEST(freeing_ends_jobs_without_their_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
