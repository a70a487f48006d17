/*
 * vmm/guest/filter.h - the seccomp filter that asks the agent about the
 * system calls of vmm/guest/calls.def.
 */
#ifndef SLUICE_VMM_GUEST_FILTER_H
#define SLUICE_VMM_GUEST_FILTER_H

/*
 * Put it on the calling process and all that it will start.  Needs
 * CAP_SYS_ADMIN or no_new_privs.  Returns the descriptor that the watcher
 * listens at, or -errno.  From now on a call of the list waits for it.
 */
int filter_install(void);

/*
 * The same, but about calls that open connections and ports alone: for a
 * process that does so for the sample, and all else for everybody.
 */
int filter_install_network(void);

/*
 * Keep the kernel's memory for translated filters from being given back when
 * the last one goes, and filled anew, 2 MiB, for the next: hold a filter that
 * lets all through.  Returns a descriptor to leave open, or -errno.
 */
int filter_keep(void);

#endif
