/*
 * tests/unit/test_spread.c - the measures against what a hand computes.
 */
#include "worker/spread.h"

#include "common/cleanup.h"
#include "common/clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE  (60 * USEC_PER_SEC)
#define HOUR    (60 * MINUTE)
#define PERIODS (SPREAD_PAST + 2)
/* Begin of the first period that is no past. */
#define NOW (1000 * HOUR)

struct sample {
	struct spread_frame frame;
	uint64_t messages[PERIODS];
	struct spread_copy copies[200];
	size_t n;
	struct spread_life life;
	struct spread_period periods[PERIODS], *now;
};

static void
begin(struct sample *s)
{
	memset(s, 0, sizeof(*s));
	s->frame = (struct spread_frame){
	    .begin_usec = NOW - SPREAD_PAST * HOUR,
	    .end_usec = NOW + HOUR + 30 * MINUTE,
	    .period_usec = HOUR,
	    .n_periods = PERIODS,
	    .clients = 10,
	    .messages = s->messages,
	    .alarm = 1e-4,
	    .replicas = 3,
	};
	s->now = &s->periods[SPREAD_PAST];
}

/* A message of its own with one recipient, minutes after NOW. */
static void
copy(struct sample *s, int64_t minutes, uint64_t from, uint64_t to)
{
	s->copies[s->n] = (struct spread_copy){
	    .t_usec = (uint64_t)((int64_t)NOW + minutes * (int64_t)MINUTE),
	    .message = 1000 + s->n,
	    .sender = from,
	    .rcpt = to,
	    .passed = true};
	s->n++;
}

static void
compute(struct sample *s)
{
	spread_compute(&s->frame, s->copies, s->n, &s->life, s->periods);
}

static bool
is_near(double have, double want)
{
	if (fabs(have - want) <= 1e-9 * fabs(want))
		return true;
	print_error("%.15g, not %.15g\n", have, want);
	return false;
}

static void
tails_are_those_of_the_binomial(void **state)
{
	(void)state;
	assert_true(is_near(spread_tail(4, 0, 0.3), 1));
	assert_true(is_near(spread_tail(1, 1, 0.25), 0.25));
	assert_true(is_near(spread_tail(3, 3, 0.04), 0.000064));
	/* 10 throws of a coin: (45 + 10 + 1) / 1024 have 8 heads or more. */
	assert_true(is_near(spread_tail(10, 8, 0.5), 56.0 / 1024));
	assert_true(is_near(spread_tail(10, 3, 0.5), 1 - 56.0 / 1024));
	/* 3 of 5 at 1/3: (10*4 + 5*2 + 1) / 243. */
	assert_true(is_near(spread_tail(5, 3, 1.0 / 3), 51.0 / 243));
	assert_true(spread_tail(2, 3, 0.9) == 0);
	assert_true(spread_tail(2, 1, 0) == 0);
	assert_true(spread_tail(2, 2, 1) == 1);
	/* Symmetry of a coin, where the terms are tiny and many. */
	assert_true(is_near(spread_tail(1000001, 500001, 0.5), 0.5));
	assert_true(spread_tail(1000000, 900000, 0.5) < 1e-300);
}

