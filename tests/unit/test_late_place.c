/*
 * small-first and steal on a spool, with workers that the test plays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feed/late.h"
#include "queues/claim.h"
#include "tests/support/feed_site.h"

#include <dirent.h>

/* 2 ms + 0.9 ms: seven and more fill a lane (20 ms). */
#define LARGE 90000
#define SMALL 500

static int
set_up_late(void **state)
{
	*state = feed_site_new("policy = small-first\npatience = 1000000");
	return 0;
}

static int
set_up_steal(void **state)
{
	*state = feed_site_new("policy = steal");
	return 0;
}

static int
tear_down(void **state)
{
	feed_site_free(*state);
	return 0;
}

static void
put_many(const struct feed_site *site, enum spool_dir dir, const char *name,
    int n, off_t bytes, uint64_t age_usec)
{
	char id[QUEUE_ID_MAX + 1];

	for (int i = 0; i < n; i++) {
		(void)snprintf(id, sizeof(id), "%s%02d", name, i);
		feed_site_put(site, dir, id, bytes, age_usec - (uint64_t)i);
	}
}

static size_t
count(const struct feed_site *site, enum spool_dir dir)
{
	DIR *d = fdopendir(
	    openat(site->spool->fds[dir], ".", O_RDONLY | O_DIRECTORY));
	const struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += spool_id_of(e->d_name, "qf") != NULL;
	(void)closedir(d);
	return n;
}

/* Nothing has left any lane for so long; and however slow this disk is. */
static void
let_time_pass(struct feed_site *site, uint64_t usec)
{
	site->feed->move_usec = 0;
	for (int i = 0; i < TMPSPOOL_FEEDS; i++)
		site->feed->lanes[i].since.usec -= usec;
	lanes_read(site->feed);
}

static void
nothing_is_placed_where_no_worker_is(void **state)
{
	struct feed_site *site = *state;

	put_many(site, SPOOL_IN, "m", 3, SMALL, 1000);
	round_all(site->feed);
	place_batch(site->feed);
	assert_int_equal(count(site, SPOOL_IN), 3);
	assert_int_equal(index_count(site->feed->index).queued, 3);
	assert_false(late_has_work(site->feed));
	feed_site_worker(site, 2);
	assert_true(late_has_work(site->feed));
	place_batch(site->feed);
	assert_int_equal(count(site, SPOOL_FEED1 + 1), 3);
	assert_int_equal(index_count(site->feed->index).queued, 0);
	assert_true(late_wait_usec(site->feed) == UINT64_MAX);
}

static void
a_small_one_overtakes_what_has_no_worker_yet(void **state)
{
	struct feed_site *site = *state;
	size_t given;

	feed_site_worker(site, 1);
	put_many(site, SPOOL_IN, "l", 30, LARGE, 1000000);
	round_all(site->feed);
	place_batch(site->feed);
	given = count(site, SPOOL_FEED1);
	assert_in_range(given, 2, 15);
	assert_false(late_has_work(site->feed)); /* enough at hand */
	feed_site_put(site, SPOOL_IN, "s", SMALL, 0);
	index_wake(site->feed->index, "s");
	place_batch(site->feed);
	assert_true(feed_site_has(site, SPOOL_IN, "s"));
	for (size_t i = 0; i < given; i++) {
		char id[QUEUE_ID_MAX + 1];

		(void)snprintf(id, sizeof(id), "l%02d", (int)i);
		assert_true(feed_site_has(site, SPOOL_FEED1, id));
		feed_site_finish(site, 1, id);
	}
	assert_true(late_has_work(site->feed));
	place_batch(site->feed);
	assert_true(feed_site_has(site, SPOOL_FEED1, "s"));
	assert_true(count(site, SPOOL_IN) > 0);
}

/* Limits keep one of two workers for what is small. */
static void
large_mail_leaves_a_worker_free(void **state)
{
	struct feed_site *site = *state;

	feed_site_worker(site, 1);
	feed_site_worker(site, 2);
	put_many(site, SPOOL_IN, "l", 20, 2000000, 1000000);
	round_all(site->feed);
	place_batch(site->feed);
	/* A first one goes to each, since the other is free by then. */
	assert_true(
	    count(site, SPOOL_FEED1) <= 1 || count(site, SPOOL_FEED1 + 1) <= 1);
	feed_site_put(site, SPOOL_IN, "s", SMALL, 0);
	index_wake(site->feed->index, "s");
	place_batch(site->feed);
	assert_false(feed_site_has(site, SPOOL_IN, "s"));
}

