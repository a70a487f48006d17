/*
 * queues/claim.h - own one message in place, by the lock that sendmail takes.
 *
 * A claim is flock(2), exclusive, on the qf; nothing is moved to claim.  It
 * ends with the descriptor, so with the process.
 */
#ifndef SLUICE_QUEUES_CLAIM_H
#define SLUICE_QUEUES_CLAIM_H

#include "common/clock.h"
#include "queues/spool.h"

#include <stdbool.h>
#include <stdint.h>

struct claim {
	char id[QUEUE_ID_MAX + 1];
	enum spool_dir dir;
	int qf_fd; /* O_RDWR, locked; -1: none */
	uint64_t qf_bytes;
	uint64_t df_bytes;
	uint64_t df_inode;   /* 0: no df (claim_take_broken) */
	struct wall arrived; /* mtime of the qf */
};

/*
 * Claim message id in dir, if it is complete.  stat first: an empty qf is
 * not even opened, since sendmail may be about to lock it.
 *
 * Returns 0; -ENOENT: not there (any more); -EBUSY: locked by somebody;
 * -EAGAIN: empty, or without its closing "." line, so perhaps still being
 * written (the caller decides by age, see claim_is_stale()); -EBADMSG: can
 * never be a message (no regular file, several names, no df, a "d" record);
 * *ret_reason then says why, a constant string; or -errno.
 * What a crash has left of a wrap (queues/wrap.h) is put right first; that
 * alone syncs, and errors of it are returned.
 * Never waits for a lock; reads the first 512 octets and the last 3.
 * id must be well-formed (spool_id_of()).
 */
int claim_take(const struct spool *spool, enum spool_dir dir, const char *id,
    struct claim *ret_claim, const char **ret_reason);

/*
 * Lock a qf that claim_take() calls -EAGAIN or -EBADMSG, to set it aside.
 * Same errors, without the checks of content; a directory gives -EISDIR,
 * anything else that is no regular file -EINVAL.
 */
int claim_take_broken(const struct spool *spool, enum spool_dir dir,
    const char *id, struct claim *ret_claim);

/* An incomplete qf, unlocked and untouched for 10 minutes, stays incomplete:
 * sendmail itself deletes empty ones of that age. */
bool claim_is_stale(const struct spool *spool, enum spool_dir dir,
    const char *id, struct wall now);

/* Close the descriptor: the lock goes with it. */
void claim_drop(struct claim *claim);

/*
 * Tries, kept on the qf itself as the extended attribute
 * user.sluice.tries, so that they move and vanish with it.
 */
struct tries {
	uint32_t died;  /* its own cell died or exceeded a budget: charged */
	uint32_t begun; /* begun and never finished: a role or the host died */
};

/* 0 (zeros when the attribute is missing or malformed) or -errno. */
int tries_read(const struct claim *claim, struct tries *ret_tries);
/* Was it ever tried, whatever came of it?  true also if that can't be read. */
bool tries_known(const struct claim *claim);
/* Outlives the process, not a power failure: those are not charged. */
int tries_write(const struct claim *claim, struct tries tries);

/*
 * Is the message wrapped already (queues/wrap.h)?  Kept on the qf as the
 * extended attribute user.sluice.wrapped, likewise.  0 or -errno.
 */
int wrapped_read(int qf_fd, bool *ret_is_wrapped);
/* Say so; durable with the file's next fsync. */
int wrapped_write(int qf_fd);

#endif
