/*
 * The sandbox beside its table: budgets and cost of a cell, users that are
 * missing, and the bond between a role and its parent.
 */
#include "common/sandbox.h"

#include "common/clock.h"
#include "common/proc.h"
#include "tests/support/sandbox_site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static const struct cell_budget roomy = {
    .memory_bytes = UINT64_C(1) << 30,
    .output_bytes = 1 << 20,
    .cpu_usec = 5000000,
};

#ifndef SLUICE_SANITIZE
static const struct cell_budget small = {
    .memory_bytes = 64 << 20, .output_bytes = 4096, .cpu_usec = 1};

__attribute__((noreturn)) static void
eat_everything(int fd, bool stubborn)
{
	char page[8192] = {0};

	(void)signal(SIGXFSZ, SIG_IGN);
	if (stubborn)
		(void)signal(SIGXCPU, SIG_IGN);
	if (sandbox_cell(&small) < 0)
		_exit(1);
	if (mmap(NULL, 256 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		0) != MAP_FAILED)
		_exit(2);
	if (write(fd, page, sizeof(page)) > 4096)
		_exit(3);
	for (;;)
		; /* the processor's budget ends this */
}

static int
death_of_eater(int fd, bool stubborn)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		eat_everything(fd, stubborn);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_true(WIFSIGNALED(status));
	return WTERMSIG(status);
}
#endif

static void
a_cell_that_eats_memory_or_time_dies_or_is_refused(void **state)
{
#ifdef SLUICE_SANITIZE
	(void)state;
	print_message("skipped: sanitizers need the address space\n");
	skip();
#else
	const struct site *site = *state;

	assert_int_equal(death_of_eater(site->memfd, false), SIGXCPU);
	assert_int_equal(death_of_eater(site->memfd, true), SIGKILL);
#endif
}

static void
a_user_that_does_not_exist_is_named(void **state)
{
	struct conf *conf = NULL;
	char err[256] = "";

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(conf_load(NULL, &conf, err, sizeof(err)), 0);
	free(conf->site.vmm_user);
	conf->site.vmm_user = xstrdup("nobody-of-that-name");
	if (fork() == 0) {
		int r = sandbox_enter(ROLE_VMM, conf, err, sizeof(err));

		_exit(
		    r == -ENOENT && strstr(err, "nobody-of-that-name") ? 0 : 1);
	}
	int status;

	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	(void)conf_free(conf);
}

enum act { CONNECT, CERTS, CONF, PASSWD, WRITE, UNIX, NETLINK, FORK, ACTS };

/* 0: done; 1: refused; else SIGSYS has come before. */
static int
act(const struct site *site, enum act what)
{
	const struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons(9),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd;

	switch (what) {
	case CONNECT:
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		return connect(fd, (const void *)&a, sizeof(a)) < 0 &&
		       errno != ECONNREFUSED;
	case CERTS:
		return open("/etc/ssl/certs", O_RDONLY | O_CLOEXEC) < 0;
	case CONF:
		return open(site->conf->path, O_RDONLY | O_CLOEXEC) < 0;
	case PASSWD:
		return open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0;
	case WRITE:
		return open("/tmp/probe", O_CREAT | O_RDWR | O_CLOEXEC, 0600) <
		       0;
	case UNIX:
		return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0;
	case NETLINK:
		return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) < 0;
	case FORK:
		return fork() < 0;
	case ACTS:
	default:
		return 1;
	}
}

static void
the_fetch_role_has_the_network_and_nothing_of_the_host(void **state)
{
	static const int wanted[ACTS] = {[CONNECT] = 0,
	    [CERTS] = 0,
	    [CONF] = 1,
	    [PASSWD] = 1,
	    [WRITE] = 1,
	    [UNIX] = SIGSYS,
	    [NETLINK] = SIGSYS,
	    [FORK] = SIGSYS};
	const struct site *site = *state;
	char err[256];

	if (geteuid() != 0)
		skip();
	for (int what = 0; what < ACTS; what++) {
		const pid_t pid = fork();
		int status;

		if (pid == 0) {
			if (sandbox_enter(
				ROLE_FETCH, site->conf, err, sizeof(err)) < 0 ||
			    getuid() == 0)
				_exit(2);
			_exit(act(site, (enum act)what));
		}
		assert_int_equal(pid, waitpid(pid, &status, 0));
		status = WIFSIGNALED(status) ? WTERMSIG(status)
					     : WEXITSTATUS(status);
		if (status != wanted[what])
			fail_msg(
			    "act %d: %d, not %d", what, status, wanted[what]);
	}
}

