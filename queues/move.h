/*
 * queues/move.h - messages from one directory to another, crash-safe, in
 * batches that share their fsyncs.
 *
 * For a batch, in this order: every df is linked into its target and the
 * journal lines are appended; fdatasync(journal); fsync(targets); every qf is
 * renamed (RENAME_NOREPLACE); fsync(targets); fsync(sources); every source df
 * is unlinked.  At every point at least one complete pair exists; what a
 * crash can leave is an extra df with the same inode, which recover.h removes
 * (docs/queue-states.md).
 */
#ifndef SLUICE_QUEUES_MOVE_H
#define SLUICE_QUEUES_MOVE_H

#include "queues/claim.h"

struct journal;

struct move {
	const struct claim
	    *claim; /* locked by the caller until the call ends */
	enum spool_dir to;
	const char *line; /* journal line without newline */
	int result;       /* out: 0 moved, or -errno: still in from */
};

/*
 * Move a batch.  A message that cannot be moved has a negative result and is
 * still whole where it was (-EEXIST: the target holds another message of
 * that name; -EINVAL: to is where it is, or not in this spool; -ENOENT: its
 * qf is gone; -ENOSPC, -EIO, ...); the others go on.  A qf without df
 * (claim_take_broken) is moved alone.
 *
 * Returns 0 when every result is 0, else the first one.  If the journal or a
 * target cannot be synced nothing is moved, and every result says so.
 * Negative with a result of 0: that message was renamed, and the sync behind
 * it failed; it must not be moved again, but a crash might still undo the
 * move, so its source keeps its df.  The disk is failing: say so and stop.
 *
 * Only the qf's directories are looked at, never its content.  Blocks for
 * about two disk commits.
 */
int move_batch(const struct spool *spool, struct journal *journal,
    struct move *moves, size_t n);

/*
 * Put header ("Name: value", no newline inside) in front of the message's
 * first header, inside its directory: a new qf is written as tf<ID>, locked,
 * fsync'ed, renamed over the qf, with the tries carried over.  On success
 * claim->qf_fd is the new file's.  The qf keeps its time, owner and mode.
 *
 * 0, -EINVAL: a malformed header (RFC 5322: printable ASCII name, at most 998
 * octets, 8 bits allowed in the value) or qf, or -errno with nothing changed.
 * Not idempotent: after a crash look whether the header is there.
 */
int move_add_header(
    const struct spool *spool, struct claim *claim, const char *header);

#endif
