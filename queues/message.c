#include "queues/message.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/message_priv.h"
#include "queues/names_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int
message_open_df(const struct spool *spool, const struct claim *claim,
    int *ret_fd, const char **ret_reason)
{
	CLEANUP(close_fd) int fd = -1;
	char name[PAIR_NAME_SIZE];
	struct stat st;

	fd = openat(spool->fds[claim->dir], pair_name(name, "df", claim->id),
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		*ret_reason = "qf without df";
	if (fd < 0)
		return errno == ENOENT ? -EBADMSG : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_ino != claim->df_inode ||
	    (uint64_t)st.st_size != claim->df_bytes) {
		*ret_reason = "df changed after the claim";
		return -EBADMSG;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int
fill(int fd, const struct qf *qf, int df, uint64_t df_bytes)
{
	int r;

	r = write_all(fd, qf->headers, qf->headers_len);
	if (r == 0)
		r = write_all(fd, "\n", 1);
	if (r == 0)
		r = copy_range(df, 0, df_bytes, fd);
	return r;
}

static int
build_in_memory(const struct qf *qf, int df, uint64_t df_bytes, int *ret_fd)
{
	CLEANUP(close_fd) int fd = memfd_new("message");
	int r;

	if (fd < 0)
		return fd;
	r = fill(fd, qf, df, df_bytes);
	if (r == 0)
		r = memfd_seal(fd);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

static int
build_on_disk(const struct spool *spool, const struct qf *qf, int df,
    uint64_t df_bytes, int *ret_fd)
{
	CLEANUP(close_fd) int fd = -1;
	int r;

	fd = openat(
	    spool->journal_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fill(fd, qf, df, df_bytes);
	if (r < 0)
		return r;
	r = reopen_ro(fd);
	if (r < 0)
		return r;
	*ret_fd = r;
	return 0;
}

static int
parse_claimed(
    const struct claim *claim, struct qf **ret_qf, const char **ret_reason)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t len;
	int r;

	r = read_fd(claim->qf_fd, QF_MAX_BYTES, &text, &len);
	return r < 0 ? r : qf_parse(text, len, ret_qf, ret_reason);
}

int
message_build(const struct spool *spool, const struct claim *claim,
    uint64_t max_bytes, int *ret_fd, uint64_t *ret_bytes, struct qf **ret_qf,
    const char **ret_reason)
{
	CLEANUP(qf_freep) struct qf *qf = NULL;
	CLEANUP(close_fd) int df = -1;
	uint64_t bytes;
	int fd, r;

	r = parse_claimed(claim, &qf, ret_reason);
	if (r < 0)
		return r;
	bytes = qf->headers_len + 1 + claim->df_bytes;
	if (bytes > max_bytes)
		return -EFBIG;
	r = message_open_df(spool, claim, &df, ret_reason);
	if (r < 0)
		return r;
	if (bytes <= MESSAGE_MEMFD_MAX)
		r = build_in_memory(qf, df, claim->df_bytes, &fd);
	else
		r = build_on_disk(spool, qf, df, claim->df_bytes, &fd);
	if (r < 0)
		return r;
	*ret_fd = fd;
	*ret_bytes = bytes;
	*ret_qf = TAKE_PTR(qf);
	return 0;
}
