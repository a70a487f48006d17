/*
 * When the gate refuses what: the rule over invented lanes and disks.
 */
#include "tools/sluice/gate_rule.h"

#include "tools/sluice/gate_look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
/* after those that it needs */
#include <cmocka.h>

static const struct gate_limits limits = {
    .full_usec = 30,
    .resume_usec = 15,
    .full_percent = 90,
    .resume_percent = 85,
};

/* Lanes for up to 100, up to 200, and two for all. */
static struct gate_sight
sight_of(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return (struct gate_sight){.lanes = 4,
	    .lane = {{100, a}, {200, b}, {UINT64_MAX, c}, {UINT64_MAX, d}}};
}

static void
a_message_waits_for_the_least_busy_lane_that_admits_it(void **state)
{
	const struct gate_sight s = sight_of(5, 9, 7, 8);

	(void)state;
	assert_int_equal(gate_wait_usec(&s, 1), 5);
	assert_int_equal(gate_wait_usec(&s, 100), 5);
	assert_int_equal(gate_wait_usec(&s, 101), 7);
	assert_int_equal(gate_wait_usec(&s, 201), 7);
	assert_int_equal(gate_wait_usec(&s, UINT64_MAX), 7);
}

struct step {
	uint64_t a, b, c, d;
	uint64_t takes;
};

static void
the_wait_closes_at_the_upper_mark_and_opens_at_the_lower(void **state)
{
	static const struct step steps[] = {
	    {0, 0, 29, 99, UINT64_MAX},
	    {0, 0, 30, 99, 200},         /* both of the largest are full */
	    {0, 0, 16, 99, 200},         /* not yet down */
	    {0, 0, 15, 99, UINT64_MAX},  /* it is */
	    {0, 0, 29, 99, UINT64_MAX},  /* and may grow again */
	    {0, 31, 30, 30, 100},        /* the next smaller */
	    {0, 20, 30, 30, 100},        /* which has its own memory */
	    {0, 20, 99, 14, UINT64_MAX}, /* any lane that admits will do */
	    {40, 40, 40, 40, 0},         /* nothing at all */
	    {16, 16, 16, 16, 0}, {15, 16, 16, 16, 100}, {15, 15, 16, 16, 200},
	    {15, 15, 15, 16, UINT64_MAX},
	    {50, 50, 50, 3, UINT64_MAX}, /* smaller mail may go there too */
	};
	struct gate_rule rule = GATE_RULE_OPEN;

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		const struct step *t = &steps[i];
		const struct gate_sight s = sight_of(t->a, t->b, t->c, t->d);

		rule = gate_decide(rule, &limits, &s);
		if (rule.takes_bytes != t->takes)
			print_error("step %zu\n", i);
		assert_int_equal(rule.takes_bytes, t->takes);
		assert_false(rule.full);
	}
}

static void
the_disk_closes_at_the_upper_mark_and_opens_at_the_lower(void **state)
{
	static const uint64_t used[] = {0, 89, 90, 100, 86, 85, 89, 90};
	static const bool full[] = {0, 0, 1, 1, 1, 0, 0, 1};
	struct gate_rule rule = GATE_RULE_OPEN;

	(void)state;
	for (size_t i = 0; i < sizeof(used) / sizeof(*used); i++) {
		struct gate_sight s = sight_of(0, 0, 0, 0);

		s.used_percent = used[i];
		rule = gate_decide(rule, &limits, &s);
		assert_int_equal(rule.full, full[i]);
		assert_int_equal(rule.takes_bytes, UINT64_MAX);
		assert_int_equal(gate_is_open(&rule), !full[i]);
	}
}

static void
an_unknown_size_may_be_any(void **state)
{
	const struct gate_rule some = {.takes_bytes = 200};
	const struct gate_rule none = {.takes_bytes = 0};
	const struct gate_rule full = {UINT64_MAX, true};
	const struct gate_rule all = GATE_RULE_OPEN;

	(void)state;
	assert_int_equal(gate_answer(&some, 200), GATE_TAKE);
	assert_int_equal(gate_answer(&some, 201), GATE_BUSY);
	assert_int_equal(gate_answer(&some, 0), GATE_BUSY);
	assert_int_equal(gate_answer(&none, 1), GATE_BUSY);
	assert_int_equal(gate_answer(&none, 0), GATE_BUSY);
	assert_int_equal(gate_answer(&full, 1), GATE_FULL);
	assert_int_equal(gate_answer(&all, 0), GATE_TAKE);
	assert_int_equal(gate_answer(&all, UINT64_MAX), GATE_TAKE);
}

/* After a reload the lanes are others; what is known still leads to sense. */
static void
other_limits_meet_a_closed_gate(void **state)
{
	struct gate_rule rule = {.takes_bytes = 100};
	struct gate_sight s = {
	    .lanes = 2, .lane = {{150, 20}, {UINT64_MAX, 20}}};

	(void)state;
	rule = gate_decide(rule, &limits, &s);
	assert_int_equal(rule.takes_bytes, 0);
	s.lane[0].wait_usec = 10;
	rule = gate_decide(rule, &limits, &s);
	assert_int_equal(rule.takes_bytes, 150);
}

static void
percents_are_those_of_df_rounded_up(void **state)
{
	(void)state;
	assert_int_equal(gate_percent(1000, 1000, 950), 0);
	assert_int_equal(gate_percent(1000, 500, 500), 50);
	assert_int_equal(gate_percent(1000, 499, 499), 51);
	assert_int_equal(gate_percent(1000, 50, 0), 100);
	assert_int_equal(gate_percent(1000, 550, 450), 50);
	/* btrfs has no inodes to count */
	assert_int_equal(gate_percent(0, 0, 0), 0);
	assert_int_equal(gate_percent(UINT64_MAX / 2, 1, 1), 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_message_waits_for_the_least_busy_lane_that_admits_it),
	    cmocka_unit_test(
		the_wait_closes_at_the_upper_mark_and_opens_at_the_lower),
	    cmocka_unit_test(
		the_disk_closes_at_the_upper_mark_and_opens_at_the_lower),
	    cmocka_unit_test(an_unknown_size_may_be_any),
	    cmocka_unit_test(other_limits_meet_a_closed_gate),
	    cmocka_unit_test(percents_are_those_of_df_rounded_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
