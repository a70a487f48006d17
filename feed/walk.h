/*
 * feed/walk.h - read a directory of messages a piece at a time, so that a
 * hundred thousand names hold nothing up.
 */
#ifndef SLUICE_FEED_WALK_H
#define SLUICE_FEED_WALK_H

#include <stddef.h>

struct walk;

/* Begin with the directory dirfd (borrowed).  0 or -errno as openat(2). */
int walk_begin(int dirfd, struct walk **ret_walk);
struct walk *walk_end(struct walk *walk);

/*
 * Read at most max names and give fn the id of each that is a qf.  Names that
 * appear or vanish meanwhile may or may not be among them.
 * Returns 1: there is more; 0: that was all; or -errno as readdir(3).
 */
typedef void walk_fn(void *arg, const char *id);
int walk_step(struct walk *walk, size_t max, walk_fn *fn, void *arg);

#endif
