/*
 * The scanned table from both ends: claims alone, rows alone, and a book and
 * several clients in one event loop.
 */
#include "worker/book.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/ipc.h"
#include "tests/support/tmpspool.h"
#include "worker/book_claims.h"
#include "worker/book_rows.h"
#include "worker/table.h"

#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#define CLIENTS 3
#define SEEN    2048

/* What clients were told, in order. */
struct told {
	int client;
	uint64_t job;
	struct table_entry entry;
};

struct site {
	char *dir, *sock, *db;
	struct event_base *base;
	struct book *book;
	struct table *tables[CLIENTS];
	struct told told[SEEN];
	size_t n_told;
};

struct ear {
	struct site *site;
	int client;
};

static struct ear ears[CLIENTS];

static void
on_answer(void *arg, uint64_t job, const struct table_entry *entries, size_t n)
{
	const struct ear *ear = arg;
	struct site *s = ear->site;

	for (size_t i = 0; i < n; i++) {
		assert_true(s->n_told < SEEN);
		s->told[s->n_told++] =
		    (struct told){ear->client, job, entries[i]};
	}
}

static void
start_book(struct site *s)
{
	struct book_parts parts = {.engines_uid = geteuid()};
	char err[256];

	assert_int_equal(
	    rows_open(s->db, BOOK_ROWS_MAX, &parts.rows, err, sizeof(err)), 0);
	parts.listen_fd = ipc_listen(s->sock);
	assert_true(parts.listen_fd >= 0);
	s->book = book_new(s->base, &parts);
}

/* Run the loop until n answers have come, or for so long. */
static void
run(struct site *s, size_t n, uint64_t usec)
{
	struct mono start = mono_now();

	while (s->n_told < n && mono_span(start, mono_now()) < usec) {
		assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
		(void)usleep(200);
	}
}

/* Exactly n answers, and no more in the next moment. */
static void
expect(struct site *s, size_t n)
{
	run(s, n, 5 * USEC_PER_SEC);
	run(s, n + 1, 5 * USEC_PER_MSEC);
	assert_int_equal(s->n_told, n);
}

static void
told_is(const struct site *s, size_t i, int client, uint64_t job,
    uint32_t index, enum table_state state)
{
	assert_true(i < s->n_told);
	assert_int_equal(s->told[i].client, client);
	assert_int_equal(s->told[i].job, job);
	assert_int_equal(s->told[i].entry.index, index);
	assert_int_equal(s->told[i].entry.state, state);
}

static int
set_up(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));

	s->dir = tmp_new();
	s->sock = xasprintf("%s/book.sock", s->dir);
	s->db = xasprintf("%s/table.db", s->dir);
	s->base = event_base_new();
	start_book(s);
	for (int i = 0; i < CLIENTS; i++) {
		ears[i] = (struct ear){s, i};
		s->tables[i] =
		    table_open(s->base, s->sock, on_answer, &ears[i]);
		assert_true(table_is_up(s->tables[i]));
	}
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct site *s = *state;

	for (int i = 0; i < CLIENTS; i++)
		s->tables[i] = table_close(s->tables[i]);
	s->book = book_free(s->book);
	event_base_free(s->base);
	tmp_remove(s->dir);
	free(s->sock);
	free(s->db);
	free(s);
	return 0;
}

static struct digest
key(int n)
{
	return digest_memory(&n, sizeof(n));
}

static void
ask(struct site *s, int client, uint64_t job, int n)
{
	struct digest k = key(n);

	table_lookup(s->tables[client], job, "clamd", "db-1", &k, 1);
}

static void
result(struct site *s, int client, int n, enum table_verdict verdict)
{
	struct digest k = key(n);

	table_result(s->tables[client], &k, "clamd", "db-1", verdict,
	    verdict == TABLE_HIT ? "Eicar" : "", 10);
}

static void
one_judges_the_others_wait_and_all_know(void **state)
{
	struct site *s = *state;

	ask(s, 0, 1, 7);
	expect(s, 1);
	told_is(s, 0, 0, 1, 0, TABLE_YOURS);
	ask(s, 1, 5, 7);
	ask(s, 0, 2, 7); /* the same client waits for itself too */
	expect(s, 3);
	assert_int_equal(s->told[1].entry.state, TABLE_LATER);
	assert_int_equal(s->told[2].entry.state, TABLE_LATER);
	result(s, 0, 7, TABLE_HIT);
	expect(s, 5);
	for (size_t i = 3; i < 5; i++) {
		assert_int_equal(s->told[i].entry.state, TABLE_KNOWN);
		assert_int_equal(s->told[i].entry.verdict, TABLE_HIT);
		assert_string_equal(s->told[i].entry.name, "Eicar");
	}
	ask(s, 2, 9, 7);
	expect(s, 6);
	told_is(s, 5, 2, 9, 0, TABLE_KNOWN);
	assert_int_equal(s->told[5].entry.verdict, TABLE_HIT);
}

