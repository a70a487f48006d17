#include "feed/batch_priv.h"
#include "feed/late.h"
#include "feed/peek.h"

#include <errno.h>
#include <string.h>

/*
 * What is complete and unlocked waits for its turn; what isn't is set aside.
 */
static void
look(struct feed *feed, struct batch *batch, const char *id, bool retry,
    size_t *failures)
{
	struct late_message message;
	uint64_t now_usec = wall_now().usec;
	int dirfd = feed->spool->fds[SPOOL_IN];
	int r = peek_qf(dirfd, id);

	if (r == -EBADMSG || (r == -EAGAIN && retry)) {
		(void)place_take(feed, batch, id, retry, failures);
		return;
	}
	if (r == 0 &&
	    !round_stat(dirfd, id, &message.bytes, &message.arrived_usec))
		r = -ENOENT;
	if (r < 0) {
		*failures += place_set_aside(feed, id, "claim", r, false);
		return;
	}
	/* A clock that was wrong must not put anybody last. */
	if (message.arrived_usec > now_usec)
		message.arrived_usec = now_usec;
	message.service_usec =
	    load_predict(feed->load, LOAD_UNKNOWN, message.bytes);
	memcpy(message.id, id, strlen(id) + 1);
	index_queue(feed->index, id);
	late_add(feed->late, &message);
}

/* While one is moved, and while the next is fetched, a worker judges another.
 */
#define AT_HAND_MIN 2

/* What feed_take() wants to know. */
struct view {
	uint64_t due_usec[FEED_MAX_LANES];
	uint64_t free_usec[FEED_MAX_LANES];
	uint64_t limit_usec[FEED_MAX_LANES];
};

/* When can a lane take its next message?  As of those that are judged side by
 * side nobody knows which ends first, they are taken for equal. */
static uint64_t
free_usec(const struct feed *feed, size_t lane, uint64_t empty_usec)
{
	const struct feed_lane *l = &feed->lanes[lane];
	size_t count = load_count(feed->load, lane);

	if (!l->lane || l->stuck > 0)
		return UINT64_MAX;
	if (empty_usec < lanes_ahead_usec(feed) || count < feed->slots)
		return 0;
	return empty_usec / count;
}

static void
view_read(
    const struct feed *feed, const uint64_t *empty_usec, struct view *ret_view)
{
	for (size_t i = 0; i < feed->limits.lanes; i++) {
		uint64_t max_bytes = feed->limits.max_bytes[i];

		ret_view->free_usec[i] = free_usec(feed, i, empty_usec[i]);
		ret_view->limit_usec[i] =
		    max_bytes == UINT64_MAX
			? 0
			: load_predict(feed->load, LOAD_UNKNOWN, max_bytes);
	}
	late_heads(feed->late, ret_view->due_usec);
}

/*
 * Whatever was predicted, a worker gets as much as it does side by side.  One
 * that gets nothing done gets a single message each time that it is excused:
 * that shows whether it works again, and one that is down for a night does not
 * end with a good part of the night's mail.
 */
static bool
has_room(const struct feed *feed, size_t lane, const uint64_t *empty_usec,
    uint64_t most_usec)
{
	size_t count = load_count(feed->load, lane);

	if (!feed->lanes[lane].lane)
		return false;
	if (feed->lanes[lane].stuck > 0)
		return empty_usec[lane] == 0;
	return empty_usec[lane] < most_usec || count < feed->slots ||
	       count < AT_HAND_MIN;
}

/* Has lane a more free places than lane b, or as many and less to do? */
static bool
is_freer(
    const struct feed *feed, const uint64_t *empty_usec, size_t a, size_t b)
{
	size_t count_a = load_count(feed->load, a);
	size_t count_b = load_count(feed->load, b);

	if (count_a != count_b &&
	    (count_a < feed->slots || count_b < feed->slots))
		return count_a < count_b;
	return empty_usec[a] < empty_usec[b];
}

/*
 * The freest lane, among those with room that may take something, and the
 * class of what it takes.
 */
static bool
next_lane(const struct feed *feed, const uint64_t *empty_usec,
    const struct view *view, uint64_t most_usec, size_t *ret_lane,
    size_t *ret_class)
{
	size_t best = feed->limits.lanes;

	for (size_t i = 0; i < feed->limits.lanes; i++) {
		size_t class;

		if (!has_room(feed, i, empty_usec, most_usec) ||
		    (best < feed->limits.lanes &&
			!is_freer(feed, empty_usec, i, best)))
			continue;
		class = feed_take(&feed->limits, i, view->due_usec,
		    view->free_usec, view->limit_usec);
		if (class == feed->limits.lanes)
			continue;
		best = i;
		*ret_class = class;
	}
	*ret_lane = best;
	return best < feed->limits.lanes;
}

/*
 * Does any lane run empty?  Those that don't yet, but are not full either,
 * wait for it, and are then filled in the same batch.
 */
static bool
runs_empty(const struct feed *feed, const uint64_t *empty_usec)
{
	uint64_t ahead_usec = lanes_ahead_usec(feed);
	size_t lane, class;
	struct view view;

	if (late_count(feed->late) == 0)
		return false;
	view_read(feed, empty_usec, &view);
	return next_lane(
	    feed, empty_usec, &view, ahead_usec / 2, &lane, &class);
}

static void
hand_out(struct feed *feed, struct batch *batch, size_t *failures)
{
	uint64_t ahead_usec = lanes_ahead_usec(feed);
	struct late_message message;
	struct view view;
	size_t class;

	/* Those that can't be had count: a wake-up's work has a bound. */
	for (int i = 0; i < FEED_BATCH && batch->n < FEED_BATCH; i++) {
		view_read(feed, batch->empty_usec, &view);
		if (!next_lane(feed, batch->empty_usec, &view, ahead_usec,
			&batch->lane, &class))
			return;
		(void)late_take(feed->late, class, &message);
		index_call(feed->index, message.id);
		(void)place_take(feed, batch, message.id, false, failures);
	}
}

size_t
late_take_some(struct feed *feed, struct batch *batch, size_t *ret_retried)
{
	char id[QUEUE_ID_MAX + 1];
	size_t failures = 0;
	bool retry;

	/* Only one that was just completed could still go there. */
	batch->lane = feed->limits.lanes - 1;
	for (int i = 0; i < FEED_BATCH; i++) {
		if (!index_take(feed->index, id, &retry))
			break;
		*ret_retried += retry;
		look(feed, batch, id, retry, &failures);
	}
	if (runs_empty(feed, batch->empty_usec))
		hand_out(feed, batch, &failures);
	return failures;
}

bool
late_has_work(const struct feed *feed)
{
	uint64_t empty_usec[FEED_MAX_LANES];

	if (index_has_work(feed->index))
		return true;
	lanes_empty_usec(feed, empty_usec);
	return runs_empty(feed, empty_usec);
}

uint64_t
late_wait_usec(const struct feed *feed)
{
	uint64_t low_usec = lanes_ahead_usec(feed) / 2;
	uint64_t empty_usec[FEED_MAX_LANES];
	uint64_t least = UINT64_MAX;

	if (late_count(feed->late) == 0)
		return UINT64_MAX;
	lanes_empty_usec(feed, empty_usec);
	if (runs_empty(feed, empty_usec))
		return 0;
	for (size_t i = 0; i < feed->limits.lanes; i++)
		if (empty_usec[i] > low_usec && empty_usec[i] < least)
			least = empty_usec[i];
	/* Sooner than predicted, it is found by looking. */
	return least - low_usec < FEED_LOOK_USEC ? least - low_usec
						 : FEED_LOOK_USEC;
}
