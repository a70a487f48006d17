#include "tests/vm/actors/actor.h"

#include <sys/ptrace.h>

/* Attaches to a service that it finds, and lets go of it. */
int
main(void)
{
	char comm[64], path[64];

	actor_only_in_guest();
	for (int pid = 2; pid < 1000; pid++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
		if (actor_read(path, comm, sizeof(comm)) == 0 ||
		    !strstr(comm, "rsyslogd"))
			continue;
		if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == 0) {
			(void)waitpid(pid, NULL, 0);
			(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
		}
	}
	return 0;
}
