#include "feed/tune.h"

#include "feed/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LANES    4
#define INTERVAL (1800 * USEC_PER_SEC)

/* Two humps of sizes: 90 % N(2000, 400), 10 % N(50000, 10000); the service of
 * each takes 0.09 s and 1 s for 4700 octets, 1.39 come a second. */
static const struct line right = {90000, 1e6 / 4700};
#define RATE 1.39

/* A site: mail comes, is placed, waits and is served; the tuner listens. */
struct site {
	struct tune *tune;
	struct feed_limits limits;
	enum feed_policy policy;
	struct line believed; /* what the tuner is told of the service */
	double rate;
	double (*service_usec)(uint64_t bytes);
	uint64_t random;
	struct mono now;
	uint64_t free_at[LANES];
	double wait_usec; /* mean of the last interval */
	unsigned int changes, taken_back, kept, would;
};

static double
uniform(struct site *s)
{
	s->random = s->random * UINT64_C(6364136223846793005) +
		    UINT64_C(1442695040888963407);
	return ((double)(s->random >> 11) + 0.5) / 9007199254740992.0;
}

static uint64_t
draw_bytes(struct site *s)
{
	bool is_small = uniform(s) < 0.9;
	double r = sqrt(-2 * log(uniform(s)));
	double z = r * cos(2 * M_PI * uniform(s));
	double x = is_small ? 2000 + 400 * z : 50000 + 10000 * z;

	return x < 1 ? 1 : (uint64_t)x;
}

static double
by_size(uint64_t bytes)
{
	return right.fixed_usec + right.usec_per_byte * (double)bytes;
}

/* As much work on the whole, but a small one costs what a large one does. */
static double
all_alike(uint64_t bytes)
{
	(void)bytes;
	return 1536000;
}

static struct site
site_new(enum feed_policy policy, const uint64_t *limits, size_t count)
{
	struct site s = {
	    .policy = policy,
	    .believed = right,
	    .rate = RATE,
	    .service_usec = by_size,
	    .random = 1,
	    .now = {1},
	};

	s.tune = tune_new(LANES, INTERVAL, s.now);
	assert_int_equal(feed_limits_make(LANES, limits, count, &s.limits), 0);
	return s;
}

static void
one_message(struct site *s)
{
	uint64_t bytes = draw_bytes(s), empty[LANES], wait, service;
	size_t lane;

	s->now.usec += (uint64_t)(-log(uniform(s)) / s->rate * 1e6);
	for (size_t i = 0; i < LANES; i++)
		empty[i] = s->free_at[i] > s->now.usec
			       ? s->free_at[i] - s->now.usec
			       : 0;
	lane = feed_pick(s->policy, &s->limits, empty, bytes);
	wait = empty[lane];
	service = (uint64_t)s->service_usec(bytes);
	s->free_at[lane] = s->now.usec + wait + service;
	s->wait_usec += (double)wait;
	tune_saw(s->tune, s->now, bytes);
	/* Told in advance, as if it were then. */
	tune_measured(
	    s->tune, (struct mono){s->free_at[lane]}, lane, wait, service);
}

static enum tune_action
evaluate(struct site *s, bool may_change)
{
	struct feed_limits limits = s->limits;
	enum tune_action action = tune_evaluate(s->tune, s->now, s->policy,
	    &s->believed, &s->limits, may_change, &limits);

	s->changes += action == TUNE_CHANGE;
	s->taken_back += action == TUNE_TAKE_BACK;
	s->kept += action == TUNE_KEEP;
	s->would += action == TUNE_WOULD;
	if (action == TUNE_CHANGE || action == TUNE_TAKE_BACK)
		s->limits = limits;
	return action;
}

/* One interval with mail, and what the tuner makes of it. */
static enum tune_action
interval(struct site *s, bool may_change)
{
	struct mono begun = s->now;
	double n = 0;

	s->wait_usec = 0;
	while (mono_span(begun, s->now) < INTERVAL) {
		one_message(s);
		n++;
	}
	s->wait_usec /= n;
	return evaluate(s, may_change);
}

static double
waits(struct site *s, unsigned int intervals, bool may_change)
{
	double sum = 0;

	for (unsigned int i = 0; i < intervals; i++) {
		(void)interval(s, may_change);
		sum += s->wait_usec / intervals;
	}
	return sum;
}

static void
it_learns_before_it_speaks(void **state)
{
	struct site s = site_new(FEED_SIZE, (uint64_t[]){300, 500, 700}, 3);

	(void)state;
	for (int i = 0; i < 150; i++)
		one_message(&s);
	assert_int_equal(evaluate(&s, true), TUNE_NONE);
	assert_int_equal(tune_report(s.tune)->state, TUNE_LEARNING);
	assert_false(tune_report(s.tune)->has_proposal);
	tune_free(s.tune);
}