static void
a_dead_worker_gets_no_more_than_its_share(void **state)
{
	struct feed_site *site = *state;
	size_t given;

	feed_site_worker(site, 1);
	put_many(site, SPOOL_IN, "l", 30, LARGE, 1000000);
	round_all(site->feed);
	place_batch(site->feed);
	given = count(site, SPOOL_FEED1);
	/* And it says that it has nearly done with them. */
	lane_set(site->lanes[0], given, (struct mono){0});
	let_time_pass(site, USEC_PER_SEC / 2);
	place_batch(site->feed);
	assert_int_equal(count(site, SPOOL_FEED1), given);
	/* After a long time it gets as much again, and then waits longer. */
	let_time_pass(site, 2 * USEC_PER_SEC);
	place_batch(site->feed);
	assert_in_range(count(site, SPOOL_FEED1), given + 1, 2 * given + 1);
	assert_int_equal(site->feed->lanes[0].stuck, 1);
	given = count(site, SPOOL_FEED1);
	let_time_pass(site, USEC_PER_SEC);
	place_batch(site->feed);
	assert_int_equal(count(site, SPOOL_FEED1), given);
}

/* Nobody can keep a worker that doesn't work. */
static void
large_mail_does_not_wait_for_a_dead_worker(void **state)
{
	struct feed_site *site = *state;

	feed_site_worker(site, 1);
	put_many(site, SPOOL_IN, "l", 9, 2000000, 1000000);
	round_all(site->feed);
	place_batch(site->feed); /* two go there */
	assert_int_equal(count(site, SPOOL_FEED1), 2);
	feed_site_worker(site, 2);
	place_batch(site->feed);
	assert_int_equal(count(site, SPOOL_FEED1 + 1), 0); /* it is kept */
	let_time_pass(site, 2 * USEC_PER_SEC);
	place_batch(site->feed);
	assert_int_equal(count(site, SPOOL_FEED1 + 1), 2);
}

static void
what_is_no_message_goes_to_error_at_its_turn(void **state)
{
	struct feed_site *site = *state;
	int in = site->spool->fds[SPOOL_IN];

	feed_site_worker(site, 1);
	feed_site_put(site, SPOOL_IN, "odd", SMALL, 0);
	tmp_put(in, "qfodd", "Sme\n.\n", 6);
	feed_site_put(site, SPOOL_IN, "half", SMALL, 0);
	tmp_put(in, "qfhalf", "V8\n", 3);
	feed_site_put(site, SPOOL_IN, "good", SMALL, 0);
	round_all(site->feed);
	place_batch(site->feed);
	assert_true(feed_site_has(site, SPOOL_ERROR, "odd"));
	assert_true(feed_site_has(site, SPOOL_IN, "half"));
	assert_true(feed_site_has(site, SPOOL_FEED1, "good"));
	assert_int_equal(index_count(site->feed->index).parked, 1);
}

static void
another_policy_places_what_has_waited(void **state)
{
	struct feed_site *site = *state;
	struct conf *conf = feed_site_conf(site, "policy = least-work");

	put_many(site, SPOOL_IN, "m", 5, SMALL, 1000);
	round_all(site->feed);
	place_batch(site->feed);
	assert_int_equal(late_count(site->feed->late), 5);
	feed_reload(site->feed, conf);
	assert_int_equal(late_count(site->feed->late), 0);
	place_batch(site->feed);
	assert_int_equal(count(site, SPOOL_IN), 0);
	(void)conf_free(conf);
}

/* Messages that have just come to the first queue. */
static void
fill_fresh(struct feed_site *site, int n)
{
	put_many(site, SPOOL_FEED1, "m", n, SMALL, 1000000);
	for (int i = 0; i < n; i++) {
		char id[QUEUE_ID_MAX + 1];

		(void)snprintf(id, sizeof(id), "m%02d", i);
		lanes_place(site->feed, id, 0, LOAD_UNKNOWN, SMALL);
	}
	assert_int_equal(load_count(site->feed->load, 0), n);
}

/* ... or wait there for long, since its worker doesn't move. */
static void
fill_first(struct feed_site *site, int n)
{
	fill_fresh(site, n);
	let_time_pass(site, USEC_PER_SEC / 2);
}

static void
an_idle_worker_takes_what_waits_elsewhere(void **state)
{
	struct feed_site *site = *state;
	size_t taken;

	feed_site_worker(site, 1);
	feed_site_worker(site, 2);
	fill_first(site, 30);
	lane_set(site->lanes[1], 1, mono_now()); /* it has something */
	assert_true(steal_some(site->feed) < UINT64_MAX);
	assert_int_equal(count(site, SPOOL_FEED1 + 1), 0);
	lane_set(site->lanes[1], 0, mono_now());
	(void)steal_some(site->feed);
	taken = count(site, SPOOL_FEED1 + 1);
	assert_in_range(taken, 2, 20); /* as much as it needs at hand */
	assert_int_equal(count(site, SPOOL_FEED1), 30 - taken);
	assert_int_equal(load_count(site->feed->load, 1), taken);
	assert_true(feed_site_has(site, SPOOL_FEED1 + 1, "m00"));
	(void)steal_some(site->feed); /* it has enough now */
	assert_int_equal(count(site, SPOOL_FEED1 + 1), taken);
}

