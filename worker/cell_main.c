/*
 * sluice-cell - the role "scan": forks cells ahead of need, as the engines
 * role wants them, and reports how each ended.  It parses nothing itself.
 *
 * Descriptor 3 is the socket to the engines role (worker/wire.h).
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "worker/cell.h"
#include "worker/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ENGINES_FD PROC_FIRST_FD

/* The engines want at most worker.cells_max (256) at a time; of some that
 * they have done with they may not have heard yet that we know it too. */
#define CHILDREN_MAX 512

struct scan {
	const struct conf *conf;
	int children_fd;    /* signalfd of SIGCHLD */
	unsigned int alive; /* cells, waiting or at work */
	struct child {
		uint64_t number;
		pid_t pid;
		int fd; /* stands for it */
	} children[CHILDREN_MAX];
};

/* What is in the process of a cell, and belongs to its parent or to others:
 * with the descriptor of one cell another could end it. */
static void
close_others(const struct scan *scan)
{
	(void)close(ENGINES_FD);
	(void)close(scan->children_fd);
	for (unsigned int i = 0; i < scan->alive; i++)
		(void)close(scan->children[i].fd);
}

/* The cell's whole life, in the child.  The budgets are on before the
 * message arrives; its exit status is all it can say outside its reading. */
__attribute__((noreturn)) static void
cell_live(const struct scan *scan, int sock, int arena)
{
	static struct ipc_msg msg; /* too large for a small stack */
	const struct conf *conf = scan->conf;
	struct cell_budget budget = {conf->budget.memory_bytes,
	    conf->budget.output_bytes, conf->budget.cpu_usec};
	const struct wire_task *task;
	int r;

	close_others(scan);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sandbox_cell(&budget) < 0)
		_exit(CELL_EXIT_UNCONFINED);
	if (ipc_recv(sock, &msg) < 0 || wire_task(&msg, &task) < 0)
		_exit(EXIT_SUCCESS); /* nobody wants this cell any more */
	r = task->what == TASK_MESSAGE
		? cell_read(msg.fds[0], arena, &task->limits)
		: cell_features(
		      msg.fds[0], arena, task->what == TASK_PROGRAM_2001);
	/* The end of the socket is what the engines wait for; the rest of this
	 * process may take its time. */
	(void)close(sock);
	_exit(r == 0         ? EXIT_SUCCESS
	      : r == -ENOMEM ? CELL_EXIT_MEMORY
			     : EXIT_FAILURE);
}

static int
set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ? -errno : 0;
}

/* The cell that msg wants.  0 or -errno. */
static int
cell_fork(struct scan *scan, struct ipc_msg *msg)
{
	struct child *child = &scan->children[scan->alive];
	const struct wire_cell *cell;

	if (wire_cell_want(msg, &cell) < 0 || scan->alive == CHILDREN_MAX)
		return -EBADMSG;
	child->number = cell->number;
	child->pid = proc_fork(&child->fd);
	if (child->pid == 0)
		cell_live(scan, msg->fds[0], msg->fds[1]);
	if (child->pid < 0)
		return child->pid;
	scan->alive++;
	return 0;
}

static uint64_t
usage_usec(const struct rusage *ru)
{
	return (uint64_t)(ru->ru_utime.tv_sec + ru->ru_stime.tv_sec) *
		   USEC_PER_SEC +
	       (uint64_t)(ru->ru_utime.tv_usec + ru->ru_stime.tv_usec);
}

static void
end_cell(const struct scan *scan, uint64_t number)
{
	for (unsigned int i = 0; i < scan->alive; i++)
		if (scan->children[i].number == number)
			(void)syscall(SYS_pidfd_send_signal,
			    scan->children[i].fd, SIGKILL, NULL, 0);
}

/* Forget a cell that was reaped: its number, or 0 for no cell of ours. */
static uint64_t
forget(struct scan *scan, pid_t pid)
{
	for (unsigned int i = 0; i < scan->alive; i++) {
		const struct child gone = scan->children[i];

		if (gone.pid != pid)
			continue;
		(void)close(gone.fd);
		scan->children[i] = scan->children[--scan->alive];
		return gone.number;
	}
	return 0;
}

static int
reap(struct scan *scan)
{
	struct signalfd_siginfo si;
	struct rusage ru;
	int status, r = 0;
	pid_t pid;

	while (read(scan->children_fd, &si, sizeof(si)) > 0)
		; /* one signal may stand for many children */
	while (r == 0 && (pid = wait4(-1, &status, WNOHANG, &ru)) > 0) {
		const struct wire_cell_gone gone = {.number = forget(scan, pid),
		    .cpu_usec = usage_usec(&ru),
		    .status = status};

		if (gone.number > 0)
			r = ipc_send(ENGINES_FD, WIRE_CELL_GONE, &gone,
			    sizeof(gone), NULL, 0);
	}
	return r;
}

static int
hear(struct scan *scan)
{
	static struct ipc_msg msg;
	const struct wire_cell *cell;
	int r = ipc_recv(ENGINES_FD, &msg);

	if (r < 0)
		return r;
	if (msg.type == WIRE_CELL_WANT)
		r = cell_fork(scan, &msg);
	else if (wire_cell_kill(&msg, &cell) == 0)
		end_cell(scan, cell->number);
	ipc_drop_fds(&msg);
	return r;
}

/* Until the engines role goes: 0; or -errno. */
static int
serve(struct scan *scan)
{
	struct pollfd p[2] = {
	    {ENGINES_FD, POLLIN, 0}, {scan->children_fd, POLLIN, 0}};
	int r;

	for (;;) {
		r = 0;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents)
			r = reap(scan);
		if (r == 0 && p[0].revents)
			r = hear(scan);
		if (r == -EPIPE)
			return 0;
		if (r < 0 && r != -EAGAIN)
			return r;
	}
}

static int
prepare(struct scan *scan)
{
	char err[256] = "";
	sigset_t child;
	int r;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	scan->children_fd = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
	if (scan->children_fd < 0)
		return -errno;
	r = set_blocking(ENGINES_FD);
	if (r == 0)
		r = cell_prepare();
	if (r < 0) {
		log_error(
		    "start failed: cannot load the readers: %s", strerror(-r));
		return r;
	}
	r = sandbox_enter(ROLE_SCAN, scan->conf, err, sizeof(err));
	if (r < 0)
		log_error("start failed: sandbox: %s", err);
	return r;
}

int
main(int argc, char **argv)
{
	struct proc_args args;
	struct scan scan = {0};
	struct conf *conf = NULL;
	char err[512];
	int r;

	if (proc_parse(argc, argv, &args) < 0)
		return 100;
	log_init("sluice-cell", LOG_LEVEL_INFO);
	if (conf_load(args.conf_path, &conf, err, sizeof(err)) < 0) {
		log_error("configuration: %s", err);
		return 100;
	}
	scan.conf = conf;
	r = prepare(&scan);
	if (r == 0)
		r = serve(&scan);
	if (r < 0)
		log_error("scan role ends: %s", strerror(-r));
	return r < 0 ? 111 : 0;
}
