#include "worker/ledger.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/journal.h"
#include "tests/support/tmpspool.h"
#include "worker/ledger_audit.h"
#include "worker/ledger_line.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

struct site {
	char *path;
	struct spool *spool;
	struct journal *feed, *worker;
	struct ledger *ledger;
	char *db;
	uint64_t t; /* the next line's time */
};

static void
open_ledger(struct site *s)
{
	char err[256] = "";
	int r = ledger_open(s->db, false, 100, &s->ledger, err, sizeof(err));

	if (r < 0)
		print_error("%s\n", err);
	assert_int_equal(r, 0);
}

static int
set_up(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));

	s->path = tmpspool_make();
	s->spool = tmpspool_open(s->path);
	assert_int_equal(journal_open(s->spool, "feed", &s->feed), 0);
	assert_int_equal(journal_open(s->spool, "worker-1", &s->worker), 0);
	s->db = xasprintf("%s/ledger.db", s->path);
	s->t = 1000;
	open_ledger(s);
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct site *s = *state;

	s->ledger = ledger_close(s->ledger);
	(void)journal_close(s->feed);
	(void)journal_close(s->worker);
	(void)spool_free(s->spool);
	tmp_remove(s->path);
	free(s->db);
	free(s);
	return 0;
}

static void
write_line(struct journal *j, const struct event *e)
{
	CLEANUP(free_ptr) char *line = event_format(e);

	assert_int_equal(journal_append(j, line), 0);
}

/* A journal line of a move, and nothing else. */
static void
say(struct site *s, struct journal *j, const char *id, enum spool_dir from,
    enum spool_dir to)
{
	struct event e = {.kind = EVENT_MOVE,
	    .t.usec = s->t++,
	    .from = from,
	    .to = to,
	    .bytes = 1234};

	(void)snprintf(e.id, sizeof(e.id), "%s", id);
	if (from == SPOOL_IN) {
		e.sender = "a@x.test";
		e.rcpt = "b@y.test";
	} else {
		e.verdict = "clean";
		e.reason = "no engine found anything";
		e.wait_usec = 10;
		e.service_usec = 20;
		e.evidence = "{\"parts\":1}";
	}
	write_line(j, &e);
}

static int
note_message(void *arg, const struct ledger_message *m)
{
	char *buf = arg;

	(void)snprintf(buf, 512, "%s %ju %ju %ju %ju %ju %s %s %s %s %s %s|",
	    m->id, (uintmax_t)m->accepted.usec, (uintmax_t)m->t.usec,
	    (uintmax_t)m->bytes, (uintmax_t)m->wait_usec,
	    (uintmax_t)m->service_usec, m->sender, m->rcpt, m->place,
	    m->verdict, m->reason, m->evidence);
	return 0;
}

static int
note_event(void *arg, const struct ledger_event *e)
{
	char *buf = arg;
	size_t n = strlen(buf);

	(void)snprintf(buf + n, 512 - n, "%ju %s %s>%s;", (uintmax_t)e->t.usec,
	    e->kind, e->from, e->to);
	return 0;
}

static void
trace_is(struct site *s, const char *id, const char *want)
{
	char buf[512] = "";

	assert_int_equal(
	    ledger_trace(s->ledger, id, note_message, note_event, buf), 0);
	assert_string_equal(buf, want);
}

static const char whole[] =
    "A1 1000 1001 1234 10 20 a@x.test b@y.test out clean no engine found "
    "anything {\"parts\":1}|1000 move in>feed1;1001 move feed1>out;";

static void
lines_of_two_journals_make_one_path(void **state)
{
	struct site *s = *state;

	say(s, s->feed, "A1", SPOOL_IN, SPOOL_FEED1);
	say(s, s->worker, "A1", SPOOL_FEED1, SPOOL_OUT);
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 2);
	trace_is(s, "A1", whole);
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 0);
	assert_int_equal(
	    ledger_trace(s->ledger, "A2", NULL, NULL, NULL), -ENOENT);
}

/* readdir gives the journals in any order, and batches cut anywhere. */
static void
the_order_of_import_does_not_matter(void **state)
{
	struct site *s = *state;

	s->t = 1001;
	say(s, s->worker, "A1", SPOOL_FEED1, SPOOL_OUT);
	assert_int_equal(ledger_import(s->ledger, s->spool, 1), 1);
	s->t = 1000;
	say(s, s->feed, "A1", SPOOL_IN, SPOOL_FEED1);
	assert_int_equal(ledger_import(s->ledger, s->spool, 1), 1);
	assert_int_equal(ledger_import(s->ledger, s->spool, 1), 0);
	trace_is(s, "A1", whole);
}