static void
an_unknown_passes_the_claim_and_stores_nothing(void **state)
{
	struct site *s = *state;

	ask(s, 0, 1, 7);
	expect(s, 1);
	ask(s, 1, 2, 7);
	expect(s, 2);
	result(s, 0, 7, TABLE_UNKNOWN);
	expect(s, 3);
	told_is(s, 2, 1, 2, 0, TABLE_YOURS);
	result(s, 1, 7, TABLE_UNKNOWN);
	ask(s, 1, 3, 7);
	expect(s, 4);
	told_is(s, 3, 1, 3, 0, TABLE_YOURS);
}

static void
a_dead_holder_passes_the_claim(void **state)
{
	struct site *s = *state;

	ask(s, 0, 1, 7);
	expect(s, 1);
	ask(s, 1, 2, 7);
	ask(s, 2, 2, 7);
	expect(s, 3);
	s->tables[0] = table_close(s->tables[0]);
	expect(s, 4);
	assert_int_equal(s->told[3].entry.state, TABLE_YOURS);
	/* Of the two only the first in the row. */
	result(s, s->told[3].client, 7, TABLE_CLEAN);
	expect(s, 5);
	assert_int_equal(s->told[4].entry.state, TABLE_KNOWN);
	assert_true(s->told[4].client != s->told[3].client);
}

static void
a_dropped_job_is_not_answered_and_gives_its_claim_back(void **state)
{
	struct site *s = *state;

	ask(s, 0, 1, 7);
	expect(s, 1);
	ask(s, 1, 2, 7);
	ask(s, 2, 3, 7);
	expect(s, 3);
	table_drop(s->tables[1], 2); /* a waiter */
	table_drop(s->tables[0], 1); /* the holder */
	expect(s, 4);
	told_is(s, 3, 2, 3, 0, TABLE_YOURS);
	result(s, 2, 7, TABLE_CLEAN);
	expect(s, 4);
}

static void
another_context_is_another_judgement(void **state)
{
	struct site *s = *state;
	struct digest k = key(7);

	result(s, 0, 7, TABLE_CLEAN);
	ask(s, 0, 1, 7);
	expect(s, 1);
	told_is(s, 0, 0, 1, 0, TABLE_KNOWN);
	table_lookup(s->tables[0], 2, "clamd", "db-2", &k, 1);
	table_lookup(s->tables[0], 3, "other", "db-1", &k, 1);
	expect(s, 3);
	told_is(s, 1, 0, 2, 0, TABLE_YOURS);
	told_is(s, 2, 0, 3, 0, TABLE_YOURS);
	table_result(s->tables[0], &k, "clamd", "db-2", TABLE_HIT, "New", 1);
	table_lookup(s->tables[0], 4, "clamd", "db-2", &k, 1);
	ask(s, 0, 5, 7); /* the old signatures' answer is gone for good */
	expect(s, 5);
	told_is(s, 3, 0, 4, 0, TABLE_KNOWN);
	assert_string_equal(s->told[3].entry.name, "New");
	told_is(s, 4, 0, 5, 0, TABLE_YOURS);
}

static void
as_many_keys_as_fit_are_answered_each_once(void **state)
{
	struct site *s = *state;
	CLEANUP(free_ptr)
	struct digest *keys = xcalloc(TABLE_KEYS_MAX, sizeof(*keys));
	bool seen[TABLE_KEYS_MAX] = {false};

	for (int i = 0; i < TABLE_KEYS_MAX; i++) {
		keys[i] = key(i);
		if (i % 2)
			result(s, 1, i, TABLE_CLEAN);
	}
	run(s, 1, 20 * USEC_PER_MSEC); /* let the results arrive */
	table_lookup(s->tables[0], 1, "clamd", "db-1", keys, TABLE_KEYS_MAX);
	expect(s, TABLE_KEYS_MAX);
	for (size_t i = 0; i < TABLE_KEYS_MAX; i++) {
		const struct table_entry *e = &s->told[i].entry;

		assert_int_equal(
		    e->state, e->index % 2 ? TABLE_KNOWN : TABLE_YOURS);
		assert_false(seen[e->index]);
		seen[e->index] = true;
	}
}

static void
without_a_book_everybody_judges_and_nothing_hangs(void **state)
{
	struct site *s = *state;

	ask(s, 0, 1, 7);
	expect(s, 1);
	ask(s, 1, 2, 7);
	expect(s, 2);
	told_is(s, 1, 1, 2, 0, TABLE_LATER);
	s->book = book_free(s->book);
	ask(s, 2, 3, 8); /* before it knows */
	expect(s, 4);
	assert_int_equal(s->told[2].entry.state, TABLE_YOURS);
	assert_int_equal(s->told[3].entry.state, TABLE_YOURS);
	ask(s, 2, 4, 8);                /* when it knows */
	assert_int_equal(s->n_told, 4); /* never from inside the call */
	expect(s, 5);
	told_is(s, 4, 2, 4, 0, TABLE_YOURS);
	/* The next book finds them again, and what was known. */
	start_book(s);
	for (int i = 0; i < 400 && !table_is_up(s->tables[0]); i++)
		run(s, 6, 10 * USEC_PER_MSEC);
	assert_true(table_is_up(s->tables[0]));
	ask(s, 0, 5, 9);
	expect(s, 6);
	told_is(s, 5, 0, 5, 0, TABLE_YOURS);
}

