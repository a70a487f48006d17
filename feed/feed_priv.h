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

/* Nothing is lost when a lane is asked so late whether it runs empty, and 200
 * looks a second, made only while somebody waits for them, cost next to
 * nothing. */
#define FEED_LOOK_USEC (5 * USEC_PER_MSEC)

/* What a worker shows of its lane; lane is NULL while none has run. */
struct feed_lane {
	struct lane *lane;
	ino_t inode; /* a worker that starts anew replaces the file */
	uint64_t cursor;
	uint64_t in_service;
	uint64_t wait_usec; /* mean, faded, of what finished; 0: nothing has */
	struct mono since;  /* since when nothing has left it */
	/* For FEED_SMALL_FIRST; see lanes.c. */
	uint64_t excused_usec;
	unsigned int stuck; /* times in a row; 0: its worker works */
	bool robbed;        /* since its worker has finished something */
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
	size_t retries;      /* of the last regular one, still to come */
	uint64_t spent_usec; /* since that began: on it, its retries, and the
			      * rounds that were asked for */
};

struct feed {
	unsigned int magic;
	const struct conf *conf;
	const char *conf_path;
	const struct spool *spool;
	struct journal *journal;
	int runtime_fd;
	uint64_t scan_usec; /* feed.scan_interval, as reloaded */
	uint64_t patience;  /* feed.patience, as reloaded */
	uint64_t slots;     /* messages that a worker judges side by side */

	struct index *index;
	struct load *load;
	struct feed_limits limits;
	enum feed_policy policy;
	struct tuner *tuner;
	struct late *late;      /* FEED_SMALL_FIRST: what waits in in/ */
	uint64_t move_usec;     /* that a batch takes: mean, faded */
	struct mono steal_next; /* not before: the last try was of no use */
	struct feed_lane lanes[FEED_MAX_LANES];
	struct board_map *board;
	struct metrics *metrics; /* NULL: none to be had */
	struct board counts;
	struct round round;

	int inotify_fd;
	struct event_base *base;
	struct event *ev_inotify, *ev_again, *ev_tick, *ev_round, *ev_retry;
	struct event *ev_look; /* is a lane running empty? */
	struct event *ev_glance;
	struct event *ev_term, *ev_int, *ev_hup;
	bool is_gathering;     /* a batch is put off until ev_again */
	bool paused;           /* nothing can be moved: wait for ev_retry */
	bool glance;           /* at a message that was found locked */
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

/* reload.c: take over what may change while running. */
void feed_configure(struct feed *feed, const struct conf *conf);
/* reload.c: the same on a signal, if the rest has stayed; says so. */
void feed_reload(struct feed *feed, const struct conf *conf);

/* show.c: publish on the board. */
void feed_show(struct feed *feed);

/* place.c: place at most FEED_BATCH messages. */
void place_batch(struct feed *feed);

/*
 * late_place.c, for FEED_SMALL_FIRST: is there anything to do now, for
 * place_batch(); and if not, how long until it should be asked again
 * (UINT64_MAX: not before something arrives)?
 */
bool late_has_work(const struct feed *feed);
uint64_t late_wait_usec(const struct feed *feed);

/*
 * steal.c, for FEED_STEAL: move what waits elsewhere to lanes that have
 * nothing to do.  Returns how long until it should be asked again
 * (UINT64_MAX: not before something arrives).
 */
uint64_t steal_some(struct feed *feed);

/* lanes.c: take in what the workers published. */
void lanes_read(struct feed *feed);
/* lanes.c: find lanes that a worker has made anew. */
void lanes_refresh(struct feed *feed);
void lanes_close(struct feed *feed);
/* lanes.c: message id waits there from now on. */
void lanes_place(struct feed *feed, const char *id, size_t lane,
    enum load_kind kind, uint64_t bytes);
/* lanes.c: when a lane, or each, is expected to be empty. */
uint64_t lane_empty_usec(const struct feed *feed, size_t lane, struct mono now);
void lanes_empty_usec(const struct feed *feed, uint64_t *ret_usec);
/*
 * lanes.c: how much work a lane should have at hand, so that its worker never
 * idles while the next message is fetched for it.
 */
uint64_t lanes_ahead_usec(const struct feed *feed);

/* round.c: begin reading everything; one piece of it; all of it. */
void round_begin(struct feed *feed);
void round_step(struct feed *feed);
void round_all(struct feed *feed);
void round_done(struct feed *feed);
/* round.c: so many were tried again, in so long: part of the last regular
 * round's cost, unless all of its were tried before. */
void round_retried(struct feed *feed, size_t n, uint64_t usec);
/* round.c: octets of a pair (NULL: not wanted) and when its qf was written;
 * false: not there. */
bool round_stat(
    int dirfd, const char *id, uint64_t *ret_bytes, uint64_t *ret_usec);
/* round.c: microseconds until the next is due. */
uint64_t round_wait_usec(const struct feed *feed);

#endif
