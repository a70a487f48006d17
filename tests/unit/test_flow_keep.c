/*
 * tests/unit/test_flow_keep.c - from packets to answers: what is remembered,
 * found again, and still there after a restart.
 */
#include "flow/keep.h"

#include "flow/ask.h"

#include "common/io.h"

#include "tests/support/flow_made.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define RECORDS 8
#define SPAN    (INT64_C(3600) * 1000000000)

struct site {
	char directory[40], answer[FLOW_ANSWER_MAX + 1];
	struct flow_records *records;
	struct flow_journal *journal;
	struct flow_keep *keep;
};

static void
on_record(void *arg, const struct flow_record *record)
{
	flow_records_put(arg, record);
}

static void
start(struct site *s)
{
	const struct flow_limits limits = {.ports = {MADE_SERVER_PORT},
	    .n_ports = 1,
	    .proven_max = 64, /* none is pushed out */
	    .unproven_max = 8,
	    .budget_bytes = 1 << 20};

	s->records = flow_records_new(RECORDS);
	assert_int_equal(
	    flow_journal_open(s->directory, RECORDS, SPAN, &s->journal), 0);
	assert_true(flow_journal_read(s->journal, on_record, s->records) >= 0);
	s->keep = flow_keep_new(&limits, s->records, s->journal, NULL);
}

/* As a crash does: nothing is told, nothing is written. */
static void
stop(struct site *s)
{
	s->keep = flow_keep_free(s->keep);
	s->journal = flow_journal_close(s->journal);
	s->records = flow_records_free(s->records);
}

static int
set_up(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));

	(void)strcpy(s->directory, "/tmp/test_flow_keep.XXXXXX");
	assert_non_null(mkdtemp(s->directory));
	start(s);
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct site *s = *state;
	char path[64];

	stop(s);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/flows.%d", s->directory, i);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(s->directory), 0);
	free(s);
	return 0;
}

static void
send_text(struct site *s, int64_t msec, uint8_t client, bool is_in,
    uint8_t flags, int32_t seq, int32_t ack, const char *text)
{
	struct packet p =
	    made(msec, client, is_in, flags, seq, ack, (uint32_t)strlen(text));

	p.payload = (const uint8_t *)text;
	flow_keep_packet(s->keep, &p);
}

#define BODY "Message-ID: <one@b>\r\n\r\nx\r\n.\r\n"

/* A connection with one message, which our server names; at 1000 * client. */
static void
converse(struct site *s, uint8_t client, const char *reply)
{
	const int64_t t = 1000 * client;

	send_text(s, t, client, true, TCP_SYN, -1, 0, "");
	send_text(s, t + 1, client, false, TCP_SYN | TCP_ACK, -1, 0, "");
	send_text(s, t + 2, client, true, TCP_ACK, 0, 0, "");
	send_text(s, t + 3, client, false, TCP_ACK, 0, 0, "220 mx\r\n");
	send_text(s, t + 4, client, true, TCP_ACK, 0, 8, "DATA\r\n");
	send_text(s, t + 5, client, false, TCP_ACK, 8, 6, "354 go\r\n");
	send_text(s, t + 6, client, true, TCP_ACK, 6, 16, BODY);
	send_text(s, t + 7, client, false, TCP_ACK, 16, 36, reply);
}

static void
hang_up(struct site *s, uint8_t client, int32_t in_at, int32_t out_at)
{
	const int64_t t = 1000 * client + 100;

	send_text(s, t, client, true, TCP_FIN | TCP_ACK, in_at, out_at, "");
	send_text(
	    s, t + 1, client, false, TCP_FIN | TCP_ACK, out_at, in_at + 1, "");
}

static const char *
ask(struct site *s, const char *text, int64_t not_before_nsec)
{
	struct flow_question q;
	enum flow_by by;
	size_t n;

	assert_int_equal(flow_ask_parse(text, strlen(text), &q), 0);
	q.not_before_nsec = not_before_nsec;
	n = flow_answer(
	    flow_keep_table(s->keep), s->records, &q, s->answer, &by);
	s->answer[n] = '\0';
	return s->answer;
}

