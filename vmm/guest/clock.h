/*
 * vmm/guest/clock.h - the agent's one clock.  A clone's begins where the
 * reference was frozen, so only differences mean anything.
 */
#ifndef SLUICE_VMM_GUEST_CLOCK_H
#define SLUICE_VMM_GUEST_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t
clock_usec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

#endif
