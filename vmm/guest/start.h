/*
 * vmm/guest/start.h - a process becomes the sample.
 */
#ifndef SLUICE_VMM_GUEST_START_H
#define SLUICE_VMM_GUEST_START_H

#include <sys/types.h>

struct jail;
struct opener;
struct start_order;

/* A process that is jailed and watched, and will be a program. */
struct start {
	pid_t pid; /* 0: there is none */
	int calls; /* where its system calls are asked about */
	int word;  /* what it has to say until it is another program */
	int go;    /* where it hears that there is an order */
	struct start_order *order; /* memory that both have */
};

/*
 * Have a process that waits for start_program(): what takes longest, the
 * fork and the filter of its calls, is done before clones are taken.  err is
 * where its standard error goes to, -1: nowhere.  Returns 0; or -errno: there
 * is none.
 */
int start_prepare(const struct jail *jail, int err, struct start *ret);

/* End one that nobody needs.  None is fine, too. */
void start_cancel(struct start *start);

/*
 * Have it execute the opener with the file.  Returns 0, or -errno: it isn't
 * started, and the caller cancels it.  It waits at its first system call that
 * is asked about, which executes it.
 */
int start_program(struct start *start, const struct opener *opener);

/* Was it executed?  0; or -errno as execve(2), once it has ended. */
int start_result(const struct start *start);

/* Give back what is left of one that has ended. */
void start_done(struct start *start);

#endif
