/*
 * sluice-agent: process 1 of a clone.  Prepares the guest, parks where
 * clones are taken (docs/vm-lifecycle.md), runs one sample.
 *
 * Its initial RAM disk holds it as /init and the root that samples see; it
 * makes the directories that it mounts on.  The kernel's command line says
 * mailbox=ADDRESS, which the kernel hands over in the environment.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/box.h"
#include "vmm/guest/run.h"

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

static void
mount_on(const char *type, const char *dir, unsigned long flags)
{
	(void)mkdir(dir, 0755);
	(void)mount(type, dir, type, flags, NULL);
}

static void
prepare(void)
{
	mount_on("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
	mount_on("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC);
	mount_on("devtmpfs", "/dev", MS_NOSUID);
	mount_on("tmpfs", "/tmp", MS_NOSUID | MS_NODEV);
	(void)mkdir("/root", 0700);
	(void)mkdir("/root/Downloads", 0755);
}

int
main(void)
{
	struct mailbox *box;
	uint32_t order = 0;
	int r;

	prepare();
	r = box_open(getenv("mailbox"), &box);
	if (r < 0)
		die("mailbox", r);

	mailbox_store(box->state, MAILBOX_PARKED);
	box_ring();
	for (;;) {
		order = box_wait(box, order);
		if (box->command == MAILBOX_RUN)
			mailbox_store(box->state, MAILBOX_RUNNING);
		mailbox_store(box->answer, order);
		box_ring();
		if (box->command == MAILBOX_RUN)
			run_sample(box);
	}
}
