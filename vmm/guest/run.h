/*
 * vmm/guest/run.h - one run: the sample goes into a file, the file is opened,
 * what happens is watched until it is over.
 */
#ifndef SLUICE_VMM_GUEST_RUN_H
#define SLUICE_VMM_GUEST_RUN_H

#include "vmm/mailbox.h"

/*
 * Do what MAILBOX_RUN asks: reads the sample from the box, writes the report
 * into it, ends in its state MAILBOX_ENDED.  A guest runs once.
 * Blocks until the run is over, deadline_msec at most.
 */
void run_sample(struct mailbox *box);

#endif