/* 1 sends to 2 and 3 in one message; 2 sends on, twice, over 20 minutes. */
static void
a_small_outbreak_is_counted_as_by_hand(void **state)
{
	struct sample s;

	(void)state;
	begin(&s);
	copy(&s, 0, 1, 2);
	copy(&s, 0, 1, 3);
	s.copies[1].message = s.copies[0].message;
	copy(&s, 10, 2, 4);
	copy(&s, 20, 2, 3);
	s.copies[3].passed = false;
	copy(&s, 70, 4, 5);
	compute(&s);
	assert_int_equal(s.life.copies, 5);
	assert_int_equal(s.life.blocked, 1);
	assert_int_equal(s.life.messages, 4);
	assert_int_equal(s.life.senders, 3);
	assert_int_equal(s.life.clients, 5);
	assert_int_equal(s.life.last_usec - s.life.first_usec, 70 * MINUTE);
	assert_true(is_near(s.life.births_per_minute, 5.0 / 70));
	/* 1: no time between its copies.  2: 2 in 20 min.  4: 1 in 60. */
	assert_int_equal(s.life.rates, 2);
	assert_true(is_near(s.life.spread, (2.0 / 20 + 1.0 / 60) / 2));
	assert_true(is_near(s.life.affected, 0.5));

	assert_int_equal(s.now[0].copies, 4);
	assert_int_equal(s.now[0].blocked, 1);
	assert_int_equal(s.now[0].messages, 3);
	assert_int_equal(s.now[0].sources, 2);
	assert_int_equal(s.now[0].new_clients, 4);
	assert_int_equal(s.now[0].holders, 4);
	assert_true(is_near(s.now[0].births_per_minute, 4.0 / 60));
	assert_true(is_near(s.now[0].incidence, 4.0 * 24 / 10));
	assert_true(is_near(s.now[0].prevalence, 0.4));
	/* The last period is half over; 4 holds on, 2 and 3 are silent. */
	assert_int_equal(s.now[1].copies, 1);
	assert_int_equal(s.now[1].new_clients, 1);
	assert_int_equal(s.now[1].holders, 2);
	assert_true(is_near(s.now[1].births_per_minute, 1.0 / 30));
	assert_true(is_near(s.now[1].incidence, 1.0 * 48 / 10));
}

static void
one_copy_has_no_rates(void **state)
{
	struct sample s;

	(void)state;
	begin(&s);
	s.frame.clients = 0;
	copy(&s, 5, 1, 2);
	compute(&s);
	assert_true(isnan(s.life.births_per_minute));
	assert_true(isnan(s.life.spread));
	assert_true(isnan(s.life.affected));
	assert_true(isnan(s.now[0].incidence));
	assert_true(isnan(s.now[0].prevalence));
	assert_true(s.now[0].p == 1 && !s.now[0].is_burst);
	assert_true(s.life.replicator == 0 && !s.life.is_replicating);
}

static void
what_is_blocked_is_held_by_its_sender_alone(void **state)
{
	struct sample s;

	(void)state;
	begin(&s);
	copy(&s, 5, 1, 2);
	s.copies[0].passed = false;
	compute(&s);
	assert_int_equal(s.now[0].new_clients, 2);
	assert_int_equal(s.now[0].holders, 1);
}

static void
who_had_it_before_is_no_new_client(void **state)
{
	struct sample s;

	(void)state;
	begin(&s);
	copy(&s, -48 * 60, 1, 2);
	copy(&s, 5, 1, 2);
	copy(&s, 6, 0, 3);
	copy(&s, 7, 3, 0);
	compute(&s);
	assert_int_equal(s.now[0].new_clients, 1);
	assert_int_equal(s.periods[0].holders, 2); /* and ever since */
	assert_int_equal(s.now[0].holders, 3);
	assert_int_equal(s.life.clients, 3);
	assert_int_equal(s.now[0].sources, 3); /* the null sender, too */
}

static void
the_fourth_sender_of_a_new_file_is_a_burst(void **state)
{
	struct sample s;

	(void)state;
	begin(&s);
	for (size_t i = 0; i < PERIODS; i++)
		s.messages[i] = 99; /* of others; ours come on top */
	s.messages[SPREAD_PAST] += 3;
	for (uint64_t i = 1; i <= 3; i++)
		copy(&s, (int64_t)i, i, 100 + i);
	compute(&s);
	assert_true(is_near(s.now[0].p, 1.0 / 625));
	assert_false(s.now[0].is_burst);
	copy(&s, 4, 4, 104);
	s.messages[SPREAD_PAST]++;
	compute(&s);
	assert_true(is_near(s.now[0].p, 1.0 / 15625));
	assert_true(s.now[0].is_burst);
	/* Half of the past was not logged: 1 of 13 periods. */
	s.frame.log_begin_usec = NOW - SPREAD_PAST / 2 * HOUR;
	compute(&s);
	assert_true(is_near(s.now[0].p, 1.0 / 2197));
	assert_false(s.now[0].is_burst);
	/* Nothing was: nothing to compare with. */
	s.frame.log_begin_usec = NOW;
	compute(&s);
	assert_true(s.now[0].p == 1);
}

