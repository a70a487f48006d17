/*
 * vmm/guest/box.h - the guest's side of the mailbox (vmm/mailbox.h) and of
 * its bell.
 */
#ifndef SLUICE_VMM_GUEST_BOX_H
#define SLUICE_VMM_GUEST_BOX_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/mailbox.h"

/*
 * Map the mailbox at the physical address that is written in `address` (any
 * base of strtoul(3)) through /dev/mem, and get the right to ring its bell.
 * Returns 0; -EINVAL: no address, or what lies there is no mailbox of our
 * version; or -errno as open(2), mmap(2), ioperm(2).
 */
int box_open(const char *address, struct mailbox **ret);

/* Tell the host to look, if it can hear that. */
void box_ring(void);

/* The octets of the report, MAILBOX_REPORT_MAX; of the sample. */
char *box_report(struct mailbox *box);
const unsigned char *box_sample(const struct mailbox *box);

/*
 * Wait, as long as it takes, for an order that isn't answered, and return it.
 * What was answered stands in the mailbox and not with us: a clone finds a
 * fresh one, in which nothing was ever ordered.  Spins at first: a clone is
 * taken here, and the guest's timers tick in 4 ms.  Without a bell it sleeps
 * for one of those ticks before.
 */
uint32_t box_wait(struct mailbox *box);

#endif
