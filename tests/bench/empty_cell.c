/*
 * empty_cell - what a process for each message costs at the very least: for
 * each octet on standard input one is forked, ends at once, and is reaped.
 * Linked statically, so that there is as little to copy as can be.
 */
#include <sys/wait.h>
#include <unistd.h>

int
main(void)
{
	char octet;

	while (read(STDIN_FILENO, &octet, 1) == 1) {
		const pid_t pid = _Fork();

		if (pid == 0)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			return 111;
	}
	return 0;
}
