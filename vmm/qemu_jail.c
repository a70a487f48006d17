#include "vmm/qemu_priv.h"

#include "common/cleanup.h"
#include "common/landlock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Threads, sockets, memory: QEMU has some 20 open. */
#define JAIL_FILES 64

#define FS_RUN (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE)
#define FS_KVM \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	    FS_IOCTL_DEV)

/* What QEMU reads.  Where one is missing there is nothing to allow. */
static const char *const readable[] = {"/lib", "/lib64", "/usr/lib",
    "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/qemu",
    "/usr/share/seabios"};

/* The program's interpreter is executed, too. */
static const char *const runnable[] = {"/lib64/ld-linux-x86-64.so.2"};

static int
fill(int ruleset, uint64_t handled, const char *program, bool is_kvm)
{
	int r = landlock_allow(ruleset, program, FS_RUN & handled);

	for (size_t i = 0; i < ARRAY_SIZE(readable) && r == 0; i++)
		r = landlock_allow(ruleset, readable[i], FS_READ & handled);
	for (size_t i = 0; i < ARRAY_SIZE(runnable) && r == 0; i++)
		r = landlock_allow(ruleset, runnable[i], FS_RUN & handled);
	if (r == 0 && is_kvm)
		r = landlock_allow(ruleset, "/dev/kvm", FS_KVM & handled);
	return r;
}

/* -ENOTSUP: not in this kernel. */
static int
make_ruleset(const char *program, bool is_kvm, int *ret)
{
	struct landlock_handled all;
	CLEANUP(close_fd) int fd = landlock_new(NET_BIND | NET_CONNECT, &all);
	int r;

	if (fd < 0)
		return fd;
	r = fill(fd, all.fs, program, is_kvm);
	if (r == 0)
		*ret = TAKE_FD(fd);
	return r;
}

int
qemu_jail_make(struct qemu_jail *ret, const char *program, bool is_kvm,
    char *err, size_t err_size)
{
	struct qemu_jail jail = {.ruleset = -1};
	int r = make_ruleset(program, is_kvm, &jail.ruleset);

	/* The holder has said that this kernel lacks it, or refused to go on
	 * (site.require_sandbox). */
	if (r == -ENOTSUP)
		r = 0;
	if (r < 0) {
		(void)snprintf(err, err_size, "Landlock: %s", strerror(-r));
		return r;
	}
	r = sandbox_filter_vm(&jail.filter);
	if (r < 0 && r != -ENOTSUP) {
		(void)snprintf(err, err_size, "seccomp: %s", strerror(-r));
		qemu_jail_done(&jail);
		return r;
	}
	*ret = jail;
	return 0;
}

void
qemu_jail_done(struct qemu_jail *jail)
{
	close_fd(&jail->ruleset);
	jail->ruleset = -1;
	sandbox_filter_free(&jail->filter);
}

/* --- In the child, whose memory is the parent's: only system calls. */

static int
limit(__rlimit_resource_t what, uint64_t value)
{
	struct rlimit l = {value, value};

	return setrlimit(what, &l) < 0 ? -errno : 0;
}

static int
set_limits(const struct qemu_jail *jail)
{
	int r = limit(RLIMIT_CORE, 0);

	if (r == 0)
		r = limit(RLIMIT_FSIZE, jail->file_bytes);
	if (r == 0)
		r = limit(RLIMIT_NOFILE, JAIL_FILES);
	if (r == 0)
		r = limit(RLIMIT_MEMLOCK, 0);
	if (r == 0)
		r = limit(RLIMIT_MSGQUEUE, 0);
	if (r == 0 && jail->memory_bytes)
		r = limit(RLIMIT_AS, jail->memory_bytes);
	return r;
}

/* All of them above where they go, then down. */
static int
arrange_fds(const struct qemu_start *start)
{
	int high[ARRAY_SIZE(start->fds)];

	for (size_t i = 0; i < ARRAY_SIZE(high); i++) {
		high[i] = -1;
		if (start->fds[i] < 0)
			continue;
		high[i] = fcntl(start->fds[i], F_DUPFD_CLOEXEC, QEMU_FD_END);
		if (high[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < ARRAY_SIZE(high); i++)
		if (high[i] >= 0 && dup2(high[i], QEMU_FD_BELL + (int)i) < 0)
			return -errno;
	return 0;
}

static int
arrange_stdio(int err_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int out = err_fd >= 0 ? err_fd : null;

	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(out, 2) < 0)
		return -errno;
	return 0;
}

/* A handler of ours must not run in a memory that is also the parent's. */
static void
default_signals(void)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &usual, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
enter(
    const struct qemu_jail *jail, const struct qemu_start *start, pid_t parent)
{
	int r;

	/* SIGKILL: QEMU waits for a guest's end at SIGTERM. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (getppid() != parent)
		return -ESRCH;
	/* Pages of 2 MiB would be a clone's own for a few octets each. */
	(void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	r = arrange_stdio(start->err_fd);
	/* Before the descriptors of the child take the numbers of ours. */
	if (r == 0 && jail->ruleset >= 0 &&
	    syscall(__NR_landlock_restrict_self, jail->ruleset, 0) < 0)
		r = -errno;
	if (r == 0)
		r = arrange_fds(start);
	if (r == 0)
		r = set_limits(jail);
	default_signals();
	if (r == 0 && jail->filter.code)
		r = sandbox_filter_load(&jail->filter);
	return r;
}

/* One arena: threads' own would be memory of each clone. */
static char *const environment[] = {(char[]){"MALLOC_ARENA_MAX=1"}, NULL};

int
qemu_jail_start(const struct qemu_jail *jail, const struct qemu_start *start,
    pid_t *ret_pid, int *ret_pidfd)
{
	volatile int failed = 0; /* the child writes it */
	const pid_t parent = getpid();
	sigset_t all, before;
	pid_t pid;
	int fd;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = vfork();
	if (pid == 0) {
		failed = enter(jail, start, parent);
		if (failed == 0) {
			(void)execve(start->argv[0], start->argv, environment);
			failed = -errno;
		}
		_exit(127);
	}
	if (pid < 0)
		failed = -errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return failed;
	fd = (int)syscall(__NR_pidfd_open, pid, 0);
	if (failed == 0 && fd < 0) {
		failed = -errno;
		(void)kill(pid, SIGKILL);
	}
	if (failed < 0) {
		(void)waitpid(pid, NULL, 0);
		close_fd(&fd);
		return failed;
	}
	*ret_pid = pid;
	*ret_pidfd = fd;
	return 0;
}
