#include "queues/recover.h"

#include "common/cleanup.h"
#include "queues/claim.h"
#include "queues/departed_priv.h"
#include "queues/names_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* Far above the time that a move takes from its journal line to its rename. */
#define QUIET_USEC (60 * USEC_PER_SEC)

static void
close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int
stat_at(int dirfd, const char *name, struct stat *ret_st)
{
	return fstatat(dirfd, name, ret_st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno
								     : 0;
}

static int
stat_pair(const struct spool *spool, enum spool_dir dir, const char *prefix,
    const char *id, struct stat *ret_st)
{
	char name[PAIR_NAME_SIZE];

	return stat_at(spool->fds[dir], pair_name(name, prefix, id), ret_st);
}

static int
remove_name(const struct spool *spool, enum spool_dir dir, const char *prefix,
    const char *id, uint64_t *count)
{
	char name[PAIR_NAME_SIZE];

	if (unlinkat(spool->fds[dir], pair_name(name, prefix, id), 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	++*count;
	return 0;
}

/*
 * df<ID> in dir has no qf beside it, but one in other.  Under the lock of
 * that qf nobody moves the message, so the two df can be compared.
 */
static int
settle_twin(const struct spool *spool, enum spool_dir dir, enum spool_dir other,
    const char *id, struct recovery *rec)
{
	CLEANUP(claim_drop) struct claim claim = {.qf_fd = -1};
	struct stat here, there;
	int r;

	r = claim_take_broken(spool, other, id, &claim);
	if (r == -EBUSY || r == -ENOENT) {
		rec->skipped++; /* alive: it is sent or moved right now */
		return 0;
	}
	if (r < 0) {
		rec->orphan_df++; /* the qf is a directory or the like */
		return 0;
	}
	r = stat_pair(spool, dir, "df", id, &here);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = stat_pair(spool, other, "df", id, &there);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT || here.st_dev != there.st_dev ||
	    here.st_ino != there.st_ino) {
		rec->orphan_df++;
		return 0;
	}
	return remove_name(spool, dir, "df", id, &rec->extra_df);
}

/*
 * No qf at all.  If the journals say that the message left dir by a move of
 * ours, its qf was renamed away and the message has gone on since, and this
 * is what a crash before the unlink left.
 *
 * What must not happen is to take the df from under a move that runs now: its
 * qf may have been where we looked too early or too late.  Such a move has
 * linked the df, so that it has two names, before it renames the qf; hence
 * nlink first, then the qf.  With several names (two crashes, a split
 * envelope) the message must not have moved for a while.
 */
static int
settle_orphan(const struct spool *spool, enum spool_dir dir, const char *id,
    struct recovery *rec)
{
	struct wall last;
	struct stat st;
	int r;

	r = stat_pair(spool, dir, "df", id, &st);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!S_ISREG(st.st_mode) || !departed_from(spool, dir, id, &last) ||
	    (st.st_nlink != 1 && wall_now().usec < last.usec + QUIET_USEC)) {
		rec->orphan_df++;
		return 0;
	}
	if (stat_pair(spool, dir, "qf", id, &st) != -ENOENT)
		return 0;
	return remove_name(spool, dir, "df", id, &rec->extra_df);
}

static int
settle_df(const struct spool *spool, enum spool_dir dir, const char *id,
    struct recovery *rec)
{
	struct stat st;
	int r;

	r = stat_pair(spool, dir, "qf", id, &st);
	if (r != -ENOENT)
		return r; /* the ordinary case: a pair */
	for (size_t i = 0; i < spool_dirs(spool); i++) {
		if (i == dir)
			continue;
		r = stat_pair(spool, (enum spool_dir)i, "qf", id, &st);
		if (r == 0)
			return settle_twin(
			    spool, dir, (enum spool_dir)i, id, rec);
		if (r != -ENOENT)
			return r;
	}
	return settle_orphan(spool, dir, id, rec);
}

/*
 * A tf of ours, or an nf, is made and renamed under the lock of the qf beside
 * it; with that lock, or without any qf, its maker is dead.
 */
static int
settle_tf(const struct spool *spool, enum spool_dir dir, const char *prefix,
    const char *id, struct recovery *rec)
{
	CLEANUP(claim_drop) struct claim claim = {.qf_fd = -1};
	int r;

	r = claim_take_broken(spool, dir, id, &claim);
	if (r == -EBUSY) {
		rec->skipped++;
		return 0;
	}
	if (r < 0 && r != -ENOENT)
		return 0; /* no message of ours: not our tf */
	return remove_name(spool, dir, prefix, id, &rec->stale_tf);
}

/*
 * An original whose wrap did not end: to claim the message puts it right.
 * Nothing of ours takes a qf away from beside it, so without one it is
 * somebody else's affair.
 */
static int
settle_of(const struct spool *spool, enum spool_dir dir, const char *id,
    struct recovery *rec)
{
	CLEANUP(claim_drop) struct claim claim = {.qf_fd = -1};
	int r = claim_take_broken(spool, dir, id, &claim);

	if (r == -EBUSY)
		rec->skipped++;
	else if (r == -ENOENT || r == -EISDIR || r == -EINVAL)
		rec->orphan_df++;
	else if (r < 0)
		return r;
	else
		rec->wraps++;
	return 0;
}

/* in/ and out/ belong to a sendmail as well, which makes tf of its own. */
static bool
is_ours_alone(enum spool_dir dir)
{
	return dir != SPOOL_IN && dir != SPOOL_OUT;
}

static int
settle(const struct spool *spool, enum spool_dir dir, const char *name,
    struct recovery *rec)
{
	const char *id = spool_id_of(name, "df");

	if (id)
		return settle_df(spool, dir, id, rec);
	if (!is_ours_alone(dir))
		return 0;
	id = spool_id_of(name, "of");
	if (id && dir >= SPOOL_FEED1)
		return settle_of(spool, dir, id, rec);
	id = spool_id_of(name, "tf");
	if (id)
		return settle_tf(spool, dir, "tf", id, rec);
	id = spool_id_of(name, "nf");
	return id ? settle_tf(spool, dir, "nf", id, rec) : 0;
}

static int
recover_dir(const struct spool *spool, enum spool_dir dir, struct recovery *rec)
{
	CLEANUP(close_dir) DIR *d = NULL;
	CLEANUP(close_fd) int fd = -1;
	const struct dirent *e;
	int r = 0;

	/* Opened anew: the spool's own descriptor keeps its position. */
	fd = openat(spool->fds[dir], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d)
		return -errno;
	(void)TAKE_FD(fd); /* the stream's now */
	errno = 0;
	while (r == 0 && (e = readdir(d))) {
		r = settle(spool, dir, e->d_name, rec);
		errno = 0;
	}
	return r == 0 && errno ? -errno : r;
}

int
recover_spool(const struct spool *spool, struct recovery *ret_recovery)
{
	struct recovery rec = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < spool_dirs(spool); i++)
		r = recover_dir(spool, (enum spool_dir)i, &rec);
	if (r == 0)
		*ret_recovery = rec;
	return r;
}
