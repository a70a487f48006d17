#include "queues/claim.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/mend_priv.h"
#include "queues/names_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define STALE_USEC (10 * 60 * USEC_PER_SEC)

/* Every record that sendmail may put in front of "d" fits in here. */
#define HEAD_BYTES 512

#define TRIES_ATTR   "user.sluice.tries"
#define WRAPPED_ATTR "user.sluice.wrapped"

static struct wall
wall_of(struct timespec ts)
{
	return (struct wall){
	    (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000};
}

static int
stat_at(int dirfd, const char *name, struct stat *ret_st)
{
	return fstatat(dirfd, name, ret_st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno
								     : 0;
}

/* What sendmail itself compares before it believes a lock. */
static bool
is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_nlink == b->st_nlink && a->st_uid == b->st_uid &&
	       a->st_gid == b->st_gid && a->st_size == b->st_size;
}

static int
lock_once(int dirfd, const char *name, int *ret_fd, struct stat *ret_st)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat by_name;
	int r;

	fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | LOCK_NB)) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	r = stat_at(dirfd, name, &by_name);
	if (r < 0)
		return r;
	if (fstat(fd, ret_st) < 0)
		return -errno;
	if (!is_same_file(ret_st, &by_name))
		return -ESTALE;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/*
 * Open and lock a regular file.  A file that is replaced at every try belongs
 * to somebody who is busy with it.
 */
static int
lock_file(int dirfd, const char *name, int *ret_fd, struct stat *ret_st)
{
	int r = -ESTALE;

	for (int i = 0; i < 3 && r == -ESTALE; i++)
		r = lock_once(dirfd, name, ret_fd, ret_st);
	return r == -ESTALE ? -EBUSY : r;
}

/* A "d" record: the df lies in another directory. */
static bool
has_d_record(const char *head, size_t len)
{
	return memmem(head, len, "\nd", 2) != NULL;
}

static int
check_text(int fd, uint64_t size, const char **ret_reason)
{
	char head[HEAD_BYTES], tail[3];
	size_t len = size < sizeof(head) ? (size_t)size : sizeof(head);
	int r;

	if (size < sizeof(tail))
		return -EAGAIN;
	r = pread_all(fd, tail, sizeof(tail), size - sizeof(tail));
	if (r == 0)
		r = pread_all(fd, head, len, 0);
	if (r < 0)
		return r;
	if (memcmp(tail, "\n.\n", sizeof(tail)) != 0)
		return -EAGAIN;
	if (has_d_record(head, len)) {
		*ret_reason = "df in another directory (d record): several "
			      "queue groups";
		return -EBADMSG;
	}
	return 0;
}

/* -ENOENT: no df; -EBADMSG: something else in its place. */
static int
look_at_df(const struct spool *spool, struct claim *claim)
{
	char name[PAIR_NAME_SIZE];
	struct stat st;
	int r;

	r = stat_at(
	    spool->fds[claim->dir], pair_name(name, "df", claim->id), &st);
	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	claim->df_bytes = (uint64_t)st.st_size;
	claim->df_inode = (uint64_t)st.st_ino;
	return 0;
}

static void
fill(struct claim *claim, enum spool_dir dir, const char *id,
    const struct stat *st)
{
	*claim = (struct claim){.dir = dir, .qf_fd = -1};
	memcpy(claim->id, id, strlen(id) + 1);
	claim->qf_bytes = (uint64_t)st->st_size;
	claim->arrived = wall_of(st->st_mtim);
}

/* The checks that need no lock, for a file that may not even be opened. */
static int
look_at_qf(int dirfd, const char *name, const char **ret_reason)
{
	struct stat st;
	int r;

	r = stat_at(dirfd, name, &st);
	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode)) {
		*ret_reason = "qf is not a regular file";
		return -EBADMSG;
	}
	return st.st_size == 0 ? -EAGAIN : 0;
}

static int
check_claim(const struct spool *spool, struct claim *claim, int fd,
    const struct stat *st, const char **ret_reason)
{
	int r;

	if (st->st_size == 0)
		return -EAGAIN;
	if (st->st_nlink != 1) {
		*ret_reason = "qf has several names";
		return -EBADMSG;
	}
	r = check_text(fd, (uint64_t)st->st_size, ret_reason);
	if (r < 0)
		return r;
	r = look_at_df(spool, claim);
	if (r == -ENOENT)
		*ret_reason = "qf without df";
	else if (r == -EBADMSG)
		*ret_reason = "df is not a regular file";
	return r == -ENOENT ? -EBADMSG : r;
}

