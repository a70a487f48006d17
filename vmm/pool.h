/*
 * vmm/pool.h - clones that are ready before they are needed, and the runs
 * that wait for one (docs/vm-lifecycle.md).
 *
 * The pool knows no back end, no loop and no clock: it is told the time with
 * each call, asks for descriptors to be watched, and says when it wants to be
 * called again (vmm/pool_loop.h does that with libevent).
 *
 * A clone is used once.  Runs are served first in, first out for each asker,
 * and the askers in turn, so that none of them can starve the others; where
 * references compete for room, the run that is next may cost another
 * reference a clone that was parked.  Live clones are bounded by memory,
 * running ones by their number: a program that gets no processor shows
 * nothing, and that must not look like innocence.  A
 * run whose clone died or was silent is reported as such and not tried again
 * here: what the report has shown so far is known to the asker alone, who
 * also still has the file (vmm/asker.h tries once more).
 *
 * Not thread-safe.  Logs nothing; what is worth a line is told by
 * struct pool_ear.
 */
#ifndef SLUICE_VMM_POOL_H
#define SLUICE_VMM_POOL_H

#include "common/clock.h"
#include "vmm/ask.h"
#include "vmm/vmm.h"

#include <stdbool.h>

/* docs/vm-lifecycle.md, "States". */
enum pool_state {
	POOL_EMPTY,
	POOL_CLONING,
	POOL_PARKED,
	POOL_REHEARSING,
	POOL_TAKING,
	POOL_RUNNING,
	POOL_DRAINING,
	POOL_DYING,
	POOL_LOST,
	POOL_STATES
};

const char *pool_state_name(enum pool_state state);

struct pool;
struct pool_run;

struct pool_limits {
	uint32_t slots;         /* clones, at most ASK_CLONES_MAX */
	uint32_t running;       /* of these that run at a time */
	uint32_t cloning;       /* that are being made at a time */
	uint64_t reserve_bytes; /* of memory, not for clones */
	uint64_t guess_bytes;   /* of a clone, before any was measured */
	uint64_t clone_usec;    /* until VMM_PARKED, the second one too */
	uint64_t take_usec;     /* until VMM_TAKEN */
	uint64_t run_usec;      /* a run that names no deadline */
	uint64_t run_max_usec;  /* a run that does */
	uint64_t grace_usec;    /* beyond the deadline, for the agent's end */
	uint64_t drain_usec;    /* for the asker to read the rest */
	uint64_t destroy_usec;  /* until VMM_GONE */
	size_t waiting;         /* runs that may wait */
	uint64_t file_bytes;    /* of a file that is run */
};

/* What the pool needs and tells. */
struct pool_ear {
	/* Call pool_wake() whenever fd is readable, until unwatch(). */
	void (*watch)(void *arg, uint32_t slot, int fd);
	void (*unwatch)(void *arg, uint32_t slot);
	/* Octets of memory that are available, where the back end's clones are
	 * made of it (vmm/vmm.h); 0: unknown. */
	uint64_t (*available)(void *arg);
	/* Something that people want to read, once; slot, reference, words. */
	void (*said)(
	    void *arg, uint32_t slot, const char *reference, const char *text);
};

struct pool *pool_new(
    const struct pool_limits *limits, const struct pool_ear *ear, void *arg);
/*
 * After pool_end() and pool_is_idle().  Earlier: references that still have
 * clones are left open, since a parent must not go before its clones.
 */
struct pool *pool_free(struct pool *pool);

/*
 * From now on runs for `name` get clones of that reference, of which `ready`
 * are kept parked; vmm is taken over.  A reference of that name that was there
 * already makes no more clones, and is closed after its last.
 */
void pool_add(struct pool *pool, const char *name, const char *digest,
    uint32_t ready, const struct vmm_ops *ops, struct vmm *vmm,
    struct mono now);
/* The same without a successor: its waiting runs are refused. */
void pool_drop(
    struct pool *pool, const char *name, const char *why, struct mono now);

/* Callbacks of a run; they may not call the pool but for pool_resume(). */
struct pool_run_ops {
	/* It waits, or has a clone; each at most once.  begun->run is 0. */
	void (*begun)(void *arg, const struct ask_begun *begun);
	/* Octets of the report.  0; -EAGAIN: not now, give them again after
	 * pool_resume(); other: nobody reads any more, the run is stopped, with
	 * done(). */
	int (*chunk)(void *arg, uint32_t from, const void *octets, uint32_t n);
	/* The last word; done->run is 0.  The run is gone after it. */
	void (*done)(void *arg, const struct ask_done *done);
};

/*
 * Ask for a run; it begins at the next pool_tick(), which is due at once.
 * asker: whoever takes turns with others, only compared.  fd is taken over.
 * Returns the run, which stays until done(), or NULL when it was refused:
 * done() has been called then, from within.
 */
struct pool_run *pool_ask(struct pool *pool, const void *asker,
    const struct ask_run *what, int fd, const struct pool_run_ops *ops,
    void *arg, struct mono now);
/* Enough is known: done() is called with ASK_END_STOPPED. */
void pool_stop(struct pool *pool, struct pool_run *run, struct mono now);
/* Nobody waits any more: the same without done(). */
void pool_abandon(struct pool *pool, struct pool_run *run, struct mono now);
/* Whoever said -EAGAIN can take octets again; they come at the next tick. */
void pool_resume(struct pool *pool, struct pool_run *run);

/* Something is to be read at that slot's descriptor. */
void pool_wake(struct pool *pool, uint32_t slot, struct mono now);
/* Time has passed. */
void pool_tick(struct pool *pool, struct mono now);
/* When to call pool_tick() at the latest; usec UINT64_MAX: no need to. */
struct mono pool_next(const struct pool *pool);

/* No more runs: those that are there are refused with these words, all
 * clones are destroyed, and references closed after them. */
void pool_end(struct pool *pool, const char *why, struct mono now);
/* No clone is left but those that were written off. */
bool pool_is_idle(const struct pool *pool);

struct pool_counts {
	uint64_t cloned, failed; /* clones made, and that could not be */
	uint64_t died, silent, written_off, reclaimed, odd;
	uint64_t runs, refused, stopped; /* runs that ended, of these */
	uint32_t waiting, live, parked, busy, lost;
	uint64_t used_bytes, budget_bytes, clone_bytes;
	/* Means that the predictions are made of. */
	uint64_t clone_usec, serve_usec;
	uint64_t rehearse_usec, destroy_usec;
};
void pool_counts(const struct pool *pool, struct pool_counts *ret);

/* Fill head and at most max rows, one for each slot that isn't empty.
 * Returns the number of rows. */
size_t pool_list(const struct pool *pool, struct mono now,
    struct ask_clones *head, struct ask_clone *rows, size_t max);

#endif
