/*
 * vmm/fake.h - a back end for tests alone: its clones are no processes, and
 * fail on cue.
 *
 * Everything that happens was planned when the clone was made, and happens at
 * an instant of the clock that the test gives: nothing is left to chance.  No
 * program links it (vmm/CMakeLists.txt), so no setting can choose it.
 */
#ifndef SLUICE_VMM_FAKE_H
#define SLUICE_VMM_FAKE_H

#include "common/clock.h"
#include "vmm/vmm.h"

#include <stdbool.h>

enum fake_fault {
	FAKE_FINE,
	FAKE_CLONE_REFUSED,     /* clone() returns -ENOSPC */
	FAKE_CLONE_DIES,        /* instead of being parked */
	FAKE_CLONE_HANGS,       /* never is parked */
	FAKE_PARKED_DIES,       /* idle_usec after it was parked */
	FAKE_REHEARSAL_REFUSED, /* rehearse() returns -EIO */
	FAKE_REHEARSAL_DIES,
	FAKE_REHEARSAL_HANGS,
	FAKE_INJECT_FAILS, /* inject() returns -EIO */
	FAKE_START_FAILS,  /* run_start() returns -EIO */
	FAKE_TAKE_DIES,    /* instead of taking the sample */
	FAKE_TAKE_HANGS,   /* the agent is silent */
	FAKE_RUN_DIES,     /* run_usec after it took the sample */
	FAKE_RUN_HANGS,    /* never ends, also when its deadline is over */
	FAKE_BABBLES,      /* tells events that make no sense, at each step */
};

enum fake_end {
	FAKE_ENDS,
	FAKE_END_REFUSED, /* destroy() returns -EBUSY */
	FAKE_END_HANGS,   /* VMM_GONE never comes, unless fake_let_go() */
};

/* What a clone does, and after how long. */
struct fake_plan {
	enum fake_fault fault;
	enum fake_end end;
	uint64_t clone_usec, idle_usec, rehearse_usec, take_usec, run_usec,
	    destroy_usec;
	/* The report: visible piece by piece, one each piece_usec from the
	 * taking on; whole at once when piece is 0.  Borrowed. */
	const char *report;
	size_t report_bytes, piece;
	uint64_t piece_usec;
	uint64_t private_bytes;
	uint64_t lost_events;
	bool gains_nothing; /* by a rehearsal */
};

struct fake;

/*
 * A new world, the only one until fake_free().  clock: read at each call;
 * NULL: the real one, and event_fd() wakes a loop when something is due.
 */
struct fake *fake_new(const struct mono *clock);
/* Fails an assertion when a clone is still there that could be destroyed. */
struct fake *fake_free(struct fake *fake);

/* What clones do from now on. */
void fake_plan(struct fake *fake, const struct fake_plan *plan);
/* What the next clone does that has no such plan yet; at most 64 wait. */
void fake_plan_next(struct fake *fake, const struct fake_plan *plan);

/* Each living clone tells this, whether it makes sense or not. */
void fake_tell(struct fake *fake, enum vmm_event event);

/* Let a clone whose end hangs go; of all there are. */
void fake_let_go(struct fake *fake);

/* When something is due next; UINT64_MAX: nothing is. */
struct mono fake_next(const struct fake *fake);

struct fake_counts {
	uint64_t made, freed; /* clones */
	uint64_t opened, closed, reaped;
	uint64_t rehearsed, injected, started;
	size_t live, most;
};
void fake_counts(const struct fake *fake, struct fake_counts *ret);

extern const struct vmm_ops fake_ops;

#endif