static void
what_was_taken_is_not_taken_again_after_a_restart(void **state)
{
	struct site *s = *state;
	struct ledger_counts c;

	say(s, s->feed, "A1", SPOOL_IN, SPOOL_FEED1);
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 1);
	s->ledger = ledger_close(s->ledger);
	say(s, s->worker, "A1", SPOOL_FEED1, SPOOL_OUT);
	say(s, s->feed, "A2", SPOOL_IN, SPOOL_FEED1 + 1);
	open_ledger(s);
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 2);
	assert_int_equal(ledger_counts(s->ledger, &c), 0);
	assert_int_equal(c.messages, 2);
	assert_int_equal(c.events, 3);
	assert_int_equal(c.by_place[SPOOL_OUT], 1);
	assert_int_equal(c.by_place[SPOOL_FEED1 + 1], 1);
}

static void
a_rebuild_beside_another_writer_gives_the_same(void **state)
{
	struct site *s = *state;
	struct ledger *other = NULL;
	struct ledger_counts c;
	char err[256];

	say(s, s->feed, "A1", SPOOL_IN, SPOOL_FEED1);
	say(s, s->worker, "A1", SPOOL_FEED1, SPOOL_OUT);
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 2);
	assert_int_equal(
	    ledger_open(s->db, false, 100, &other, err, sizeof(err)), 0);
	assert_int_equal(ledger_rebuild(other, s->spool), 2);
	other = ledger_close(other);
	/* The first writer goes on where the rebuild ended. */
	s->t = 2000;
	say(s, s->feed, "A2", SPOOL_IN, SPOOL_FEED1);
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 1);
	trace_is(s, "A1", whole);
	assert_int_equal(ledger_counts(s->ledger, &c), 0);
	assert_int_equal(c.messages, 2);
	assert_int_equal(c.events, 3);
}

static void
a_replaced_or_shortened_journal_is_read_from_its_start(void **state)
{
	struct site *s = *state;

	say(s, s->feed, "A1", SPOOL_IN, SPOOL_FEED1);
	say(s, s->feed, "A2", SPOOL_IN, SPOOL_FEED1);
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 2);
	assert_int_equal(renameat(s->spool->journal_fd, "feed",
			     s->spool->journal_fd, "feed.1"),
	    0);
	s->feed = journal_close(s->feed);
	assert_int_equal(journal_open(s->spool, "feed", &s->feed), 0);
	say(s, s->feed, "A3", SPOOL_IN, SPOOL_FEED1);
	/* The old one is known by its inode and not read again. */
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 1);
	s->feed = journal_close(s->feed);
	tmp_put(s->spool->journal_fd, "feed", "", 0);
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 0);
	assert_int_equal(journal_open(s->spool, "feed", &s->feed), 0);
	say(s, s->feed, "A4", SPOOL_IN, SPOOL_FEED1);
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 1);
	assert_int_equal(ledger_trace(s->ledger, "A4", NULL, NULL, NULL), 0);
}

static void
lines_that_are_no_events_are_counted_and_passed_over(void **state)
{
	struct site *s = *state;
	struct event start = {.kind = EVENT_START, .reason = "sluice-feed"};

	assert_int_equal(journal_append(s->feed, "{\"t\":1,\"ev"), 0);
	assert_int_equal(journal_append(s->feed, "rubbish"), 0);
	write_line(s->feed, &start);
	say(s, s->feed, "A1", SPOOL_IN, SPOOL_FEED1);
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 4);
	assert_int_equal(ledger_skipped(s->ledger), 2);
	assert_int_equal(ledger_trace(s->ledger, "A1", NULL, NULL, NULL), 0);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whatever the short way takes it must read as the long way does. */
