/* Which calls the kernel asks about, by a real filter on a child. */
#include "vmm/guest/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST_FD  50 /* of the child: where its filter's descriptor is */
#define WAIT_MSEC 5000
#define NO_FILTER 77

/* A file made, which is asked about by the sample's filter alone; then a
 * port taken. */
static void
act(int (*install)(void), int talk)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int s = socket(AF_INET, SOCK_STREAM, 0);
	int fd;
	char go;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fd = install();
	if (fd < 0 || dup2(fd, FIRST_FD) < 0)
		_exit(NO_FILTER);
	(void)!write(talk, "", 1);
	(void)!read(talk, &go, 1);
	(void)!open("/nowhere/at all", O_WRONLY | O_CREAT, 0600);
	_exit(bind(s, (struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0);
}

/* Answer all that is asked: the calls' numbers, in their order. */
static size_t
answer(int fd, int calls[], size_t max)
{
	struct pollfd one = {fd, POLLIN, 0};
	size_t n = 0;

	while (n < max && poll(&one, 1, WAIT_MSEC) == 1 &&
	       (one.revents & POLLIN)) {
		struct seccomp_notif ask = {.id = 0};
		struct seccomp_notif_resp go = {
		    .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &ask) < 0)
			break;
		go.id = ask.id;
		calls[n++] = ask.data.nr;
		(void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &go);
	}
	return n;
}

static size_t
asked(int (*install)(void), int calls[], size_t max)
{
	int ends[2], pidfd, fd, status;
	size_t n;
	pid_t pid;
	char word;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		act(install, ends[1]);
	(void)close(ends[1]);
	if (read(ends[0], &word, 1) != 1) {
		(void)waitpid(pid, &status, 0);
		(void)close(ends[0]);
		skip(); /* under a filter that forbids filters */
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, FIRST_FD, 0);
	assert_true(fd >= 0);
	assert_int_equal(write(ends[0], "", 1), 1);
	n = answer(fd, calls, max);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	(void)close(fd);
	(void)close(pidfd);
	(void)close(ends[0]);
	return n;
}

static void
of_a_server_only_network_calls_are_asked_about(void **state)
{
	int calls[8];

	(void)state;
	assert_int_equal(asked(filter_install_network, calls, 8), 1);
	assert_int_equal(calls[0], SYS_bind);
}

static void
of_a_sample_the_files_it_makes_too(void **state)
{
	int calls[8];

	(void)state;
	assert_int_equal(asked(filter_install, calls, 8), 2);
	assert_int_equal(calls[0], SYS_openat);
	assert_int_equal(calls[1], SYS_bind);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(of_a_server_only_network_calls_are_asked_about),
	    cmocka_unit_test(of_a_sample_the_files_it_makes_too),
	};

	return cmocka_run_group_tests_name("guest_filter", tests, NULL, NULL);
}
