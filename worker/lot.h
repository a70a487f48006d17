/*
 * worker/lot.h - the messages of one feed queue that deliver knows of: which
 * may be tried now, which must wait, which are being judged.  In memory only;
 * what must outlive the process stands on the message itself (tries).
 */
#ifndef SLUICE_WORKER_LOT_H
#define SLUICE_WORKER_LOT_H

#include "common/clock.h"
#include "queues/claim.h"

#include <stdbool.h>
#include <sys/queue.h>
#include <uthash.h>

struct qf;

struct item {
	TAILQ_ENTRY(item) link; /* in one of the lot's lists */
	UT_hash_handle hh;      /* by id */
	char id[QUEUE_ID_MAX + 1];
	enum item_list {
		ITEM_WAITING,
		ITEM_JUDGED,
		ITEM_LONG, /* judged, but only by clones: no worker's time */
		ITEM_DONE
	} list;
	struct mono not_before; /* no try earlier than this */
	struct mono since;      /* first time that an engine didn't know; 0 */
	struct mono vm_since;   /* the same of the clones, which are asked when
				   all others know: each has its own hold */
	unsigned int pauses;    /* consecutive answers "unknown(system)" */
	bool is_fresh;          /* seen by name, never tried */
	bool is_suspect;        /* died or was left unfinished before */
	bool was_put_off;       /* had its lot_suspect_pause() */

	/* While it is claimed: */
	struct claim claim;
	struct tries tries; /* as they were before this try */
	struct qf *qf;
	uint64_t job;
	struct mono begun;
	uint64_t share_begun; /* lot.share at begun */
	bool was_long;        /* its service ended when it became ITEM_LONG */

	/* When it is done: */
	enum spool_dir to;
	uint64_t service_usec;
	char *line; /* its journal line */
	const char *verdict;
	char *warning; /* the text to enclose it in; NULL: none */
};

TAILQ_HEAD(item_head, item);

struct lot {
	struct item *by_id;
	struct item_head waiting, judged, lengthy, done;
	size_t n_waiting, n_judged, n_long, n_done;
	size_t n_suspects; /* among the judged */
	uint64_t share;    /* each judged message's part of the time so
			    * far, in microseconds: see lot_clock() */
	struct mono clock;
};

void lot_init(struct lot *lot);

/* The item of that id; made fresh and put last among the waiting if new. */
struct item *lot_see(struct lot *lot, const char *id);
struct item *lot_find(const struct lot *lot, const char *id);
/* Among those that are judged, long or not. */
struct item *lot_find_job(const struct lot *lot, uint64_t job);

/*
 * How long a message that was left unfinished begun times must wait before
 * its first try in this process: should it be the cause, those that it took
 * along get their turn in between.  0 up to once, then doubling up to most.
 */
uint64_t lot_suspect_pause(uint32_t begun, uint64_t most);

/* Move to another list, at its end. */
void lot_put(struct lot *lot, struct item *item, enum item_list list);

/* The first waiting item that may be tried now; NULL: none.  *ret_next is the
 * earliest instant at which one may be, if any waits ({0}: none). */
struct item *lot_next(
    const struct lot *lot, struct mono now, struct mono *ret_next);

/* The message is not ours any more: forget, drop its claim, free. */
void lot_forget(struct lot *lot, struct item *item);

/* End of a try without a move: drop the claim and what belongs to it. */
void item_unclaim(struct item *item);

/*
 * Advance the clock of shares: while n messages are judged together each is
 * charged 1/n of the time, so that the service times add up to the time that
 * the worker was busy (the model of feed/load.h).
 */
void lot_clock(struct lot *lot, struct mono now);

#endif
