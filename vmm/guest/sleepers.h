/*
 * vmm/guest/sleepers.h - programs that sleep, woken early.
 *
 * Who waits for an analysis to end sleeps first.  A long sleep is held, and
 * when everything in the guest sleeps, the time until the next one wakes is
 * skipped: the wall clock is set forward by it and the sleeper goes on as if
 * it had passed.
 *
 * Consistent with a skip: time(2), CLOCK_REALTIME, times of files, order of
 * wake-ups among sleepers.  Not: CLOCK_MONOTONIC and CLOCK_BOOTTIME, the
 * processor's counter, process timers (alarm, timerfd), waits with
 * descriptors (poll, epoll); absolute sleeps by those clocks are not skipped.
 */
#ifndef SLUICE_VMM_GUEST_SLEEPERS_H
#define SLUICE_VMM_GUEST_SLEEPERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/guest/scene.h"

#define SLEEPERS_MAX 64 /* more than that sleep in real time */
/* A shorter sleep costs less than holding it. */
#define SLEEPERS_LEAST_USEC 40000u
/* Worth an event. */
#define SLEEPERS_TELL_USEC 5000000u
/* A guest older than that has seen all that it will. */
#define SLEEPERS_SKIP_MAX_USEC (7u * 24 * 3600 * 1000000ull)

struct sleepers {
	int fd; /* of seccomp's questions */
	uint64_t skipped_usec;
	uint32_t count;
	struct {
		uint64_t id;
		uint64_t wake_usec; /* scene_usec() + skipped_usec */
	} at[SLEEPERS_MAX];
};

/* Hold a sleep of that many microseconds; false: it is not worth it, or there
 * is no room. */
bool sleepers_add(struct sleepers *sleepers, struct scene *scene, pid_t pid,
    uint64_t id, uint64_t usec);

/* Wake those whose time has come; if all_sleep, skip to the next one's. */
void sleepers_wake(
    struct sleepers *sleepers, const struct scene *scene, bool all_sleep);

#endif
