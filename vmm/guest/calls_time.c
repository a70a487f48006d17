/* Calls that wait. */
#include <time.h>

#include "vmm/guest/calls_priv.h"
#include "vmm/guest/tracee.h"

#define NEW_CLOCK_NANOSLEEP "clock_nanosleep_time64"

/* A time of two words of the program's kind; negative or absurd: 0. */
static uint64_t
usec_at(const struct call *call, uint64_t at, bool is_wide, uint64_t unit)
{
	int64_t wide[2] = {0, 0};
	int32_t narrow[2];

	if (at == 0)
		return 0;
	if (is_wide) {
		if (!tracee_read(call->pid, at, wide, sizeof(wide)))
			return 0;
	} else if (tracee_read(call->pid, at, narrow, sizeof(narrow))) {
		wide[0] = narrow[0];
		wide[1] = narrow[1];
	}
	if (wide[0] < 0 || wide[0] > (int64_t)1 << 40 || wide[1] < 0 ||
	    wide[1] > 1000000000)
		return 0;
	return (uint64_t)wide[0] * 1000000 + (uint64_t)wide[1] / unit;
}

static int
hold(struct scene *scene, const struct call *call, uint64_t usec)
{
	return sleepers_add(call->sleepers, scene, call->pid, call->id, usec)
		   ? CALL_HELD
		   : CALL_GO;
}

CALL_HANDLER(on_nanosleep)
{
	return hold(
	    scene, call, usec_at(call, call->args[0], call->is_wide, 1000));
}

CALL_HANDLER(on_clock_nanosleep)
{
	const bool is_wide =
	    call->is_wide || strcmp(call->name, NEW_CLOCK_NANOSLEEP) == 0;
	uint64_t usec = usec_at(call, call->args[2], is_wide, 1000);
	struct timespec now;
	uint64_t now_usec;

	if (!((int)call->args[1] & TIMER_ABSTIME))
		return hold(scene, call, usec);
	if ((int)call->args[0] != CLOCK_REALTIME)
		return CALL_GO; /* a clock that can't be set forward */
	(void)clock_gettime(CLOCK_REALTIME, &now);
	now_usec =
	    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	return usec > now_usec ? hold(scene, call, usec - now_usec) : CALL_GO;
}

CALL_HANDLER(on_poll)
{
	const int msec = (int)call->args[2];

	return msec > 0 ? hold(scene, call, (uint64_t)msec * 1000) : CALL_GO;
}

/* No descriptors: a sleep by another name.  select(2)'s time is its last
 * argument, in microseconds, the others' in nanoseconds. */
CALL_HANDLER(on_select)
{
	const bool is_poll = strcmp(call->name, "ppoll") == 0;
	const bool is_old = strcmp(call->name, "select") == 0;

	return hold(scene, call,
	    usec_at(call, call->args[is_poll ? 2 : 4], call->is_wide,
		is_old ? 1 : 1000));
}
