/*
 * worker/clamd.h - ClamAV's daemon, over its UNIX socket, by descriptor.
 *
 * Every end of a request other than a whole, well-formed answer is unknown:
 * refused, reset, cut off, late, "ERROR", reloading, shutting down.  A limit
 * that clamd reports (Heuristics.Limits.Exceeded.*) is unknown(message).
 * Before the first scan on a new clamd (first connection, and again whenever
 * a connection was lost) a probe message that only exceeds the recursion
 * limit must come back as such: a clamd without AlertExceedsMax would call
 * deep mail clean, so everything is unknown(system) until it does.
 */
#ifndef SLUICE_WORKER_CLAMD_H
#define SLUICE_WORKER_CLAMD_H

#include "worker/answer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct clamd;
struct clamd_scan;

struct clamd_options {
	const char *socket;       /* path; borrowed for the clamd's life */
	const char *database;     /* signature directory; borrowed */
	unsigned int connections; /* scans at a time */
	uint64_t timeout_usec;    /* of one scan, from its sending */
	uint64_t settle_usec;     /* conf clamd.settle */
};

/* Never fails: a clamd that is not there shows in the answers. */
struct clamd *clamd_new(
    struct event_base *base, const struct clamd_options *options);
/* Every scan under way ends without its callback. */
struct clamd *clamd_free(struct clamd *clamd);

/* answer->reason is the signature's name for a hit, else why it is unknown. */
typedef void clamd_done(void *arg, const struct engine_answer *answer);

/*
 * Ask for one file.  fd stays the caller's and must stay open until done is
 * called (exactly once, never before this function returns) or the scan is
 * cancelled.  Requests above options.connections wait in order; the time-out
 * of one that waits starts when it is sent.  Does not block.
 */
struct clamd_scan *clamd_scan(
    struct clamd *clamd, int fd, clamd_done *done, void *arg);
void clamd_cancel(struct clamd_scan *scan);

/*
 * What an answer of now depends on besides the content: version and a
 * fingerprint of the signature files (names, sizes, mtimes), as text.
 * Returns false when answers must not be kept or taken from the table: the
 * version isn't known yet, the directory can't be read, or the files changed
 * less than settle_usec ago (clamd may still answer by the old ones).
 * The directory is looked at ten times a second at most.
 */
bool clamd_context(struct clamd *clamd, char *buf, size_t size);

#endif
