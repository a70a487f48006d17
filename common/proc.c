#include "common/proc.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define EXIT_SYSTEM 111 /* DESIGN: the system failed, try again */

/* The path of a program that lies beside our own.  0 or -errno. */
static int
sibling_path(const char *program, char *buf, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", buf, size - 1);
	char *slash;

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	slash = strrchr(buf, '/');
	if (!slash || (size_t)(slash + 1 - buf) + strlen(program) >= size)
		return -ENAMETOOLONG;
	strcpy(slash + 1, program); /* checked above */
	return 0;
}

/*
 * Put the descriptors at 3, 4, ... without overwriting one that is still to
 * be moved: first all of them above the range, then down.
 */
static int
arrange_fds(const struct proc_spec *spec)
{
	int high[PROC_MAX_FDS];

	for (int i = 0; i < spec->n_fds; i++) {
		high[i] = fcntl(spec->fds[i], F_DUPFD_CLOEXEC,
		    PROC_FIRST_FD + PROC_MAX_FDS);
		if (high[i] < 0)
			return -errno;
	}
	for (int i = 0; i < spec->n_fds; i++)
		if (dup2(high[i], PROC_FIRST_FD + i) < 0)
			return -errno;
	return 0;
}

static void
exec_child(const struct proc_spec *spec, const char *path, pid_t parent)
{
	char k[16];
	const char *argv[12];
	int n = 0;
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	proc_bind_to_parent(parent);
	(void)snprintf(k, sizeof(k), "%u", spec->k);
	argv[n++] = spec->program;
	if (spec->role) {
		argv[n++] = "-x";
		argv[n++] = spec->role;
	}
	if (spec->k) {
		argv[n++] = "-k";
		argv[n++] = k;
	}
	if (spec->conf_path) {
		argv[n++] = "-c";
		argv[n++] = spec->conf_path;
	}
	if (spec->extra)
		argv[n++] = spec->extra;
	argv[n] = NULL;
	if (arrange_fds(spec) == 0) {
		char **args;

		memcpy(&args, &(const char **){argv}, sizeof(args));
		(void)execv(path, args);
	}
	(void)dprintf(STDERR_FILENO, "fatal: cannot start %s: %s\n", path,
	    strerror(errno));
	_exit(EXIT_SYSTEM);
}

pid_t
proc_spawn(const struct proc_spec *spec)
{
	char path[PATH_MAX];
	pid_t parent = getpid(), pid;
	int r;

	r = sibling_path(spec->program, path, sizeof(path));
	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		exec_child(spec, path, parent);
	return pid;
}

pid_t
proc_fork(int *ret_fd)
{
	const long pid =
	    syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, ret_fd, NULL, 0);

	return pid < 0 ? -errno : (pid_t)pid;
}

void
proc_bind_to_parent(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_SYSTEM);
}

void
proc_bond_take(struct proc_bond *ret_bond)
{
	*ret_bond = (struct proc_bond){.parent = getppid()};
	(void)prctl(PR_GET_PDEATHSIG, &ret_bond->signal_number);
}

int
proc_bond_renew(const struct proc_bond *bond)
{
	if (bond->signal_number == 0)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, bond->signal_number) < 0)
		return -errno;
	return getppid() == bond->parent ? 0 : -ESRCH;
}

char *
proc_status_text(int status, char *buf, size_t size)
{
	const char *name;

	if (WIFEXITED(status)) {
		(void)snprintf(buf, size, "exit %d", WEXITSTATUS(status));
		return buf;
	}
	name = sigabbrev_np(WTERMSIG(status));
	(void)snprintf(
	    buf, size, "signal %d (%s)", WTERMSIG(status), name ? name : "?");
	return buf;
}

int
proc_parse(int argc, char **argv, struct proc_args *ret_args)
{
	struct proc_args a = {0};
	int opt;

	while ((opt = getopt(argc, argv, "x:k:c:")) != -1) {
		switch (opt) {
		case 'x':
			a.role = optarg;
			break;
		case 'k':
			a.k = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'c':
			a.conf_path = optarg;
			break;
		default:
			return -EINVAL; /* getopt has said it */
		}
	}
	if (optind < argc)
		a.extra = argv[optind++];
	if (optind < argc) {
		(void)fprintf(stderr, "%s: %s: one operand too many\n", argv[0],
		    argv[optind]);
		return -EINVAL;
	}
	*ret_args = a;
	return 0;
}
