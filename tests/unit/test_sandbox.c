/*
 * What each role may do and what it may not, proved in forked children: each
 * probe is one act in one role, and the answer is done, refused or killed.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "tests/support/sandbox_net.h"
#include "tests/support/sandbox_site.h"
#include "tests/support/sandbox_start.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

enum outcome {
	DONE,
	REFUSED,
	KILLED,
	BROKEN, /* the sandbox itself could not be entered */
};

static const char *const outcome_names[] = {
    "done", "refused", "killed", "broken"};

#define EXIT_BROKEN 8

typedef int probe_fn(const struct site *site);

static int
try_create(const char *dir)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/probe.%d", dir, getpid());
	return result(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
}

static int
write_spool(const struct site *s)
{
	return try_create(s->conf->site.spool);
}

static int
write_state(const struct site *s)
{
	return try_create(s->conf->site.state);
}

static int
write_runtime(const struct site *s)
{
	return try_create(s->conf->site.runtime);
}

static int
write_tmp(const struct site *s)
{
	(void)s;
	return try_create("/tmp");
}

static int
read_passwd(const struct site *s)
{
	(void)s;
	return result(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int
read_conf(const struct site *s)
{
	return result(open(s->conf->path, O_RDONLY | O_CLOEXEC));
}

static int
read_spool(const struct site *s)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/file", s->conf->site.spool);
	return result(open(path, O_RDONLY | O_CLOEXEC));
}

static int
list_database(const struct site *s)
{
	return result(
	    open(s->conf->clamd.database, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int
rename_in_spool(const struct site *s)
{
	char a[128], b[128];

	(void)snprintf(a, sizeof(a), "%s/a/f%d", s->conf->site.spool, getpid());
	(void)snprintf(b, sizeof(b), "%s/b/f%d", s->conf->site.spool, getpid());
	if (open(a, O_CREAT | O_RDWR | O_CLOEXEC, 0600) < 0)
		return EXIT_REFUSED;
	if (link(a, b) < 0)
		return EXIT_REFUSED;
	return result(renameat2(AT_FDCWD, a, AT_FDCWD, b, 0));
}

static int
reopen_memfd(const struct site *s)
{
	return result(reopen_ro(s->memfd));
}

static int
reopen_unlinked(const struct site *s)
{
	int fd =
	    open(s->conf->site.spool, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? EXIT_BROKEN : result(reopen_ro(fd));
}

static int
make_memfd(const struct site *s)
{
	(void)s;
	return result(memfd_new("probe"));
}

static int
watch(const struct site *s)
{
	int fd = inotify_init1(IN_CLOEXEC);

	return result(inotify_add_watch(fd, s->conf->site.spool, IN_MOVED_TO));
}

#ifndef SLUICE_SANITIZE
static int
map_code(const struct site *s)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)s;
	return p == MAP_FAILED ? EXIT_REFUSED : 0;
}
#endif

static int
map_data(const struct site *s)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)s;
	return p == MAP_FAILED ? EXIT_REFUSED : 0;
}

static int
be_root_again(const struct site *s)
{
	(void)s;
	return result(setuid(0));
}

static int
is_other_user(const struct site *s)
{
	(void)s;
	return geteuid() == 0 || getuid() == 0 ? EXIT_REFUSED : 0;
}

static int
signal_other(const struct site *s)
{
	return result(kill(s->other, 0));
}

static int
trace_other(const struct site *s)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", s->other);
	return result(open(path, O_RDONLY | O_CLOEXEC));
}

static int
kill_own_child(const struct site *s)
{
	int fd, status;
	pid_t pid = proc_fork(&fd);

	(void)s;
	if (pid == 0)
		for (;;)
			(void)usleep(100000);
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0 ||
	    waitpid(pid, &status, 0) != pid)
		return EXIT_REFUSED;
	return WIFSIGNALED(status) ? 0 : EXIT_BROKEN;
}

/* Cells have the same filter, and the same uid as their parent. */
static int
signal_own_parent(const struct site *s)
{
	(void)s;
	return result(kill(getppid(), 0));
}

