/*
 * tests/unit/test_clamd.c - what becomes of a scan, whatever clamd does.
 */
#include "worker/clamd.h"
#include "worker/clamd_priv.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "tests/support/fake_clamd.h"

#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT   "Heuristics.Limits.Exceeded.MaxRecursion FOUND"
#define VERSION "ClamAV 1.4.6/27000/Mon Jan 1 00:00:00 2024"

struct world {
	char dir[64], sock[80], db[80], sig[96];
	struct event_base *base;
	struct fake_clamd *fake;
	struct clamd *clamd;
	struct clamd_options options;
	int left;
};

struct result {
	struct world *world;
	int fd, count;
	struct clamd_scan *scan;
	struct engine_answer answer;
};

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
start_fake(struct world *w, const char *version, const char *probe)
{
	const struct fake_clamd_options o = {version, probe};

	w->fake = fake_clamd_new(w->base, w->sock, &o);
}

static int
setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	(void)strcpy(w->dir, "/tmp/test-clamd-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(w->sock, sizeof(w->sock), "%s/sock", w->dir);
	(void)snprintf(w->db, sizeof(w->db), "%s/db", w->dir);
	(void)snprintf(w->sig, sizeof(w->sig), "%s/a.ndb", w->db);
	assert_int_equal(mkdir(w->db, 0700), 0);
	write_file(w->sig, "A:0:*:6162\n");
	w->base = event_base_new();
	w->options =
	    (struct clamd_options){w->sock, w->db, 2, USEC_PER_SEC / 4, 0};
	*state = w;
	start_fake(w, VERSION, LIMIT);
	w->clamd = clamd_new(w->base, &w->options);
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char path[120];

	clamd_free(w->clamd);
	fake_clamd_free(w->fake);
	event_base_free(w->base);
	(void)unlink(w->sig);
	(void)snprintf(path, sizeof(path), "%s/freshclam.dat", w->db);
	(void)unlink(path);
	(void)rmdir(w->db);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

static void
done(void *arg, const struct engine_answer *answer)
{
	struct result *r = arg;

	r->answer = *answer;
	r->count++;
	r->scan = NULL;
	(void)close(r->fd);
	if (--r->world->left == 0)
		(void)event_base_loopbreak(r->world->base);
}

static void
ask(struct world *w, struct result *r, const char *content)
{
	*r = (struct result){.world = w, .fd = memfd_new("t")};
	assert_true(r->fd >= 0);
	assert_int_equal(write_all(r->fd, content, strlen(content)), 0);
	w->left++;
	r->scan = clamd_scan(w->clamd, r->fd, done, r);
	assert_int_equal(r->count, 0); /* never before it returns */
}

static void
run_for(struct world *w, unsigned int msec)
{
	const struct timeval tv = span_timeval(msec * USEC_PER_MSEC);

	(void)event_base_loopexit(w->base, &tv);
	(void)event_base_dispatch(w->base);
}

static void
run(struct world *w)
{
	run_for(w, 5000);
	assert_int_equal(w->left, 0);
}

static void
scan(struct world *w, const char *content, enum answer want, const char *reason)
{
	struct result r;

	ask(w, &r, content);
	run(w);
	assert_int_equal(r.count, 1);
	assert_string_equal(r.answer.engine, "clamd");
	if (r.answer.answer != (uint32_t)want ||
	    !strstr(r.answer.reason, reason))
		fail_msg("%s -> %s \"%s\", not %s \"%s\"", content,
		    answer_name(r.answer.answer), r.answer.reason,
		    answer_name(want), reason);
}

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
a_late_or_dribbling_clamd_is_unknown_in_time(void **state)
{
	static const char *const orders[] = {"!hang", "!slow"};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		const struct mono start = mono_now();
		uint64_t spent;

		scan(w, orders[i], ANSWER_UNKNOWN_SYSTEM, "in time");
		spent = mono_span(start, mono_now());
		assert_true(
		    spent >= w->options.timeout_usec - 50 * USEC_PER_MSEC);
		assert_true(spent < 3 * w->options.timeout_usec);
	}
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
a_restart_without_alerts_is_noticed(void **state)
{
	struct world *w = *state;

	scan(w, "OK", ANSWER_CLEAN, "");
	w->fake = fake_clamd_free(w->fake);
	start_fake(w, VERSION, "OK");
	scan(w, "OK", ANSWER_UNKNOWN_SYSTEM, "AlertExceedsMax yes");
	assert_int_equal(fake_clamd_files(w->fake), 0);
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
the_probe_takes_nothing_else_for_proof(void **state)
{
	static const char *const wrong[] = {"OK", "Eicar FOUND",
	    "Heuristics.Limits.Exceeded.Mine.UNOFFICIAL FOUND",
	    "Heuristics.Limits.Exceeded.MaxRecursion", "X ERROR", "!hang",
	    "!close", "!cut", "!raw2: fd[9]: OK", "!raw3: fd[9]: " LIMIT,
	    "!raw1: fd[9]: " LIMIT, "!raw" LIMIT, "!endless", "!slow"};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		fake_clamd_free(w->fake);
		start_fake(w, VERSION, wrong[i]);
		scan(w, "OK", ANSWER_UNKNOWN_SYSTEM, "");
		assert_int_equal(fake_clamd_files(w->fake), 0);
		assert_true(fake_clamd_probes(w->fake) > 0);
	}
	fake_clamd_free(w->fake);
	start_fake(w, "Sophos 1.0", LIMIT);
	scan(w, "OK", ANSWER_UNKNOWN_SYSTEM, "VERSION: 1: Sophos");
}

static void
a_session_is_proved_again_in_time(void **state)
{
	struct world *w = *state;

	clamd_prove_every(w->clamd, 100 * USEC_PER_MSEC);
	scan(w, "OK", ANSWER_CLEAN, "");
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_int_equal(fake_clamd_probes(w->fake), 1);
	run_for(w, 120);
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_int_equal(fake_clamd_probes(w->fake), 2);
	assert_int_equal(fake_clamd_connections(w->fake), 1);
	run_for(w, 120);
	fake_clamd_set_probe_answer(w->fake, "OK");
	scan(w, "OK", ANSWER_UNKNOWN_SYSTEM, "TemporaryDirectory");
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
	struct result r[8];

	/* 8 x 100 ms over 2 connections is more than the 250 ms of one. */
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

static void
the_context_is_known_after_the_first_proof(void **state)
{
	struct world *w = *state;
	char buf[100];

	assert_false(clamd_context(w->clamd, buf, sizeof(buf)));
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_true(clamd_context(w->clamd, buf, sizeof(buf)));
	assert_memory_equal(buf, "ClamAV 1.4.6 ", 13);
	assert_false(clamd_context(w->clamd, buf, 20)); /* never cut */
}

static void
changed_signatures_void_the_context_until_they_settled(void **state)
{
	struct world *w = *state;
	char a[100], b[100], path[120];

	w->options.settle_usec = 0;
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_true(clamd_context(w->clamd, a, sizeof(a)));

	clamd_free(w->clamd);
	w->options.settle_usec = 300 * USEC_PER_MSEC;
	w->clamd = clamd_new(w->base, &w->options);
	run_for(w, 350);
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_true(clamd_context(w->clamd, b, sizeof(b)));
	assert_string_equal(a, b);

	write_file(w->sig, "B:0:*:6162\n"); /* the same size */
	assert_false(clamd_context(w->clamd, b, sizeof(b)));
	run_for(w, 150);
	assert_false(clamd_context(w->clamd, b, sizeof(b)));
	run_for(w, 200);
	assert_true(clamd_context(w->clamd, b, sizeof(b)));
	assert_string_not_equal(a, b);

	/* A file that is put in place with an old date counts as changed. */
	(void)snprintf(path, sizeof(path), "%s/new", w->dir);
	write_file(path, "C:0:*:6162\n");
	{
		const struct timeval old[2] = {
		    {1000000000, 0}, {1000000000, 0}};

		assert_int_equal(utimes(path, old), 0);
	}
	assert_int_equal(rename(path, w->sig), 0);
	assert_false(clamd_context(w->clamd, a, sizeof(a)));
	run_for(w, 350);
	assert_true(clamd_context(w->clamd, a, sizeof(a)));
	assert_string_not_equal(a, b);

	/* freshclam's own notes are no signatures. */
	(void)snprintf(path, sizeof(path), "%s/freshclam.dat", w->db);
	write_file(path, "x");
	assert_true(clamd_context(w->clamd, b, sizeof(b)));
	assert_string_equal(a, b);
}

static void
a_removed_signature_file_voids_the_context_too(void **state)
{
	struct world *w = *state;
	char buf[100], extra[120];

	(void)snprintf(extra, sizeof(extra), "%s/b.hdb", w->db);
	write_file(extra, "x\n");
	clamd_free(w->clamd);
	w->options.settle_usec = 200 * USEC_PER_MSEC;
	w->clamd = clamd_new(w->base, &w->options);
	run_for(w, 250);
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_true(clamd_context(w->clamd, buf, sizeof(buf)));
	assert_int_equal(unlink(extra), 0);
	assert_false(clamd_context(w->clamd, buf, sizeof(buf)));
	run_for(w, 250);
	assert_true(clamd_context(w->clamd, buf, sizeof(buf)));
	assert_int_equal(unlink(w->sig), 0); /* none left */
	assert_false(clamd_context(w->clamd, buf, sizeof(buf)));
	run_for(w, 250);
	assert_false(clamd_context(w->clamd, buf, sizeof(buf)));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
	    TEST(a_restart_without_alerts_is_noticed),
	    TEST(a_file_that_kills_clamd_is_sent_twice_at_most),
	    TEST(the_probe_takes_nothing_else_for_proof),
	    TEST(a_session_is_proved_again_in_time),
	    TEST(requests_above_the_limit_wait_in_order),
	    TEST(waiting_costs_a_request_none_of_its_time),
	    TEST(a_cancelled_request_is_silent_and_harms_nobody),
	    TEST(freeing_ends_scans_without_their_callback),
	    TEST(a_descriptor_that_cannot_be_read_is_never_sent),
	    TEST(an_idle_session_that_ends_is_replaced),
	    TEST(the_context_is_known_after_the_first_proof),
	    TEST(changed_signatures_void_the_context_until_they_settled),
	    TEST(a_removed_signature_file_voids_the_context_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
