#include "vmm/guest/wine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/filter.h"
#include "vmm/guest/jail.h"
#include "vmm/guest/scene.h"
#include "vmm/guest/tracee.h"
#include "vmm/guest/watch_seccomp.h"
#include "vmm/guest/wine_trace.h"

#define LIB          "/usr/lib/wine/"
#define SETTLE_USEC  1000000
#define SETTLE_TURNS 3   /* of no work, one after the other */
#define SETTLE_TRIES 120 /* then it goes on as it is */
#define SERVE_MSEC   10
/* The first that is written of the registry; every 30 s (its server's
 * save_period), if something has changed, which each program's start does. */
#define REGISTRY   WINE_PREFIX "/system.reg"
#define SAVE_USEC  100000
#define SAVE_TRIES 310
/* WINELOADERNOEXEC: the loader would execute itself once more, for a preloader
 * that isn't there. */
#define COMMON \
	"HOME=" SCENE_HOME, "USER=root", "LOGNAME=root", "LANG=C.UTF-8", \
	    "WINEPREFIX=" WINE_PREFIX, "WINEARCH=win64", "WINELOADERNOEXEC=1", \
	    "WINEDLLOVERRIDES=mscoree,mshtml=", "PATH=/usr/lib/wine:/usr/bin"

const char *const wine_environment[] = {
    COMMON, "WINEDEBUG=" WINE_TRACE_DEBUG, NULL};

/* What lasts is nobody's sample: its lines would be taken for one's. */
static const char *const silent_environment[] = {
    COMMON, "WINEDEBUG=-all", NULL};

static const char *const server[] = {LIB "wineserver64", "-p", NULL};
static const char *const first[] = {LIB "wine64", "hostname.exe", NULL};
/* A window that stays open keeps the desktop, which would otherwise be made
 * anew for each sample that has one. */
static const char *const desktop[] = {LIB "wine64", "notepad.exe", NULL};

bool
wine_is_there(void)
{
	return access(first[0], X_OK) == 0;
}

/* The last steps of what lasts. */
static _Noreturn void
become(const char *const argv[])
{
	jail_drop();
	(void)execve(argv[0], (char *const *)(uintptr_t)argv,
	    (char *const *)(uintptr_t)silent_environment);
	_exit(1);
}

static pid_t
fork_jailed(void)
{
	const pid_t pid = fork();
	int null;

	if (pid != 0)
		return pid < 0 ? -errno : pid;
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null, fd);
	(void)setsid();
	(void)chdir(SCENE_HOME);
	jail_enter();
	return 0;
}

static pid_t
start(const char *const argv[])
{
	const pid_t pid = fork_jailed();

	if (pid == 0)
		become(argv);
	return pid;
}

/* Its end of the talk: what its filter's descriptor is; then it waits until we
 * have it. */
static _Noreturn void
become_server(int talk)
{
	const int fd = filter_install_network();
	char word;

	if (write(talk, &fd, sizeof(fd)) != (ssize_t)sizeof(fd) || fd < 0 ||
	    read(talk, &word, 1) != 1)
		_exit(1);
	become(server);
}

static pid_t
start_server(int *ret_calls)
{
	CLEANUP(close_fd) int ours = -1;
	CLEANUP(close_fd) int theirs = -1;
	int ends[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	ours = ends[0];
	theirs = ends[1];
	pid = fork_jailed();
	if (pid == 0)
		become_server(theirs);
	if (pid < 0)
		return pid;
	(void)close(TAKE_FD(theirs));
	if (read(ours, &fd, sizeof(fd)) != (ssize_t)sizeof(fd) || fd < 0)
		return -ECHILD;
	*ret_calls = tracee_fd(pid, fd);
	if (*ret_calls < 0 || write(ours, "", 1) != 1)
		return -ECHILD;
	return pid;
}

/* What the server asks for meanwhile is its own. */
static void
serve(int calls, uint64_t usec)
{
	const uint64_t begun = clock_usec();

	do {
		struct pollfd one = {calls, POLLIN, 0};

		if (poll(&one, 1, SERVE_MSEC) == 1 && (one.revents & POLLIN))
			(void)watch_seccomp_pass(calls);
	} while (clock_usec() - begun < usec);
}

static int
await(pid_t pid, int calls)
{
	int status;
	pid_t ended;

	if (pid < 0)
		return pid;
	while ((ended = waitpid(pid, &status, WNOHANG)) != pid) {
		if (ended < 0 && errno != EINTR)
			return -errno;
		serve(calls, 0);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

/* Ticks for which the processor had nothing to do. */
static unsigned long
idle_ticks(void)
{
	FILE *stat = fopen("/proc/stat", "re");
	unsigned long ticks = 0;

	if (!stat)
		return 0;
	if (fscanf(stat, "cpu %*u %*u %*u %lu", &ticks) != 1)
		ticks = 0;
	(void)fclose(stat);
	return ticks;
}

/* Services start services, for as long as the host makes it: they are done
 * when the guest has had nothing to do for some seconds. */
static void
settle(int calls)
{
	const unsigned long enough =
	    (unsigned long)sysconf(_SC_CLK_TCK) / 5 * 4;
	int quiet = 0;

	for (int i = 0; i < SETTLE_TRIES && quiet < SETTLE_TURNS; i++) {
		const unsigned long before = idle_ticks();

		serve(calls, SETTLE_USEC);
		quiet = idle_ticks() - before >= enough ? quiet + 1 : 0;
	}
}

int
wine_start(int *ret_calls)
{
	int calls = -1, r;
	const pid_t pid = start_server(&calls);

	r = await(pid, calls);
	if (r == 0)
		r = await(start(first), calls);
	if (r == 0 && start(desktop) < 0)
		r = -ECHILD;
	if (r == 0)
		settle(calls);
	else if (calls >= 0)
		(void)close(TAKE_FD(calls));
	*ret_calls = calls;
	return r;
}

void
wine_settle(void)
{
	struct stat before = {.st_size = 0}, now;

	(void)stat(REGISTRY, &before);
	for (int i = 0; i < SAVE_TRIES; i++) {
		(void)usleep(SAVE_USEC);
		if (stat(REGISTRY, &now) == 0 &&
		    (now.st_mtim.tv_sec != before.st_mtim.tv_sec ||
			now.st_mtim.tv_nsec != before.st_mtim.tv_nsec))
			break;
	}
	settle(-1); /* and the users' halves of it */
}
