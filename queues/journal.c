#include "queues/journal.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>

struct journal {
	int fd;
	uint64_t end;    /* behind the last whole line */
	uint64_t synced; /* up to here it is on disk */
	bool is_torn;    /* something half-written may lie behind end */
	bool is_suspect; /* a sync failed: the kernel may have dropped pages */
};

static bool
is_journal_name(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/');
}

/* Write at end, going on after short writes.  0 or -errno. */
static int
write_at_end(struct journal *j, struct iovec *iov, int n)
{
	uint64_t off = j->end;

	while (n > 0) {
		ssize_t w = pwritev(j->fd, iov, n, (off_t)off);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w < 0 ? -errno : -EIO;
		off += (uint64_t)w;
		while (n > 0 && (size_t)w >= iov->iov_len) {
			w -= (ssize_t)iov->iov_len;
			iov++;
			n--;
		}
		if (n > 0) {
			iov->iov_base = (char *)iov->iov_base + w;
			iov->iov_len -= (size_t)w;
		}
	}
	j->end = off;
	return 0;
}

static int
cut_torn(struct journal *j)
{
	if (!j->is_torn)
		return 0;
	if (TEMP_FAILURE_RETRY(ftruncate(j->fd, (off_t)j->end)) < 0)
		return -errno;
	j->is_torn = false;
	return 0;
}

int
journal_append(struct journal *journal, const char *line)
{
	struct iovec iov[2] = {{NULL, strlen(line)}, {NULL, 1}};
	const char *newline = "\n";
	int r;

	assert(!strchr(line, '\n'));
	memcpy(&iov[0].iov_base, &line, sizeof(line)); /* it is only read */
	memcpy(&iov[1].iov_base, &newline, sizeof(newline));
	r = cut_torn(journal);
	if (r < 0)
		return r;
	r = write_at_end(journal, iov, 2);
	if (r < 0) {
		journal->is_torn = true;
		(void)cut_torn(journal); /* else before the next line */
	}
	return r;
}

/*
 * After a failed sync Linux holds the pages for clean and would report the
 * next sync as a success.  Written once more, they are dirty again.
 */
static int
rewrite_unsynced(struct journal *j)
{
	CLEANUP(free_ptr) char *buf = NULL;
	size_t len = (size_t)(j->end - j->synced);
	struct iovec iov;
	int r;

	if (len == 0)
		return 0;
	buf = malloc(len);
	if (!buf)
		return -ENOMEM;
	r = pread_all(j->fd, buf, len, j->synced);
	if (r < 0)
		return r;
	iov = (struct iovec){buf, len};
	j->end = j->synced;
	r = write_at_end(j, &iov, 1);
	j->end = j->synced + len; /* the old octets are still there */
	return r;
}

int
journal_sync(struct journal *journal)
{
	int r = 0;

	if (journal->is_suspect)
		r = rewrite_unsynced(journal);
	if (r == 0 && TEMP_FAILURE_RETRY(fdatasync(journal->fd)) < 0)
		r = -errno;
	journal->is_suspect = r < 0;
	if (r == 0)
		journal->synced = journal->end;
	return r;
}

/* End a line that a crash cut off, so that the next one stands alone. */
static int
close_last_line(struct journal *j)
{
	char last, newline[] = "\n";
	struct iovec iov = {newline, 1};
	int r;

	if (j->end == 0)
		return 0;
	r = pread_all(j->fd, &last, 1, j->end - 1);
	if (r < 0 || last == '\n')
		return r;
	return write_at_end(j, &iov, 1);
}

static int
take_over(struct journal *j)
{
	struct stat st;
	int r;

	if (TEMP_FAILURE_RETRY(flock(j->fd, LOCK_EX | LOCK_NB)) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (fstat(j->fd, &st) < 0)
		return -errno;
	j->end = (uint64_t)st.st_size;
	r = close_last_line(j);
	if (r < 0)
		return r;
	j->synced = j->end;
	return TEMP_FAILURE_RETRY(fdatasync(j->fd)) < 0 ? -errno : 0;
}

/* A journal that root makes is its directory's owner's and group's: the next
 * writer and the ledger's reader need not be root. */
static int
give_away(int fd, int dir_fd)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (fstat(dir_fd, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) < 0)
		return -errno;
	return 0;
}

int
journal_open(
    const struct spool *spool, const char *name, struct journal **ret_journal)
{
	CLEANUP(journal_closep) struct journal *j = NULL;
	int r;

	assert(is_journal_name(name));
	j = xcalloc(1, sizeof(*j));
	j->fd = openat(spool->journal_fd, name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (j->fd < 0)
		return -errno;
	r = give_away(j->fd, spool->journal_fd);
	if (r == 0)
		r = take_over(j);
	if (r < 0)
		return r;
	/* The name must be as durable as what is written under it. */
	if (TEMP_FAILURE_RETRY(fsync(spool->journal_fd)) < 0)
		return -errno;
	*ret_journal = TAKE_PTR(j);
	return 0;
}

struct journal *
journal_close(struct journal *journal)
{
	if (!journal)
		return NULL;
	close_fd(&journal->fd);
	free(journal);
	return NULL;
}

void
journal_closep(struct journal **journal)
{
	*journal = journal_close(*journal);
}
