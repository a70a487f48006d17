/*
 * queues/departed_priv.h - what the journals remember of a message.
 */
#ifndef SLUICE_QUEUES_DEPARTED_PRIV_H
#define SLUICE_QUEUES_DEPARTED_PRIV_H

#include "common/clock.h"
#include "queues/spool.h"

#include <stdbool.h>

/*
 * Does the end of the journals (DEPARTED_BYTES of each) say that of all moves
 * of message id into dir and out of it the latest was out?  false also when a
 * journal cannot be read.
 * *ret_last: the time of its latest move from anywhere to anywhere, set with
 * true alone.  Blocks on the disk.
 */
#define DEPARTED_BYTES (UINT64_C(4) << 20)

bool departed_from(const struct spool *spool, enum spool_dir dir,
    const char *id, struct wall *ret_last);

#endif
