/*
 * vmm/guest/jail.h - what a sample may not: reach the agent, use up the
 * guest.
 *
 * It is uid 0, since programs look for that, but a capability that is not in
 * its bounding set is never had again.  The agent is another user, so that
 * nothing which "the same user" may do (prlimit, setpriority) reaches it.
 */
#ifndef SLUICE_VMM_GUEST_JAIL_H
#define SLUICE_VMM_GUEST_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define JAIL_AGENT_UID 65533

struct jail {
	int group; /* directory of the sample's control group; -1: none */
};

/* Make the control group; its file system is out of reach afterwards.
 * Returns 0 or -errno: there are no such limits. */
int jail_prepare(struct jail *jail);

/* Become another user who may do everything.  Returns 0 or -errno. */
int jail_become_agent(void);

/* As fork(2), the child in the group. */
pid_t jail_fork(const struct jail *jail);

/* In a child of the agent, before it becomes the sample: under the limits of
 * a process, uid 0. */
void jail_enter(void);

/* Then, last of all: capabilities. */
void jail_drop(void);

/* Is a process of the sample running? */
bool jail_is_running(const struct jail *jail);

#define JAIL_LIST_MAX 64

/* Its processes, at most JAIL_LIST_MAX, in the order of their numbers as the
 * kernel tells it.  Returns how many. */
size_t jail_list(const struct jail *jail, pid_t ret[JAIL_LIST_MAX]);

/* End them all. */
void jail_kill(const struct jail *jail);

/* How often a process was refused, and ended for want of memory. */
uint64_t jail_refused(const struct jail *jail);
uint64_t jail_starved(const struct jail *jail);

#endif
