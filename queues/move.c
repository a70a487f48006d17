#include "queues/move.h"

#include "common/cleanup.h"
#include "queues/journal.h"
#include "queues/names_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/* One call of move_batch(). */
struct batch {
	const struct spool *spool;
	struct move *moves;
	size_t n;
	bool *is_linked; /* this call made the target's df */
};

static int
dir_fd(const struct batch *b, enum spool_dir dir)
{
	return b->spool->fds[dir];
}

/* Every directory that a message still on its way leaves, or enters. */
static int
sync_dirs(const struct batch *b, bool is_target)
{
	bool is_done[SPOOL_MAX] = {false};

	for (size_t i = 0; i < b->n; i++) {
		const struct move *m = &b->moves[i];
		enum spool_dir dir = is_target ? m->to : m->claim->dir;
		int r;

		if (m->result < 0 || is_done[dir])
			continue;
		r = sync_dir(dir_fd(b, dir));
		if (r < 0)
			return r;
		is_done[dir] = true;
	}
	return 0;
}

/* A df is there already: is it ours, left by a move that a crash ended? */
static int
check_twin(int from, int to, const char *df)
{
	struct stat a, b;

	if (fstatat(to, df, &b, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (fstatat(from, df, &a, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -EEXIST : -errno;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino ? 0 : -EEXIST;
}

/* A qf without df must not find a stranger's df at its target. */
static int
check_no_df(int to, const char *df)
{
	struct stat st;

	if (fstatat(to, df, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return errno == ENOENT ? 0 : -errno;
}

static int
link_df(const struct batch *b, size_t i)
{
	const struct claim *claim = b->moves[i].claim;
	int from = dir_fd(b, claim->dir), to = dir_fd(b, b->moves[i].to);
	char df[PAIR_NAME_SIZE];

	pair_name(df, "df", claim->id);
	if (claim->df_inode == 0)
		return check_no_df(to, df);
	if (TEMP_FAILURE_RETRY(linkat(from, df, to, df, 0)) == 0) {
		b->is_linked[i] = true;
		return 0;
	}
	return errno == EEXIST ? check_twin(from, to, df) : -errno;
}

static void
undo_link(const struct batch *b, size_t i)
{
	char df[PAIR_NAME_SIZE];

	if (!b->is_linked[i])
		return;
	/* If this fails the twin stays, and recovery removes it. */
	(void)TEMP_FAILURE_RETRY(unlinkat(dir_fd(b, b->moves[i].to),
	    pair_name(df, "df", b->moves[i].claim->id), 0));
	b->is_linked[i] = false;
}

/* Everything that can be known to be wrong before a line is written. */
static int
prepare(const struct batch *b, size_t i)
{
	const struct move *m = &b->moves[i];
	char qf[PAIR_NAME_SIZE];
	struct stat st;

	if (m->to >= spool_dirs(b->spool) || m->to == m->claim->dir)
		return -EINVAL;
	pair_name(qf, "qf", m->claim->id);
	if (fstatat(dir_fd(b, m->to), qf, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	if (errno != ENOENT)
		return -errno;
	if (fstatat(dir_fd(b, m->claim->dir), qf, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return link_df(b, i);
}

static int
write_journal(const struct batch *b, struct journal *journal)
{
	for (size_t i = 0; i < b->n; i++) {
		int r;

		if (b->moves[i].result < 0)
			continue;
		r = journal_append(journal, b->moves[i].line);
		if (r < 0)
			return r;
	}
	return journal_sync(journal);
}

static bool
is_any_left(const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->moves[i].result == 0)
			return true;
	return false;
}

static void
give_up(const struct batch *b, int r)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->moves[i].result < 0)
			continue;
		undo_link(b, i);
		b->moves[i].result = r;
	}
}

static void
rename_qf(const struct batch *b, size_t i)
{
	struct move *m = &b->moves[i];
	int from = dir_fd(b, m->claim->dir), to = dir_fd(b, m->to);
	char qf[PAIR_NAME_SIZE];

	pair_name(qf, "qf", m->claim->id);
	if (TEMP_FAILURE_RETRY(renameat2(from, qf, to, qf, RENAME_NOREPLACE)) ==
	    0)
		return;
	m->result = -errno;
	undo_link(b, i);
}

/* Here the messages are in their targets: only confirm, then tidy up. */
static int
finish(const struct batch *b)
{
	char df[PAIR_NAME_SIZE];
	int r;

	r = sync_dirs(b, true);
	if (r == 0)
		r = sync_dirs(b, false);
	if (r < 0)
		return r;
	for (size_t i = 0; i < b->n; i++) {
		const struct claim *claim = b->moves[i].claim;

		if (b->moves[i].result < 0 || claim->df_inode == 0)
			continue;
		/* If this fails the twin stays, and recovery removes it. */
		(void)TEMP_FAILURE_RETRY(unlinkat(
		    dir_fd(b, claim->dir), pair_name(df, "df", claim->id), 0));
	}
	return 0;
}

static int
first_error(const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->moves[i].result < 0)
			return b->moves[i].result;
	return 0;
}

int
move_batch(const struct spool *spool, struct journal *journal,
    struct move *moves, size_t n)
{
	CLEANUP(free_ptr) bool *is_linked = calloc(n ? n : 1, sizeof(bool));
	struct batch b = {spool, moves, n, is_linked};
	int r;

	for (size_t i = 0; i < n; i++)
		moves[i].result = is_linked ? prepare(&b, i) : -ENOMEM;
	if (!is_any_left(&b))
		return first_error(&b);
	r = write_journal(&b, journal);
	if (r == 0)
		r = sync_dirs(&b, true);
	if (r < 0) {
		give_up(&b, r);
		return r;
	}
	for (size_t i = 0; i < n; i++)
		if (moves[i].result == 0)
			rename_qf(&b, i);
	r = finish(&b);
	return r < 0 ? r : first_error(&b);
}
