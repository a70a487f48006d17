/*
 * tests/unit/test_flow_dialogue.c - where messages end and what they are known
 * by, however their octets arrive.
 */
#include "flow/dialogue.h"

#include "tests/support/flow_made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct talk {
	struct dialogue dialogue;
	struct flow_budget budget;
	int32_t in, out; /* next octets */
	unsigned int ended, named, last_named;
	struct flow_key ids[8], queues[8];
	bool has_id[8];
};

static void
on_ended(void *arg, unsigned int ordinal, const struct flow_key *id)
{
	struct talk *t = arg;

	assert_int_equal(ordinal, t->ended + 1);
	assert_true(ordinal < 8);
	t->ended = ordinal;
	t->has_id[ordinal] = id != NULL;
	if (id)
		t->ids[ordinal] = *id;
}

static void
on_named(void *arg, unsigned int ordinal, const struct flow_key *queue)
{
	struct talk *t = arg;

	assert_true(ordinal < 8);
	t->named++;
	t->last_named = ordinal;
	t->queues[ordinal] = *queue;
}

static void
give(struct talk *t, bool is_in, int32_t at, const char *text, uint32_t n)
{
	const struct dialogue_sink sink = {on_ended, on_named, t};
	struct packet p = made(0, 1, is_in, TCP_ACK, at, 0, n);

	p.payload = (const uint8_t *)text;
	dialogue_segment(&t->dialogue, &p, is_in, &t->budget, &sink);
}

static void
in(struct talk *t, const char *text)
{
	const uint32_t n = (uint32_t)strlen(text);

	give(t, true, t->in, text, n);
	t->in += (int32_t)n;
}

static void
out(struct talk *t, const char *text)
{
	const uint32_t n = (uint32_t)strlen(text);

	give(t, false, t->out, text, n);
	t->out += (int32_t)n;
}

static void
begin(struct talk *t)
{
	const struct dialogue_sink sink = {on_ended, on_named, t};
	const struct packet syn = made(0, 1, true, TCP_SYN, -1, 0, 0);
	const struct packet syn_ack =
	    made(0, 1, false, TCP_SYN | TCP_ACK, -1, 0, 0);

	memset(t, 0, sizeof(*t));
	t->budget.left_bytes = 1 << 20;
	dialogue_segment(&t->dialogue, &syn, true, &t->budget, &sink);
	dialogue_segment(&t->dialogue, &syn_ack, false, &t->budget, &sink);
	out(t, "220 mx ESMTP\r\n");
	in(t, "EHLO client\r\n");
	out(t, "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
}

static void
end(struct talk *t)
{
	dialogue_done(&t->dialogue, &t->budget);
	assert_int_equal(t->budget.left_bytes, 1 << 20);
}

static void
assert_id(const struct talk *t, unsigned int ordinal, const char *id)
{
	struct flow_key key;

	assert_true(flow_key_of_id(id, strlen(id), &key));
	assert_true(t->has_id[ordinal]);
	assert_memory_equal(&key, &t->ids[ordinal], sizeof(key));
}

static void
assert_queue(const struct talk *t, unsigned int ordinal, const char *queue)
{
	struct flow_key key;

	assert_true(flow_key_of_queue(queue, strlen(queue), &key));
	assert_memory_equal(&key, &t->queues[ordinal], sizeof(key));
}

static void
a_message_is_known_by_its_id_and_the_servers_name_for_it(void **state)
{
	static const char *const replies[] = {
	    "250 2.0.0 4ATNw3aB001234 Message accepted for delivery\r\n",
	    "250 2.0.0 Ok: queued as 4ATNw3aB001234\r\n",
	    "250 OK id=4ATNw3aB001234\r\n"};
	struct talk t;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		begin(&t);
		in(&t, "MAIL FROM:<a@b>\r\n");
		out(&t, "250 ok\r\n");
		in(&t, "RCPT TO:<c@d>\r\n");
		out(&t, "250 ok\r\n");
		in(&t, "DATA\r\n");
		out(&t, "354 go\r\n");
		in(&t, "From: a\r\nMessage-Id: <one@b>\r\n\r\nhello\r\n.\r\n");
		assert_int_equal(t.ended, 1);
		assert_id(&t, 1, "<one@b>");
		assert_int_equal(t.named, 0);
		out(&t, replies[i]);
		assert_int_equal(t.named, 1);
		assert_queue(&t, 1, "4ATNw3aB001234");
		end(&t);
	}
}

static void
a_folded_header_in_any_case_is_read_and_the_first_counts(void **state)
{
	struct talk t;

	(void)state;
	begin(&t);
	in(&t, "DATA\r\n");
	out(&t, "354 go\r\n");
	in(&t, "Subject: a\r\n Message-ID: <no@b>\r\nmessage-ID :\r\n\t<two@b>"
	       "\r\nMessage-ID: <three@b>\r\n\r\nMessage-ID: <x@b>\r\n.\r\n");
	assert_id(&t, 1, "<two@b>");
	end(&t);
}

