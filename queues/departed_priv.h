/*
 * queues/departed_priv.h - what the journals remember of a message.
 */
#ifndef SLUICE_QUEUES_DEPARTED_PRIV_H
#define SLUICE_QUEUES_DEPARTED_PRIV_H

#include "queues/spool.h"

#include <stdbool.h>

/*
 * Does the end of the journals (DEPARTED_BYTES of each) say that the latest
 * move of message id was out of dir?  false also when a journal cannot be
 * read.  Blocks on the disk.
 */
#define DEPARTED_BYTES (UINT64_C(4) << 20)

bool departed_from(
    const struct spool *spool, enum spool_dir dir, const char *id);

#endif
