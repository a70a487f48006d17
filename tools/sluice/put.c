#include "tools/sluice/put.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int
put_file(int dirfd, const char *name, mode_t mode, const void *octets, size_t n)
{
	CLEANUP(free_ptr)
	char *fresh = xasprintf(".%s.new", name);
	CLEANUP(close_fd) int fd = -1;
	int r;

	(void)unlinkat(dirfd, fresh, 0); /* what a crash has left */
	fd =
	    openat(dirfd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, octets, n);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	if (r == 0 && renameat(dirfd, fresh, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dirfd, fresh, 0);
		return r;
	}
	return fsync(dirfd) < 0 ? -errno : 0;
}
