/*
 * The table of docs/vm-lifecycle.md.
 */
#include "vmm/pool_priv.h"

#define ACT(state, action) \
	{ \
		POOL_##state, act_##action, #action \
	}

/* docs/vm-lifecycle.md, row by row; a test fails on an empty cell and on any
 * that differs from the page. */
const struct step pool_steps[POOL_STATES][EV_COUNT] =
    {
	[POOL_EMPTY] =
	    {
		[EV_CLONE] = ACT(CLONING, begin),
		[EV_PARKED] = ACT(EMPTY, odd),
		[EV_REHEARSE] = ACT(EMPTY, odd),
		[EV_GIVEN] = ACT(EMPTY, odd),
		[EV_TAKEN] = ACT(EMPTY, odd),
		[EV_REPORT] = ACT(EMPTY, odd),
		[EV_ENDED] = ACT(EMPTY, odd),
		[EV_DIED] = ACT(EMPTY, odd),
		[EV_GONE] = ACT(EMPTY, odd),
		[EV_LATE] = ACT(EMPTY, odd),
		[EV_STOP] = ACT(EMPTY, odd),
		[EV_DRAINED] = ACT(EMPTY, odd),
		[EV_RETIRE] = ACT(EMPTY, nothing),
		[EV_REFUSED] = ACT(EMPTY, odd),
	    },
	[POOL_CLONING] =
	    {
		[EV_CLONE] = ACT(CLONING, odd),
		[EV_PARKED] = ACT(PARKED, park),
		[EV_REHEARSE] = ACT(CLONING, odd),
		[EV_GIVEN] = ACT(CLONING, odd),
		[EV_TAKEN] = ACT(CLONING, odd),
		[EV_REPORT] = ACT(CLONING, nothing),
		[EV_ENDED] = ACT(CLONING, odd),
		[EV_DIED] = ACT(DYING, fail),
		[EV_GONE] = ACT(EMPTY, vanish),
		[EV_LATE] = ACT(DYING, fail),
		[EV_STOP] = ACT(CLONING, odd),
		[EV_DRAINED] = ACT(CLONING, odd),
		[EV_RETIRE] = ACT(DYING, destroy),
		[EV_REFUSED] = ACT(EMPTY, unmade),
	    },
	[POOL_PARKED] =
	    {
		[EV_CLONE] = ACT(PARKED, odd),
		[EV_PARKED] = ACT(PARKED, odd),
		[EV_REHEARSE] = ACT(REHEARSING, rehearse),
		[EV_GIVEN] = ACT(TAKING, give),
		[EV_TAKEN] = ACT(PARKED, odd),
		[EV_REPORT] = ACT(PARKED, nothing),
		[EV_ENDED] = ACT(PARKED, odd),
		[EV_DIED] = ACT(DYING, bury),
		[EV_GONE] = ACT(EMPTY, vanish),
		[EV_LATE] = ACT(PARKED, odd),
		[EV_STOP] = ACT(PARKED, odd),
		[EV_DRAINED] = ACT(PARKED, odd),
		[EV_RETIRE] = ACT(DYING, destroy),
		[EV_REFUSED] = ACT(PARKED, odd),
	    },
	[POOL_REHEARSING] =
	    {
		[EV_CLONE] = ACT(REHEARSING, odd),
		[EV_PARKED] = ACT(PARKED, ready),
		[EV_REHEARSE] = ACT(REHEARSING, odd),
		[EV_GIVEN] = ACT(REHEARSING, odd),
		[EV_TAKEN] = ACT(REHEARSING, odd),
		[EV_REPORT] = ACT(REHEARSING, nothing),
		[EV_ENDED] = ACT(REHEARSING, odd),
		[EV_DIED] = ACT(DYING, bury),
		[EV_GONE] = ACT(EMPTY, vanish),
		[EV_LATE] = ACT(DYING, bury),
		[EV_STOP] = ACT(REHEARSING, odd),
		[EV_DRAINED] = ACT(REHEARSING, odd),
		[EV_RETIRE] = ACT(DYING, destroy),
		[EV_REFUSED] = ACT(DYING, bury),
	    },
	[POOL_TAKING] =
	    {
		[EV_CLONE] = ACT(TAKING, odd),
		[EV_PARKED] = ACT(TAKING, odd),
		[EV_REHEARSE] = ACT(TAKING, odd),
		[EV_GIVEN] = ACT(TAKING, odd),
		[EV_TAKEN] = ACT(RUNNING, took),
		[EV_REPORT] = ACT(TAKING, nothing),
		[EV_ENDED] = ACT(DRAINING, end),
		[EV_DIED] = ACT(DRAINING, die),
		[EV_GONE] = ACT(EMPTY, vanish),
		[EV_LATE] = ACT(DYING, silent),
		[EV_STOP] = ACT(DYING, stop),
		[EV_DRAINED] = ACT(TAKING, odd),
		[EV_RETIRE] = ACT(DYING, dismiss),
		[EV_REFUSED] = ACT(DYING, refuse),
	    },
	[POOL_RUNNING] =
	    {
		[EV_CLONE] = ACT(RUNNING, odd),
		[EV_PARKED] = ACT(RUNNING, odd),
		[EV_REHEARSE] = ACT(RUNNING, odd),
		[EV_GIVEN] = ACT(RUNNING, odd),
		[EV_TAKEN] = ACT(RUNNING, odd),
		[EV_REPORT] = ACT(RUNNING, pump),
		[EV_ENDED] = ACT(DRAINING, end),
		[EV_DIED] = ACT(DRAINING, die),
		[EV_GONE] = ACT(EMPTY, vanish),
		[EV_LATE] = ACT(DRAINING, expire),
		[EV_STOP] = ACT(DYING, stop),
		[EV_DRAINED] = ACT(RUNNING, odd),
		[EV_RETIRE] = ACT(DYING, dismiss),
		[EV_REFUSED] = ACT(RUNNING, odd),
	    },
	[POOL_DRAINING] =
	    {
		[EV_CLONE] = ACT(DRAINING, odd),
		[EV_PARKED] = ACT(DRAINING, odd),
		[EV_REHEARSE] = ACT(DRAINING, odd),
		[EV_GIVEN] = ACT(DRAINING, odd),
		[EV_TAKEN] = ACT(DRAINING, odd),
		[EV_REPORT] = ACT(DRAINING, pump),
		[EV_ENDED] = ACT(DRAINING, nothing),
		[EV_DIED] = ACT(DRAINING, nothing),
		[EV_GONE] = ACT(EMPTY, vanish),
		[EV_LATE] = ACT(DYING, unread),
		[EV_STOP] = ACT(DYING, stop),
		[EV_DRAINED] = ACT(DYING, finish),
		[EV_RETIRE] = ACT(DYING, dismiss),
		[EV_REFUSED] = ACT(DRAINING, odd),
	    },
	[POOL_DYING] =
	    {
		[EV_CLONE] = ACT(DYING, odd),
		[EV_PARKED] = ACT(DYING, nothing),
		[EV_REHEARSE] = ACT(DYING, odd),
		[EV_GIVEN] = ACT(DYING, odd),
		[EV_TAKEN] = ACT(DYING, nothing),
		[EV_REPORT] = ACT(DYING, nothing),
		[EV_ENDED] = ACT(DYING, nothing),
		[EV_DIED] = ACT(DYING, nothing),
		[EV_GONE] = ACT(EMPTY, clear),
		[EV_LATE] = ACT(LOST, write_off),
		[EV_STOP] = ACT(DYING, odd),
		[EV_DRAINED] = ACT(DYING, odd),
		[EV_RETIRE] = ACT(DYING, nothing),
		[EV_REFUSED] = ACT(LOST, lose),
	    },
	[POOL_LOST] =
	    {
		[EV_CLONE] = ACT(LOST, odd),
		[EV_PARKED] = ACT(LOST, nothing),
		[EV_REHEARSE] = ACT(LOST, odd),
		[EV_GIVEN] = ACT(LOST, odd),
		[EV_TAKEN] = ACT(LOST, nothing),
		[EV_REPORT] = ACT(LOST, nothing),
		[EV_ENDED] = ACT(LOST, nothing),
		[EV_DIED] = ACT(LOST, nothing),
		[EV_GONE] = ACT(EMPTY, reclaim),
		[EV_LATE] = ACT(LOST, odd),
		[EV_STOP] = ACT(LOST, odd),
		[EV_DRAINED] = ACT(LOST, odd),
		[EV_RETIRE] = ACT(LOST, nothing),
		[EV_REFUSED] = ACT(LOST, odd),
	    },
};

void
slot_event(struct slot *slot, enum pool_event event, struct mono now)
{
	const struct step *step = &pool_steps[slot->state][event];

	if (step->next != slot->state) {
		slot->state = step->next;
		slot->since = now;
		slot->late_at.usec = POOL_NEVER;
		slot->pool->is_stale = true;
	}
	step->act(slot, now);
}

const char *
pool_state_name(enum pool_state state)
{
	static const char *const names[POOL_STATES] = {"empty", "cloning",
	    "parked", "rehearsing", "taking", "running", "draining", "dying",
	    "lost"};

	return state < POOL_STATES ? names[state] : "?";
}

const char *
pool_event_name(enum pool_event event)
{
	static const char *const names[EV_COUNT] = {"clone", "parked",
	    "rehearse", "given", "taken", "report", "ended", "died", "gone",
	    "late", "stop", "drained", "retire", "refused"};

	return event < EV_COUNT ? names[event] : "?";
}
