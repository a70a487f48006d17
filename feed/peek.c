#include "feed/peek.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static const char end[3] = {'\n', '.', '\n'};

static int
peek_open(int fd)
{
	char last[sizeof(end)];
	struct stat st;
	int r;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	/* Only now: what is written is written under the lock. */
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(end))
		return -EAGAIN;
	r = pread_all(
	    fd, last, sizeof(last), (uint64_t)st.st_size - sizeof(last));
	if (r < 0)
		return r == -ENODATA ? -EAGAIN : r;
	return memcmp(last, end, sizeof(end)) == 0 ? 0 : -EAGAIN;
}

int
peek_qf(int dirfd, const char *id)
{
	CLEANUP(close_fd) int fd = -1;
	char name[2 + QUEUE_ID_MAX + 1];
	struct stat st;

	(void)snprintf(name, sizeof(name), "qf%s", id);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	/* sendmail creates the file, then locks it: keep out of that gap. */
	if (st.st_size == 0)
		return -EAGAIN;
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : peek_open(fd);
}
