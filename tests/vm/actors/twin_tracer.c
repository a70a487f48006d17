#include "tests/vm/actors/actor.h"

#include <signal.h>
#include <sys/ptrace.h>

/* Counts the system calls of a child of its own, as strace does. */
int
main(void)
{
	int status, calls = 0;
	pid_t pid;

	actor_only_in_guest();
	pid = fork();
	if (pid == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)raise(SIGSTOP);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		calls++;
		(void)ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	}
	return calls > 100;
}
