/*
 * What a hypervisor may do that a guest has taken over: tests/support/jailed.c
 * is run in its place.  Each act is also done outside of the jail, where it
 * succeeds, so that it is the jail that refuses it.
 */
#include "common/cleanup.h"
#include "common/io.h"
#include "vmm/qemu_priv.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

static const struct {
	const char *act;
	bool is_allowed;
} rows[] = {
    {"read_passwd", false},
    {"write_tmp", false},
    {"open_memory", false},
    {"list_proc", false},
    {"inet", false},
    {"unix_socket", false},
    {"trace", false},
    {"read_memory", false},
    {"signal_other", false},
    {"signal_thread", false},
    {"signal_pidfd", false},
    {"own_signal", false},
    {"limit_other", false},
    {"fork_one", false},
    {"execute", false},
    {"uring", false},
    {"faults", false},
    {"keys", false},
    {"grow", false},
    {"thread", true},
    {"make_code", true},
    {"read_library", true},
    {"reopen_memory", true},
    {"signal_itself", true},
};

struct site {
	char *program;
	struct qemu_jail jail;
	pid_t other; /* of the same user, and not in the jail */
};

static int
set_up(void **test)
{
	struct site *s = xcalloc(1, sizeof(*s));
	char path[PATH_MAX], err[256];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	assert_true(n > 0);
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	s->program = xasprintf("%s/jailed", path);
	assert_int_equal(
	    0, qemu_jail_make(&s->jail, s->program, false, err, sizeof(err)));
	s->other = fork();
	if (s->other == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	*test = s;
	return 0;
}

static int
tear_down(void **test)
{
	struct site *s = *test;

	(void)kill(s->other, SIGKILL);
	(void)waitpid(s->other, NULL, 0);
	qemu_jail_done(&s->jail);
	free(s->program);
	free(s);
	return 0;
}

static int
status_of(pid_t pid)
{
	int status;

	assert_int_equal(pid, waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int
act(const struct site *s, const char *name, bool is_jailed)
{
	CLEANUP(free_ptr) char *other = xasprintf("%d", s->other);
	CLEANUP(free_ptr) char *word = xstrdup(name);
	char *argv[] = {s->program, word, other, NULL};
	const struct qemu_start start = {.argv = argv,
	    .err_fd = -1,
	    .fds = {-1, -1, -1, -1, -1, -1, -1, -1}};
	CLEANUP(close_fd) int pidfd = -1;
	pid_t pid;

	if (is_jailed) {
		assert_int_equal(
		    0, qemu_jail_start(&s->jail, &start, &pid, &pidfd));
		return status_of(pid);
	}
	pid = fork();
	if (pid == 0) {
		(void)execv(s->program, argv);
		_exit(127);
	}
	return status_of(pid);
}

static void
a_jailed_program_can_do_what_qemu_needs_and_nothing_else(void **test)
{
	int wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int in = act(*test, rows[i].act, true);
		int out = act(*test, rows[i].act, false);

		if (out == 7 && !rows[i].is_allowed)
			print_message(
			    "%s: can't be done outside, either\n", rows[i].act);
		if (in == (rows[i].is_allowed ? 0 : 7) &&
		    (out == 0 || out == 7))
			continue;
		wrong++;
		print_error(
		    "%s: %d in the jail, %d outside\n", rows[i].act, in, out);
	}
	assert_int_equal(0, wrong);
}

static void
a_program_that_is_not_there_says_so(void **test)
{
	const struct site *s = *test;
	char *argv[] = {(char[]){"/nonexistent"}, NULL};
	const struct qemu_start start = {.argv = argv,
	    .err_fd = -1,
	    .fds = {-1, -1, -1, -1, -1, -1, -1, -1}};
	pid_t pid;
	int pidfd;

	assert_int_equal(
	    -ENOENT, qemu_jail_start(&s->jail, &start, &pid, &pidfd));
	/* And no other program than the jail's can be started. */
	argv[0] = (char[]){"/bin/true"};
	assert_int_equal(
	    -EACCES, qemu_jail_start(&s->jail, &start, &pid, &pidfd));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_jailed_program_can_do_what_qemu_needs_and_nothing_else,
		set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_program_that_is_not_there_says_so, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
