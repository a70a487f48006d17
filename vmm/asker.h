/*
 * vmm/asker.h - ask sluice-vmm to run files (vmm/ask.h), in a libevent loop.
 *
 * A run whose clone died or was silent is tried once more, on a fresh clone,
 * here: this side still has the file, and its owner knows whether the report
 * has shown enough already (then it has said asker_stop()).  The owner hears
 * of it by begun() with attempt 2, and starts reading the report anew.
 *
 * Nothing here blocks.  Without a sluice-vmm, and when it goes, runs end as
 * refused; the asker connects again by itself.
 */
#ifndef SLUICE_VMM_ASKER_H
#define SLUICE_VMM_ASKER_H

#include "vmm/ask.h"

#include <stdbool.h>

struct event_base;
struct asker;
struct asker_run;

/* Callbacks may call asker_stop() and asker_run(), not asker_close(). */
struct asker_run_ops {
	/* It waits for a clone, or has one.  attempt: 1, or 2 when the first
	 * clone failed: forget the report so far.  May come twice in an
	 * attempt: waiting, then not. */
	void (*begun)(
	    void *arg, unsigned int attempt, const struct ask_begun *begun);
	/* The next octets of the report, without gaps. */
	void (*chunk)(void *arg, const void *octets, size_t n);
	/* The last word, never from within asker_run(); the run is gone. */
	void (*done)(void *arg, const struct ask_done *done);
};

/*
 * state: called when the answer of asker_state() has changed, and with it
 * what can be run; may be NULL.  Connects at once, and again when it must.
 * path is copied.
 */
struct asker *asker_open(struct event_base *base, const char *path,
    void (*state)(void *arg), void *arg);
/* Runs that are left are stopped without done(). */
struct asker *asker_close(struct asker *asker);

/*
 * What the holder has told last about its references, totals and, after
 * asker_list(), clones; rows: n of them.  NULL: there is no holder, or it
 * has not spoken yet.  Borrowed until the loop goes on.
 */
const struct ask_clones *asker_state(
    const struct asker *asker, const struct ask_clone **ret_rows);

/* Ask for all clones; state() is called when the answer is there.  0, or
 * -ENOTCONN. */
int asker_list(struct asker *asker);

/*
 * Run a file.  what: all but its number.  fd: its content, a sealed memfd;
 * duplicated.  Returns 0; -ENOTCONN: there is no holder;
 * or -errno as fcntl(2).
 */
int asker_run(struct asker *asker, const struct ask_run *what, int fd,
    const struct asker_run_ops *ops, void *arg, struct asker_run **ret);

/* Enough is known: done() comes, most likely with ASK_END_STOPPED. */
void asker_stop(struct asker_run *run);
/* Nobody waits any more: the same without any callback. */
void asker_drop(struct asker_run *run);

#endif
