/*
 * tools/sluice/setup.c - `sluice setup ...`: runs the set-up program, which
 * is a script of its own: installed in libexec, or in the source tree.
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sluice/util.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Below the directory of our executable: /usr/bin, or TREE/build/bin. */
static const char *const places[] = {
    "../libexec/sluice/setup",
    "../lib/sluice/setup",
    "../../tools/setup",
};

static int
own_directory(char *buf, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", buf, size - 1);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	*strrchr(buf, '/') = '\0'; /* an absolute path has one */
	return 0;
}

int
command_setup(int argc, char **argv)
{
	char dir[PATH_MAX];
	int r = own_directory(dir, sizeof(dir));

	(void)argc;
	if (r < 0)
		return util_fail(STATUS_SYSTEM, "setup", "%s", strerror(-r));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		CLEANUP(free_ptr)
		char *path = xasprintf("%s/%s", dir, places[i]);

		if (access(path, X_OK) < 0)
			continue;
		argv[0] = path;
		(void)execv(path, argv);
		return util_fail(
		    STATUS_SYSTEM, "setup", "%s: %s", path, strerror(errno));
	}
	return util_fail(STATUS_SYSTEM, "setup",
	    "the set-up program isn't installed: looked for %s beside %s",
	    places[0], dir);
}
