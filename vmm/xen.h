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

struct vmm_ops;

/* park() also returns -ENOTSUP: no Xen that can do it; -ENOEXEC: no kernel
 * that can be booted without firmware. */
extern const struct vmm_ops vmm_xen;

#endif
