/*
 * vmm/guest/guest.h - the guest as a sample finds it: mounts, devices,
 * decoys.
 */
#ifndef SLUICE_VMM_GUEST_GUEST_H
#define SLUICE_VMM_GUEST_GUEST_H

#include <stddef.h>
#include <stdint.h>

/* Mount what is needed to find the mailbox. */
void guest_mount(void);

/* Close the ways by which root without capabilities reaches the kernel: after
 * the mailbox is mapped. */
void guest_close(void);

/* Programs that a sample may want to end: names of this binary. */
void guest_start_decoys(void);

/* Were we started as one of them?  Then wait for the end. */
void guest_be_decoy(const char *name);

/* Make this clone's random numbers its own, and set its clock. */
void guest_seed(const unsigned char *seed, size_t n);
void guest_set_clock(uint64_t wall_nsec);

#endif
