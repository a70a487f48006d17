/*
 * common/landlock.h - rule sets of Landlock, of whatever version the kernel
 * has; for a role (common/sandbox_paths.c) and for a hypervisor's process
 * (vmm/qemu_jail.c).
 */
#ifndef SLUICE_COMMON_LANDLOCK_H
#define SLUICE_COMMON_LANDLOCK_H

#include <linux/landlock.h>
#include <stdint.h>

/* Newer than Debian 12's headers; the kernel's version decides at run time. */
#define FS_TRUNCATE  (UINT64_C(1) << 14) /* version 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* version 5 */
#define NET_BIND     (UINT64_C(1) << 0)  /* version 4 */
#define NET_CONNECT  (UINT64_C(1) << 1)

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* What a rule set forbids unless a rule allows it. */
struct landlock_handled {
	uint64_t fs, net, scoped;
};

/*
 * A rule set without rules: everything that this kernel handles is forbidden,
 * of the network what net names (NET_...), and all scopes.  Returns the
 * descriptor, the caller's; -ENOTSUP: no Landlock; or -errno.
 */
int landlock_new(uint64_t net, struct landlock_handled *ret);

/*
 * Allow rights (of those handled) beneath path, or on it if it is no
 * directory.  0, also where there is nothing at path, so nothing to allow; or
 * -errno.
 */
int landlock_allow(int ruleset, const char *path, uint64_t rights);

#endif
