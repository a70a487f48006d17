#include "common/conf.h"
#include "feed/feed_priv.h"
#include "feed/tuner.h"
#include "queues/lane.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* At hand in a lane at least and at most; lanes_ahead_usec(). */
#define AHEAD_MIN_USEC (10 * USEC_PER_MSEC)
#define AHEAD_MAX_USEC (200 * USEC_PER_MSEC)
/* A lane that gets nothing done is given something again after a second, then
 * two, and so on up to 64. */
#define STUCK_USEC  USEC_PER_SEC
#define STUCK_TIMES 6
/* The mean wait forgets by halves in 44 messages. */
#define WAIT_FADE 64

static void
sample_take(
    struct feed *feed, struct feed_lane *l, const struct lane_sample *sample)
{
	uint64_t wait_usec = sample->wait_usec;

	load_finished(
	    feed->load, sample->id, sample->bytes, sample->service_usec);
	l->since = mono_now();
	l->stuck = 0;
	l->robbed = false;
	tuner_measured(feed, (size_t)(l - feed->lanes), sample);
	if (wait_usec == LANE_NO_WAIT)
		return;
	if (l->wait_usec == 0)
		l->wait_usec = wait_usec;
	l->wait_usec -= l->wait_usec / WAIT_FADE;
	l->wait_usec += wait_usec / WAIT_FADE;
}

static void
lane_read(struct feed *feed, size_t at)
{
	struct feed_lane *l = &feed->lanes[at];
	struct lane_sample sample;
	uint64_t lost, empty_usec;
	struct mono now, since;
	bool missed = false;
	int r;

	do {
		r = lane_next(l->lane, &l->cursor, &sample, &lost);
		missed |= lost > 0;
		if (r > 0)
			sample_take(feed, l, &sample);
	} while (r > 0);
	lane_get(l->lane, &l->in_service, &since);
	now = mono_now();
	/* There the order is ours: what is in service counts as if it waited,
	 * until it has left, so that a worker in trouble gets no more. */
	if (feed->policy == FEED_SMALL_FIRST)
		load_serving(feed->load, at, 0, now);
	else
		load_serving(feed->load, at, l->in_service, since);
	empty_usec = load_empty_usec(feed->load, at, now);
	if (l->excused_usec > empty_usec)
		l->excused_usec = empty_usec;
	if (missed)
		feed_want_round(feed);
}

/*
 * What lies in a lane from which nothing leaves for long is excused: it
 * doesn't count any more, so that the lane is given something again, in
 * pauses that double.  If its worker is dead that much follows the rest; if
 * only those messages are stuck (an engine has no answer for them), others
 * pass.  Not to give it anything could stop all mail for a few messages.
 */
static void
watch(struct feed *feed)
{
	struct mono now = mono_now();

	for (size_t i = 0; i < feed->limits.lanes; i++) {
		struct feed_lane *l = &feed->lanes[i];
		uint64_t work_usec = load_empty_usec(feed->load, i, now);
		uint64_t most_usec =
		    STUCK_USEC
		    << (l->stuck < STUCK_TIMES ? l->stuck : STUCK_TIMES);

		/* Twice what was predicted may be a prediction. */
		most_usec += 2 * (work_usec - l->excused_usec);
		if (!l->lane || load_count(feed->load, i) == 0 ||
		    mono_span(l->since, now) < most_usec)
			continue;
		l->excused_usec = work_usec;
		l->since = now;
		l->stuck++;
	}
}

void
lanes_read(struct feed *feed)
{
	for (size_t i = 0; i < feed->limits.lanes; i++)
		if (feed->lanes[i].lane)
			lane_read(feed, i);
	if (feed->policy == FEED_SMALL_FIRST)
		watch(feed);
}

/* Is the file another one than the one that is mapped? */
static bool
lane_is_new(const struct feed *feed, size_t at, ino_t *ret_inode)
{
	char name[32];
	struct stat st;

	(void)snprintf(name, sizeof(name), "lane-%zu", at + 1);
	if (fstatat(feed->runtime_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false; /* the old one is the last word there is */
	*ret_inode = st.st_ino;
	return !feed->lanes[at].lane || st.st_ino != feed->lanes[at].inode;
}

void
lanes_refresh(struct feed *feed)
{
	for (size_t i = 0; i < feed->limits.lanes; i++) {
		struct feed_lane *l = &feed->lanes[i];
		struct lane *lane;
		ino_t inode;
		int r;

		if (!lane_is_new(feed, i, &inode))
			continue;
		r = lane_open(
		    feed->conf->site.runtime, (unsigned int)i + 1, &lane);
		if (r < 0) {
			if (r != -ENOENT)
				feed_complain(feed, "lane-open", r);
			continue;
		}
		if (l->lane) {
			lane_read(feed, i); /* the last of the old worker */
			(void)lane_close(l->lane);
			feed_want_round(feed); /* not all was measured */
		}
		*l = (struct feed_lane){
		    .lane = lane, .inode = inode, .since = mono_now()};
	}
}

void
lanes_close(struct feed *feed)
{
	for (size_t i = 0; i < FEED_MAX_LANES; i++)
		feed->lanes[i].lane = lane_close(feed->lanes[i].lane);
}

void
lanes_place(struct feed *feed, const char *id, size_t lane, enum load_kind kind,
    uint64_t bytes)
{
	if (load_count(feed->load, lane) == 0)
		feed->lanes[lane].since = mono_now();
	load_place(feed->load, id, lane, kind, bytes);
}

uint64_t
lane_empty_usec(const struct feed *feed, size_t lane, struct mono now)
{
	const struct feed_lane *l = &feed->lanes[lane];
	uint64_t usec = load_empty_usec(feed->load, lane, now);
	uint64_t done = l->excused_usec;

	if (feed->policy != FEED_SMALL_FIRST)
		return usec;
	/* The only one there is in service; of several nobody knows how far
	 * each is, and some work is at hand. */
	if (load_count(feed->load, lane) == 1)
		done += mono_span(l->since, now);
	return usec > done ? usec - done : 0;
}

void
lanes_empty_usec(const struct feed *feed, uint64_t *ret_usec)
{
	struct mono now = mono_now();

	for (size_t i = 0; i < feed->limits.lanes; i++)
		ret_usec[i] = lane_empty_usec(feed, i, now);
}

/*
 * A fetch takes the batch under way, one of its own, and the worker's claim;
 * and the worker's own commits go on meanwhile only if it has something else
 * to judge.  Four batches, then, and not less than a few small messages,
 * since a worker asks its engines for several at a time.
 */
uint64_t
lanes_ahead_usec(const struct feed *feed)
{
	uint64_t usec = 4 * feed->move_usec;

	if (usec < AHEAD_MIN_USEC)
		return AHEAD_MIN_USEC;
	return usec < AHEAD_MAX_USEC ? usec : AHEAD_MAX_USEC;
}
