/*
 * tests/torture/fault.h - the nth system call kills us, or fails.
 */
#ifndef SLUICE_TESTS_FAULT_H
#define SLUICE_TESTS_FAULT_H

#include <stdbool.h>

enum fault_kind {
	FAULT_COUNT, /* only count */
	FAULT_KILL,  /* _exit(FAULT_EXIT) after the nth call was made */
	FAULT_ERROR, /* the nth call is not made and fails with an errno */
	FAULT_REST,  /* as FAULT_ERROR, and so does every later one */
	FAULT_SHORT, /* the nth call, if it writes, writes half */
};

#define FAULT_EXIT 77

/*
 * From now on count the calls that change files (all of CMakeLists.txt's
 * list), and let the nth, from 1, go wrong; only those named name, if given.
 * fsync and fdatasync are never made, armed or not: a dead process loses
 * nothing that it has written, and the disk would be the slowest part.
 */
void fault_arm(enum fault_kind kind, int nth, int error, const char *name);

/* Stop; returns how many calls were counted. */
int fault_disarm(void);

/* The name of the call that went wrong, or NULL. */
const char *fault_hit(void);

/* A sync takes that long from now on, so that kills find it at work. */
void fault_slow_sync(long usec);

/* Call fn once, in front of the next flock(2). */
void fault_before_flock(void (*fn)(void *), void *arg);

#endif
