/* move_add_header(): a new qf in the place of the old one. */
#include "queues/move.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/names_priv.h"
#include "queues/qf.h"
#include "queues/rewrite_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* RFC 5322 2.1.1: 998 characters a line. */
#define HEADER_BYTES 998

static bool
is_header(const char *header)
{
	const char *p = header;

	while (*p > ' ' && *p < 0x7f && *p != ':')
		p++;
	if (p == header || *p != ':' || strlen(header) > HEADER_BYTES)
		return false;
	for (; *p; p++)
		if (*p == 0x7f || (*p > 0 && *p < ' ' && *p != '\t'))
			return false;
	return true;
}

/* Where the new record goes: before the first header, else before ".". */
static size_t
place_for(const char *text, size_t len)
{
	const char *p = memmem(text, len, "\nH", 2);

	if (p)
		return (size_t)(p + 1 - text);
	return len - 2;
}

/* Who has no tries, or was never wrapped, has no attribute to say so. */
static int
copy_attributes(const struct claim *claim, int fd)
{
	const struct claim copy = {.qf_fd = fd};
	struct tries tries;
	bool is_wrapped;
	int r;

	r = tries_read(claim, &tries);
	if (r == 0 && (tries.died || tries.begun))
		r = tries_write(&copy, tries);
	if (r == 0)
		r = wrapped_read(claim->qf_fd, &is_wrapped);
	if (r == 0 && is_wrapped)
		r = wrapped_write(fd);
	return r;
}

int
rewrite_copy_owner(const struct stat *st, int fd)
{
	if (geteuid() == 0 && fchown(fd, st->st_uid, st->st_gid) < 0)
		return -errno;
	return fchmod(fd, st->st_mode & 0777) < 0 ? -errno : 0;
}

int
rewrite_copy_status(const struct claim *claim, int fd)
{
	struct timespec times[2];
	struct stat st;
	int r;

	r = copy_attributes(claim, fd);
	if (r < 0)
		return r;
	if (fstat(claim->qf_fd, &st) < 0)
		return -errno;
	r = rewrite_copy_owner(&st, fd);
	if (r < 0)
		return r;
	times[0] = st.st_atim;
	times[1] = st.st_mtim; /* the time of arrival */
	return futimens(fd, times) < 0 ? -errno : 0;
}

int
rewrite_create(int dirfd, const char *name, int *ret_fd)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags, 0600);

	if (fd < 0 && errno == EEXIST) {
		/* We hold the qf's lock, so its maker is dead. */
		if (unlinkat(dirfd, name, 0) < 0)
			return -errno;
		fd = openat(dirfd, name, flags, 0600);
	}
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int
rewrite_lock(int fd)
{
	if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | LOCK_NB)) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

static int
fill_tf(int fd, const struct claim *claim, const char *text, size_t len,
    const char *header)
{
	size_t at = place_for(text, len);
	int r;

	r = rewrite_lock(fd);
	if (r == 0)
		r = write_all(fd, text, at);
	if (r == 0)
		r = write_all(fd, "H??", 3);
	if (r == 0)
		r = write_all(fd, header, strlen(header));
	if (r == 0)
		r = write_all(fd, "\n", 1);
	if (r == 0)
		r = write_all(fd, text + at, len - at);
	if (r == 0)
		r = rewrite_copy_status(claim, fd);
	if (r == 0 && TEMP_FAILURE_RETRY(fsync(fd)) < 0)
		r = -errno;
	return r;
}

int
move_add_header(
    const struct spool *spool, struct claim *claim, const char *header)
{
	CLEANUP(free_ptr) char *text = NULL;
	CLEANUP(close_fd) int fd = -1;
	char qf[PAIR_NAME_SIZE], tf[PAIR_NAME_SIZE];
	int dirfd = spool->fds[claim->dir], r;
	size_t len;

	if (!is_header(header))
		return -EINVAL;
	r = read_fd(claim->qf_fd, QF_MAX_BYTES, &text, &len);
	if (r < 0)
		return r;
	if (len < 3 || memcmp(text + len - 3, "\n.\n", 3) != 0)
		return -EINVAL;
	pair_name(qf, "qf", claim->id);
	pair_name(tf, "tf", claim->id);
	r = rewrite_create(dirfd, tf, &fd);
	if (r < 0)
		return r;
	r = fill_tf(fd, claim, text, len, header);
	if (r == 0 && TEMP_FAILURE_RETRY(renameat(dirfd, tf, dirfd, qf)) < 0)
		r = -errno;
	if (r < 0) {
		(void)TEMP_FAILURE_RETRY(unlinkat(dirfd, tf, 0));
		return r;
	}
	/*
	 * From here on nothing can be taken back, and nothing has to be: both
	 * the old and the new qf are whole on disk.  A move syncs the same
	 * directory again and reports the error.
	 */
	(void)TEMP_FAILURE_RETRY(fsync(dirfd));
	claim_drop(claim);
	claim->qf_bytes = len + strlen(header) + 4;
	claim->qf_fd = TAKE_FD(fd);
	return 0;
}