static void
what_was_known_is_known_after_a_restart(void **state)
{
	struct site *s = *state;

	result(s, 0, 7, TABLE_HIT);
	ask(s, 0, 1, 7);
	expect(s, 1);
	s->book = book_free(s->book);
	run(s, 2, 5 * USEC_PER_MSEC); /* let them notice */
	assert_false(table_is_up(s->tables[1]));
	start_book(s);
	for (int i = 0; i < 400 && !table_is_up(s->tables[1]); i++)
		run(s, 2, 10 * USEC_PER_MSEC);
	ask(s, 1, 2, 7);
	expect(s, 2);
	told_is(s, 1, 1, 2, 0, TABLE_KNOWN);
	assert_string_equal(s->told[1].entry.name, "Eicar");
	assert_true(s->told[1].entry.age_usec > 0);
}

static void
on_ask(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ask(arg, 0, 1, 7);
}

/* What was asked while it was away it never heard of: asked in the same turn
 * of the loop in which it is found again, it must be answered all the same. */
static void
what_a_book_never_heard_of_is_answered(void **state)
{
	const struct timeval soon = {0, 1000};
	struct site *s = *state;

	s->book = book_free(s->book);
	run(s, 1, 5 * USEC_PER_MSEC); /* let them notice */
	assert_false(table_is_up(s->tables[0]));
	start_book(s);
	assert_int_equal(
	    event_base_once(s->base, -1, EV_TIMEOUT, on_ask, s, &soon), 0);
	(void)usleep(100000); /* now both are due: this, then its retry */
	assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
	assert_true(table_is_up(s->tables[0]));
	expect(s, 1);
	told_is(s, 0, 0, 1, 0, TABLE_YOURS);
}

/* Rubbish closes the connection that sent it, and no other. */
static void
a_malformed_message_ends_only_its_sender(void **state)
{
	static const struct {
		uint32_t type;
		size_t len;
	} bad[] = {{TABLE_MSG_LOOKUP, 0}, {TABLE_MSG_LOOKUP, 8},
	    {TABLE_MSG_LOOKUP, sizeof(struct table_lookup)},
	    {TABLE_MSG_RESULT, sizeof(struct table_result)},
	    {TABLE_MSG_RESULT, 1}, {TABLE_MSG_DROP, 9}, {4711, 8}};
	struct site *s = *state;
	char rubbish[sizeof(struct table_lookup)];

	memset(rubbish, 0xff, sizeof(rubbish));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sockaddr_un a = {.sun_family = AF_UNIX};
		struct ipc_msg *msg = xcalloc(1, sizeof(*msg));
		int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

		(void)strcpy(a.sun_path, s->sock);
		assert_int_equal(
		    connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
		assert_int_equal(
		    ipc_send(fd, bad[i].type, rubbish, bad[i].len, NULL, 0), 0);
		run(s, 100, 10 * USEC_PER_MSEC);
		assert_int_equal(ipc_recv(fd, msg), -EPIPE);
		(void)close(fd);
		free(msg);
	}
	ask(s, 0, 1, 7);
	expect(s, 1);
	told_is(s, 0, 0, 1, 0, TABLE_YOURS);
}

static void
a_second_book_is_refused_and_a_stale_socket_replaced(void **state)
{
	struct site *s = *state;
	int fd = ipc_listen(s->sock);

	assert_int_equal(fd, -EADDRINUSE);
	s->book = book_free(s->book); /* its socket file stays */
	start_book(s);
	tmp_put(AT_FDCWD, s->db, "", 0);
	assert_int_equal(ipc_listen(s->db), -EEXIST);
	s->book = book_free(s->book);
	start_book(s);
}

/* Nothing judged is not clean, whatever the context is called. */
static void
a_key_that_nobody_judged_is_never_known(void **state)
{
	struct site *s = *state;
	struct digest k = key(7);

	table_lookup(s->tables[0], 1, "clamd", "", &k, 1);
	expect(s, 1);
	told_is(s, 0, 0, 1, 0, TABLE_YOURS);
	table_drop(s->tables[0], 1);
	table_lookup(s->tables[0], 2, "clamd", "", &k, 1);
	expect(s, 2);
	told_is(s, 1, 0, 2, 0, TABLE_YOURS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_judges_the_others_wait_and_all_know),
	    TEST(an_unknown_passes_the_claim_and_stores_nothing),
	    TEST(a_dead_holder_passes_the_claim),
	    TEST(a_dropped_job_is_not_answered_and_gives_its_claim_back),
	    TEST(another_context_is_another_judgement),
	    TEST(as_many_keys_as_fit_are_answered_each_once),
	    TEST(without_a_book_everybody_judges_and_nothing_hangs),
	    TEST(what_was_known_is_known_after_a_restart),
	    TEST(what_a_book_never_heard_of_is_answered),
	    TEST(a_malformed_message_ends_only_its_sender),
	    TEST(a_second_book_is_refused_and_a_stale_socket_replaced),
	    TEST(a_key_that_nobody_judged_is_never_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
