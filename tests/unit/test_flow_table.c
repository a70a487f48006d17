/*
 * tests/unit/test_flow_table.c - which flow a packet belongs to, and which are
 * given up.
 */
#include "flow/table.h"

#include "tests/support/flow_made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SYN    TCP_SYN
#define ACK    TCP_ACK
#define SYNACK (TCP_SYN | TCP_ACK)
#define FIN    (TCP_FIN | TCP_ACK)

struct ended {
	unsigned int n, of[FLOW_ENDS], unproven;
	uint8_t last_client;
};

static void
on_end(void *arg, struct flow *flow, enum flow_end end)
{
	struct ended *ended = arg;

	ended->n++;
	ended->of[end]++;
	ended->unproven += !flow->follow.is_proven;
	ended->last_client = flow->client.address[15];
}

static struct flow_table *
table_of(uint32_t proven, uint32_t unproven, struct ended *ended)
{
	const struct flow_limits limits = {.ports = {MADE_SERVER_PORT},
	    .n_ports = 1,
	    .proven_max = proven,
	    .unproven_max = unproven,
	    .budget_bytes = 1 << 20,
	    .idle_nsec = 3600000 * MADE_MSEC,
	    .closed_nsec = 60000 * MADE_MSEC,
	    .unproven_nsec = 60000 * MADE_MSEC};

	memset(ended, 0, sizeof(*ended));
	return flow_table_new(&limits, on_end, ended);
}

static struct flow *
see(struct flow_table *t, int64_t msec, uint8_t client, bool is_in,
    uint8_t flags, int32_t seq, int32_t ack, uint32_t length)
{
	const struct packet p =
	    made(msec, client, is_in, flags, seq, ack, length);
	bool said_in = !is_in;
	struct flow *flow = flow_table_see(t, &p, &said_in);

	assert_non_null(flow);
	assert_int_equal(said_in, is_in);
	return flow;
}

static struct flow *
open_flow(struct flow_table *t, int64_t msec, uint8_t client)
{
	(void)see(t, msec, client, true, SYN, -1, 0, 0);
	(void)see(t, msec, client, false, SYNACK, -1, 0, 0);
	return see(t, msec, client, true, ACK, 0, 0, 0);
}

static void
packets_of_other_ports_are_strangers(void **state)
{
	struct ended ended;
	struct flow_table *t = table_of(4, 4, &ended);
	struct packet p = made(0, 1, true, SYN, -1, 0, 0);
	bool is_in;

	(void)state;
	p.to.port = 80;
	assert_null(flow_table_see(t, &p, &is_in));
	assert_int_equal(flow_table_stats(t).strangers, 1);
	(void)flow_table_free(t);
}

static void
without_a_syn_the_mail_servers_port_is_the_server(void **state)
{
	struct ended ended;
	struct flow_table *t = table_of(4, 4, &ended);
	struct packet p = made(0, 1, true, ACK, 0, 0, 10);
	bool is_in = false;

	(void)state;
	p.from.port = 7; /* lower than the server's */
	assert_non_null(flow_table_see(t, &p, &is_in));
	assert_true(is_in);
	(void)flow_table_free(t);
}

static void
a_flood_of_syns_pushes_out_nothing_but_its_like(void **state)
{
	struct ended ended;
	struct flow_table *t = table_of(4, 4, &ended);

	(void)state;
	for (uint8_t i = 0; i < 4; i++)
		(void)open_flow(t, 0, i);
	for (uint8_t i = 100; i < 200; i++) {
		(void)see(t, 1, i, true, SYN, -1, 0, 0);
		(void)see(t, 1, i, false, SYNACK, -1, 0, 0);
	}
	assert_int_equal(ended.n, 96);
	assert_int_equal(ended.unproven, 96);
	assert_int_equal(flow_table_stats(t).now[FLOW_PROVEN], 4);
	/* And out of nothing ones, which the server answers by RST. */
	for (uint8_t i = 200; i < 250; i++) {
		(void)see(t, 2, i, true, ACK, 0, 0, 10);
		(void)see(t, 2, i, false, TCP_RST, 0, 0, 0);
	}
	assert_int_equal(flow_table_stats(t).now[FLOW_PROVEN], 4);
	for (uint8_t i = 0; i < 4; i++)
		assert_int_equal(
		    see(t, 3, i, true, ACK, 0, 0, 10)->follow.in.packets, 3);
	(void)flow_table_free(t);
}

static void
closed_flows_go_before_open_ones_and_old_before_new(void **state)
{
	struct ended ended;
	struct flow_table *t = table_of(3, 3, &ended);

	(void)state;
	(void)open_flow(t, 0, 1);
	(void)open_flow(t, 5000, 2);
	(void)open_flow(t, 10000, 3);
	(void)see(t, 10001, 3, true, FIN, 0, 0, 0);
	(void)see(t, 10002, 3, false, FIN, 0, 1, 0);
	(void)open_flow(t, 10003, 4);
	assert_int_equal(ended.n, 1);
	assert_int_equal(ended.last_client, 3);
	(void)open_flow(t, 10004, 5);
	assert_int_equal(ended.last_client, 1);
	(void)see(t, 20000, 2, true, ACK, 0, 0, 10);
	(void)open_flow(t, 20001, 6);
	assert_int_equal(ended.last_client, 4);
	(void)flow_table_free(t);
}