static bool
is_read_alike(const char *line)
{
	CLEANUP(free_ptr) char *copy = xstrdup(line);
	struct event a, b;
	bool alike;
	void *keep;

	if (ledger_line(copy, strlen(line), &a) < 0)
		return false;
	assert_int_equal(event_parse(line, strlen(line), &b, &keep), 0);
	alike =
	    a.kind == b.kind && a.t.usec == b.t.usec && a.from == b.from &&
	    a.to == b.to && a.bytes == b.bytes && a.wait_usec == b.wait_usec &&
	    a.service_usec == b.service_usec && strcmp(a.id, b.id) == 0 &&
	    same_text(a.sender, b.sender) && same_text(a.rcpt, b.rcpt) &&
	    same_text(a.verdict, b.verdict) && same_text(a.reason, b.reason) &&
	    same_text(a.evidence, b.evidence);
	event_release(keep);
	assert_true(alike);
	return true;
}

/* A good line, whole, and with every octet removed or replaced. */
static void
plain_lines_are_read_the_short_way_to_the_same_end(void **state)
{
	static const char octets[] = "\"\\{}[],:0a \x80\x1f";
	struct event e = {.kind = EVENT_MOVE,
	    .t.usec = 1795333110000000,
	    .id = "5AB0000001",
	    .from = SPOOL_FEED1,
	    .to = SPOOL_VIRUS,
	    .bytes = 100,
	    .sender = "a@x",
	    .verdict = "virus",
	    .reason = "clamd: Eicar",
	    .service_usec = 7,
	    .evidence = "{\"a\":\"}\\\"{\",\"b\":[{\"c\":1}]}"};
	CLEANUP(free_ptr) char *line = event_format(&e);
	size_t n = strlen(line);
	int taken = 0;

	(void)state;
	assert_true(is_read_alike(line));
	/* Inside the evidence the long way checks more: stop before it. */
	n = (size_t)(strstr(line, "\"evidence\"") - line);
	for (size_t i = 0; i < n; i++) {
		CLEANUP(free_ptr) char *bad = xstrdup(line);

		memmove(bad + i, bad + i + 1, strlen(bad + i));
		taken += is_read_alike(bad);
		for (size_t k = 0; k < sizeof(octets) - 1; k++) {
			(void)strcpy(bad, line);
			bad[i] = octets[k];
			taken += is_read_alike(bad);
		}
	}
	assert_true(taken > 100); /* e.g. another letter in a name */
	e.reason = "an \xc3\xa4 and a \"quote\"";
	free(line);
	line = event_format(&e);
	assert_false(is_read_alike(line));
}

static int
count_one(void *arg, const struct ledger_message *m)
{
	(void)m;
	++*(int *)arg;
	return 0;
}

static void
messages_are_listed_by_sender_and_time(void **state)
{
	struct site *s = *state;
	struct ledger_query q = {.sender = "a@x.test", .limit = 10};
	int n = 0;

	for (int i = 0; i < 5; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "B%d", i);
		say(s, s->feed, id, SPOOL_IN, SPOOL_FEED1);
	}
	assert_int_equal(ledger_import(s->ledger, s->spool, 100), 5);
	assert_int_equal(ledger_list(s->ledger, &q, count_one, &n), 0);
	assert_int_equal(n, 5);
	n = 0;
	q.since.usec = 1003;
	assert_int_equal(ledger_list(s->ledger, &q, count_one, &n), 0);
	assert_int_equal(n, 2);
	n = 0;
	q = (struct ledger_query){.until.usec = 1000, .limit = 10};
	assert_int_equal(ledger_list(s->ledger, &q, count_one, &n), 0);
	assert_int_equal(n, 1);
	n = 0;
	q = (struct ledger_query){.sender = "nobody", .limit = 10};
	assert_int_equal(ledger_list(s->ledger, &q, count_one, &n), 0);
	assert_int_equal(n, 0);
}

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
	    TEST(lines_of_two_journals_make_one_path),
	    TEST(the_order_of_import_does_not_matter),
	    TEST(what_was_taken_is_not_taken_again_after_a_restart),
	    TEST(a_rebuild_beside_another_writer_gives_the_same),
	    TEST(a_replaced_or_shortened_journal_is_read_from_its_start),
	    TEST(lines_that_are_no_events_are_counted_and_passed_over),
	    cmocka_unit_test(
		plain_lines_are_read_the_short_way_to_the_same_end),
	    TEST(messages_are_listed_by_sender_and_time),
	    TEST(every_place_is_counted_and_the_sums_agree),
	    TEST(what_is_lost_or_twice_is_named_and_the_sums_disagree),
	    TEST(a_move_that_a_crash_undid_is_no_error),
	    TEST(a_ledger_that_says_another_place_is_noticed),
	    TEST(stock_is_right_while_messages_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