static void
what_its_own_worker_is_about_to_take_stays(void **state)
{
	struct feed_site *site = *state;

	feed_site_worker(site, 1);
	feed_site_worker(site, 2);
	fill_fresh(site, 2);
	(void)steal_some(site->feed);
	assert_int_equal(count(site, SPOOL_FEED1), 2);
}

static void
what_a_worker_has_locked_is_passed_by(void **state)
{
	struct feed_site *site = *state;
	struct claim claim;
	const char *reason;

	feed_site_worker(site, 1);
	feed_site_worker(site, 2);
	fill_first(site, 2);
	assert_int_equal(
	    claim_take(site->spool, SPOOL_FEED1, "m00", &claim, &reason), 0);
	(void)steal_some(site->feed);
	claim_drop(&claim);
	assert_true(feed_site_has(site, SPOOL_FEED1, "m00"));
	assert_true(feed_site_has(site, SPOOL_FEED1 + 1, "m01"));
}

static void
what_is_in_service_or_too_large_stays(void **state)
{
	struct feed_site *site = *state;

	feed_site_worker(site, 1);
	feed_site_worker(site, 2);
	lane_set(site->lanes[0], 2, mono_now());
	fill_first(site, 2);
	(void)steal_some(site->feed);
	assert_int_equal(count(site, SPOOL_FEED1 + 1), 0);
	put_many(site, SPOOL_FEED1 + 1, "large", 9, LARGE, 1000000);
	round_all(site->feed);
	feed_site_finish(site, 1, "m00");
	feed_site_finish(site, 1, "m01");
	lane_set(site->lanes[0], 0, mono_now());
	let_time_pass(site, USEC_PER_SEC / 2);
	(void)steal_some(site->feed);
	assert_int_equal(count(site, SPOOL_FEED1), 0);
}

/* Else two lanes without workers would take turns for ever. */
static void
who_was_robbed_must_work_before_it_steals(void **state)
{
	struct feed_site *site = *state;

	feed_site_worker(site, 1);
	feed_site_worker(site, 2);
	fill_first(site, 2);
	(void)steal_some(site->feed);
	assert_int_equal(count(site, SPOOL_FEED1), 0);
	let_time_pass(site, USEC_PER_SEC / 2);
	(void)steal_some(site->feed);
	assert_int_equal(count(site, SPOOL_FEED1), 0);
	/* It has worked: now it takes them back. */
	feed_site_put(site, SPOOL_FEED1, "own", SMALL, 0);
	lanes_place(site->feed, "own", 0, LOAD_TEXT, SMALL);
	feed_site_finish(site, 1, "own");
	site->feed->steal_next.usec = 0;
	let_time_pass(site, USEC_PER_SEC / 2);
	(void)steal_some(site->feed);
	assert_int_equal(count(site, SPOOL_FEED1), 2);
}

static void
with_a_name_of_its_body_there_it_does_not_go(void **state)
{
	struct feed_site *site = *state;

	feed_site_worker(site, 1);
	feed_site_worker(site, 2);
	fill_first(site, 1);
	assert_int_equal(linkat(site->spool->fds[SPOOL_FEED1], "dfm00",
			     site->spool->fds[SPOOL_FEED1 + 1], "dfm00", 0),
	    0);
	(void)steal_some(site->feed);
	assert_true(feed_site_has(site, SPOOL_FEED1, "m00"));
}

#define LATE(name) cmocka_unit_test_setup_teardown(name, set_up_late, tear_down)
#define STEAL(name) \
	cmocka_unit_test_setup_teardown(name, set_up_steal, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LATE(nothing_is_placed_where_no_worker_is),
	    LATE(a_small_one_overtakes_what_has_no_worker_yet),
	    LATE(large_mail_leaves_a_worker_free),
	    LATE(a_dead_worker_gets_no_more_than_its_share),
	    LATE(large_mail_does_not_wait_for_a_dead_worker),
	    LATE(what_is_no_message_goes_to_error_at_its_turn),
	    LATE(another_policy_places_what_has_waited),
	    STEAL(an_idle_worker_takes_what_waits_elsewhere),
	    STEAL(what_its_own_worker_is_about_to_take_stays),
	    STEAL(what_a_worker_has_locked_is_passed_by),
	    STEAL(what_is_in_service_or_too_large_stays),
	    STEAL(who_was_robbed_must_work_before_it_steals),
	    STEAL(with_a_name_of_its_body_there_it_does_not_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