/* What everybody's signature has grows with the mail of the morning. */
static void
a_constant_share_of_more_mail_is_no_burst(void **state)
{
	struct sample s;

	(void)state;
	begin(&s);
	for (int k = 0; k < SPREAD_PAST; k++) {
		copy(&s, -60 * (k + 1), (uint64_t)(1 + k % 3), 99);
		s.messages[SPREAD_PAST - 1 - k] = 10;
	}
	for (uint64_t i = 0; i < 24; i++)
		copy(&s, 1, 10 + i, 99);
	s.messages[SPREAD_PAST] = 240 + 24;
	compute(&s);
	assert_int_equal(s.now[0].sources, 24);
	assert_true(s.now[0].p > 0.1 && !s.now[0].is_burst);
	/* The same senders in a night like all others are one. */
	s.messages[SPREAD_PAST] = 34;
	compute(&s);
	assert_true(s.now[0].is_burst);
}

static void
one_sender_to_many_is_no_burst(void **state)
{
	struct sample s;

	(void)state;
	begin(&s);
	for (uint64_t i = 0; i < 150; i++)
		copy(&s, (int64_t)i / 10, 1, 100 + i);
	compute(&s);
	assert_int_equal(s.now[0].sources, 1);
	assert_false(s.now[0].is_burst);
	assert_false(s.life.is_replicating); /* nobody sent it to 1 */
}

static void
who_got_it_and_sends_it_to_many_replicates_it(void **state)
{
	struct sample s;

	(void)state;
	begin(&s);
	copy(&s, 0, 1, 2);
	copy(&s, 1, 2, 11);
	copy(&s, 2, 2, 11);
	copy(&s, 3, 2, 12);
	copy(&s, 61, 2, 13); /* in the next hour */
	compute(&s);
	assert_int_equal(s.life.replicator, 2);
	assert_int_equal(s.life.replicas, 2);
	assert_false(s.life.is_replicating);
	copy(&s, 4, 2, 13);
	compute(&s);
	assert_int_equal(s.life.replicas, 3);
	assert_true(s.life.is_replicating);
	s.copies[0].passed = false; /* it can't come from there */
	compute(&s);
	assert_int_equal(s.life.replicator, 0);
}

static void
periods_are_half_open(void **state)
{
	struct sample s;

	(void)state;
	begin(&s);
	assert_int_equal(spread_period_of(&s.frame, NOW), SPREAD_PAST);
	assert_int_equal(spread_period_of(&s.frame, NOW - 1), SPREAD_PAST - 1);
	assert_int_equal(spread_period_of(&s.frame, 0), PERIODS);
	assert_int_equal(spread_period_of(&s.frame, NOW + 2 * HOUR), PERIODS);
	assert_int_equal(spread_periods(0, 0, HOUR), 1);
	assert_int_equal(spread_periods(0, HOUR, HOUR), 1);
	assert_int_equal(spread_periods(0, HOUR + 1, HOUR), 2);
	assert_int_equal(spread_periods(HOUR, 0, HOUR), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tails_are_those_of_the_binomial),
	    cmocka_unit_test(a_small_outbreak_is_counted_as_by_hand),
	    cmocka_unit_test(one_copy_has_no_rates),
	    cmocka_unit_test(what_is_blocked_is_held_by_its_sender_alone),
	    cmocka_unit_test(who_had_it_before_is_no_new_client),
	    cmocka_unit_test(the_fourth_sender_of_a_new_file_is_a_burst),
	    cmocka_unit_test(a_constant_share_of_more_mail_is_no_burst),
	    cmocka_unit_test(one_sender_to_many_is_no_burst),
	    cmocka_unit_test(who_got_it_and_sends_it_to_many_replicates_it),
	    cmocka_unit_test(periods_are_half_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
