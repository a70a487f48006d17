/*
 * feed/index.h - the messages of in/ that are known and not yet placed.
 *
 * An id is in one of five states:
 *   ready   to be tried, in the order in which ids became ready
 *   taken   out by index_take(); the caller says next what becomes of it
 *   queued  complete, until a worker is free and index_call() takes it
 *   parked  not to be had (locked, incomplete, odd): tried again after an
 *           event for it or when index_retry_all() says so
 *   held    complete, but its move failed: ready again by index_release()
 * Each call costs the same whatever is waiting.  No input or output.
 */
#ifndef SLUICE_FEED_INDEX_H
#define SLUICE_FEED_INDEX_H

#include "queues/spool.h"

#include <stdbool.h>
#include <stddef.h>

struct index;

struct index_counts {
	size_t ready, queued, parked, held;
};

/* Never fail but for memory. */
struct index *index_new(void);
struct index *index_free(struct index *index);

/*
 * Something happened to id (1 .. QUEUE_ID_MAX characters): a new or parked
 * one becomes ready, behind the others; any other stays what it is.
 */
void index_wake(struct index *index, const char *id);

/* The same for an id that a scan found: a parked one stays parked. */
void index_add(struct index *index, const char *id);

/*
 * Take the next: first those that are ready, then those to retry.
 *
 * ret_id     at least QUEUE_ID_MAX + 1 characters
 * ret_retry  true: index_retry_*() brought it back, no event did
 * Returns false when there is none.
 */
bool index_take(struct index *index, char *ret_id, bool *ret_retry);

/*
 * What becomes of an id that was taken.
 *
 * deaf  index_wake() doesn't count until the id was retried: for a try that
 *       itself raised an event, which would otherwise go on for ever
 */
void index_forget(struct index *index, const char *id);
void index_park(struct index *index, const char *id, bool deaf);
void index_hold(struct index *index, const char *id);
void index_queue(struct index *index, const char *id);

/* A queued one is taken. */
void index_call(struct index *index, const char *id);

/* All queued ones become ready, in front of the others, in their order. */
void index_unqueue(struct index *index);

/* Is id here, in any state? */
bool index_has(const struct index *index, const char *id);

/* Has nobody asked this about id before?  For what is reported once. */
bool index_first_report(struct index *index, const char *id);

/* Bring all parked ones back, or the n that were parked last. */
void index_retry_all(struct index *index);
void index_retry_last(struct index *index, size_t n);

/* All held ones become ready, in front of the others, in their order. */
void index_release(struct index *index);

/* Is there anything for index_take()? */
bool index_has_work(const struct index *index);

struct index_counts index_count(const struct index *index);

#endif
