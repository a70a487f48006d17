/*
 * tests/unit/test_flow_follow.c - each feature, with segments made in code.
 */
#include "flow/follow.h"

#include "tests/support/flow_made.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SYN    TCP_SYN
#define ACK    TCP_ACK
#define SYNACK (TCP_SYN | TCP_ACK)
#define FIN    (TCP_FIN | TCP_ACK)
#define RST    TCP_RST

struct flown {
	struct follow follow;
	struct flow_budget budget;
	struct flow_features features;
};

static void
begin(struct flown *f)
{
	memset(f, 0, sizeof(*f));
	f->budget.left_bytes = 1 << 20;
}

static void
in(struct flown *f, int64_t msec, uint8_t flags, int32_t seq, int32_t ack,
    uint32_t length)
{
	const struct packet p = made(msec, 1, true, flags, seq, ack, length);

	follow_segment(&f->follow, &p, true, &f->budget);
}

static void
out(struct flown *f, int64_t msec, uint8_t flags, int32_t seq, int32_t ack,
    uint32_t length)
{
	const struct packet p = made(msec, 1, false, flags, seq, ack, length);

	follow_segment(&f->follow, &p, false, &f->budget);
}

static void
shake_hands(struct flown *f)
{
	begin(f);
	in(f, 0, SYN, -1, 0, 0);
	out(f, 10, SYNACK, -1, 0, 0);
	in(f, 50, ACK, 0, 0, 0);
}

static double
end(struct flown *f, enum flow_feature feature)
{
	follow_features(&f->follow, &f->features);
	follow_done(&f->follow, &f->budget);
	/* Whatever was allocated has been given back. */
	assert_int_equal(f->budget.left_bytes, 1 << 20);
	return f->features.value[feature];
}

