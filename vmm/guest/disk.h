/*
 * vmm/guest/disk.h - a reference whose root is on a disk: its initial RAM
 * disk has the agent and the kernel's modules alone.
 */
#ifndef SLUICE_VMM_GUEST_DISK_H
#define SLUICE_VMM_GUEST_DISK_H

/*
 * If there is /modules/order, a list of files beside it: load these into the
 * kernel, put a file system in memory over the first disk, which is only
 * read, and make that the root; /init comes along.  Before anything else is
 * mounted.
 *
 * Returns 0, also when there is no list: then all of the root stays in memory,
 * most of which files may take; or -errno: the root is still the initial one.
 * Waits some seconds at most for the disk.
 */
int disk_enter(void);

#endif
