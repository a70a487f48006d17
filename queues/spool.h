/*
 * queues/spool.h - the directories in which messages live.
 *
 * A message is a pair, df<ID> (body) and qf<ID> (envelope and headers).  It
 * exists if and only if its qf does; its qf is in exactly one of these
 * directories (docs/queue-states.md).
 */
#ifndef SLUICE_QUEUES_SPOOL_H
#define SLUICE_QUEUES_SPOOL_H

#include <stdbool.h>
#include <stddef.h>

#define SPOOL_MAX_FEEDS 64

/* feedK is SPOOL_FEED1 + K - 1. */
enum spool_dir {
	SPOOL_IN,
	SPOOL_OUT,
	SPOOL_VIRUS,
	SPOOL_EXT,
	SPOOL_SPAM,
	SPOOL_ERROR,
	SPOOL_FEED1,
	SPOOL_MAX = SPOOL_FEED1 + SPOOL_MAX_FEEDS
};

/* Longest queue id that is taken: sendmail 8.17 makes 14 (8.12: 14). */
#define QUEUE_ID_MAX 32

struct spool {
	char *path;
	size_t feeds;       /* N */
	int fds[SPOOL_MAX]; /* O_DIRECTORY; -1 beyond feedN */
	int journal_fd;     /* the directory journal/ */
};

/*
 * Open the spool at path and prove that it can keep mail safe: all
 * directories there, real directories (no links), in one mount of one local
 * file system (no NFS, no FUSE, no tmpfs), owned by us (root may open any),
 * not writable for everybody, with flock(2), hard links, RENAME_NOREPLACE and
 * user extended attributes that work (tried on a file in journal/ whose name
 * begins with a dot, removed again).
 *
 * err  on failure: one line that names the path and says what to do
 * Returns 0; -EINVAL: feeds out of range; -ENOENT, -ENOTDIR (also for a link),
 * -EPERM (owner, mode), -EXDEV (several file systems or mounts), -ENOTSUP (a
 * kind of file system that cannot be trusted), or -errno.  Blocks on disk.
 */
int spool_open(const char *path, size_t feeds, struct spool **ret_spool,
    char *err, size_t err_size);
/* Is that an error of spool_open() that lasts until somebody changes the
 * set-up, so that trying again is of no use? */
bool spool_is_misplaced(int error);
struct spool *spool_free(struct spool *spool);
void spool_freep(struct spool **spool);

/* "in", "feed3", ...; valid for ever.  dir must be below SPOOL_MAX. */
const char *spool_dir_name(enum spool_dir dir);

/* The reverse; -EINVAL for any other text. */
int spool_dir_parse(const char *name, enum spool_dir *ret_dir);

/* How many directories this spool has: SPOOL_FEED1 + feeds. */
size_t spool_dirs(const struct spool *spool);

/*
 * Is name "qf" (or "df", by prefix) and a well-formed queue id?  Returns the
 * id inside name, or NULL: alphanumeric, 1 .. QUEUE_ID_MAX characters.
 */
const char *spool_id_of(const char *name, const char *prefix);

#endif