static void
a_dry_run_says_it_once_and_changes_nothing(void **state)
{
	struct site s =
	    site_new(FEED_SIZE, (uint64_t[]){2000, 10000, 50000}, 3);

	(void)state;
	(void)waits(&s, 20, false);
	assert_int_equal(s.would, 1);
	assert_int_equal(s.changes, 0);
	assert_int_equal(s.limits.max_bytes[0], 2000);
	assert_int_equal(tune_report(s.tune)->state, TUNE_PROPOSING);
	assert_true(tune_report(s.tune)->gain > 0.1);
	/* Allowed at last, it needs no new run-up. */
	(void)waits(&s, 1, true);
	assert_int_equal(s.changes, 1);
	tune_free(s.tune);
}

static void
bad_limits_are_mended_once(void **state)
{
	struct site s =
	    site_new(FEED_SIZE, (uint64_t[]){2000, 10000, 50000}, 3);
	double before, after;

	(void)state;
	before = waits(&s, 3, false);
	(void)waits(&s, 6, true);
	after = waits(&s, 40, true);
	/* 2.49 s by formula, and 1.71 s at the limits that the authors found;
	 * with three lanes for large mail there are better ones. */
	assert_true(after < 1.708e6 && after < before);
	assert_true(fabs(after / tune_report(s.tune)->foreseen_usec - 1) < 0.2);
	assert_int_equal(s.changes, 1);
	assert_int_equal(s.kept, 1);
	assert_int_equal(s.taken_back, 0);
	assert_int_equal(tune_report(s.tune)->state, TUNE_SETTLED);
	tune_free(s.tune);
}

static void
nested_limits_come_to_one_reserved_lane(void **state)
{
	struct site s =
	    site_new(FEED_SIZE_LOAD, (uint64_t[]){2891, 6431, 97328}, 3);
	double before, after;

	(void)state;
	before = waits(&s, 3, false);
	(void)waits(&s, 6, true);
	after = waits(&s, 40, true);
	/* 0.735 s and 0.183 s in runs of 10^8 messages. */
	assert_true(after < before / 2.5);
	assert_true(after < 0.183e6 * 1.25);
	assert_int_equal(s.changes, 1);
	assert_int_equal(s.taken_back, 0);
	assert_in_range(s.limits.max_bytes[0], 2900, 20000);
	assert_true(s.limits.max_bytes[1] == UINT64_MAX);
	tune_free(s.tune);
}

static void
good_limits_are_left_alone(void **state)
{
	struct site s = site_new(FEED_SIZE_LOAD, (uint64_t[]){6431}, 1);

	(void)state;
	(void)waits(&s, 40, true);
	assert_int_equal(s.changes + s.would, 0);
	assert_int_equal(tune_report(s.tune)->state, TUNE_SETTLED);
	tune_free(s.tune);
}

/* A service line that isn't so: good limits for it are bad ones here. */
static void
what_does_harm_is_taken_back_ever_more_rarely(void **state)
{
	struct site s = site_new(FEED_SIZE, (uint64_t[]){1750, 2060, 2450}, 3);
	double before;

	(void)state;
	s.service_usec = all_alike;
	before = waits(&s, 3, false);
	(void)waits(&s, 8, true);
	assert_int_equal(s.changes, 1);
	assert_int_equal(s.taken_back, 1);
	assert_int_equal(s.limits.max_bytes[0], 1750);
	assert_int_equal(tune_report(s.tune)->state, TUNE_HOLDING);
	assert_true(tune_report(s.tune)->since_usec >
		    1.15 * tune_report(s.tune)->before_usec);
	/* What piled up has been worked off. */
	assert_true(waits(&s, 2, true) < 3 * before);
	/* Held for 12, 24 and 48: that many tries. */
	(void)waits(&s, 110, true);
	assert_in_range(s.taken_back, 3, 4);
	assert_int_equal(s.changes - s.taken_back <= 1, 1);
	tune_free(s.tune);
}

static void
more_mail_is_not_the_limits_fault(void **state)
{
	struct site s =
	    site_new(FEED_SIZE, (uint64_t[]){2000, 10000, 50000}, 3);

	(void)state;
	(void)waits(&s, 4, false);
	assert_int_equal(interval(&s, true), TUNE_CHANGE);
	s.rate *= 1.5; /* and mail waits longer than ever */
	(void)waits(&s, 40, true);
	assert_int_equal(s.taken_back, 0);
	tune_free(s.tune);
}

static double
by_size_slowly(uint64_t bytes)
{
	return 1.6 * by_size(bytes);
}

