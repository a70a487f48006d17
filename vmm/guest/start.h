/*
 * vmm/guest/start.h - a process becomes the sample.
 */
#ifndef SLUICE_VMM_GUEST_START_H
#define SLUICE_VMM_GUEST_START_H

#include <sys/types.h>

struct jail;
struct opener;

/*
 * Start the opener with the file, jailed and watched.  Returns the descriptor
 * at which its system calls are asked about, the caller's, and the process;
 * or -errno: it isn't started.
 */
int start_program(
    const struct jail *jail, const struct opener *opener, pid_t *ret_pid);

#endif
