/*
 * vmm/admit.h - may another clone be made, and how long will a run wait for
 * one?  Pure: values in, values out.
 */
#ifndef SLUICE_VMM_ADMIT_H
#define SLUICE_VMM_ADMIT_H

#include <stddef.h>
#include <stdint.h>

/* Nobody can say: no clone can be made now. */
#define ADMIT_UNKNOWN UINT64_MAX

struct admit_memory {
	uint64_t available_bytes; /* MemAvailable; 0: unknown, not asked for */
	uint64_t reserve_bytes;   /* of that, not for clones */
	uint64_t clone_bytes;     /* what a clone in use grows to, not 0 */
	/* What the clones that are there have not taken yet of clone_bytes:
	 * a parked one is small until it runs. */
	uint64_t promised_bytes;
};

/* Octets that new clones may have. */
uint64_t admit_headroom(const struct admit_memory *memory);

/* How many more clones may be made where live of at most live_max are. */
uint64_t admit_clones(
    const struct admit_memory *memory, uint64_t live, uint64_t live_max);

/*
 * What a clone grows to, learned: at once when one was larger, slowly when
 * they are smaller.  measured 0: unknown, and known stays.
 */
uint64_t admit_grown(uint64_t known, uint64_t measured);

/* A mean that forgets: an eighth of each new value; known 0: the first. */
uint64_t admit_mean(uint64_t known, uint64_t measured);

/*
 * Of n clones, free in so long, `running` of them being used, at most so many
 * can run at a time: those that are soonest free can't all be taken.  Leaves
 * in free_usec when places to run become free, and returns their number.
 */
size_t admit_servers(
    uint64_t *free_usec, size_t n, size_t running, size_t running_max);

/*
 * How long the run that has `ahead` before it in the line will wait for a
 * clone.  free_usec: per clone that can serve it, in how long it is free (0:
 * now); sorted by this function.  service_usec: from a clone's taking until
 * its successor is ready.  n 0: ADMIT_UNKNOWN.
 */
uint64_t admit_wait(
    uint64_t *free_usec, size_t n, size_t ahead, uint64_t service_usec);

#endif
