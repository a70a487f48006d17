/*
 * The feed beside workers that are down, and with messages that do harm: the
 * test plays the workers.
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
#include <event2/event.h>

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
set_up_load(void **state)
{
	*state = feed_site_new("policy = \"size+load\"");
	return 0;
}

static int
tear_down(void **state)
{
	feed_site_free(*state);
	return 0;
}

static void
put_many(const struct feed_site *site, enum spool_dir dir, int n, off_t bytes)
{
	char id[QUEUE_ID_MAX + 1];

	for (int i = 0; i < n; i++) {
		(void)snprintf(id, sizeof(id), "m%02d", i);
		feed_site_put(site, dir, id, bytes, 1000000 - (uint64_t)i);
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
	site->feed->steal_next.usec = 0;
	for (int i = 0; i < TMPSPOOL_FEEDS; i++)
		site->feed->lanes[i].since.usec -= usec;
	lanes_read(site->feed);
}

static void
work_on(struct feed_site *site)
{
	while (late_has_work(site->feed))
		place_batch(site->feed);
}

/* Whoever is down for a night must not end with much of the night's mail. */
static void
a_dead_worker_is_asked_with_one_message(void **state)
{
	struct feed_site *site = *state;
	size_t given;

	feed_site_worker(site, 1);
	put_many(site, SPOOL_IN, 40, LARGE);
	round_all(site->feed);
	work_on(site);
	given = count(site, SPOOL_FEED1);
	for (size_t i = 1; i <= 5; i++) {
		let_time_pass(site, 100 * USEC_PER_SEC);
		work_on(site);
		assert_int_equal(count(site, SPOOL_FEED1), given + i);
	}
	/* It is back: it has enough at hand again. */
	feed_site_finish(site, 1, "m00");
	work_on(site);
	assert_true(count(site, SPOOL_FEED1) > given + 5);
}

static void
a_lane_that_was_just_opened_is_not_stuck(void **state)
{
	struct feed_site *site = *state;

	put_many(site, SPOOL_FEED1, 2, SMALL);
	round_all(site->feed);
	assert_int_equal(load_count(site->feed->load, 0), 2);
	feed_site_worker(site, 1);
	lanes_read(site->feed);
	assert_int_equal(site->feed->lanes[0].stuck, 0);
}

/* The kernel tells of a close a moment before the lock is gone. */
static void
what_is_locked_at_its_event_is_looked_at_once_more_soon(void **state)
{
	struct feed_site *site = *state;
	const char *reason;
	struct claim claim;

	feed_site_worker(site, 1);
	feed_site_put(site, SPOOL_IN, "m1", SMALL, 1);
	assert_int_equal(
	    claim_take(site->spool, SPOOL_IN, "m1", &claim, &reason), 0);
	index_wake(site->feed->index, "m1");
	place_batch(site->feed);
	assert_true(site->feed->glance);
	site->feed->glance = false;
	/* Still locked then: whoever has it keeps it, and the tick will do. */
	index_retry_last(site->feed->index, 1);
	place_batch(site->feed);
	assert_false(site->feed->glance);
	assert_int_equal(count(site, SPOOL_IN), 1);
	claim_drop(&claim);
	index_retry_last(site->feed->index, 1);
	place_batch(site->feed);
	assert_int_equal(count(site, SPOOL_IN), 0);
}

/* Else a second's few would put the rounds off for longer than a second. */
static void
retries_between_rounds_put_none_off(void **state)
{
	struct feed_site *site = *state;
	const struct round *round = &site->feed->round;
	const char *reason;
	struct claim claim;
	uint64_t read_usec, spent_usec;

	feed_site_worker(site, 1);
	feed_site_put(site, SPOOL_IN, "m1", SMALL, 1);
	assert_int_equal(
	    claim_take(site->spool, SPOOL_IN, "m1", &claim, &reason), 0);
	index_wake(site->feed->index, "m1");
	place_batch(site->feed);
	round_all(site->feed);
	read_usec = round->spent_usec;
	place_batch(site->feed);
	spent_usec = round->spent_usec;
	assert_true(spent_usec > read_usec); /* the round's own */
	index_retry_last(site->feed->index, 1);
	place_batch(site->feed);
	assert_true(round->spent_usec == spent_usec);
	claim_drop(&claim);
}

static void
try_at_worker(struct feed_site *site, const char *id, struct tries tries)
{
	const char *reason;
	struct claim claim;

	assert_int_equal(
	    claim_take(site->spool, SPOOL_FEED1, id, &claim, &reason), 0);
	assert_int_equal(tries_write(&claim, tries), 0);
	claim_drop(&claim);
}

/*
 * Elsewhere the time for which it may be held would begin anew, each time; and
 * what took its worker along would go round among them.
 */
static void
what_a_worker_has_tried_is_not_stolen(void **state)
{
	struct feed_site *site = *state;

	feed_site_worker(site, 1);
	feed_site_worker(site, 2);
	put_many(site, SPOOL_FEED1, 3, SMALL);
	round_all(site->feed);
	try_at_worker(site, "m00", (struct tries){0});
	try_at_worker(site, "m01", (struct tries){.begun = 1});
	let_time_pass(site, USEC_PER_SEC);
	(void)steal_some(site->feed);
	assert_true(feed_site_has(site, SPOOL_FEED1, "m00"));
	assert_true(feed_site_has(site, SPOOL_FEED1, "m01"));
	assert_true(feed_site_has(site, SPOOL_FEED1 + 1, "m02"));
}

/* A try while the spool takes nothing. */
static void
fail_once(struct feed_site *site)
{
	struct feed *feed = site->feed;
	int fds[TMPSPOOL_FEEDS];

	(void)event_del(feed->ev_retry);
	feed->paused = false;
	index_release(feed->index);
	for (int i = 0; i < TMPSPOOL_FEEDS; i++) {
		fds[i] = site->spool->fds[SPOOL_FEED1 + i];
		site->spool->fds[SPOOL_FEED1 + i] = -1;
	}
	place_batch(feed);
	for (int i = 0; i < TMPSPOOL_FEEDS; i++)
		site->spool->fds[SPOOL_FEED1 + i] = fds[i];
	assert_int_equal(index_count(feed->index).held, 1);
}

/* A trouble of last week is no reason to wait for half a minute. */
static void
after_a_success_pauses_are_short_again(void **state)
{
	struct feed_site *site = *state;
	struct feed *feed = site->feed;
	uint64_t first;

	put_many(site, SPOOL_IN, 1, SMALL);
	round_all(feed);
	fail_once(site);
	first = feed->backoff_usec;
	assert_true(first > 0);
	fail_once(site);
	assert_int_equal(feed->backoff_usec, 2 * first);
	(void)event_del(feed->ev_retry);
	feed->paused = false;
	index_release(feed->index);
	place_batch(feed);
	assert_int_equal(count(site, SPOOL_IN), 0);
	feed_site_put(site, SPOOL_IN, "new", SMALL, 0);
	index_wake(feed->index, "new");
	fail_once(site);
	assert_int_equal(feed->backoff_usec, first);
}

#define WITH(set_up, name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(set_up_late, a_dead_worker_is_asked_with_one_message),
	    WITH(set_up_late, a_lane_that_was_just_opened_is_not_stuck),
	    WITH(set_up_steal, what_a_worker_has_tried_is_not_stolen),
	    WITH(set_up_load,
		what_is_locked_at_its_event_is_looked_at_once_more_soon),
	    WITH(set_up_load, retries_between_rounds_put_none_off),
	    WITH(set_up_load, after_a_success_pauses_are_short_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