#define assert_answer(s, question, begin) \
	assert_memory_equal(ask(s, question, 0), begin, strlen(begin))

#define OK(id)   "250 2.0.0 " id " Message accepted for delivery\r\n"
#define CLIENT_1 "client=192.0.2.1 port=40000"

static void
a_message_is_found_by_client_then_queue_id_then_message_id(void **state)
{
	struct site *s = *state;

	converse(s, 1, OK("QUEUE1"));
	assert_answer(s, CLIENT_1, "found by=client ordinal=0 messages=1");
	assert_answer(s, CLIENT_1 " queue=QUEUE1",
	    "found by=client ordinal=1 messages=1 state=open");
	assert_answer(s, "queue=QUEUE1", "found by=queue ordinal=1");
	assert_non_null(strstr(s->answer, " ttl=57 "));
	assert_answer(s, "id=<one@b>", "found by=id ordinal=1");
	/* Behind a proxy: another client, which is unknown. */
	assert_answer(s, "client=192.0.2.99 port=1 queue=QUEUE1",
	    "found by=queue ordinal=1");
	assert_answer(s, "client=192.0.2.99 port=1", "none reason=unknown");
	assert_answer(s, "queue=QUEUE2 id=<two@b>", "none reason=unknown");
}

static void
the_features_of_a_message_are_those_of_its_arrival(void **state)
{
	struct site *s = *state;

	converse(s, 1, OK("QUEUE1"));
	hang_up(s, 1, 36, 65);
	assert_non_null(
	    strstr(ask(s, "queue=QUEUE1", 0), " pkts_in=4 pkts_out=3 "));
	assert_non_null(strstr(ask(s, CLIENT_1, 0), " pkts_in=5 pkts_out=5 "));
	assert_non_null(strstr(s->answer, " state=closed "));
	assert_non_null(strstr(s->answer, " fin_in=1 fin_out=1 "));
}

static void
a_message_id_of_two_connections_proves_nothing(void **state)
{
	struct site *s = *state;

	converse(s, 1, OK("QUEUE1"));
	converse(s, 2, OK("QUEUE2"));
	assert_answer(s, "id=<one@b>", "none reason=ambiguous");
	assert_answer(s, "id=<one@b> queue=QUEUE2", "found by=queue");
	assert_answer(s, "client=192.0.2.2 port=40000 id=<one@b>",
	    "found by=client ordinal=1");
}

static void
a_crash_loses_nothing_that_had_ended(void **state)
{
	struct site *s = *state;

	converse(s, 1, OK("QUEUE1"));
	hang_up(s, 1, 36, 65);
	converse(s, 2, OK("QUEUE2")); /* open */
	stop(s);
	start(s);
	assert_answer(s, CLIENT_1, "found by=client ordinal=0");
	assert_non_null(strstr(s->answer, " state=closed "));
	assert_answer(s, "queue=QUEUE1", "found by=queue ordinal=1");
	assert_answer(s, "queue=QUEUE2", "found by=queue ordinal=1");
	assert_answer(s, "client=192.0.2.2 port=40000", "none reason=unknown");
}

static void
an_orderly_end_keeps_what_was_open(void **state)
{
	struct site *s = *state;

	converse(s, 1, OK("QUEUE1"));
	flow_keep_end(s->keep);
	stop(s);
	start(s);
	assert_answer(s, CLIENT_1, "found by=client ordinal=0");
}

static void
records_that_are_too_old_do_not_count(void **state)
{
	struct site *s = *state;

	converse(s, 1, OK("QUEUE1"));
	assert_memory_equal(ask(s, "queue=QUEUE1", 2000 * MADE_MSEC),
	    "none reason=unknown", 19);
}

