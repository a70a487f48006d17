/*
 * tools/sluice/drop.h - give up root for a user of the configuration.
 */
#ifndef SLUICE_TOOLS_DROP_H
#define SLUICE_TOOLS_DROP_H

/*
 * Become user for good: its groups, gid, uid, and no new privileges.  Without
 * root nothing happens.  A parent-death signal that was set stays set (the
 * kernel drops it with the old uid).
 *
 * Returns 0; -ENOENT: no such user; -ESRCH: the parent is gone; or -errno.
 */
int drop_to_user(const char *user);

#endif
