/*
 * sluice-agent: process 1 of a clone.  Prepares the guest, parks where
 * clones are taken (docs/vm-lifecycle.md), runs one sample.
 *
 * Its initial RAM disk holds it as /init and the root that samples see; it
 * makes the directories that it mounts on.  The kernel's command line says
 * mailbox=ADDRESS, which the kernel hands over in the environment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "vmm/guest/box.h"
#include "vmm/guest/disk.h"
#include "vmm/guest/guest.h"
#include "vmm/guest/jail.h"
#include "vmm/guest/run.h"

#define NICE (-20) /* whatever a sample does, we get our turn */

/* Into the kernel's log: who debugs a reference gives it a console. */
static _Noreturn void
die(const char *what, int r)
{
	FILE *log = fopen("/dev/kmsg", "we");

	if (log) {
		(void)fprintf(
		    log, "sluice-agent: %s: %s\n", what, strerror(-r));
		(void)fflush(log);
	}
	for (;;)
		(void)pause();
}

int
main(int argc, char *argv[])
{
	static struct run run;
	struct mailbox *box;
	uint32_t order;
	int r;

	(void)argc;
	guest_be_decoy(argv[0]);
	if (getpid() != 1)
		return 0; /* a rehearsal */
	r = disk_enter();
	if (r < 0)
		die("disk", r);
	guest_mount();
	r = box_open(getenv("mailbox"), &box);
	if (r < 0)
		die("mailbox", r);
	r = jail_become_agent();
	if (r < 0)
		die("capabilities", r);
	guest_close();
	guest_start_decoys();
	run_prepare(&run);
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	run_rehearse(&run);
	run_settle(&run);

	if (run.lacking)
		(void)snprintf(
		    box->lacking, sizeof(box->lacking), "%s", run.lacking);
	mailbox_store(box->state, MAILBOX_PARKED);
	box_ring();
	for (;;) {
		order = box_wait(box);
		if (box->command != MAILBOX_RUN) {
			if (box->deadline_msec > 0)
				run_rehearse(&run);
			mailbox_store(box->state, MAILBOX_PARKED);
			mailbox_store(box->answer, order);
			box_ring();
			continue;
		}
		mailbox_store(box->state, MAILBOX_RUNNING);
		mailbox_store(box->answer, order);
		box_ring(); /* it is taken; its first event may be far off */
		run_order(&run, box);
	}
}
