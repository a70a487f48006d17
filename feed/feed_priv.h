/*
 * feed/feed_priv.h - what the files of the daemon share.
 */
#ifndef SLUICE_FEED_FEED_PRIV_H
#define SLUICE_FEED_FEED_PRIV_H

#include "common/clock.h"
#include "feed/board.h"
#include "feed/feed.h"
#include "feed/index.h"
#include "feed/load.h"
#include "feed/sort.h"
#include "feed/walk.h"
#include "queues/spool.h"

#include <stdbool.h>
#include <sys/types.h>

struct event;
struct lane;
struct metrics;

#define FEED_MAGIC   0x66656564u /* "feed" */
#define FEED_BATCH   64          /* messages that share their commits */
#define FEED_WALK    512         /* names read at one wake-up */
#define FEED_MAX_ERR 134         /* above the largest errno */

/* What a worker shows of its lane; lane is NULL while none has run. */
struct feed_lane {
	struct lane *lane;
	ino_t inode; /* a worker that starts anew replaces the file */
	uint64_t cursor;
};

/* A message that a scan found in in/ and that was not known. */
struct found {
	uint64_t arrived_usec;
	char id[QUEUE_ID_MAX + 1];
};

/*
 * One reading of in/ (at 0) and then of each feed queue (at 1 ..).  A regular
 * one retries what is parked, too; one that was asked for, since events or
 * samples were lost, doesn't, and so may come sooner.
 */
struct round {
	bool running, wanted;
	bool retry; /* the one under way is a regular one */
	size_t at;
	struct walk *walk;
	struct found *found;
	size_t n_found, max_found;
	struct mono begun, regular_begun;
	uint64_t walk_usec;  /* reading, in the last round */
	uint64_t spent_usec; /* since the last regular one began: on rounds and
			      * on retries */
};

struct feed {
	unsigned int magic;
	const struct conf *conf;
	const char *conf_path;
	const struct spool *spool;
	struct journal *journal;
	int runtime_fd;
	uint64_t scan_usec; /* feed.scan_interval, as reloaded */

	struct index *index;
	struct load *load;
	struct feed_limits limits;
	struct feed_lane lanes[FEED_MAX_LANES];
	struct board_map *board;
	struct metrics *metrics; /* NULL: none to be had */
	struct board counts;
	struct round round;

	int inotify_fd;
	struct event_base *base;
	struct event *ev_inotify, *ev_again, *ev_tick, *ev_round, *ev_retry;
	struct event *ev_term, *ev_int, *ev_hup;
	struct mono gather;    /* since when a batch is put off; 0: none is */
	bool paused;           /* nothing can be moved: wait for ev_retry */
	uint64_t backoff_usec; /* of the last failure, 0: none */
	int result;            /* of feed_run() */

	struct mono logged[FEED_MAX_ERR]; /* when each error was, last */
	uint64_t unlogged[FEED_MAX_ERR];  /* and how often since */
};

/* feed.c: say that an operation failed, each kind of error once a minute. */
void feed_complain(struct feed *feed, const char *what, int error);
/* feed.c: try again what failed, after a pause that doubles each time. */
void feed_back_off(struct feed *feed);
/* feed.c: a round is wanted soon. */
void feed_want_round(struct feed *feed);

/* place.c: place at most FEED_BATCH messages. */
void place_batch(struct feed *feed);

/* lanes.c: take in what the workers published. */
void lanes_read(struct feed *feed);
/* lanes.c: find lanes that a worker has made anew. */
void lanes_refresh(struct feed *feed);
void lanes_close(struct feed *feed);
/* lanes.c: when each lane is expected to be empty. */
void lanes_empty_usec(const struct feed *feed, uint64_t *ret_usec);

/* round.c: begin reading everything; one piece of it; all of it. */
void round_begin(struct feed *feed);
void round_step(struct feed *feed);
void round_all(struct feed *feed);
void round_done(struct feed *feed);
/* round.c: microseconds until the next is due. */
uint64_t round_wait_usec(const struct feed *feed);

#endif
