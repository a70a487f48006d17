/*
 * tools/sluice/put.h - small files that are there whole or not at all.
 */
#ifndef SLUICE_TOOLS_PUT_H
#define SLUICE_TOOLS_PUT_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Put n octets into a file of the directory, in place of what has that name:
 * written to .NAME.new, synced, renamed; then the directory is synced.  Nobody
 * else may do so at the same time: hold a lock.
 * Returns 0 or -errno as openat(2), write(2), fsync(2), renameat(2).  Blocks.
 */
int put_file(
    int dirfd, const char *name, mode_t mode, const void *octets, size_t n);

#endif
