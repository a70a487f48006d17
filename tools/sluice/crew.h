/*
 * tools/sluice/crew.h - the children of `sluice run`: started, watched,
 * started again, stopped in order.
 *
 * The first death of a child is answered at once; one that keeps dying within
 * seconds is started with growing pauses (100 ms ... 10 s).  What the crew
 * looks like stands in RUNTIME/crew, one JSON object a line, for `sluice
 * status`.
 */
#ifndef SLUICE_TOOLS_CREW_H
#define SLUICE_TOOLS_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct event_base;
struct crew;

/* In the order in which they are started. */
enum crew_kind {
	CREW_BOOK,
	CREW_VMM,
	CREW_FLOW,
	CREW_LEARN,
	CREW_RPC,
	CREW_WORKER,
	CREW_WAKE,
	CREW_FEED,
	CREW_GATE,
	CREW_KINDS
};

/* conf_path: what the children read.  Both texts are copied. */
struct crew *crew_new(
    struct event_base *base, const char *conf_path, const char *runtime);
/* Ends nothing: children that still run stay. */
struct crew *crew_free(struct crew *crew);

/* Start the child and keep it running from now on.  k: 0, or the worker's. */
void crew_add(struct crew *crew, enum crew_kind kind, unsigned int k);
bool crew_has(const struct crew *crew, enum crew_kind kind, unsigned int k);

/*
 * Worker k goes for good.  It keeps running, but isn't started again after
 * it ends; crew_stop_worker() asks it to.
 */
void crew_retire(struct crew *crew, unsigned int k);
void crew_stop_worker(struct crew *crew, unsigned int k);

/*
 * Send a signal to all of a kind; restart: it is meant to end them, and they
 * are started at once when they have (SIGKILL after 20 s).
 */
void crew_signal(struct crew *crew, enum crew_kind kind, int sig, bool restart);

/* From now on nobody is started again. */
void crew_stop_restarting(struct crew *crew);

/* How many of a kind run.  CREW_KINDS: of all kinds. */
size_t crew_alive(const struct crew *crew, enum crew_kind kind);

/* SIGKILL to everybody, strangers too. */
void crew_kill_all(struct crew *crew);

/* Reap everything that has ended (after SIGCHLD).  Does not block. */
void crew_reap(struct crew *crew);

/*
 * Children that nobody here started are orphans of a daemon that died.
 * Returns how many there are.
 */
size_t crew_orphans(struct crew *crew);

/* Call once a second: orphans that don't end by themselves are made to. */
void crew_sweep(struct crew *crew);

#endif
