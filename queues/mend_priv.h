/*
 * queues/mend_priv.h - what a wrap that did not end leaves, put right.
 */
#ifndef SLUICE_QUEUES_MEND_PRIV_H
#define SLUICE_QUEUES_MEND_PRIV_H

#include "queues/spool.h"

/*
 * With the lock of the qf of message id in dir, and before anybody looks at
 * its df: if of<ID> is there a wrap was begun and its maker is dead, or gave
 * up.  A qf with the mark is the new one: the wrap stands, and of goes.
 * Without it the wrap is undone: of is df again.
 * Returns 0 (also when there is nothing to do: one stat, in a feed queue
 * alone) or -errno; the pair must then not be used, the next call goes on.
 */
int mend_wrap(
    const struct spool *spool, enum spool_dir dir, const char *id, int qf_fd);

#endif
