/*
 * queues/recover.h - what a crash can leave, and its removal.
 */
#ifndef SLUICE_QUEUES_RECOVER_H
#define SLUICE_QUEUES_RECOVER_H

#include "queues/spool.h"

#include <stdint.h>

struct recovery {
	uint64_t extra_df;  /* second names of a df, removed */
	uint64_t stale_tf;  /* half-written rewrites (tf, nf), removed */
	uint64_t wraps;     /* cut short: undone, or gone on with */
	uint64_t skipped;   /* locked by a living process: left alone */
	uint64_t orphan_df; /* df, or of, of no message: counted, never
			     * removed; in in/ also what sendmail receives just
			     * now */
};

/*
 * Walk the whole spool and remove leftovers: a df whose message (same id)
 * has its qf and the same inode in another directory; a df without a qf
 * anywhere whose message left that directory by a move of ours, as the last
 * 4 MiB of the journals say (with several names only if that message has not
 * moved for a minute); a tf or nf outside in/ and out/.  A wrap that a crash
 * cut short is put right by claiming its message.  Works under each message's
 * lock, so it may run beside living daemons; the feed runs it at its start,
 * before its first move.
 * Cost: one directory read each, one stat for each df; the journals are read
 * once for each df that has no qf anywhere.
 * Returns 0 or -errno.
 */
int recover_spool(const struct spool *spool, struct recovery *ret_recovery);

#endif
