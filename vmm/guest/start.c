#include "vmm/guest/start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/filter.h"
#include "vmm/guest/jail.h"
#include "vmm/guest/opener.h"
#include "vmm/guest/scene.h"
#include "vmm/guest/tracee.h"
#include "vmm/guest/wine.h"

#define NOT_STARTED 127 /* as a shell says it */
#define ORDER_BYTES (3 * PATH_MAX)

static const char *const environment[] = {"HOME=" SCENE_HOME, "USER=root",
    "LOGNAME=root", "SHELL=/bin/sh", "LANG=C.UTF-8", "TERM=xterm", "DISPLAY=:0",
    "PYTHONDONTWRITEBYTECODE=1", /* into the system's directories */

    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};

/* What is to be executed, in words that whoever executes it can read. */
struct start_order {
	char text[ORDER_BYTES];
	uint32_t n; /* words */
	bool is_windows;
};

static int
order_write(struct start_order *order, const struct opener *opener)
{
	size_t used = 0;

	order->is_windows = opener->windows_program;
	for (order->n = 0; opener->argv[order->n]; order->n++) {
		const size_t n = strlen(opener->argv[order->n]) + 1;

		if (n > sizeof(order->text) - used)
			return -E2BIG;
		memcpy(order->text + used, opener->argv[order->n], n);
		used += n;
	}
	return 0;
}

static int
order_execute(struct start_order *order)
{
	char *argv[OPENER_ARGS] = {NULL}, *at = order->text;

	for (uint32_t i = 0; i < order->n; i++) {
		argv[i] = at;
		at += strlen(at) + 1;
	}
	(void)execve(argv[0], argv,
	    (char *const *)(uintptr_t)(order->is_windows ? wine_environment
							 : environment));
	return errno;
}

/* The last steps before the program's first. */
static _Noreturn void
become(struct start_order *order, int err, int go, int tell)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd, error;
	char word;

	(void)dup2(null, 0);
	(void)dup2(null, 1);
	(void)dup2(err >= 0 ? err : null, 2);
	(void)setsid();
	(void)chdir(SCENE_DOWNLOADS);
	jail_enter();
	fd = filter_install();
	if (write(tell, &fd, sizeof(fd)) != (ssize_t)sizeof(fd) || fd < 0)
		_exit(NOT_STARTED);
	jail_drop();
	if (read(go, &word, 1) != 1)
		_exit(NOT_STARTED);
	error = order_execute(order);
	(void)!write(tell, &error, sizeof(error));
	_exit(NOT_STARTED);
}

/* Its filter, or -errno. */
static int
take_calls(pid_t pid, int hear)
{
	int theirs;

	if (read(hear, &theirs, sizeof(theirs)) != (ssize_t)sizeof(theirs))
		return -ECHILD;
	/* It can't execute anything before we have answered at this. */
	return theirs < 0 ? theirs : tracee_fd(pid, theirs);
}

static int
fork_it(const struct jail *jail, int err, struct start *start)
{
	CLEANUP(close_fd) int go = -1;
	CLEANUP(close_fd) int tell = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	go = ends[0];
	start->go = ends[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	start->word = ends[0];
	tell = ends[1];
	start->pid = jail_fork(jail);
	if (start->pid == 0)
		become(start->order, err, go, tell);
	return start->pid < 0 ? -errno : 0;
}

int
start_prepare(const struct jail *jail, int err, struct start *ret)
{
	struct start start = {.calls = -1, .word = -1, .go = -1};
	int r;

	start.order = mmap(NULL, sizeof(*start.order), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (start.order == MAP_FAILED)
		return -errno;
	r = fork_it(jail, err, &start);
	if (r == 0) {
		start.calls = take_calls(start.pid, start.word);
		r = start.calls < 0 ? start.calls : 0;
	}
	if (r < 0)
		start_cancel(&start);
	else
		*ret = start;
	return r;
}

int
start_program(struct start *start, const struct opener *opener)
{
	int r = order_write(start->order, opener);

	if (r == 0 && write(start->go, "", 1) != 1)
		r = -errno;
	return r;
}

void
start_cancel(struct start *start)
{
	if (start->pid > 0) {
		(void)kill(start->pid, SIGKILL);
		(void)waitpid(start->pid, NULL, 0);
	}
	start_done(start);
}

void
start_done(struct start *start)
{
	if (!start->order)
		return;
	(void)munmap(start->order, sizeof(*start->order));
	close_fd(&start->calls);
	close_fd(&start->word);
	close_fd(&start->go);
	memset(start, 0, sizeof(*start));
}

int
start_result(const struct start *start)
{
	int error;

	/* The other end is closed by what was executed. */
	if (read(start->word, &error, sizeof(error)) != (ssize_t)sizeof(error))
		return 0;
	return -error;
}
