#include "tests/vm/actors/actor.h"

#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/time.h>

/* Asks the kernel for what programs have no need of, and gets nothing. */
int
main(void)
{
	const struct timeval long_ago = {1, 0};

	actor_only_in_guest();
	(void)syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
	(void)settimeofday(&long_ago, NULL);
	(void)mount("none", "/mnt", "tmpfs", 0, NULL);
	(void)reboot(RB_AUTOBOOT);
	return 0;
}
