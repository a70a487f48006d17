#include "vmm/guest/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
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

static const char *const environment[] = {"HOME=" SCENE_HOME, "USER=root",
    "LOGNAME=root", "SHELL=/bin/sh", "LANG=C.UTF-8", "TERM=xterm", "DISPLAY=:0",
    "PYTHONDONTWRITEBYTECODE=1", /* into the system's directories */

    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};

/* The last steps before the program's first. */
static _Noreturn void
become(const struct opener *opener, int err, int tell)
{
	int null = open("/dev/null", O_RDWR), fd, error;

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
	(void)execve(opener->argv[0], (char *const *)(uintptr_t)opener->argv,
	    (char *const *)(uintptr_t)(opener->windows_program
					   ? wine_environment
					   : environment));
	error = errno;
	(void)!write(tell, &error, sizeof(error));
	_exit(NOT_STARTED);
}

int
start_program(const struct jail *jail, const struct opener *opener, int err,
    struct start *ret)
{
	CLEANUP(close_fd) int hear = -1;
	int tell[2], theirs, fd;
	pid_t pid;

	if (pipe2(tell, O_CLOEXEC) < 0)
		return -errno;
	hear = tell[0];
	pid = jail_fork(jail);
	if (pid == 0)
		become(opener, err, tell[1]);
	(void)close(tell[1]);
	if (pid < 0)
		return -errno;
	if (read(hear, &theirs, sizeof(theirs)) != (ssize_t)sizeof(theirs))
		return -ECHILD;
	if (theirs < 0)
		return theirs;
	/* It can't execute anything before we have answered at this. */
	fd = tracee_fd(pid, theirs);
	if (fd < 0)
		return fd;
	ret->pid = pid;
	ret->calls = fd;
	ret->word = TAKE_FD(hear);
	return 0;
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
