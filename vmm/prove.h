/*
 * vmm/prove.h - does a reference run a program as it should?
 *
 * Some boots of a guest go wrong unseen: its agent polls, and then one program
 * in five dies before it begins, or sees other octets than were given to it
 * (docs/decisions/0015-xen.md).  What such a clone reports of a mail's file is
 * worth nothing, so a back end on which that was seen has each reference
 * proven before it counts as parked.
 */
#ifndef SLUICE_VMM_PROVE_H
#define SLUICE_VMM_PROVE_H

#include <stddef.h>
#include <stdint.h>

struct vmm;
struct vmm_ops;

/*
 * Run a program in so many clones, one after the other, until one does it
 * wrong: a shell script that takes its own arguments apart, computes the
 * SHA-256 of 256 KiB that came with it, compares, and says by its status that
 * all of it was right.  Stops at the first that isn't.
 *
 * *ret_good: how many were right before.
 * Returns 0; -EREMOTEIO: a run went wrong, err says how; -ETIMEDOUT: a clone
 * stood still; or -errno of the back end.  Blocks for all of it.
 */
int prove(const struct vmm_ops *ops, struct vmm *vmm, uint32_t runs,
    uint32_t *ret_good, char *err, size_t err_size);

#endif
