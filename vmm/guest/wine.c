#include "vmm/guest/wine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/jail.h"
#include "vmm/guest/scene.h"
#include "vmm/guest/wine_trace.h"

#define LIB         "/usr/lib/wine/"
#define SETTLE_USEC 3000000 /* services that start services */
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

static pid_t
start(const char *const argv[])
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
	jail_drop();
	(void)execve(argv[0], (char *const *)(uintptr_t)argv,
	    (char *const *)(uintptr_t)silent_environment);
	_exit(1);
}

static int
run(const char *const argv[])
{
	const pid_t pid = start(argv);
	int status;

	if (pid < 0)
		return pid;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

int
wine_start(void)
{
	int r = run(server);

	if (r == 0)
		r = run(first);
	if (r == 0 && start(desktop) < 0)
		r = -ECHILD;
	(void)usleep(SETTLE_USEC);
	return r;
}
