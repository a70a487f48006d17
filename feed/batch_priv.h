/*
 * feed/batch_priv.h - messages on their way to a queue, which share their
 * commits: what place.c, late_place.c and steal.c have in common.
 */
#ifndef SLUICE_FEED_BATCH_PRIV_H
#define SLUICE_FEED_BATCH_PRIV_H

#include "feed/feed_priv.h"
#include "queues/claim.h"
#include "queues/move.h"

struct qf;

/* One message of the batch. */
struct job {
	struct claim claim; /* also says from where */
	enum spool_dir to;
	enum load_kind kind;
	const char *reason; /* why it goes to error, else NULL */
	char *line;
};

struct batch {
	size_t n;
	struct job jobs[FEED_BATCH];
	struct move moves[FEED_BATCH];
	uint64_t empty_usec[FEED_MAX_LANES]; /* with what is in the batch */
	size_t lane; /* for the next message; limits.lanes: feed_pick() */
};

/* batch.c: octets of df + qf. */
uint64_t job_bytes(const struct job *job);

/* batch.c: make the journal line; qf is NULL for what could not be read. */
void job_write_line(struct job *job, const struct qf *qf);

/*
 * batch.c: move all of it.  Returns as move_batch(); the results are in
 * batch->moves.  Then batch_drop() each job.
 */
int batch_run(struct feed *feed, struct batch *batch);

/* batch.c: unlock and free.  The close is what tells the worker. */
void job_drop(struct job *job);

/*
 * place.c: claim id, which the index has given out, and put it into the
 * batch; what cannot be a message goes to error.  0, or what was wrong: the
 * index knows by then, and *failures was counted up if the system refused.
 */
int place_take(struct feed *feed, struct batch *batch, const char *id,
    bool retry, size_t *failures);

/* place.c: what becomes of a message that was not moved.  true: the system
 * refused. */
bool place_set_aside(
    struct feed *feed, const char *id, const char *what, int error, bool deaf);

/* late_place.c: fill the batch for FEED_SMALL_FIRST, which looks at what is new
 * and hands out what is due.  Returns the number of system failures. */
size_t late_take_some(
    struct feed *feed, struct batch *batch, size_t *ret_retried);

#endif
