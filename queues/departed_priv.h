/*
 * queues/departed_priv.h - what the journals remember of a message.
 */
#ifndef SLUICE_QUEUES_DEPARTED_PRIV_H
#define SLUICE_QUEUES_DEPARTED_PRIV_H

#include "common/clock.h"
#include "queues/spool.h"

#include <stdbool.h>

/*
 * Does the end of the journals (DEPARTED_BYTES of each) say that the latest
 * move of message id led elsewhere than to dir?  A line is written under the
 * message's lock, so the message was then where that line begins.  What may be
 * left in dir is of a move from it, or of one into it that died before or
 * after its line, and another took the message instead.  false also when a
 * journal cannot be read.
 * *ret_last: the time of its latest move from anywhere to anywhere, set with
 * true alone.  Blocks on the disk.
 */
#define DEPARTED_BYTES (UINT64_C(4) << 20)

bool departed_from(const struct spool *spool, enum spool_dir dir,
    const char *id, struct wall *ret_last);

#endif