#define assert_feature(f, name, want) \
	assert_float_equal(end(f, FLOW_FEATURE_##name), (want), 1e-9)
#define assert_missing(f, name) assert_true(isnan(end(f, FLOW_FEATURE_##name)))

static void
nothing_is_made_up_where_nothing_was_seen(void **state)
{
	struct flown f;

	(void)state;
	begin(&f);
	assert_missing(&f, hs_time);
	assert_missing(&f, rtt_init);
	assert_missing(&f, rtt_var);
	assert_missing(&f, jitter_var);
	assert_missing(&f, idle_max);
	assert_missing(&f, win_init);
	assert_missing(&f, win_min);
	assert_feature(&f, pkts_in, 0);
}

static void
a_handshake_is_timed_from_its_first_syn_and_last_syn_ack(void **state)
{
	struct flown f;

	(void)state;
	begin(&f);
	in(&f, 0, SYN, -1, 0, 0);
	in(&f, 1000, SYN, -1, 0, 0);
	out(&f, 1010, SYNACK, -1, 0, 0);
	out(&f, 2010, SYNACK, -1, 0, 0);
	in(&f, 2050, ACK, 0, 0, 0);
	assert_int_equal(f.follow.state, FOLLOW_OPEN);
	assert_feature(&f, hs_time, 2.05);
	assert_feature(&f, rtt_init, 0.04);
	assert_feature(&f, syn_rxmt, 2);
}

static void
octets_that_come_twice_count_once(void **state)
{
	struct flown f;

	(void)state;
	shake_hands(&f);
	in(&f, 60, ACK, 0, 0, 100);
	in(&f, 70, ACK, 0, 0, 100);
	in(&f, 80, ACK, 50, 0, 100); /* in part: no retransmission */
	in(&f, 90, ACK, 20, 0, 30);
	assert_feature(&f, bytes_in, 150);
	assert_feature(&f, rxmt_in, 2);
}

static void
a_segment_is_out_of_order_once_its_hole_is_filled(void **state)
{
	struct flown f;

	(void)state;
	shake_hands(&f);
	in(&f, 60, ACK, 100, 0, 100);
	in(&f, 61, ACK, 200, 0, 100);
	in(&f, 62, ACK, 400, 0, 100);
	assert_int_equal(f.follow.ooo_in, 0);
	in(&f, 63, ACK, 0, 0, 100);
	assert_feature(&f, ooo_in, 2); /* 300 never came */
}

static void
sequence_numbers_wrap(void **state)
{
	struct flown f;

	(void)state;
	begin(&f);
	for (int64_t i = 0; i < 300; i++) /* 9.4 GB */
		in(&f, i, ACK, (int32_t)(uint32_t)(i * 31250000), 0, 31250000);
	assert_feature(&f, bytes_in, 300.0 * 31250000);
	assert_feature(&f, rxmt_in, 0);
}

static void
an_ack_is_a_duplicate_only_while_data_of_ours_is_out(void **state)
{
	struct flown f;

	(void)state;
	shake_hands(&f);
	in(&f, 60, ACK, 0, 0, 0);
	out(&f, 70, ACK, 0, 0, 200);
	in(&f, 80, ACK, 0, 0, 0);
	in(&f, 81, ACK, 0, 0, 0);
	in(&f, 82, ACK, 0, 0, 10);   /* brings data */
	in(&f, 83, ACK, 10, 200, 0); /* another number */
	in(&f, 84, ACK, 10, 200, 0); /* all acknowledged */
	assert_feature(&f, dupack_in, 2);
}

static void
an_ack_with_another_window_is_no_duplicate(void **state)
{
	struct flown f;
	struct packet p = made(80, 1, true, ACK, 0, 0, 0);

	(void)state;
	shake_hands(&f);
	out(&f, 70, ACK, 0, 0, 200);
	p.window = 999;
	follow_segment(&f.follow, &p, true, &f.budget);
	assert_feature(&f, dupack_in, 0);
}

static void
round_trips_are_timed_but_not_of_what_was_sent_twice(void **state)
{
	struct flown f;

	(void)state;
	shake_hands(&f);
	out(&f, 100, ACK, 0, 0, 100);
	in(&f, 110, ACK, 0, 100, 0); /* 10 ms */
	out(&f, 200, ACK, 100, 0, 100);
	out(&f, 400, ACK, 100, 0, 100);
	in(&f, 500, ACK, 0, 200, 0); /* which of the two? */
	out(&f, 600, ACK, 200, 0, 100);
	out(&f, 601, ACK, 300, 0, 100);
	in(&f, 631, ACK, 0, 400, 0); /* 31 and 30 ms */
	assert_int_equal(f.follow.rtt.n, 3);
	assert_feature(
	    &f, rtt_var, (100 + 961 + 900) / 3e6 - (71 / 3e3) * (71 / 3e3));
	assert_feature(&f, rxmt_out, 1);
}

static void
gaps_are_those_between_the_clients_packets(void **state)
{
	struct flown f;

	(void)state;
	shake_hands(&f); /* in at 0 and 50 ms */
	out(&f, 60, ACK, 0, 0, 10);
	in(&f, 200, ACK, 0, 10, 0);
	assert_feature(&f, idle_max, 0.15);
	assert_feature(&f, jitter_var, 0.05 * 0.05);
}

static struct packet
window(int64_t msec, uint8_t flags, uint16_t field)
{
	struct packet p = made(msec, 1, true, flags, 0, 0, 0);

	p.window = field;
	return p;
}

static void
windows_are_scaled_if_both_sides_said_so(void **state)
{
	struct flown f;
	struct packet syn = window(0, SYN, 64000);
	struct packet synack = made(10, 1, false, SYNACK, -1, 0, 0);
	const struct packet small = window(20, ACK, 300);
	const struct packet none = window(30, ACK, 0);
	const struct packet rst = window(40, RST, 0);

	(void)state;
	for (int both = 0; both < 2; both++) {
		begin(&f);
		syn.scale = 7;
		syn.seq--;
		synack.scale = both ? 2 : PACKET_NO_SCALE;
		follow_segment(&f.follow, &syn, true, &f.budget);
		follow_segment(&f.follow, &synack, false, &f.budget);
		follow_segment(&f.follow, &small, true, &f.budget);
		assert_feature(&f, win_min, both ? 300 << 7 : 300);
		assert_feature(&f, win_init, 64000);
		assert_feature(&f, win_zero, 0);
		follow_segment(&f.follow, &none, true, &f.budget);
		follow_segment(&f.follow, &rst, true, &f.budget);
		assert_feature(&f, win_min, 0);
		assert_feature(&f, win_zero, 1);
	}
}

static void
fins_and_rsts_are_counted_and_end_a_flow(void **state)
{
	struct flown f;

	(void)state;
	shake_hands(&f);
	in(&f, 60, FIN, 0, 0, 0);
	assert_int_equal(f.follow.state, FOLLOW_CLOSING);
	in(&f, 61, FIN, 0, 0, 0);
	out(&f, 62, FIN, 0, 1, 0);
	assert_int_equal(f.follow.state, FOLLOW_CLOSED);
	out(&f, 63, RST, 1, 0, 0);
	in(&f, 64, RST, 1, 0, 0);
	in(&f, 65, RST, 1, 0, 0);
	assert_int_equal(f.follow.state, FOLLOW_RESET);
	assert_feature(&f, fin_in, 2);
	assert_feature(&f, fin_out, 1);
	assert_feature(&f, rst_in, 2);
	assert_feature(&f, rst_out, 1);
}

static void
a_reset_out_of_place_ends_nothing(void **state)
{
	struct flown f;

	(void)state;
	shake_hands(&f);
	in(&f, 60, RST, 123456, 0, 0);
	assert_int_equal(f.follow.state, FOLLOW_OPEN);
	assert_feature(&f, rst_in, 1);
}

static void
only_what_a_forger_cannot_know_proves_a_flow(void **state)
{
	struct flown f;

	(void)state;
	begin(&f);
	in(&f, 0, SYN, -1, 0, 0);
	out(&f, 1, SYNACK, -1, 0, 0);
	in(&f, 2, ACK, 0, 77777, 10);
	out(&f, 3, RST, 77777, 0, 0);
	assert_false(f.follow.is_proven);
	in(&f, 4, ACK, 0, 0, 0);
	assert_true(f.follow.is_proven);
	(void)end(&f, FLOW_FEATURE_pkts_in);

	begin(&f); /* begun before the capture */
	in(&f, 0, ACK, 0, 0, 10);
	assert_false(f.follow.is_proven);
	out(&f, 1, ACK, 0, 10, 0);
	assert_true(f.follow.is_proven);
	(void)end(&f, FLOW_FEATURE_pkts_in);
}

static void
without_room_a_flow_is_approximate_and_goes_on(void **state)
{
	struct flown f;

	(void)state;
	shake_hands(&f);
	for (int32_t i = 0; i < 1000; i++)
		in(&f, 60 + i, ACK, 1 + 2 * i, 0, 1);
	assert_true(f.follow.is_approximate);
	assert_feature(&f, bytes_in, 1000);

	shake_hands(&f);
	f.budget.left_bytes = 0;
	in(&f, 60, ACK, 10, 0, 10);
	in(&f, 61, ACK, 20, 0, 10);
	out(&f, 62, ACK, 0, 30, 10);
	in(&f, 63, ACK, 30, 10, 0);
	assert_true(f.follow.is_approximate);
	follow_features(&f.follow, &f.features);
	assert_float_equal(f.features.value[FLOW_FEATURE_bytes_in], 20, 0);
	assert_true(isnan(f.features.value[FLOW_FEATURE_rtt_var]));
	follow_done(&f.follow, &f.budget);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_made_up_where_nothing_was_seen),
	    cmocka_unit_test(
		a_handshake_is_timed_from_its_first_syn_and_last_syn_ack),
	    cmocka_unit_test(octets_that_come_twice_count_once),
	    cmocka_unit_test(a_segment_is_out_of_order_once_its_hole_is_filled),
	    cmocka_unit_test(sequence_numbers_wrap),
	    cmocka_unit_test(
		an_ack_is_a_duplicate_only_while_data_of_ours_is_out),
	    cmocka_unit_test(an_ack_with_another_window_is_no_duplicate),
	    cmocka_unit_test(
		round_trips_are_timed_but_not_of_what_was_sent_twice),
	    cmocka_unit_test(gaps_are_those_between_the_clients_packets),
	    cmocka_unit_test(windows_are_scaled_if_both_sides_said_so),
	    cmocka_unit_test(fins_and_rsts_are_counted_and_end_a_flow),
	    cmocka_unit_test(a_reset_out_of_place_ends_nothing),
	    cmocka_unit_test(only_what_a_forger_cannot_know_proves_a_flow),
	    cmocka_unit_test(without_room_a_flow_is_approximate_and_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
