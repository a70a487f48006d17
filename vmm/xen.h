/*
 * vmm/xen.h - the back end Xen (docs/decisions/0015-xen.md): clones are
 * domains that share a reference's memory until they write to it.
 *
 * It runs in dom0, as root, on a Xen 4.17 with hardware-assisted paging.  A
 * reference is restored into a domain that never runs; a clone is a fork of
 * that domain where the hypervisor has memory sharing, else a domain restored
 * whole.  Domains have no device model: file and report cross in the mailbox,
 * which is part of the guest's memory.
 *
 * What a holder owns it writes into xenstore, below /sluice/vm, and into the
 * handle of each domain, by which reap() finds what a dead one left.
 */
#ifndef SLUICE_VMM_XEN_H
#define SLUICE_VMM_XEN_H

#include <stddef.h>
#include <stdint.h>

struct vmm_ops;

extern const struct vmm_ops vmm_xen;

struct xen_park {
	const char *state;  /* directory of the references: whose it is */
	const char *name;   /* of the reference */
	const char *recipe; /* digest, for the manifest */
	int dirfd;          /* where kernel and initrd lie, and packages:
			       name=version, one a line */
	uint32_t mem_mib;
	uint64_t patience_usec; /* for its boot */
	/* Called as each step begins, in words; may be NULL. */
	void (*step)(const char *what);
};

/*
 * Boot a reference, wait until its agent polls the mailbox, and leave its
 * memory, the state of its processor and devices and the manifest beside the
 * files it was booted from.
 *
 * Returns 0; -ENOTSUP: no Xen that can do it; -EOPNOTSUPP: it needs a disk,
 * which a domain without a device model can't have; -ETIMEDOUT: the agent did
 * not come so far; -ECHILD: the guest went down; -ENOEXEC: no kernel that can
 * be booted so; or -errno.  err says it.  Blocks for all of it: seconds.
 */
int xen_park(const struct xen_park *park, char *err, size_t err_size);

#endif