/* The child of a child, whose parent ends, must end too, as another user. */
static void
a_role_ends_with_its_parent_although_its_user_changed(void **state)
{
	const struct site *site = *state;
	int life[2];
	char c;

	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe(life), 0);
	if (fork() == 0) {
		pid_t parent = getpid();
		int ready[2];

		if (pipe(ready) < 0)
			_exit(1);
		if (fork() == 0) {
			char err[256];

			proc_bind_to_parent(parent);
			if (sandbox_enter(
				ROLE_VMM, site->conf, err, sizeof(err)) < 0)
				_exit(1);
			(void)!write(ready[1], "", 1);
			for (;;)
				(void)usleep(100000);
		}
		(void)!read(ready[0], &c, 1);
		_exit(0);
	}
	assert_true(wait(NULL) > 0);
	(void)close(life[1]);
	(void)alarm(10); /* would wait for ever if the role lived on */
	assert_int_equal(read(life[0], &c, 1), 0);
	(void)alarm(0);
	(void)close(life[0]);
}

/* In a cell: what could reach a sibling, which has the same uid. */
__attribute__((noreturn)) static void
reach_for_sibling(pid_t sibling, bool by_descriptor)
{
	const struct rlimit none = {0, 0};

	if (sandbox_cell(&roomy) < 0)
		_exit(1);
	if (by_descriptor) {
		(void)fcntl(0, F_SETOWN, sibling); /* deadly */
		_exit(2);
	}
	if (prlimit(sibling, RLIMIT_CPU, &none, NULL) == 0)
		_exit(3);
	if (kill(sibling, SIGSEGV) == 0)
		_exit(4);
	_exit(prctl(PR_SET_PDEATHSIG, 0) == 0 ? 5 : 0);
}

static int
end_of_reach(bool by_descriptor)
{
	int status, fd = -1;
	pid_t sibling = proc_fork(&fd), pid;

	if (sibling == 0)
		for (;;)
			(void)usleep(100000);
	pid = proc_fork(&status);
	if (pid == 0)
		reach_for_sibling(sibling, by_descriptor);
	(void)waitpid(pid, &status, 0);
	if (waitpid(sibling, NULL, WNOHANG) != 0)
		return -1; /* it was reached */
	(void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	(void)waitpid(sibling, NULL, 0);
	return status;
}

static void
a_cell_cannot_reach_another_nor_outlive_its_parent(void **state)
{
	const struct site *site = *state;
	char err[256];
	int status;

	if (geteuid() != 0)
		skip();
	if (fork() == 0) {
		if (sandbox_enter(ROLE_SCAN, site->conf, err, sizeof(err)) < 0)
			_exit(1);
		if (end_of_reach(false) != 0)
			_exit(2);
		_exit(WTERMSIG(end_of_reach(true)) == SIGSYS ? 0 : 3);
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
}

static void
cell_cost(void)
{
	struct mono a = mono_now();

	if (sandbox_cell(&roomy) < 0)
		_exit(1);
	(void)dprintf(STDOUT_FILENO, "sandbox_cell usec=%ju\n",
	    (uintmax_t)mono_span(a, mono_now()));
	_exit(0);
}

/* Generous here, where sanitizers and neighbours share the processor. */
static void
the_sandbox_of_a_cell_is_cheap_enough_for_every_message(void **state)
{
	const struct site *site = *state;
	char err[256];

	if (geteuid() != 0)
		skip();
	if (fork() == 0) {
		uint64_t best = UINT64_MAX;

		if (sandbox_enter(ROLE_SCAN, site->conf, err, sizeof(err)) < 0)
			_exit(2);
		for (int i = 0; i < 5; i++) {
			struct mono t = mono_now();
			pid_t pid = fork();

			if (pid == 0)
				cell_cost();
			(void)waitpid(pid, NULL, 0);
			if (mono_span(t, mono_now()) < best)
				best = mono_span(t, mono_now());
		}
		_exit(best < 20000 ? 0 : 3);
	}
	int status;

	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_cell_that_eats_memory_or_time_dies_or_is_refused),
	    cmocka_unit_test(a_user_that_does_not_exist_is_named),
	    cmocka_unit_test(
		the_fetch_role_has_the_network_and_nothing_of_the_host),
	    cmocka_unit_test(
		a_role_ends_with_its_parent_although_its_user_changed),
	    cmocka_unit_test(
		a_cell_cannot_reach_another_nor_outlive_its_parent),
	    cmocka_unit_test(
		the_sandbox_of_a_cell_is_cheap_enough_for_every_message),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
