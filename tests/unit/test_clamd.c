/*
 * tests/unit/test_clamd.c - what becomes of a scan, whatever clamd does.
 */
#include "tests/support/clamd_site.h"

#include <fcntl.h>

static void
answers_are_understood(void **state)
{
	struct world *w = *state;

	scan(w, "OK", ANSWER_CLEAN, "");
	scan(w, "Win.Test.EICAR_HDB-1 FOUND", ANSWER_HIT,
	    "Win.Test.EICAR_HDB-1");
	scan(w, "a: b OK FOUND ERROR (x:1) FOUND", ANSWER_HIT,
	    "a: b OK FOUND ERROR (x:1)");
	scan(w, LIMIT, ANSWER_UNKNOWN_MESSAGE, "MaxRecursion");
	scan(w, "Heuristics.Limits.Exceeded.MaxFileSize(d41d8:0) FOUND",
	    ANSWER_UNKNOWN_MESSAGE, "MaxFileSize");
	scan(w, "Heuristics.Encrypted.Zip FOUND", ANSWER_HIT, "Encrypted");
	assert_int_equal(fake_clamd_connections(w->fake), 1);
	assert_int_equal(fake_clamd_probes(w->fake), 1);
}

static void
errors_are_the_files_or_the_systems(void **state)
{
	struct world *w = *state;

	scan(w, "Can't write to file ERROR", ANSWER_UNKNOWN_SYSTEM,
	    "Can't write to file");
	scan(w, "Can't open file or directory ERROR", ANSWER_UNKNOWN_SYSTEM,
	    "Can't open");
	scan(w, "Can't create temporary file ERROR", ANSWER_UNKNOWN_SYSTEM,
	    "temporary");
	scan(w, "Something new ERROR", ANSWER_UNKNOWN_SYSTEM, "new");
	scan(
	    w, "Can't allocate memory ERROR", ANSWER_UNKNOWN_MESSAGE, "memory");
	scan(w, "Exceeded time limit ERROR", ANSWER_UNKNOWN_MESSAGE, "time");
	scan(w, "CL_ETIMEOUT: Time limit reached ERROR", ANSWER_UNKNOWN_MESSAGE,
	    "Time");
}

static void
what_is_no_answer_is_unknown(void **state)
{
	static const char *const raw[] = {"!raw",
	    "!raw3: fd[9]: ", "!raw3: fd[9]: ok", "!raw3: fd[9]: OK ",
	    "!raw3: fd[9]:OK", "!raw3: fd[]: OK", "!raw3: fd[x]: OK",
	    "!raw4: fd[9]: OK", "!rawfd[9]: OK", "!raw33: fd[9]: OK",
	    "!raw3: fd[9]: FOUND", "!raw3: fd[9]:  FOUND x",
	    "!raw3: stream: OK", "!rawOK", "!rawCOMMAND READ TIMED OUT",
	    "!raw3: PONG", "!raw3: No file descriptor received. ERROR",
	    "!raw3: fd[9]: OK\n", "!raw\n3: fd[9]: OK"};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(raw); i++)
		scan(
		    w, raw[i], ANSWER_UNKNOWN_SYSTEM, "clamd's answer is none");
	scan(w, "!twice", ANSWER_UNKNOWN_SYSTEM, "more than asked");
	scan(w, "!endless", ANSWER_UNKNOWN_SYSTEM, "no end");
	scan(w, "OK", ANSWER_CLEAN, "");
}

static void
a_cut_or_missing_answer_is_unknown(void **state)
{
	struct world *w = *state;

	scan(w, "!cut", ANSWER_UNKNOWN_SYSTEM, "cut off");
	scan(w, "!close", ANSWER_UNKNOWN_SYSTEM, "closed");
	scan(w, "OK", ANSWER_CLEAN, "");
	scan(w, "!cut", ANSWER_UNKNOWN_SYSTEM, "cut off");
	assert_int_equal(fake_clamd_files(w->fake), 4); /* not asked again */
	scan(w, "!close", ANSWER_UNKNOWN_SYSTEM, "closed");
	scan(w, "OK", ANSWER_CLEAN, "");
}

static void
is_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

static void
a_late_or_dribbling_clamd_is_unknown_in_time(void **state)
{
	static const char *const orders[] = {"!hang", "!slow"};
	struct world *w = *state;
	bool is_too_late = false;
	/* Not a span: a loop that was kept waiting runs its timers in the
	 * order in which they are due. */
	struct event *limit = evtimer_new(w->base, is_over, &is_too_late);
	struct timeval tv;

	allow_only(w, USEC_PER_SEC / 4);
	tv = span_timeval(3 * w->options.timeout_usec);
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		const struct mono start = mono_now();

		(void)evtimer_add(limit, &tv);
		scan(w, orders[i], ANSWER_UNKNOWN_SYSTEM, "in time");
		assert_true(mono_span(start, mono_now()) >=
			    w->options.timeout_usec - 50 * USEC_PER_MSEC);
		assert_false(is_too_late);
	}
	event_free(limit);
	allow_only(w, PATIENCE_USEC);
	scan(w, "OK", ANSWER_CLEAN, "");
}

static void
an_absent_clamd_is_unknown_at_once(void **state)
{
	struct world *w = *state;
	const struct mono start = mono_now();

	w->fake = fake_clamd_free(w->fake);
	scan(w, "OK", ANSWER_UNKNOWN_SYSTEM, "cannot connect");
	assert_true(mono_span(start, mono_now()) < w->options.timeout_usec);
	start_fake(w, VERSION, LIMIT);
	scan(w, "OK", ANSWER_CLEAN, "");
}

