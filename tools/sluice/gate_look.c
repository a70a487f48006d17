#include "tools/sluice/gate_look.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/metrics.h"
#include "feed/board.h"
#include "feed/load.h"
#include "feed/sort.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

/* The feed shows itself every second; what is shorter is no news. */
#define QUIET_USEC (3 * USEC_PER_SEC)

static_assert(GATE_MAX_LANES >= BOARD_MAX_LANES, "each lane has its place");

/* Something that should change now and then, and when it did last. */
struct pulse {
	uint64_t value;
	struct mono changed;
};

struct gate_eyes {
	char *runtime;
	int spool_fd;
	struct board board;
	struct pulse feed;
	struct pulse lane[BOARD_MAX_LANES];
	uint64_t used_percent;
};

struct gate_eyes *
gate_eyes_new(const char *runtime, int spool_fd, struct mono now)
{
	struct gate_eyes *eyes = xcalloc(1, sizeof(*eyes));

	eyes->runtime = xstrdup(runtime);
	eyes->spool_fd = spool_fd;
	eyes->feed.changed = now;
	for (size_t i = 0; i < BOARD_MAX_LANES; i++)
		eyes->lane[i].changed = now;
	return eyes;
}

struct gate_eyes *
gate_eyes_free(struct gate_eyes *eyes)
{
	if (eyes)
		free(eyes->runtime);
	free(eyes);
	return NULL;
}

/* For how long has it been the same, if that is longer than it should be? */
static uint64_t
quiet_usec(struct pulse *pulse, uint64_t value, struct mono now)
{
	uint64_t quiet;

	if (value != pulse->value)
		*pulse = (struct pulse){value, now};
	quiet = mono_span(pulse->changed, now);
	return quiet > QUIET_USEC ? quiet : 0;
}

/* For how long has the worker of lane i done nothing, mail or not? */
static uint64_t
idle_usec(struct gate_eyes *eyes, size_t i, struct mono now)
{
	struct metrics_values view;
	const uint64_t *v = view.values;
	uint64_t moved, idle, outage;
	char name[32];

	(void)snprintf(name, sizeof(name), "worker-%zu", i + 1);
	if (metrics_read(eyes->runtime, name, &view) < 0)
		(void)memset(&view, 0, sizeof(view)); /* never ran */
	moved = v[METRIC_deliver_out] + v[METRIC_deliver_virus] +
		v[METRIC_deliver_ext] + v[METRIC_deliver_spam] +
		v[METRIC_deliver_error];
	idle = quiet_usec(&eyes->lane[i], moved, now);
	if (eyes->board.lane[i].messages == 0 && eyes->board.queued == 0) {
		/* Nothing to do, so nothing that an engine could answer, were
		 * it there again.  The next message will tell. */
		eyes->lane[i].changed = now;
		return 0;
	}
	outage = v[METRIC_deliver_outage] * USEC_PER_SEC;
	return outage > idle ? outage : idle;
}

/* What lies in in/ and no lane's sum holds yet, in equal shares.  (Of what is
 * queued there the feed has given each lane its own.) */
static uint64_t
unplaced_usec(const struct board *board)
{
	double messages = (double)board->queued, usec = 0;
	double mean = LOAD_PRIOR.fixed_usec;

	for (size_t i = 0; i < board->lanes; i++) {
		messages += (double)board->lane[i].messages;
		usec += (double)board->lane[i].empty_usec;
	}
	if (messages > 0)
		mean = usec / messages;
	return (uint64_t)(mean * (double)(board->ready + board->held) /
			  (double)board->lanes);
}

/* Where limits say nothing of a lane, any of them takes every size. */
static bool
limits_bind_lanes(const struct board *board)
{
	return board->policy != FEED_LEAST_WORK &&
	       board->policy != FEED_SMALL_FIRST;
}

static void
look_at_lanes(
    struct gate_eyes *eyes, struct mono now, struct gate_sight *ret_sight)
{
	const struct board *board = &eyes->board;
	uint64_t common = quiet_usec(&eyes->feed, board->updated_usec, now);

	if (board->lanes == 0) { /* no feed has run yet */
		ret_sight->lanes = 1;
		ret_sight->lane[0].max_bytes = UINT64_MAX;
		ret_sight->lane[0].wait_usec = common;
		return;
	}
	common += unplaced_usec(board);
	ret_sight->lanes = board->lanes;
	for (size_t i = 0; i < board->lanes; i++) {
		ret_sight->lane[i].max_bytes = limits_bind_lanes(board)
						   ? board->lane[i].max_bytes
						   : UINT64_MAX;
		ret_sight->lane[i].wait_usec = common +
					       board->lane[i].empty_usec +
					       idle_usec(eyes, i, now);
	}
}

uint64_t
gate_percent(uint64_t total, uint64_t free, uint64_t avail)
{
	double used = (double)(total - free), all = used + (double)avail;
	uint64_t percent;

	if (total < free || all <= 0)
		return 0;
	percent = (uint64_t)(used / all * 100);
	return (double)percent / 100 * all < used ? percent + 1 : percent;
}

static void
look_at_disk(struct gate_eyes *eyes)
{
	struct statvfs st;
	uint64_t blocks, inodes;

	if (fstatvfs(eyes->spool_fd, &st) < 0)
		return;
	blocks = gate_percent(st.f_blocks, st.f_bfree, st.f_bavail);
	inodes = gate_percent(st.f_files, st.f_ffree, st.f_favail);
	eyes->used_percent = blocks > inodes ? blocks : inodes;
}

void
gate_look(struct gate_eyes *eyes, struct mono now, struct gate_sight *ret_sight)
{
	struct board board;

	/* An unreadable one leaves the last, which then grows old; so does one
	 * of a feed that starts and hasn't counted yet. */
	if (board_read(eyes->runtime, &board) == 0 && board.lanes > 0)
		eyes->board = board;
	look_at_lanes(eyes, now, ret_sight);
	look_at_disk(eyes);
	ret_sight->used_percent = eyes->used_percent;
}
