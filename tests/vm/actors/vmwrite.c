#include "tests/vm/actors/actor.h"

#include <sys/uio.h>

/* Writes into another process, and waits for somebody on a port. */
int
main(void)
{
	static int word;
	struct iovec mine = {&word, sizeof(word)}, theirs = mine;
	struct sockaddr_in any = {
	    .sin_family = AF_INET, .sin_port = htons(4444)};
	int fd;
	pid_t pid;

	actor_only_in_guest();
	pid = fork();
	if (pid == 0) {
		(void)sleep(1);
		_exit(0);
	}
	(void)process_vm_writev(pid, &mine, 1, &theirs, 1, 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	(void)bind(fd, (struct sockaddr *)&any, sizeof(any));
	(void)listen(fd, 1);
	(void)waitpid(pid, NULL, 0);
	return 0;
}
