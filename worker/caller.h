/*
 * worker/caller.h - the engine flow: which connection brought a message, and
 * what that says of it (docs/decisions/0020-flow-in-the-pipeline.md).
 *
 * Asks sluice-flow for the connection's features and sluice-learn what they
 * are like.  Both need not be there.
 */
#ifndef SLUICE_WORKER_CALLER_H
#define SLUICE_WORKER_CALLER_H

#include "worker/answer.h"

#include <stdbool.h>
#include <stddef.h>

#define CALLER_TEXT 2048

struct caller;
struct callers;
struct conf;
struct event_base;
struct wire_job;

/* conf is borrowed. */
struct callers *callers_new(struct event_base *base, const struct conf *conf);
/* After its callers.  NULL is allowed.  Returns NULL. */
struct callers *callers_free(struct callers *callers);

/* answer: always clean; its reason says what is known, or why nothing is. */
typedef void caller_done(void *arg, const struct engine_answer *answer);

/*
 * Ask for the connection of a message.  done is called once, never before this
 * returns, at the latest after flow.timeout.  The caller owns what is
 * returned.
 */
struct caller *caller_ask(struct callers *callers, const struct wire_job *info,
    caller_done *done, void *arg);
/* done isn't called any more.  NULL is allowed.  Returns NULL. */
struct caller *caller_free(struct caller *caller);

/* What is known of it when done has been called. */
struct caller_view {
	const char *by;       /* how it was found: "client", "queue", "id" */
	unsigned int ordinal; /* of the message; 0: the connection's features */
	double score;         /* log-odds of spam; NAN: no opinion */
	double points;        /* for the spam engine's score */
	const char *features; /* "client=... pkts_in=12 ..." as they came */
};

/* false: its connection isn't known.  Valid as long as the caller. */
bool caller_view(const struct caller *caller, struct caller_view *ret);

/*
 * Have learned that a message of such a connection had that score from the
 * spam engine, without points of ours.  Nobody waits for an answer.
 */
void caller_learn(const struct caller *caller, double content);

#endif
