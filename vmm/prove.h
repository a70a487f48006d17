/*
 * vmm/prove.h - does a reference run a program as it should?
 *
 * Some boots of a guest go wrong unseen: its agent polls, and then one program
 * in five dies before it begins, or sees other octets than were given to it
 * (docs/decisions/0015-xen.md).  What such a clone reports of a mail's file is
 * worth nothing, so a back end on which that was seen has each reference
 * proven before it counts as parked.  So has each that has one with Wine, of
 * which a file may be missing, or a library that another one needs: then its
 * server starts, and no program of Windows does what it should.
 */
#ifndef SLUICE_VMM_PROVE_H
#define SLUICE_VMM_PROVE_H

#include "vmm/vmm.h"

#include <stddef.h>
#include <stdint.h>

/* Its status where all is right; no shell, no Wine and no signal gives it. */
#define PROVE_RIGHT 42

/*
 * Make a known program, which says by its status, PROVE_RIGHT, that all was
 * right.
 *
 * By the shell it takes its own arguments apart, computes the SHA-256 of
 * 256 KiB that came with it, and compares.  By Windows it is JScript: it sums
 * up letters of its own, and has a program of 32 bits tell it a number.
 *
 * Returns 0; then ret->fd is the caller's; or -errno as memfd_create(2),
 * write(2).
 */
int prove_program(enum vmm_proof by, struct vmm_sample *ret);

/*
 * Run a known program in so many clones, one after the other.  Stops at the
 * first in which it isn't right.
 *
 * *ret_good: how many were right before.
 * Returns 0; -EREMOTEIO: a run went wrong, err says how; -ETIMEDOUT: a clone
 * stood still; or -errno of the back end.  Blocks for all of it.
 */
int prove(const struct vmm_ops *ops, struct vmm *vmm, enum vmm_proof by,
    uint32_t runs, uint32_t *ret_good, char *err, size_t err_size);

/* The same with each of them, as often as runs[by] says; err also says how many
 * were right before. */
int prove_all(const struct vmm_ops *ops, struct vmm *vmm,
    const uint32_t runs[VMM_PROOFS], char *err, size_t err_size);

#endif
