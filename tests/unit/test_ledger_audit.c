#include "worker/ledger_audit.h"

#include "tests/support/ledger_site.h"

#include <signal.h>
#include <sys/wait.h>

/* A line and the message where it says. */
static void
move(struct site *s, struct journal *j, const char *id, enum spool_dir from,
    enum spool_dir to)
{
	say(s, j, id, from, to);
	tmpspool_put(s->spool, to, id);
}

static void
every_place_is_counted_and_the_sums_agree(void **state)
{
	struct site *s = *state;
	struct audit a;

	tmpspool_put(s->spool, SPOOL_IN, "I1"); /* not ours yet */
	move(s, s->feed, "F1", SPOOL_IN, SPOOL_FEED1);
	move(s, s->feed, "F2", SPOOL_IN, SPOOL_FEED1 + 1);
	say(s, s->feed, "O1", SPOOL_IN, SPOOL_FEED1);
	move(s, s->worker, "O1", SPOOL_FEED1, SPOOL_OUT);
	say(s, s->feed, "D1", SPOOL_IN, SPOOL_FEED1);
	say(s, s->worker, "D1", SPOOL_FEED1, SPOOL_OUT); /* and gone */
	move(s, s->worker, "V1", SPOOL_FEED1, SPOOL_VIRUS);
	move(s, s->worker, "X1", SPOOL_FEED1, SPOOL_EXT);
	move(s, s->worker, "S1", SPOOL_FEED1, SPOOL_SPAM);
	move(s, s->worker, "E1", SPOOL_FEED1, SPOOL_ERROR);
	tmpspool_put(s->spool, SPOOL_OUT, "BOUNCE");
	tmpspool_put(s->spool, SPOOL_FEED1, "BYHAND");
	assert_true(ledger_import(s->ledger, s->spool, 1000) > 0);
	assert_int_equal(ledger_audit(s->spool, s->ledger, &a), 0);
	assert_true(audit_balances(&a));
	assert_int_equal(a.accepted, 10);
	assert_int_equal(a.in, 1);
	assert_int_equal(a.feeds, 3);
	assert_int_equal(a.out_waiting, 1);
	assert_int_equal(a.delivered, 1);
	assert_int_equal(a.virus, 1);
	assert_int_equal(a.ext, 1);
	assert_int_equal(a.spam, 1);
	assert_int_equal(a.error, 1);
	assert_int_equal(a.foreign, 1);
	assert_int_equal(a.unjournalled, 1);
	assert_int_equal(a.undone, 0);
	assert_int_equal(a.ledger_differs, 0);
	assert_int_equal(a.n_bad, 0);
}

static void
what_is_lost_or_twice_is_named_and_the_sums_disagree(void **state)
{
	struct site *s = *state;
	struct audit a;

	say(s, s->worker, "L1", SPOOL_FEED1, SPOOL_VIRUS); /* and no file */
	assert_int_equal(ledger_audit(s->spool, NULL, &a), 0);
	assert_false(audit_balances(&a));
	assert_int_equal(a.lost, 1);
	assert_int_equal(a.n_bad, 1);
	assert_string_equal(a.bad[0].id, "L1");
	assert_int_equal(a.bad[0].why, AUDIT_LOST);
	assert_int_equal(a.bad[0].journal, SPOOL_VIRUS);

	tmpspool_put(s->spool, SPOOL_VIRUS, "L1");
	tmpspool_put(s->spool, SPOOL_FEED1, "L1");
	assert_int_equal(ledger_audit(s->spool, NULL, &a), 0);
	assert_false(audit_balances(&a));
	assert_int_equal(a.twice, 1);
	assert_int_equal(a.lost, 0);
	assert_int_equal(a.bad[0].why, AUDIT_TWICE);
	assert_int_equal(a.bad[0].found[0], SPOOL_VIRUS);
	assert_int_equal(a.bad[0].found[1], SPOOL_FEED1);
}

/* A crash between the line and the rename. */
static void
a_move_that_a_crash_undid_is_no_error(void **state)
{
	struct site *s = *state;
	struct audit a;

	say(s, s->feed, "U1", SPOOL_IN, SPOOL_FEED1);
	say(s, s->worker, "U1", SPOOL_FEED1, SPOOL_OUT);
	tmpspool_put(s->spool, SPOOL_FEED1, "U1");
	assert_int_equal(ledger_audit(s->spool, NULL, &a), 0);
	assert_true(audit_balances(&a));
	assert_int_equal(a.undone, 1);
	assert_int_equal(a.feeds, 1);
	assert_int_equal(a.delivered, 0);
}

static void
a_ledger_that_says_another_place_is_noticed(void **state)
{
	struct site *s = *state;
	struct audit a;

	move(s, s->feed, "A1", SPOOL_IN, SPOOL_FEED1);
	assert_int_equal(ledger_audit(s->spool, s->ledger, &a), 0);
	assert_int_equal(a.ledger_differs, 1);
	assert_int_equal(a.bad[0].why, AUDIT_LEDGER);
	assert_int_equal(ledger_import(s->ledger, s->spool, 10), 1);
	assert_int_equal(ledger_audit(s->spool, s->ledger, &a), 0);
	assert_int_equal(a.ledger_differs, 0);
}

/*
 * 300 messages are moved in -> feed1 -> virus again and again by another
 * process while we take stock: never one lost, never one twice.
 */
static void
move_for_ever(struct site *s)
{
	for (int round = 0;; round++)
		for (int i = 0; i < 300; i++) {
			const bool forth = round % 2 == 0;
			enum spool_dir from = forth ? SPOOL_FEED1 : SPOOL_VIRUS;
			enum spool_dir to = forth ? SPOOL_VIRUS : SPOOL_FEED1;
			char id[16], name[24];

			(void)snprintf(id, sizeof(id), "M%03d", i);
			(void)snprintf(name, sizeof(name), "qf%s", id);
			say(s, s->worker, id, from, to);
			if (renameat(s->spool->fds[from], name,
				s->spool->fds[to], name) < 0)
				_exit(1);
			if (i % 10 == 0)
				(void)usleep(500);
		}
}

static void
stock_is_right_while_messages_move(void **state)
{
	struct site *s = *state;
	struct audit a;
	pid_t pid;

	for (int i = 0; i < 300; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "M%03d", i);
		move(s, s->feed, id, SPOOL_IN, SPOOL_FEED1);
	}
	pid = fork();
	if (pid == 0)
		move_for_ever(s);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ledger_audit(s->spool, NULL, &a), 0);
		assert_true(audit_balances(&a));
		assert_int_equal(a.accepted, 300);
		assert_int_equal(a.n_bad, 0);
	}
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* it did move */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_place_is_counted_and_the_sums_agree),
	    TEST(what_is_lost_or_twice_is_named_and_the_sums_disagree),
	    TEST(a_move_that_a_crash_undid_is_no_error),
	    TEST(a_ledger_that_says_another_place_is_noticed),
	    TEST(stock_is_right_while_messages_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