int
claim_take(const struct spool *spool, enum spool_dir dir, const char *id,
    struct claim *ret_claim, const char **ret_reason)
{
	CLEANUP(close_fd) int fd = -1;
	char name[PAIR_NAME_SIZE];
	struct claim claim;
	struct stat st;
	int r;

	assert(dir < spool_dirs(spool) && spool_id_of(id, ""));
	pair_name(name, "qf", id);
	r = look_at_qf(spool->fds[dir], name, ret_reason);
	if (r < 0)
		return r;
	r = lock_file(spool->fds[dir], name, &fd, &st);
	if (r == 0)
		r = mend_wrap(spool, dir, id, fd);
	if (r < 0)
		return r;
	fill(&claim, dir, id, &st);
	r = check_claim(spool, &claim, fd, &st, ret_reason);
	if (r < 0)
		return r;
	claim.qf_fd = TAKE_FD(fd);
	*ret_claim = claim;
	return 0;
}

int
claim_take_broken(const struct spool *spool, enum spool_dir dir, const char *id,
    struct claim *ret_claim)
{
	CLEANUP(close_fd) int fd = -1;
	char name[PAIR_NAME_SIZE];
	struct claim claim;
	struct stat st;
	int r;

	assert(dir < spool_dirs(spool) && spool_id_of(id, ""));
	pair_name(name, "qf", id);
	r = stat_at(spool->fds[dir], name, &st);
	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	r = lock_file(spool->fds[dir], name, &fd, &st);
	if (r == 0)
		r = mend_wrap(spool, dir, id, fd);
	if (r < 0)
		return r;
	fill(&claim, dir, id, &st);
	r = look_at_df(spool, &claim);
	if (r < 0 && r != -ENOENT && r != -EBADMSG)
		return r;
	claim.qf_fd = TAKE_FD(fd);
	*ret_claim = claim;
	return 0;
}

bool
claim_is_stale(const struct spool *spool, enum spool_dir dir, const char *id,
    struct wall now)
{
	CLEANUP(close_fd) int fd = -1;
	char name[PAIR_NAME_SIZE];
	struct stat st;
	struct wall last;

	assert(dir < spool_dirs(spool) && spool_id_of(id, ""));
	pair_name(name, "qf", id);
	if (stat_at(spool->fds[dir], name, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	last = wall_of(st.st_mtim);
	if (wall_of(st.st_ctim).usec > last.usec)
		last = wall_of(st.st_ctim);
	if (now.usec < last.usec || now.usec - last.usec < STALE_USEC)
		return false;
	return lock_file(spool->fds[dir], name, &fd, &st) == 0;
}

void
claim_drop(struct claim *claim)
{
	close_fd(&claim->qf_fd);
	claim->qf_fd = -1;
}

int
tries_read(const struct claim *claim, struct tries *ret_tries)
{
	char text[32];
	struct tries t = {0};
	ssize_t n;
	int end = 0;

	n = fgetxattr(claim->qf_fd, TRIES_ATTR, text, sizeof(text) - 1);
	if (n < 0 && errno != ENODATA && errno != ERANGE)
		return -errno;
	text[n < 0 ? 0 : n] = '\0';
	if (sscanf(text, "%" SCNu32 " %" SCNu32 "%n", &t.died, &t.begun,
		&end) != 2 ||
	    end != n)
		t = (struct tries){0};
	*ret_tries = t;
	return 0;
}

bool
tries_known(const struct claim *claim)
{
	return fgetxattr(claim->qf_fd, TRIES_ATTR, NULL, 0) >= 0 ||
	       errno != ENODATA;
}

int
tries_write(const struct claim *claim, struct tries tries)
{
	char text[32];
	int n;

	n = snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32, tries.died,
	    tries.begun);
	return fsetxattr(claim->qf_fd, TRIES_ATTR, text, (size_t)n, 0) < 0
		   ? -errno
		   : 0;
}

int
wrapped_read(int qf_fd, bool *ret_is_wrapped)
{
	ssize_t n = fgetxattr(qf_fd, WRAPPED_ATTR, NULL, 0);

	if (n < 0 && errno != ENODATA)
		return -errno;
	*ret_is_wrapped = n >= 0;
	return 0;
}

int
wrapped_write(int qf_fd)
{
	return fsetxattr(qf_fd, WRAPPED_ATTR, "1", 1, 0) < 0 ? -errno : 0;
}