static void
a_forged_syn_ends_nothing_and_a_real_one_replaces(void **state)
{
	struct ended ended;
	struct flow_table *t = table_of(4, 4, &ended);
	const uint64_t first = open_flow(t, 0, 1)->serial;
	struct flow *flow;

	(void)state;
	/* Of another number; the server acknowledges what it expects. */
	flow = see(t, 1, 1, true, SYN, 100000, 0, 0);
	assert_int_not_equal(flow->serial, first);
	assert_int_equal(see(t, 2, 1, false, ACK, 0, 0, 0)->serial, first);
	assert_int_equal(see(t, 3, 1, true, ACK, 0, 0, 10)->serial, first);
	assert_int_equal(see(t, 4, 1, false, ACK, 0, 10, 5)->serial, first);
	assert_int_equal(ended.n, 0);
	/* The client was restarted: the whole handshake. */
	flow = see(t, 5, 1, true, SYN, 200000, 0, 0);
	assert_int_equal(see(t, 6, 1, false, SYNACK, 70000, 200001, 0)->serial,
	    flow->serial);
	assert_int_equal(
	    see(t, 7, 1, true, ACK, 200001, 70001, 0)->serial, flow->serial);
	assert_int_equal(ended.of[FLOW_END_REPLACED], 1);
	assert_int_equal(
	    see(t, 8, 1, true, ACK, 200001, 70001, 9)->serial, flow->serial);
	(void)flow_table_free(t);
}

static void
a_port_that_is_used_again_is_another_flow(void **state)
{
	struct ended ended;
	struct flow_table *t = table_of(4, 4, &ended);
	const uint64_t first = open_flow(t, 0, 1)->serial;

	(void)state;
	(void)see(t, 1, 1, true, FIN, 0, 0, 0);
	(void)see(t, 2, 1, false, FIN, 0, 1, 0);
	(void)see(t, 3, 1, true, SYN, 300000, 0, 0);
	(void)see(t, 4, 1, false, SYNACK, 80000, 300001, 0);
	assert_int_not_equal(
	    see(t, 5, 1, true, ACK, 300001, 80001, 0)->serial, first);
	(void)flow_table_free(t);
}

static void
silence_ends_each_kind_of_flow_in_its_time(void **state)
{
	struct ended ended;
	struct flow_table *t = table_of(8, 8, &ended);

	(void)state;
	(void)open_flow(t, 0, 1);
	(void)open_flow(t, 0, 2);
	(void)see(t, 1, 2, true, FIN, 0, 0, 0);
	(void)see(t, 1, 2, false, FIN, 0, 1, 0);
	(void)see(t, 0, 3, true, SYN, -1, 0, 0);
	flow_table_expire(t, 59000 * MADE_MSEC);
	assert_int_equal(ended.n, 0);
	flow_table_expire(t, 61000 * MADE_MSEC);
	assert_int_equal(ended.of[FLOW_END_IDLE], 1);
	assert_int_equal(ended.unproven, 1);
	assert_int_equal(ended.of[FLOW_END_CLOSED], 1);
	(void)see(t, 3000000, 1, true, ACK, 0, 0, 10);
	flow_table_expire(t, 3601000 * MADE_MSEC);
	assert_int_equal(ended.n, 2);
	flow_table_expire(t, 6601000 * MADE_MSEC);
	assert_int_equal(ended.of[FLOW_END_IDLE], 2);
	(void)flow_table_free(t);
}

static void
a_client_is_found_by_address_and_port(void **state)
{
	struct ended ended;
	struct flow_table *t = table_of(8, 8, &ended);
	struct packet_end client = made_client(1);
	const uint64_t serial = open_flow(t, 0, 1)->serial;

	(void)state;
	(void)open_flow(t, 0, 2);
	assert_int_equal(flow_table_find(t, &client)->serial, serial);
	(void)see(t, 1, 1, true, SYN, 100000, 0, 0); /* unproven, newer */
	assert_int_equal(flow_table_find(t, &client)->serial, serial);
	client.port++;
	assert_null(flow_table_find(t, &client));
	flow_table_end_all(t, FLOW_END_CUT);
	assert_int_equal(ended.of[FLOW_END_CUT], 3);
	client.port--;
	assert_null(flow_table_find(t, &client));
	(void)flow_table_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(packets_of_other_ports_are_strangers),
	    cmocka_unit_test(without_a_syn_the_mail_servers_port_is_the_server),
	    cmocka_unit_test(a_flood_of_syns_pushes_out_nothing_but_its_like),
	    cmocka_unit_test(
		closed_flows_go_before_open_ones_and_old_before_new),
	    cmocka_unit_test(a_forged_syn_ends_nothing_and_a_real_one_replaces),
	    cmocka_unit_test(a_port_that_is_used_again_is_another_flow),
	    cmocka_unit_test(silence_ends_each_kind_of_flow_in_its_time),
	    cmocka_unit_test(a_client_is_found_by_address_and_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