static void
a_restart_between_two_scans_is_invisible(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 3; i++) {
		scan(w, "OK", ANSWER_CLEAN, "");
		w->fake = fake_clamd_free(w->fake);
		start_fake(w, VERSION, LIMIT);
		/* Its end is still unread here: the request is sent into a
		 * dead session, and then once more. */
		scan(w, "X FOUND", ANSWER_HIT, "X");
		assert_int_equal(fake_clamd_probes(w->fake), 1);
	}
}

static void
a_restart_with_several_sessions_is_invisible_too(void **state)
{
	struct world *w = *state;
	struct result r[2];

	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		ask(w, &r[i], "!later");
	run(w);
	assert_int_equal(fake_clamd_connections(w->fake), 2);
	w->fake = fake_clamd_free(w->fake);
	start_fake(w, VERSION, LIMIT);
	scan(w, "OK", ANSWER_CLEAN, "");
	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		ask(w, &r[i], "!later");
	run(w);
	assert_int_equal(fake_clamd_connections(w->fake), 2);
}

static void
a_file_that_kills_clamd_is_sent_twice_at_most(void **state)
{
	struct world *w = *state;

	scan(w, "OK", ANSWER_CLEAN, "");
	scan(w, "!close", ANSWER_UNKNOWN_SYSTEM, "closed");
	assert_int_equal(fake_clamd_files(w->fake), 3);
}

static void
requests_above_the_limit_wait_in_order(void **state)
{
	struct world *w = *state;
	struct result r[20];

	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		ask(w, &r[i], i % 2 ? "!later" : "X FOUND");
	run(w);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		assert_int_equal(r[i].count, 1);
		assert_int_equal(
		    r[i].answer.answer, i % 2 ? ANSWER_CLEAN : ANSWER_HIT);
		assert_true(r[i].answer.usec > 0);
	}
	assert_int_equal(fake_clamd_connections(w->fake), 2);
	assert_true(fake_clamd_at_once(w->fake) <= 2);
}

static void
waiting_costs_a_request_none_of_its_time(void **state)
{
	struct world *w = *state;
	struct result r[28];

	/* 28 x 100 ms over 2 connections is more than the second of one. */
	allow_only(w, USEC_PER_SEC);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		ask(w, &r[i], "!later");
	run(w);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		assert_int_equal(r[i].answer.answer, ANSWER_CLEAN);
}

static void
a_cancelled_request_is_silent_and_harms_nobody(void **state)
{
	struct world *w = *state;
	struct result r[6];

	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		ask(w, &r[i], "!later");
	run_for(w, 50); /* two are sent, four wait */
	for (size_t i = 0; i < 4; i += 3) {
		clamd_cancel(r[i].scan);
		(void)close(r[i].fd);
		w->left--;
	}
	run(w);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		assert_int_equal(r[i].count, i % 3 ? 1 : 0);
	assert_true(fake_clamd_at_once(w->fake) <= 2);
	assert_int_equal(fake_clamd_connections(w->fake), 2);
}

static void
freeing_ends_scans_without_their_callback(void **state)
{
	struct world *w = *state;
	struct result r[5];

	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		ask(w, &r[i], "!hang");
	run_for(w, 50);
	w->clamd = clamd_free(w->clamd);
	run_for(w, 50);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		assert_int_equal(r[i].count, 0);
		(void)close(r[i].fd);
	}
}

static void
a_descriptor_that_cannot_be_read_is_never_sent(void **state)
{
	struct world *w = *state;
	const int fds[] = {open(w->sig, O_WRONLY | O_CLOEXEC),
	    open(w->sig, O_PATH | O_CLOEXEC), open(w->dir, O_RDONLY), 9999};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct result r = {.world = w, .fd = fds[i]};

		w->left++;
		r.scan = clamd_scan(w->clamd, fds[i], done, &r);
		run(w);
		assert_int_equal(r.answer.answer, ANSWER_UNKNOWN_SYSTEM);
		assert_non_null(strstr(r.answer.reason, "cannot scan"));
	}
	assert_int_equal(fake_clamd_files(w->fake), 0);
}

static void
an_idle_session_that_ends_is_replaced(void **state)
{
	struct world *w = *state;

	scan(w, "OK", ANSWER_CLEAN, "");
	w->fake = fake_clamd_free(w->fake);
	run_for(w, 50); /* its end is read while nobody waits */
	start_fake(w, VERSION, LIMIT);
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_int_equal(fake_clamd_connections(w->fake), 1);
	assert_int_equal(fake_clamd_files(w->fake), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(answers_are_understood),
	    TEST(errors_are_the_files_or_the_systems),
	    TEST(what_is_no_answer_is_unknown),
	    TEST(a_cut_or_missing_answer_is_unknown),
	    TEST(a_late_or_dribbling_clamd_is_unknown_in_time),
	    TEST(an_absent_clamd_is_unknown_at_once),
	    TEST(a_restart_between_two_scans_is_invisible),
	    TEST(a_restart_with_several_sessions_is_invisible_too),
	    TEST(a_file_that_kills_clamd_is_sent_twice_at_most),
	    TEST(requests_above_the_limit_wait_in_order),
	    TEST(waiting_costs_a_request_none_of_its_time),
	    TEST(a_cancelled_request_is_silent_and_harms_nobody),
	    TEST(freeing_ends_scans_without_their_callback),
	    TEST(a_descriptor_that_cannot_be_read_is_never_sent),
	    TEST(an_idle_session_that_ends_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
