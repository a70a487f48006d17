#include "worker/ledger.h"

#include "tests/support/ledger_site.h"
#include "worker/ledger_line.h"

#include <errno.h>

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

static int
note_rcpt(void *arg, const struct ledger_message *m)
{
	(void)snprintf(arg, 100, "%s", m->rcpt);
	return 0;
}

/* A worker's line knows the first recipient alone, whichever comes first. */
static void
the_line_of_acceptance_knows_all_recipients(void **state)
{
	struct site *s = *state;
	struct event in = {.kind = EVENT_MOVE,
	    .t.usec = 1000,
	    .id = "A1",
	    .from = SPOOL_IN,
	    .to = SPOOL_FEED1,
	    .rcpt = "b@y.test c@y.test"};
	struct event out = {.kind = EVENT_MOVE,
	    .t.usec = 1001,
	    .id = "A1",
	    .from = SPOOL_FEED1,
	    .to = SPOOL_OUT,
	    .rcpt = "b@y.test"};
	char rcpt[100];

	for (int first = 0; first < 2; first++) {
		(void)strcpy(in.id, first ? "A1" : "A2");
		(void)strcpy(out.id, in.id);
		write_line(s->feed, first ? &in : &out);
		assert_int_equal(ledger_import(s->ledger, s->spool, 1), 1);
		write_line(s->feed, first ? &out : &in);
		assert_int_equal(ledger_import(s->ledger, s->spool, 1), 1);
		assert_int_equal(
		    ledger_trace(s->ledger, in.id, note_rcpt, NULL, rcpt), 0);
		assert_string_equal(rcpt, in.rcpt);
	}
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lines_of_two_journals_make_one_path),
	    TEST(the_order_of_import_does_not_matter),
	    TEST(the_line_of_acceptance_knows_all_recipients),
	    TEST(what_was_taken_is_not_taken_again_after_a_restart),
	    TEST(a_rebuild_beside_another_writer_gives_the_same),
	    TEST(a_replaced_or_shortened_journal_is_read_from_its_start),
	    TEST(lines_that_are_no_events_are_counted_and_passed_over),
	    cmocka_unit_test(
		plain_lines_are_read_the_short_way_to_the_same_end),
	    TEST(messages_are_listed_by_sender_and_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
