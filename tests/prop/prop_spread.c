/*
 * tests/prop/prop_spread.c - the measures of random copies, against a slow
 * count of the same and against what chance does.
 */
#include "worker/spread.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/support/prop_draw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PROP_RUNS 2000
#define COPIES    60
#define PERIODS   (SPREAD_PAST + 6)
#define CLIENTS   8
#define PERIOD    (3600 * USEC_PER_SEC)

static uint64_t messages[PERIODS];
static struct spread_copy copies[COPIES];

static const struct spread_frame frame = {.begin_usec = 100 * PERIOD,
    .end_usec = (100 + PERIODS) * PERIOD,
    .period_usec = PERIOD,
    .n_periods = PERIODS,
    .clients = CLIENTS,
    .messages = messages,
    .alarm = 1e-3,
    .replicas = 3};

static size_t
gen_copies(void)
{
	const size_t n = 1 + draw(COPIES);

	for (size_t i = 0; i < n; i++) {
		copies[i] = (struct spread_copy){
		    .t_usec = 95 * PERIOD + draw((PERIODS + 5) * PERIOD),
		    .message = i,
		    .sender = draw(CLIENTS + 1),
		    .rcpt = draw(CLIENTS + 1),
		    .passed = draw(4) > 0};
		if (i > 0 && draw(4) == 0) { /* one more recipient */
			copies[i].message = copies[i - 1].message;
			copies[i].t_usec = copies[i - 1].t_usec;
			copies[i].sender = copies[i - 1].sender;
			copies[i].passed = copies[i - 1].passed;
		}
	}
	return n;
}

static bool
same(double a, double b)
{
	return (isnan(a) && isnan(b)) || a == b ||
	       fabs(a - b) <= 1e-9 * fabs(a);
}

static void
prop_the_order_of_copies_does_not_matter(void **state)
{
	struct spread_life a, b;
	struct spread_period pa[PERIODS], pb[PERIODS];

	(void)state;
	for (int run = 0; run < PROP_RUNS; run++) {
		size_t n = gen_copies();

		spread_compute(&frame, copies, n, &a, pa);
		for (size_t i = n; i > 1; i--) {
			size_t k = draw(i);
			struct spread_copy c = copies[i - 1];

			copies[i - 1] = copies[k];
			copies[k] = c;
		}
		spread_compute(&frame, copies, n, &b, pb);
		assert_true(a.copies == b.copies && a.clients == b.clients &&
			    a.replicas == b.replicas && a.rates == b.rates);
		assert_true(same(a.spread, b.spread));
		for (size_t i = 0; i < PERIODS; i++) {
			assert_true(pa[i].holders == pb[i].holders &&
				    pa[i].sources == pb[i].sources &&
				    pa[i].new_clients == pb[i].new_clients);
			assert_true(same(pa[i].p, pb[i].p));
		}
	}
}

static bool
is_of(const struct spread_copy *c, uint64_t client)
{
	return c->sender == client || c->rcpt == client;
}

/* Does the client hold it in period p?  Some copy of its lies at or before
 * the period's end, and some at or after its beginning. */
static bool
is_holder(size_t n, uint64_t client, size_t p)
{
	const uint64_t from = frame.begin_usec + p * PERIOD;
	bool before = false, after = false;

	for (size_t i = 0; i < n; i++) {
		const struct spread_copy *c = &copies[i];

		if (c->sender != client && (c->rcpt != client || !c->passed))
			continue;
		before |= c->t_usec < from + PERIOD;
		after |= c->t_usec >= from;
	}
	return before && after;
}

static bool
is_new(size_t n, uint64_t client, size_t p)
{
	const uint64_t from = frame.begin_usec + p * PERIOD;
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < n; i++)
		if (is_of(&copies[i], client) && copies[i].t_usec < first)
			first = copies[i].t_usec;
	return first >= from && first < from + PERIOD;
}

static bool
is_source(size_t n, uint64_t client, size_t p)
{
	for (size_t i = 0; i < n; i++)
		if (copies[i].sender == client &&
		    spread_period_of(&frame, copies[i].t_usec) == p)
			return true;
	return false;
}

static void
prop_each_count_is_that_of_a_slow_look_at_each_client(void **state)
{
	struct spread_life l;
	struct spread_period periods[PERIODS];

	(void)state;
	for (int run = 0; run < PROP_RUNS / 4; run++) {
		size_t n = gen_copies();

		spread_compute(&frame, copies, n, &l, periods);
		for (size_t p = 0; p < PERIODS; p++) {
			uint64_t holders = 0, fresh = 0;
			uint64_t sources = is_source(n, 0, p);

			for (uint64_t c = 1; c <= CLIENTS; c++) {
				holders += is_holder(n, c, p);
				fresh += is_new(n, c, p);
				sources += is_source(n, c, p);
			}
			assert_int_equal(periods[p].holders, holders);
			assert_int_equal(periods[p].new_clients, fresh);
			assert_int_equal(periods[p].sources, sources);
			assert_true(periods[p].prevalence <= 1);
		}
	}
}

static void
prop_tails_fall_and_complement_each_other(void **state)
{
	(void)state;
	for (int run = 0; run < PROP_RUNS; run++) {
		const uint64_t n = 1 + draw(draw(8) ? 50 : 100000);
		const double q = (double)(1 + draw(999)) / 1000;
		const uint64_t x = 1 + draw(n);
		const double p = spread_tail(n, x, q);

		assert_true(p >= 0 && p <= spread_tail(n, x - 1, q) + 1e-9);
		assert_true(
		    fabs(p + spread_tail(n, n - x + 1, 1 - q) - 1) < 1e-6);
	}
}

/* Senders that come at random, each file with a rate of its own: no more
 * alarms than were said.  The bound is four standard errors wide. */
static void
prop_chance_alarms_no_more_often_than_stated(void **state)
{
	static struct spread_copy many[4000];
	struct spread_frame f = frame;
	struct spread_life l;
	struct spread_period periods[PERIODS];
	const int files = 4000;
	uint64_t tests = 0, alarms = 0;

	(void)state;
	f.alarm = 0.01;
	for (size_t i = 0; i < PERIODS; i++)
		messages[i] = 1000000;
	for (int file = 0; file < files; file++) {
		size_t n = 1 + draw(400);

		for (size_t i = 0; i < n; i++)
			many[i] = (struct spread_copy){
			    .t_usec = f.begin_usec + draw(PERIODS * PERIOD),
			    .message = i,
			    .sender = i + 1,
			    .passed = true};
		spread_compute(&f, many, n, &l, periods);
		for (size_t p = SPREAD_PAST; p < PERIODS; p++) {
			tests++;
			alarms += periods[p].is_burst;
		}
	}
	memset(messages, 0, sizeof(messages));
	(void)printf(
	    "%ju alarms in %ju\n", (uintmax_t)alarms, (uintmax_t)tests);
	assert_true((double)alarms <=
		    0.01 * (double)tests + 4 * sqrt(0.01 * (double)tests));
	assert_true(alarms > 0); /* the test isn't blind */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prop_the_order_of_copies_does_not_matter),
	    cmocka_unit_test(
		prop_each_count_is_that_of_a_slow_look_at_each_client),
	    cmocka_unit_test(prop_tails_fall_and_complement_each_other),
	    cmocka_unit_test(prop_chance_alarms_no_more_often_than_stated),
	};

	draw_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
