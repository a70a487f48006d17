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

#include <stddef.h>
#include <stdint.h>

struct vmm_ops;

#define QEMU_PROGRAM "/usr/bin/qemu-system-x86_64"

extern const struct vmm_ops vmm_qemu;

struct qemu_park {
	const char *program; /* NULL: QEMU_PROGRAM */
	const char *name;    /* of the reference */
	const char *recipe;  /* digest, for the manifest */
	int dirfd; /* where kernel, initrd and perhaps disk lie, and packages:
		      name=version, one a line */
	uint32_t mem_mib;
	uint64_t patience_usec; /* for its boot */
	/* Called as each step begins, in words; may be NULL. */
	void (*step)(const char *what);
};

/*
 * Boot a reference, wait until its agent polls the mailbox, and leave its
 * memory, the state of its devices and the manifest beside the files it was
 * booted from.  By KVM if that works, else by TCG.
 *
 * Returns 0; -ETIMEDOUT: the agent did not come so far; -ECHILD: QEMU ended;
 * or -errno.  err says it, with the last words of the guest's console.
 * Blocks for all of it: seconds.
 */
int qemu_park(const struct qemu_park *park, char *err, size_t err_size);

#endif
