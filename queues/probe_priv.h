/*
 * queues/probe_priv.h - can this file system keep mail safe?
 */
#ifndef SLUICE_QUEUES_PROBE_PRIV_H
#define SLUICE_QUEUES_PROBE_PRIV_H

/*
 * Which kind of file system fd is on.  Returns 0; -ENOTSUP: one that is
 * remote, in memory, or leaves fsync, locks or links to somebody else,
 * *ret_kind names it (constant string); or -errno as fstatfs(2).
 */
int probe_kind(int fd, const char **ret_kind);

/*
 * Try flock(2), hard links, RENAME_NOREPLACE and user extended attributes on
 * a temporary file in directory dirfd, and remove it.  Returns 0, or -errno
 * and *ret_what names what failed (constant string).  Blocks on disk.
 */
int probe_features(int dirfd, const char **ret_what);

#endif
