/*
 * vmm/qemu.h - the back end QEMU (docs/decisions/0009-clones.md): clones are
 * processes of qemu-system-x86_64 that map a reference's memory privately.
 *
 * It runs on any x86-64 host: by KVM where that can run a common kernel, else
 * by QEMU's own translation (TCG).  Each process is in a jail: no path but
 * QEMU's own program, libraries and firmware, no socket, no other process.
 *
 * Whoever holds clones needs Linux 5.4 (pidfds), /proc, and must call open()
 * and reap() before it gives up the right to read the references and to send
 * signals.
 */
#ifndef SLUICE_VMM_QEMU_H
#define SLUICE_VMM_QEMU_H

struct vmm_ops;

#define QEMU_PROGRAM "/usr/bin/qemu-system-x86_64"

/* park() takes KVM if that works, else TCG. */
extern const struct vmm_ops vmm_qemu;

#endif
