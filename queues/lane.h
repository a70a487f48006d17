/*
 * queues/lane.h - what a worker lets the feed see of its lane: one small
 * mapped file, runtime/lane-K, written by the worker, read by the feed and by
 * `sluice status`.  Lock-free: a reader sees each value whole, and a ring
 * entry only when it is complete.
 */
#ifndef SLUICE_QUEUES_LANE_H
#define SLUICE_QUEUES_LANE_H

#include "common/clock.h"

#include <stdint.h>

struct lane; /* mapped; one writer or many readers */

/* One finished message, for the feed's service-time model. */
struct lane_sample {
	char id[40];           /* queue id, NUL-terminated */
	uint64_t bytes;        /* qf + df */
	uint64_t service_usec; /* its own share of the worker's time */
	uint64_t wait_usec;    /* the rest, since it came to in/, that others
				* took; LANE_NO_WAIT: it was held, or tried
				* again, so that tells nothing of others */
};

#define LANE_NO_WAIT UINT64_MAX

/*
 * Create or open for writing.  The values start at zero; the samples of an
 * earlier worker stay, and readers that have the file open go on with it.
 * 0; -EBUSY: another process writes it; or -errno.
 */
int lane_create(const char *runtime, unsigned int k, struct lane **ret_lane);
/*
 * Open for reading.  -ENOENT: no worker has run yet, or it is just making the
 * file; -EBADMSG: not a lane.
 */
int lane_open(const char *runtime, unsigned int k, struct lane **ret_lane);
struct lane *lane_close(struct lane *lane);

/*
 * Writer: the oldest messages of the lane, in_service of them, are in service,
 * and have had as much of it by now as if they were served one by one since
 * then.  What is left of them the reader can predict.
 */
void lane_set(struct lane *lane, uint64_t in_service, struct mono since);
/* Writer: a message has left the lane. */
void lane_finished(struct lane *lane, const struct lane_sample *sample);

/* Reader: the last lane_set(). */
void lane_get(
    const struct lane *lane, uint64_t *ret_in_service, struct mono *ret_since);
/*
 * Reader: the next sample after *cursor (start with 0), which is advanced.
 * Returns 1; 0: none new.  Samples that were overwritten before they were
 * read (the ring holds 1024) are skipped; *ret_lost is how many, this time.
 */
int lane_next(const struct lane *lane, uint64_t *cursor,
    struct lane_sample *ret_sample, uint64_t *ret_lost);

#endif
