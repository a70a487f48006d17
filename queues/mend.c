#include "queues/mend_priv.h"

#include "queues/claim.h"
#include "queues/names_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

static int
unlink_if_there(int dirfd, const char *prefix, const char *id)
{
	char name[PAIR_NAME_SIZE];

	pair_name(name, prefix, id);
	if (TEMP_FAILURE_RETRY(unlinkat(dirfd, name, 0)) < 0)
		return errno == ENOENT ? 0 : -errno;
	return 0;
}

/*
 * The qf is the new one, but perhaps only in memory: were of unlinked on disk
 * before the qf is renamed there, a power failure would leave the old qf and
 * the new df, and the original nowhere.
 */
static int
go_on(int dirfd, const char *id)
{
	int r = sync_dir(dirfd);

	if (r == 0)
		r = unlink_if_there(dirfd, "of", id);
	return r < 0 ? r : sync_dir(dirfd);
}

static int
go_back(int dirfd, const char *id, const struct stat *of_st)
{
	char df[PAIR_NAME_SIZE], of[PAIR_NAME_SIZE];
	struct stat st;
	int r;

	/* Before of, whose being there is what brings us here. */
	r = unlink_if_there(dirfd, "nf", id);
	if (r == 0)
		r = unlink_if_there(dirfd, "tf", id);
	if (r < 0)
		return r;
	pair_name(df, "df", id);
	pair_name(of, "of", id);
	if (fstatat(dirfd, df, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == of_st->st_dev && st.st_ino == of_st->st_ino)
		/* Not replaced yet; and rename(2) does nothing with two names
		 * of one file. */
		r = unlink_if_there(dirfd, "of", id);
	else if (TEMP_FAILURE_RETRY(renameat(dirfd, of, dirfd, df)) < 0)
		r = -errno;
	return r < 0 ? r : sync_dir(dirfd);
}

int
mend_wrap(
    const struct spool *spool, enum spool_dir dir, const char *id, int qf_fd)
{
	char of[PAIR_NAME_SIZE];
	bool is_wrapped;
	struct stat st;
	int r;

	if (dir < SPOOL_FEED1)
		return 0;
	pair_name(of, "of", id);
	if (fstatat(spool->fds[dir], of, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = wrapped_read(qf_fd, &is_wrapped);
	if (r < 0)
		return r;
	return is_wrapped ? go_on(spool->fds[dir], id)
			  : go_back(spool->fds[dir], id, &st);
}