static int
signal_thread(const struct site *s)
{
	(void)s;
	return result(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int
new_memory_sharer(const struct site *s)
{
	long pid = syscall(
	    SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, 0);

	(void)s;
	if (pid == 0)
		_exit(0);
	return result(pid < 0 ? -1 : 0);
}

static int
raise_limit(const struct site *s)
{
	const struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};

	(void)s;
	return result(setrlimit(RLIMIT_FSIZE, &l));
}

static int
pair(const struct site *s)
{
	int fds[2];

	(void)s;
	return result(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
}

static int
stdio_and_terminal(const struct site *s)
{
	(void)s;
	(void)isatty(0);
	return fprintf(stderr, "%s", "") < 0 ? EXIT_REFUSED : 0;
}

static int
wait_a_little(const struct site *s)
{
	struct rlimit l;

	(void)s;
	(void)usleep(10);
	return result(getrlimit(RLIMIT_NOFILE, &l));
}

struct probe {
	enum role role;
	const char *text;
	probe_fn *fn;
	enum outcome want;
};

/* ROLE_CELL means: ROLE_SCAN, then sandbox_cell(). */
static const struct probe probes[] = {
    {ROLE_FEED, "another user", is_other_user, DONE},
    {ROLE_FEED, "root again", be_root_again, KILLED},
    {ROLE_FEED, "write spool", write_spool, DONE},
    {ROLE_FEED, "rename between directories", rename_in_spool, DONE},
    {ROLE_FEED, "write state", write_state, REFUSED},
    {ROLE_FEED, "write /tmp", write_tmp, REFUSED},
    {ROLE_FEED, "read /etc/passwd", read_passwd, REFUSED},
    {ROLE_FEED, "read conf", read_conf, DONE},
    {ROLE_FEED, "watch", watch, DONE},
    {ROLE_FEED, "TCP", tcp_socket, KILLED},
    {ROLE_FEED, "fork", fork_one, KILLED},
    {ROLE_FEED, "exec", execute, KILLED},
    {ROLE_FEED, "wait", wait_a_little, DONE},

    {ROLE_DELIVER, "another user", is_other_user, DONE},
    {ROLE_DELIVER, "write spool", write_spool, DONE},
    {ROLE_DELIVER, "rename between directories", rename_in_spool, DONE},
    {ROLE_DELIVER, "reopen a memfd", reopen_memfd, DONE},
    {ROLE_DELIVER, "reopen an unlinked file", reopen_unlinked, DONE},
    {ROLE_DELIVER, "UNIX socket", unix_socket, KILLED},
    {ROLE_DELIVER, "TCP", tcp_socket, KILLED},
    {ROLE_DELIVER, "write state", write_state, REFUSED},
    {ROLE_DELIVER, "fork", fork_one, KILLED},
    {ROLE_DELIVER, "thread", start_thread, KILLED},

    {ROLE_SCAN, "another user", is_other_user, DONE},
    {ROLE_SCAN, "fork", fork_one, DONE},
    {ROLE_SCAN, "kill its own child", kill_own_child, DONE},
    {ROLE_SCAN, "memfd", make_memfd, KILLED},
    {ROLE_SCAN, "socketpair", pair, KILLED},
    {ROLE_SCAN, "signal by number", signal_own_parent, REFUSED},
    {ROLE_SCAN, "signal to a thread", signal_thread, REFUSED},
    {ROLE_SCAN, "read conf", read_conf, REFUSED},
    {ROLE_SCAN, "read /etc/passwd", read_passwd, REFUSED},
    {ROLE_SCAN, "write /tmp", write_tmp, REFUSED},
    {ROLE_SCAN, "TCP", tcp_socket, KILLED},
    {ROLE_SCAN, "UNIX socket", unix_socket, KILLED},
    {ROLE_SCAN, "exec", execute, KILLED},
    {ROLE_SCAN, "signal another role", signal_other, REFUSED},
    {ROLE_SCAN, "data", map_data, DONE},
    {ROLE_SCAN, "stdio", stdio_and_terminal, DONE},

    {ROLE_CELL, "another user", is_other_user, DONE},
    {ROLE_CELL, "data", map_data, DONE},
    {ROLE_CELL, "stdio", stdio_and_terminal, DONE},
    {ROLE_CELL, "wait", wait_a_little, DONE},
    {ROLE_CELL, "fork", fork_one, REFUSED},
    {ROLE_CELL, "fork within its memory", new_memory_sharer, REFUSED},
    {ROLE_CELL, "memfd", make_memfd, KILLED},
    {ROLE_CELL, "exec", execute, KILLED},
    {ROLE_CELL, "TCP", tcp_socket, KILLED},
    {ROLE_CELL, "read /etc/passwd", read_passwd, REFUSED},
    {ROLE_CELL, "signal", signal_other, REFUSED},
    {ROLE_CELL, "signal to its parent", signal_own_parent, REFUSED},
    {ROLE_CELL, "signal to a thread", signal_thread, REFUSED},
    {ROLE_CELL, "raise its limits", raise_limit, REFUSED},
    {ROLE_CELL, "socketpair", pair, KILLED},

    {ROLE_ENGINES, "another user", is_other_user, DONE},
    {ROLE_ENGINES, "list signatures", list_database, DONE},
    {ROLE_ENGINES, "UNIX socket", unix_socket, DONE},
    {ROLE_ENGINES, "connect to spamd", connect_spam, DONE},
    {ROLE_ENGINES, "connect elsewhere", connect_elsewhere, REFUSED},
    {ROLE_ENGINES, "netlink", udp_socket, KILLED},
    {ROLE_ENGINES, "read spool", read_spool, REFUSED},
    {ROLE_ENGINES, "write spool", write_spool, REFUSED},
    {ROLE_ENGINES, "write /tmp", write_tmp, REFUSED},
    {ROLE_ENGINES, "look into another process", trace_other, REFUSED},
    {ROLE_ENGINES, "fork", fork_one, KILLED},
    {ROLE_ENGINES, "thread", start_thread, DONE},

    {ROLE_VMM, "another user", is_other_user, DONE},
    {ROLE_VMM, "read /etc/passwd", read_passwd, REFUSED},
    {ROLE_VMM, "UNIX socket", unix_socket, DONE},
    {ROLE_VMM, "fork", fork_one, KILLED},

    {ROLE_HOLDER, "another user", is_other_user, DONE},
    {ROLE_HOLDER, "fork", fork_one, DONE},
    {ROLE_HOLDER, "read /etc/passwd", read_passwd, REFUSED},
    {ROLE_HOLDER, "read spool", read_spool, REFUSED},
    {ROLE_HOLDER, "write state", write_state, REFUSED},
    {ROLE_HOLDER, "write runtime", write_runtime, REFUSED},
    {ROLE_HOLDER, "write /tmp", write_tmp, REFUSED},
    {ROLE_HOLDER, "read conf", read_conf, REFUSED},
    {ROLE_HOLDER, "signal another role", signal_other, REFUSED},

    {ROLE_BOOK, "another user", is_other_user, DONE},
    {ROLE_BOOK, "write state", write_state, DONE},
    {ROLE_BOOK, "read spool", read_spool, DONE},
    {ROLE_BOOK, "write spool", write_spool, REFUSED},
    {ROLE_BOOK, "UNIX socket", unix_socket, KILLED},
    {ROLE_BOOK, "fork", fork_one, KILLED},

    {ROLE_GATE, "another user", is_other_user, DONE},
    {ROLE_GATE, "write runtime", write_runtime, REFUSED},
    {ROLE_GATE, "read spool", read_spool, REFUSED},
    {ROLE_GATE, "UNIX socket", unix_socket, KILLED},

    {ROLE_RPC, "another user", is_other_user, DONE},
    {ROLE_RPC, "write runtime", write_runtime, REFUSED},
    {ROLE_RPC, "read spool", read_spool, REFUSED},
    {ROLE_RPC, "read conf", read_conf, REFUSED},
    {ROLE_RPC, "UNIX socket", unix_socket, KILLED},
    {ROLE_RPC, "fork", fork_one, KILLED},

#ifndef SLUICE_SANITIZE /* the sanitizers map as they like */
    {ROLE_FEED, "code", map_code, REFUSED},
    {ROLE_SCAN, "code", map_code, REFUSED},
    {ROLE_CELL, "code", map_code, REFUSED},
#endif
};

static const struct cell_budget roomy = {
    .memory_bytes = UINT64_C(1) << 30,
    .output_bytes = 1 << 20,
    .cpu_usec = 5000000,
};

static int
in_role(const struct site *site, const struct probe *p)
{
	enum role role = p->role == ROLE_CELL ? ROLE_SCAN : p->role;
	char err[256];
	int r = sandbox_enter(role, site->conf, err, sizeof(err));

	if (r == 0 && p->role == ROLE_CELL)
		r = sandbox_cell(&roomy);
	if (r < 0) {
		(void)dprintf(2, "%s: %s (%d)\n", role_name(role), err, r);
		return EXIT_BROKEN;
	}
	return p->fn(site);
}

static enum outcome
run(const struct site *site, const struct probe *p)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(in_role(site, p));
	assert_int_equal(pid, waitpid(pid, &status, 0));
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : BROKEN;
	if (WEXITSTATUS(status) == EXIT_REFUSED)
		return REFUSED;
	return WEXITSTATUS(status) == 0 ? DONE : BROKEN;
}

static void
every_role_can_do_what_it_needs_and_nothing_else(void **state)
{
	const struct site *site = *state;
	int wrong = 0;

	if (geteuid() != 0) {
		print_message("skipped: changing the user needs root\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		const struct probe *p = &probes[i];
		enum outcome got = run(site, p);

		if (got == p->want)
			continue;
		wrong++;
		print_error("%s: %s: %s, expected %s\n", role_name(p->role),
		    p->text, outcome_names[got], outcome_names[p->want]);
	}
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_role_can_do_what_it_needs_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
