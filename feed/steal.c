#include "feed/batch_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A try that was of no use isn't made again sooner. */
#define USELESS_USEC (50 * USEC_PER_MSEC)
#define FAILED_USEC  USEC_PER_SEC
/* Claims at one wake-up, those that fail included. */
#define TRIES_MAX (2 * FEED_BATCH)

struct theft {
	struct batch batch;
	size_t from[FEED_BATCH];       /* of each message of the batch */
	size_t passed[FEED_MAX_LANES]; /* that were looked at in each lane */
	uint64_t head_bytes[FEED_MAX_LANES];
	int tries;
	int error; /* of the system, 0: none */
};

/*
 * Has the lane nothing to do, and a worker?  One from which something was
 * taken must first finish a message: else two lanes without workers would
 * take the same message from each other for ever.
 */
static bool
is_idle(const struct feed *feed, size_t lane)
{
	const struct feed_lane *l = &feed->lanes[lane];

	return l->lane && !l->robbed && l->in_service == 0 &&
	       load_count(feed->load, lane) == 0;
}

/* Would what waits there wait for longer than it takes to fetch it? */
static bool
is_slow(const struct feed *feed, const struct theft *theft, size_t lane)
{
	uint64_t ahead_usec = lanes_ahead_usec(feed);

	return theft->batch.empty_usec[lane] > ahead_usec ||
	       mono_span(feed->lanes[lane].since, mono_now()) > ahead_usec;
}

/* The size of what has waited longest in a lane and was not looked at. */
static void
head_read(const struct feed *feed, struct theft *theft, size_t lane)
{
	int dirfd = feed->spool->fds[SPOOL_FEED1 + lane];
	struct load_waiting waiting;
	uint64_t usec;

	theft->head_bytes[lane] = UINT64_MAX;
	if (!is_slow(feed, theft, lane))
		return;
	while (theft->passed[lane] < TRIES_MAX &&
	       load_waiting(feed->load, lane, theft->passed[lane], &waiting)) {
		if (round_stat(
			dirfd, waiting.id, &theft->head_bytes[lane], &usec))
			return;
		theft->head_bytes[lane] = UINT64_MAX;
		theft->passed[lane]++; /* gone, and not yet reported */
	}
}

static void
took(struct theft *theft, size_t from, size_t to,
    const struct load_waiting *waiting)
{
	struct batch *batch = &theft->batch;
	struct job *job = &batch->jobs[batch->n];
	uint64_t *from_usec = &batch->empty_usec[from];

	job->to = SPOOL_FEED1 + (int)to;
	job->kind = waiting->kind;
	job_write_line(job, NULL);
	theft->from[batch->n++] = from;
	batch->empty_usec[to] += waiting->usec;
	*from_usec -= *from_usec < waiting->usec ? *from_usec : waiting->usec;
}

/*
 * Is a name of its df left in lane to, from which it came?  A recovery that
 * runs now may be about to remove it.
 */
static bool
has_twin(const struct feed *feed, const struct claim *claim, size_t to)
{
	char name[2 + QUEUE_ID_MAX + 1];

	(void)snprintf(name, sizeof(name), "df%s", claim->id);
	return faccessat(feed->spool->fds[SPOOL_FEED1 + to], name, F_OK,
		   AT_SYMLINK_NOFOLLOW) == 0 ||
	       errno != ENOENT; /* who knows */
}

/*
 * Claim the head of lane from for lane to; the worker may have it.  What it has
 * tried stays with it: only there is known for how long it was held, and what
 * took one worker along must not go round among all of them.
 */
static void
try_head(struct feed *feed, struct theft *theft, size_t from, size_t to)
{
	struct batch *batch = &theft->batch;
	struct job *job = &batch->jobs[batch->n];
	enum spool_dir dir = SPOOL_FEED1 + (int)from;
	struct load_waiting waiting;
	const char *reason;
	int r;

	*job = (struct job){.claim.qf_fd = -1};
	if (!load_waiting(feed->load, from, theft->passed[from]++, &waiting))
		return;
	r = claim_take(feed->spool, dir, waiting.id, &job->claim, &reason);
	if (r == 0 &&
	    (tries_known(&job->claim) || has_twin(feed, &job->claim, to)))
		claim_drop(&job->claim);
	else if (r == 0)
		took(theft, from, to, &waiting);
	else if (r != -ENOENT && r != -EBUSY && r != -EAGAIN &&
		 r != -EBADMSG) /* its worker sets it aside */
		theft->error = r;
}

/* Fill one idle lane. */
static void
fill_lane(struct feed *feed, struct theft *theft, size_t lane)
{
	struct batch *batch = &theft->batch;

	while (batch->n < FEED_BATCH && theft->error == 0 &&
	       batch->empty_usec[lane] < lanes_ahead_usec(feed) &&
	       theft->tries++ < TRIES_MAX) {
		size_t from = feed_steal(
		    &feed->limits, lane, batch->empty_usec, theft->head_bytes);

		if (from == feed->limits.lanes)
			return;
		try_head(feed, theft, from, lane);
		head_read(feed, theft, from);
	}
}

/* Move what was claimed.  Returns the number of messages moved. */
static size_t
theft_move(struct feed *feed, struct theft *theft)
{
	struct batch *batch = &theft->batch;
	size_t moved = 0;
	int r = batch_run(feed, batch);

	for (size_t i = 0; i < batch->n; i++) {
		struct job *job = &batch->jobs[i];

		if (batch->moves[i].result == 0) {
			moved++;
			feed->lanes[theft->from[i]].robbed = true;
			lanes_place(feed, job->claim.id,
			    (size_t)job->to - SPOOL_FEED1, job->kind,
			    job_bytes(job));
		}
		job_drop(job);
	}
	feed->counts.stolen += moved;
	if (r < 0 && r != -ENOENT)
		theft->error = r;
	return moved;
}

static void
steal(struct feed *feed)
{
	struct theft theft;
	size_t moved;

	theft.batch.n = 0;
	theft.tries = theft.error = 0;
	lanes_empty_usec(feed, theft.batch.empty_usec);
	for (size_t i = 0; i < feed->limits.lanes; i++) {
		theft.passed[i] = 0;
		head_read(feed, &theft, i);
	}
	for (size_t i = 0; i < feed->limits.lanes; i++)
		if (is_idle(feed, i))
			fill_lane(feed, &theft, i);
	moved = theft_move(feed, &theft);
	if (theft.error < 0) {
		feed_complain(feed, "steal", theft.error);
		feed->counts.failed++;
	}
	feed->steal_next = mono_now();
	if (moved == 0 || theft.error < 0)
		feed->steal_next.usec +=
		    theft.error < 0 ? FAILED_USEC : USELESS_USEC;
}

uint64_t
steal_some(struct feed *feed)
{
	struct load_waiting waiting;
	bool any_idle = false, any_waits = false;

	lanes_read(feed);
	for (size_t i = 0; i < feed->limits.lanes; i++) {
		any_idle |= is_idle(feed, i);
		any_waits |= load_waiting(feed->load, i, 0, &waiting);
	}
	if (!any_waits)
		return UINT64_MAX;
	if (any_idle && mono_now().usec >= feed->steal_next.usec)
		steal(feed);
	return FEED_LOOK_USEC;
}
