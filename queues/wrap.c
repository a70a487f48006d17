#include "queues/wrap.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/mend_priv.h"
#include "queues/message_priv.h"
#include "queues/names_priv.h"
#include "queues/qf.h"
#include "queues/rewrite_priv.h"
#include "queues/wrap_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* One call of wrap_message(). */
struct wrap {
	const struct spool *spool;
	const struct claim *claim;
	int dirfd;
	struct qf *qf; /* the old one, */
	char *old_qf;  /* its text, */
	size_t old_len;
	int df; /* and the old df */
	struct wrap_form form;
	char *new_qf;
	size_t new_len;
	int nf, tf; /* the new df and qf, before they are */
	char df_name[PAIR_NAME_SIZE], nf_name[PAIR_NAME_SIZE];
	char qf_name[PAIR_NAME_SIZE], tf_name[PAIR_NAME_SIZE];
	char of_name[PAIR_NAME_SIZE];
};

static void
wrap_init(struct wrap *w, const struct spool *spool, const struct claim *claim)
{
	*w = (struct wrap){.spool = spool,
	    .claim = claim,
	    .dirfd = spool->fds[claim->dir],
	    .df = -1,
	    .nf = -1,
	    .tf = -1};
	pair_name(w->df_name, "df", claim->id);
	pair_name(w->nf_name, "nf", claim->id);
	pair_name(w->qf_name, "qf", claim->id);
	pair_name(w->tf_name, "tf", claim->id);
	pair_name(w->of_name, "of", claim->id);
}

static void
wrap_done(struct wrap *w)
{
	close_fd(&w->df);
	close_fd(&w->nf);
	close_fd(&w->tf);
	(void)qf_free(w->qf);
	free(w->old_qf);
	free(w->new_qf);
}

/* Read everything, change nothing. */
static int
read_original(struct wrap *w, const char **ret_reason)
{
	int r;

	r = read_fd(w->claim->qf_fd, QF_MAX_BYTES, &w->old_qf, &w->old_len);
	if (r == 0)
		r = qf_parse(w->old_qf, w->old_len, &w->qf, ret_reason);
	if (r == 0)
		r = message_open_df(w->spool, w->claim, &w->df, ret_reason);
	if (r == 0)
		r = wrap_look(w->qf, w->df, w->claim->df_bytes, &w->form);
	if (r == 0)
		r = wrap_make_qf(
		    w->old_qf, w->old_len, &w->form, &w->new_qf, &w->new_len);
	return r == 0 && w->new_len > QF_MAX_BYTES ? -EFBIG : r;
}