static void
messages_of_one_connection_have_ordinals(void **state)
{
	struct talk t;

	(void)state;
	begin(&t);
	for (int i = 0; i < 3; i++) {
		/* All in one segment, as PIPELINING allows. */
		in(&t, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n"
		       "DATA\r\n");
		out(&t, "250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n");
		in(&t, i == 1 ? "\r\nno header\r\n.\r\n"
			      : "Message-ID: <m@b>\r\n\r\n.\r\n");
		if (i == 1)
			out(&t, "554 5.7.1 refused\r\n");
		else
			out(&t, i == 0 ? "250 2.0.0 Ok: queued as AAAA\r\n"
				       : "250 2.0.0 Ok: queued as CCCC\r\n");
	}
	assert_int_equal(t.ended, 3);
	assert_true(t.has_id[1]);
	assert_false(t.has_id[2]);
	assert_int_equal(t.named, 2);
	assert_queue(&t, 1, "AAAA");
	assert_queue(&t, 3, "CCCC");
	end(&t);
}

static void
data_that_is_refused_is_no_message(void **state)
{
	struct talk t;

	(void)state;
	begin(&t);
	in(&t, "DATA\r\n");
	out(&t, "503 no recipients\r\n");
	in(&t, "NOOP\r\n");
	out(&t, "250 ok\r\n");
	in(&t, "DATA\r\n");
	out(&t, "354 go\r\n");
	in(&t, "a\r\n.\r\n");
	assert_int_equal(t.ended, 1);
	assert_string_equal(dialogue_mode_name(&t.dialogue), "smtp");
	end(&t);
}

static void
only_a_dot_alone_between_crlfs_ends_a_message(void **state)
{
	struct talk t;

	(void)state;
	begin(&t);
	in(&t, "DATA\r\n");
	out(&t, "354 go\r\n");
	in(&t, "A: b\r\n\r\n..\r\n.x\r\n\n.\n\n.\r\n\r.\r\n.\r\r\nend\r\n.");
	assert_int_equal(t.ended, 0);
	in(&t, "\r");
	in(&t, "\n");
	assert_int_equal(t.ended, 1);
	end(&t);
}

static void
a_message_in_chunks_ends_with_the_last(void **state)
{
	struct talk t;

	(void)state;
	begin(&t);
	in(&t, "BDAT 19\r\nMessage-ID: <a@b>\r\n");
	out(&t, "250 ok\r\n");
	in(&t, "BDAT 7\r\n\r\n.\r\n.\r");
	out(&t, "250 ok\r\n");
	in(&t, "BDAT 3 LAST\r\n\nxy");
	assert_int_equal(t.ended, 1);
	assert_id(&t, 1, "<a@b>");
	out(&t, "250 2.0.0 Ok: queued as BBBB\r\n");
	assert_queue(&t, 1, "BBBB");
	in(&t, "BDAT 0 LAST\r\n");
	assert_int_equal(t.ended, 2);
	assert_false(t.has_id[2]);
	end(&t);
}

static void
octets_come_singly_twice_and_out_of_order(void **state)
{
	static const char text[] =
	    "DATA\r\nMessage-ID: <late@b>\r\n\r\nbody\r\n.\r\n";
	struct talk t;
	int32_t at;

	(void)state;
	begin(&t);
	at = t.in;
	for (size_t i = 0; i < 6; i++)
		give(&t, true, at++, text + i, 1);
	out(&t, "354 go\r\n");
	give(&t, true, at + 10, text + 16, (uint32_t)sizeof(text) - 17);
	give(&t, true, at + 4, text + 10, 3);
	give(&t, true, at - 6, text, 6); /* again */
	assert_int_equal(t.ended, 0);
	give(&t, true, at, text + 6, 12);
	assert_int_equal(t.ended, 1);
	assert_id(&t, 1, "<late@b>");
	end(&t);
}

static void
what_is_encrypted_or_missing_is_not_guessed_at(void **state)
{
	struct talk t;

	(void)state;
	begin(&t);
	in(&t, "STARTTLS\r\n");
	out(&t, "220 go\r\n");
	in(&t, "DATA\r\n.\r\n");
	assert_string_equal(dialogue_mode_name(&t.dialogue), "tls");
	assert_int_equal(t.ended, 0);
	end(&t);

	begin(&t);
	in(&t, "STARTTLS\r\n");
	out(&t, "454 not now\r\n");
	in(&t, "DATA\r\n");
	out(&t, "354 go\r\n");
	in(&t, ".\r\n");
	assert_int_equal(t.ended, 1);
	end(&t);

	begin(&t);
	for (int32_t i = 0; i < DIALOGUE_HELD_MAX + 1; i++)
		give(&t, true, t.in + 1 + 2 * i, "x", 1);
	assert_string_equal(dialogue_mode_name(&t.dialogue), "lost");
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_message_is_known_by_its_id_and_the_servers_name_for_it),
	    cmocka_unit_test(
		a_folded_header_in_any_case_is_read_and_the_first_counts),
	    cmocka_unit_test(messages_of_one_connection_have_ordinals),
	    cmocka_unit_test(data_that_is_refused_is_no_message),
	    cmocka_unit_test(only_a_dot_alone_between_crlfs_ends_a_message),
	    cmocka_unit_test(a_message_in_chunks_ends_with_the_last),
	    cmocka_unit_test(octets_come_singly_twice_and_out_of_order),
	    cmocka_unit_test(what_is_encrypted_or_missing_is_not_guessed_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