/* Workers may share processors and disks: other limits, other service. */
static void
slower_service_is_the_limits_fault(void **state)
{
	struct site s =
	    site_new(FEED_SIZE, (uint64_t[]){2000, 10000, 50000}, 3);

	(void)state;
	(void)waits(&s, 4, false);
	assert_int_equal(interval(&s, true), TUNE_CHANGE);
	s.service_usec = by_size_slowly;
	s.believed.fixed_usec *= 1.6;
	s.believed.usec_per_byte *= 1.6;
	(void)waits(&s, 3, true);
	assert_int_equal(s.taken_back, 1);
	tune_free(s.tune);
}

static void
what_came_before_a_change_is_not_its_fault(void **state)
{
	struct site s =
	    site_new(FEED_SIZE, (uint64_t[]){2000, 10000, 50000}, 3);

	(void)state;
	(void)waits(&s, 4, false);
	assert_int_equal(interval(&s, true), TUNE_CHANGE);
	for (int i = 0; i < 5000; i++) {
		s.now.usec += 100000;
		tune_measured(s.tune, s.now, 3, 600 * USEC_PER_SEC, 1000000);
	}
	assert_int_equal(evaluate(&s, true), TUNE_NONE);
	assert_true(tune_report(s.tune)->since_usec == 0);
	tune_free(s.tune);
}

static void
limits_that_others_set_are_respected(void **state)
{
	struct site s =
	    site_new(FEED_SIZE, (uint64_t[]){2000, 10000, 50000}, 3);
	struct feed_limits theirs;

	(void)state;
	(void)waits(&s, 3, false);
	assert_int_equal(interval(&s, true), TUNE_CHANGE);
	assert_int_equal(
	    feed_limits_make(LANES, (uint64_t[]){3000, 30000}, 2, &theirs), 0);
	s.limits = theirs;
	assert_int_equal(interval(&s, true), TUNE_NONE);
	assert_int_equal(tune_report(s.tune)->state, TUNE_WATCHING);
	assert_int_equal(s.limits.max_bytes[0], 3000);
	assert_int_equal(s.taken_back + s.kept, 0);
	tune_free(s.tune);
}

static void
without_measurements_nothing_is_changed(void **state)
{
	struct site s = site_new(FEED_SIZE, (uint64_t[]){300, 500, 700}, 3);

	(void)state;
	for (int k = 0; k < 20; k++) {
		for (int i = 0; i < 2000; i++) {
			s.now.usec += 1000000;
			tune_saw(s.tune, s.now, draw_bytes(&s));
		}
		(void)evaluate(&s, true);
	}
	assert_int_equal(s.changes, 0);
	assert_int_equal(tune_report(s.tune)->state, TUNE_MEASURING);
	tune_free(s.tune);
}

static void
the_report_says_what_is_foreseen_and_measured(void **state)
{
	struct site s = site_new(FEED_SIZE, (uint64_t[]){2062, 9622, 51904}, 3);
	const struct tune_report *r = tune_report(s.tune);

	(void)state;
	(void)waits(&s, 40, false);
	assert_true(fabs(r->per_second / RATE - 1) < 0.10);
	assert_true(fabs(r->load / 0.534 - 1) < 0.15);
	assert_true(r->foreseen_usec > 1.0e6 && r->foreseen_usec < 3e6);
	assert_true(r->measured_usec > 0.5e6 && r->measured_usec < 6e6);
	assert_true(r->lane_foreseen_usec[3] > r->lane_foreseen_usec[0]);
	assert_true(r->lane_measured_usec[3] > r->lane_measured_usec[0]);
	assert_true(r->messages > 10000);
	tune_free(s.tune);
}

static void
every_state_has_a_name(void **state)
{
	(void)state;
	for (enum tune_state i = 0; i < TUNE_STATES; i++)
		for (enum tune_state j = 0; j < i; j++)
			assert_string_not_equal(
			    tune_state_name(i), tune_state_name(j));
	assert_string_equal(tune_state_name(TUNE_STATES), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_learns_before_it_speaks),
	    cmocka_unit_test(a_dry_run_says_it_once_and_changes_nothing),
	    cmocka_unit_test(bad_limits_are_mended_once),
	    cmocka_unit_test(nested_limits_come_to_one_reserved_lane),
	    cmocka_unit_test(good_limits_are_left_alone),
	    cmocka_unit_test(what_does_harm_is_taken_back_ever_more_rarely),
	    cmocka_unit_test(more_mail_is_not_the_limits_fault),
	    cmocka_unit_test(slower_service_is_the_limits_fault),
	    cmocka_unit_test(what_came_before_a_change_is_not_its_fault),
	    cmocka_unit_test(limits_that_others_set_are_respected),
	    cmocka_unit_test(without_measurements_nothing_is_changed),
	    cmocka_unit_test(the_report_says_what_is_foreseen_and_measured),
	    cmocka_unit_test(every_state_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