static int
drop_twin(const struct wrap *w, int dirfd, const struct stat *df)
{
	struct stat st;

	if (fstatat(dirfd, w->df_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_dev != df->st_dev || st.st_ino != df->st_ino)
		return 0;
	if (TEMP_FAILURE_RETRY(unlinkat(dirfd, w->df_name, 0)) < 0)
		return -errno;
	return sync_dir(dirfd);
}

/*
 * A move that a crash cut short leaves a second name of the df in another
 * directory, which recovery, or the next move there, knows by its inode.  Once
 * the df is another file nobody would know it any more.  With the lock of the
 * qf such a name is nobody's.
 */
static int
drop_twins(const struct wrap *w)
{
	struct stat st;

	if (fstat(w->df, &st) < 0)
		return -errno;
	if (st.st_nlink == 1)
		return 0;
	for (size_t i = 0; i < spool_dirs(w->spool); i++) {
		int r = 0;

		if (i != (size_t)w->claim->dir)
			r = drop_twin(w, w->spool->fds[i], &st);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
sync_file(int fd)
{
	return TEMP_FAILURE_RETRY(fsync(fd)) < 0 ? -errno : 0;
}

static int
make_nf(struct wrap *w, const char *text)
{
	struct stat st;
	int r = rewrite_create(w->dirfd, w->nf_name, &w->nf);

	if (r == 0)
		r = wrap_write_body(
		    w->nf, w->qf, w->df, w->claim->df_bytes, text, &w->form);
	if (r == 0 && fstat(w->df, &st) < 0)
		r = -errno;
	if (r == 0)
		r = rewrite_copy_owner(&st, w->nf);
	return r < 0 ? r : sync_file(w->nf);
}

/* With the mark before its sync: it is part of the commit. */
static int
make_tf(struct wrap *w)
{
	int r = rewrite_create(w->dirfd, w->tf_name, &w->tf);

	if (r == 0)
		r = rewrite_lock(w->tf);
	if (r == 0)
		r = write_all(w->tf, w->new_qf, w->new_len);
	if (r == 0)
		r = wrapped_write(w->tf);
	if (r == 0)
		r = rewrite_copy_status(w->claim, w->tf);
	return r < 0 ? r : sync_file(w->tf);
}

/*
 * Up to the commit.  Each name is on disk before the next one changes, so
 * that a crash leaves one of the states that mend_wrap() knows.
 */
static int
replace(const struct wrap *w)
{
	const int dir = w->dirfd;
	int r;

	if (TEMP_FAILURE_RETRY(linkat(dir, w->df_name, dir, w->of_name, 0)) < 0)
		return -errno;
	r = sync_dir(dir);
	if (r < 0)
		return r;
	if (TEMP_FAILURE_RETRY(renameat(dir, w->nf_name, dir, w->df_name)) < 0)
		return -errno;
	r = sync_dir(dir);
	if (r < 0)
		return r;
	if (TEMP_FAILURE_RETRY(renameat(dir, w->tf_name, dir, w->qf_name)) < 0)
		return -errno;
	return 0;
}

/* If that fails as well, the next claim does it. */
static void
undo(const struct wrap *w)
{
	(void)TEMP_FAILURE_RETRY(unlinkat(w->dirfd, w->nf_name, 0));
	(void)TEMP_FAILURE_RETRY(unlinkat(w->dirfd, w->tf_name, 0));
	(void)mend_wrap(w->spool, w->claim->dir, w->claim->id, w->claim->qf_fd);
}

/* The new qf is there: its lock and its numbers are the claim's. */
static int
take_over(struct wrap *w, struct claim *claim)
{
	struct stat st;

	if (fstat(w->nf, &st) < 0)
		return -errno;
	claim_drop(claim);
	claim->qf_fd = TAKE_FD(w->tf);
	claim->qf_bytes = w->new_len;
	claim->df_bytes = (uint64_t)st.st_size;
	claim->df_inode = (uint64_t)st.st_ino;
	return 0;
}

static int
change(struct wrap *w, struct claim *claim, const char *text)
{
	int r = drop_twins(w);

	if (r < 0)
		return r;
	r = make_nf(w, text);
	if (r == 0)
		r = make_tf(w);
	if (r == 0)
		r = replace(w);
	if (r < 0) {
		undo(w);
		return r;
	}
	r = take_over(w, claim);
	/* The new qf has the mark: this syncs, and takes of away. */
	return r < 0 ? r
		     : mend_wrap(w->spool, claim->dir, claim->id, claim->qf_fd);
}

int
wrap_message(const struct spool *spool, struct claim *claim, const char *text,
    const char **ret_reason)
{
	bool is_wrapped;
	struct wrap w;
	int r;

	if (claim->dir < SPOOL_FEED1 || claim->df_inode == 0 ||
	    strlen(text) > WRAP_TEXT_MAX)
		return -EINVAL;
	r = wrapped_read(claim->qf_fd, &is_wrapped);
	if (r < 0)
		return r;
	if (is_wrapped)
		return -EALREADY;
	wrap_init(&w, spool, claim);
	r = read_original(&w, ret_reason);
	if (r == 0)
		r = change(&w, claim, text);
	wrap_done(&w);
	return r;
}
