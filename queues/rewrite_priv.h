/*
 * queues/rewrite_priv.h - a file that is to take the place of another of the
 * same message.
 */
#ifndef SLUICE_QUEUES_REWRITE_PRIV_H
#define SLUICE_QUEUES_REWRITE_PRIV_H

#include "queues/claim.h"

struct stat;

/* Make name anew; one that is there was left by a crash, since the caller
 * holds the lock of the message.  0 or -errno. */
int rewrite_create(int dirfd, const char *name, int *ret_fd);

/* Lock what is to be a qf before it is one.  0, -EBUSY or -errno. */
int rewrite_lock(int fd);

/* Owner (root alone can) and mode of the file that is replaced.  0 or -errno.
 */
int rewrite_copy_owner(const struct stat *st, int fd);

/* Owner, mode, times and attributes of the claimed qf.  0 or -errno. */
int rewrite_copy_status(const struct claim *claim, int fd);

#endif
