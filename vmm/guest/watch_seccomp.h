/*
 * vmm/guest/watch_seccomp.h - the vantage point of system calls: the kernel
 * asks before each call of vmm/guest/calls.def, the agent looks at its
 * arguments, says what it saw and lets it go on.
 *
 * A program can change its memory between our look and the kernel's, so what
 * is seen here is what it asked for first; what happened is seen by the
 * other vantage points.
 */
#ifndef SLUICE_VMM_GUEST_WATCH_SECCOMP_H
#define SLUICE_VMM_GUEST_WATCH_SECCOMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/guest/scene.h"
#include "vmm/guest/sleepers.h"

/* What becomes of a call; or -errno, which it fails with. */
enum {
	CALL_GO,   /* let it happen */
	CALL_HELD, /* sleepers_add() has it */
};

/* A call that waits. */
struct call {
	const char *name;
	uint64_t id; /* the kernel's, for the answer */
	pid_t pid;
	bool is_wide;  /* a 64-bit program */
	int dir, path; /* indices of arguments, -1: none */
	uint64_t args[6];
	struct sleepers *sleepers;
};

/*
 * Take the question that waits at fd, report it, answer it unless it sleeps.
 * Returns true, or false: there was none.  Blocks if there is none, so fd
 * must be readable.
 */
bool watch_seccomp(struct scene *scene, struct sleepers *sleepers, int fd);

/* The same while there is no run: let it go on, and tell nobody. */
bool watch_seccomp_pass(int fd);

#endif
