/*
 * vmm/guest/start.h - a process becomes the sample.
 */
#ifndef SLUICE_VMM_GUEST_START_H
#define SLUICE_VMM_GUEST_START_H

#include <sys/types.h>

struct jail;
struct opener;

/* A program that was started. */
struct start {
	pid_t pid;
	int calls; /* where its system calls are asked about */
	int word;  /* what it has to say until it is another program */
};

/*
 * Start the opener with the file, jailed and watched.  Returns 0 and the
 * program, whose descriptors are the caller's; or -errno: it isn't started.
 * It waits at its first system call that is asked about, which executes it.
 */
int start_program(const struct jail *jail, const struct opener *opener, int err,
    struct start *ret);

/* Was it executed?  0; or -errno as execve(2), once it has ended. */
int start_result(const struct start *start);

#endif
