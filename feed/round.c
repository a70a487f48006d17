#include "common/cleanup.h"
#include "common/io.h"
#include "common/metrics.h"
#include "feed/feed_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Regular rounds may take one part in that many of the time: with a hundred
 * thousand that never become ready, one takes half a second, and the cost of
 * the others' placing must not show it.
 */
#define ROUND_SHARE 1000
/* One that was asked for finds mail that nobody else finds. */
#define WANTED_SHARE 20
#define WANTED_USEC  USEC_PER_SEC

bool
round_stat(int dirfd, const char *id, uint64_t *ret_bytes, uint64_t *ret_usec)
{
	char name[2 + QUEUE_ID_MAX + 1];
	struct stat qf, df;

	(void)snprintf(name, sizeof(name), "qf%s", id);
	if (fstatat(dirfd, name, &qf, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*ret_usec = (uint64_t)qf.st_mtim.tv_sec * USEC_PER_SEC +
		    (uint64_t)qf.st_mtim.tv_nsec / 1000;
	if (!ret_bytes)
		return true;
	name[0] = 'd';
	if (fstatat(dirfd, name, &df, AT_SYMLINK_NOFOLLOW) < 0)
		df.st_size = 0;
	*ret_bytes = (uint64_t)qf.st_size + (uint64_t)df.st_size;
	return true;
}

static void
found_in(void *arg, const char *id)
{
	struct feed *feed = arg;
	struct round *round = &feed->round;
	struct found *found;

	if (index_has(feed->index, id))
		return;
	if (round->n_found == round->max_found) {
		round->max_found = round->max_found * 2 + 1024;
		round->found = reallocarray(
		    round->found, round->max_found, sizeof(*round->found));
		assert(round->found);
	}
	found = &round->found[round->n_found];
	if (!round_stat(
		feed->spool->fds[SPOOL_IN], id, NULL, &found->arrived_usec))
		return;
	(void)snprintf(found->id, sizeof(found->id), "%s", id);
	round->n_found++;
}

static void
found_waiting(void *arg, const char *id)
{
	struct feed *feed = arg;
	size_t lane = feed->round.at - 1;
	uint64_t bytes, usec;

	if (!load_seen(feed->load, id, lane) &&
	    round_stat(feed->spool->fds[SPOOL_FEED1 + lane], id, &bytes, &usec))
		lanes_place(feed, id, lane, LOAD_UNKNOWN, bytes);
}

static int
found_compare(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->arrived_usec != y->arrived_usec)
		return x->arrived_usec < y->arrived_usec ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* All of in/ is read: first come, first served. */
static void
found_add(struct feed *feed)
{
	struct round *round = &feed->round;

	if (round->n_found > 0)
		qsort(round->found, round->n_found, sizeof(*round->found),
		    found_compare);
	for (size_t i = 0; i < round->n_found; i++)
		index_add(feed->index, round->found[i].id);
	free(round->found);
	round->found = NULL;
	round->n_found = round->max_found = 0;
	if (round->retry) {
		index_retry_all(feed->index);
		round->retries = index_count(feed->index).parked;
	}
}

void
round_retried(struct feed *feed, size_t n, uint64_t usec)
{
	struct round *round = &feed->round;

	if (n == 0 || round->retries == 0)
		return; /* those of ticks have a bound of their own */
	round->spent_usec += usec;
	round->retries -= n < round->retries ? n : round->retries;
}

static void
round_walk_begin(struct feed *feed)
{
	struct round *round = &feed->round;
	enum spool_dir dir =
	    round->at == 0 ? SPOOL_IN : SPOOL_FEED1 + (int)round->at - 1;
	int r;

	if (round->at > 0)
		load_mark(feed->load, round->at - 1);
	r = walk_begin(feed->spool->fds[dir], &round->walk);
	if (r < 0)
		feed_complain(feed, "scan", r);
}

static void
round_walk_end(struct feed *feed, int result)
{
	struct round *round = &feed->round;

	round->walk = walk_end(round->walk);
	if (result < 0)
		feed_complain(feed, "scan", result);
	if (round->at == 0)
		found_add(feed);
	else if (result == 0)
		(void)load_sweep(feed->load, round->at - 1);
}

void
round_begin(struct feed *feed)
{
	struct round *round = &feed->round;

	if (round->running)
		return;
	metrics_add(feed->metrics, METRIC_feed_scans, 1);
	round->running = true;
	round->at = 0;
	round->begun = mono_now();
	round->walk_usec = 0;
	round->retry = !round->wanted;
	round->wanted = false;
	if (round->retry) {
		round->regular_begun = round->begun;
		round->spent_usec = 0;
	}
}

void
round_step(struct feed *feed)
{
	struct round *round = &feed->round;
	struct mono begun = mono_now();
	uint64_t spent_usec;
	int r = -EIO;

	if (!round->walk)
		round_walk_begin(feed);
	if (round->walk)
		r = walk_step(round->walk, FEED_WALK,
		    round->at == 0 ? found_in : found_waiting, feed);
	if (r <= 0) {
		round_walk_end(feed, r);
		round->at++;
		round->running = round->at <= feed->limits.lanes;
	}
	spent_usec = mono_span(begun, mono_now());
	round->walk_usec += spent_usec;
	round->spent_usec += spent_usec;
}

void
round_all(struct feed *feed)
{
	round_begin(feed);
	while (feed->round.running)
		round_step(feed);
}

void
round_done(struct feed *feed)
{
	feed->round.walk = walk_end(feed->round.walk);
	free(feed->round.found);
}

static uint64_t
left_usec(struct mono begun, uint64_t least_usec, uint64_t due_usec)
{
	uint64_t since = mono_span(begun, mono_now());

	if (due_usec < least_usec)
		due_usec = least_usec;
	return due_usec > since ? due_usec - since : 0;
}

uint64_t
round_wait_usec(const struct feed *feed)
{
	const struct round *round = &feed->round;

	if (round->wanted)
		return left_usec(
		    round->begun, WANTED_USEC, round->walk_usec * WANTED_SHARE);
	return left_usec(round->regular_begun, feed->scan_usec,
	    round->spent_usec * ROUND_SHARE);
}