static void
the_oldest_record_makes_room_for_the_newest(void **state)
{
	struct site *s = *state;
	char reply[64];

	for (uint8_t i = 1; i <= 2 * RECORDS; i++) {
		(void)snprintf(reply, sizeof(reply), OK("QUEUE%d"), i);
		converse(s, i, reply);
	}
	assert_int_equal(flow_records_count(s->records), RECORDS);
	assert_answer(s, "queue=QUEUE8", "none reason=unknown");
	assert_answer(s, "queue=QUEUE9", "found by=queue");
	stop(s);
	start(s); /* two files of 8 lines, two lines a message */
	assert_answer(s, "queue=QUEUE16", "found by=queue");
}

static void
flows_that_nobody_proved_are_not_kept(void **state)
{
	struct site *s = *state;

	send_text(s, 0, 1, true, TCP_SYN, -1, 0, "");
	send_text(s, 1, 1, false, TCP_SYN | TCP_ACK, -1, 0, "");
	flow_keep_end(s->keep);
	assert_int_equal(flow_records_count(s->records), 0);
}

static void
spoil(const struct site *s, int64_t at, int64_t cut)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/flows.0", s->directory);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	if (at >= 0)
		assert_int_equal(pwrite(fd, "\xff\xff\xff", 3, at), 3);
	if (cut > 0)
		assert_int_equal(
		    ftruncate(fd, lseek(fd, 0, SEEK_END) - cut), 0);
	(void)close(fd);
}

static void
a_damaged_journal_is_read_as_far_as_it_is_whole(void **state)
{
	struct site *s = *state;

	converse(s, 1, OK("QUEUE1")); /* two lines */
	converse(s, 2, OK("QUEUE2"));
	stop(s);
	spoil(s, 24 + 264 + 100, 10); /* the second, and the end of the last */
	start(s);
	assert_answer(s, "queue=QUEUE1", "none reason=unknown");
	assert_answer(s, "id=<one@b>", "none reason=ambiguous");
	assert_answer(s, "queue=QUEUE2", "none reason=unknown");
	converse(s, 3, OK("QUEUE3")); /* where the cut one was */
	stop(s);
	start(s);
	assert_answer(s, "queue=QUEUE3", "found by=queue");
	stop(s);
	spoil(s, 0, 0); /* of another version */
	start(s);
	assert_int_equal(flow_records_count(s->records), 0);
	converse(s, 4, OK("QUEUE4"));
	stop(s);
	start(s);
	assert_answer(s, "queue=QUEUE4", "found by=queue");
}

static void
a_journal_has_one_writer(void **state)
{
	struct site *s = *state;
	struct flow_journal *other;

	assert_int_equal(
	    flow_journal_open(s->directory, RECORDS, SPAN, &other), -EBUSY);
}

static void
what_is_no_question_is_refused(void **state)
{
	static const char *const bad[] = {"bogus", "client=192.0.2.1", "port=1",
	    "client=1.2.3 port=1", "client=192.0.2.1 port=65536",
	    "client=192.0.2.1 port=-1", "what=x", "client=192.0.2.1 port=1x"};
	struct flow_question q;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    flow_ask_parse(bad[i], strlen(bad[i]), &q), -EINVAL);
	assert_int_equal(flow_ask_parse("queue=AB\0CD", 11, &q), -EINVAL);
	assert_int_equal(
	    flow_ask_parse("client=2001:db8::1 port=25 id=<a b>", 35, &q),
	    -EINVAL);
	assert_int_equal(flow_ask_parse("queue=../x", 10, &q), 0);
	assert_false(q.has_queue);
}

#define with_site(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    with_site(
		a_message_is_found_by_client_then_queue_id_then_message_id),
	    with_site(the_features_of_a_message_are_those_of_its_arrival),
	    with_site(a_message_id_of_two_connections_proves_nothing),
	    with_site(a_crash_loses_nothing_that_had_ended),
	    with_site(an_orderly_end_keeps_what_was_open),
	    with_site(records_that_are_too_old_do_not_count),
	    with_site(the_oldest_record_makes_room_for_the_newest),
	    with_site(flows_that_nobody_proved_are_not_kept),
	    with_site(a_damaged_journal_is_read_as_far_as_it_is_whole),
	    with_site(a_journal_has_one_writer),
	    cmocka_unit_test(what_is_no_question_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
