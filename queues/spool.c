#include "queues/spool.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "queues/probe_priv.h"

static const char *const dir_names[SPOOL_FEED1] = {
    [SPOOL_IN] = "in",
    [SPOOL_OUT] = "out",
    [SPOOL_VIRUS] = "virus",
    [SPOOL_EXT] = "ext",
    [SPOOL_SPAM] = "spam",
    [SPOOL_ERROR] = "error",
};

#define FEED9(n) \
	"feed" #n "1", "feed" #n "2", "feed" #n "3", "feed" #n "4", \
	    "feed" #n "5", "feed" #n "6", "feed" #n "7", "feed" #n "8", \
	    "feed" #n "9"

static const char *const feed_names[SPOOL_MAX_FEEDS] = {
    FEED9(),
    "feed10",
    FEED9(1),
    "feed20",
    FEED9(2),
    "feed30",
    FEED9(3),
    "feed40",
    FEED9(4),
    "feed50",
    FEED9(5),
    "feed60",
    "feed61",
    "feed62",
    "feed63",
    "feed64",
};

const char *
spool_dir_name(enum spool_dir dir)
{
	assert((unsigned int)dir < SPOOL_MAX);
	return dir < SPOOL_FEED1 ? dir_names[dir]
				 : feed_names[dir - SPOOL_FEED1];
}

int
spool_dir_parse(const char *name, enum spool_dir *ret_dir)
{
	for (int i = 0; i < SPOOL_MAX; i++) {
		if (strcmp(name, spool_dir_name((enum spool_dir)i)) != 0)
			continue;
		*ret_dir = (enum spool_dir)i;
		return 0;
	}
	return -EINVAL;
}

size_t
spool_dirs(const struct spool *spool)
{
	return SPOOL_FEED1 + spool->feeds;
}

const char *
spool_id_of(const char *name, const char *prefix)
{
	size_t skip = strlen(prefix), len;

	if (strncmp(name, prefix, skip) != 0)
		return NULL;
	name += skip;
	for (len = 0; name[len]; len++)
		if (len == QUEUE_ID_MAX || !isascii(name[len]) ||
		    !isalnum((unsigned char)name[len]))
			return NULL;
	return len > 0 ? name : NULL;
}

/* What spool_open() knows while it works. */
struct opening {
	const char *path;
	char *err;
	size_t err_size;
	struct statx root;
};

static int say(const struct opening *o, int r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
say(const struct opening *o, int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(o->err, o->err_size, fmt, ap);
	va_end(ap);
	return r;
}

static int
cannot_open(const struct opening *o, const char *path, int error)
{
	if (error == ENOENT)
		return say(o, -error,
		    "%s: no such directory; create it with `sluice setup'",
		    path);
	if (error == ENOTDIR || error == ELOOP)
		return say(o, -ENOTDIR,
		    "%s: not a real directory; links and files are refused, "
		    "move it away and create the directory",
		    path);
	if (error == EACCES)
		return say(o, -error,
		    "%s: permission denied; run as the user that owns the "
		    "spool",
		    path);
	return say(o, -error, "%s: %s; correct this and start again", path,
	    strerror(error));
}

/* Same file system and same mount: linkat() refuses to cross either. */
static bool
is_same_place(const struct statx *a, const struct statx *b)
{
	if (a->stx_dev_major != b->stx_dev_major ||
	    a->stx_dev_minor != b->stx_dev_minor)
		return false;
	return !(a->stx_mask & b->stx_mask & STATX_MNT_ID) ||
	       a->stx_mnt_id == b->stx_mnt_id;
}

static int
check_dir(const struct opening *o, const char *path, const struct statx *st)
{
	uid_t me = geteuid();

	if (!is_same_place(st, &o->root))
		return say(o, -EXDEV,
		    "%s: on another file system than %s; a message can only be "
		    "moved safely inside one, put the whole spool on it",
		    path, o->path);
	if (st->stx_uid != me && me != 0)
		return say(o, -EPERM,
		    "%s: owned by uid %u, but we are uid %u; the kernel "
		    "refuses hard links to foreign files, chown it",
		    path, (unsigned int)st->stx_uid, (unsigned int)me);
	if (st->stx_mode & S_IWOTH)
		return say(o, -EPERM,
		    "%s: everybody may write there; chmod o-w it", path);
	return 0;
}

static int
open_dir(const struct opening *o, int rootfd, const char *name, int *ret_fd)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/%s", o->path, name);
	CLEANUP(close_fd) int fd = -1;
	struct statx st;
	int r;

	fd = openat(
	    rootfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return cannot_open(o, path, errno);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID,
		&st) < 0)
		return cannot_open(o, path, errno);
	r = check_dir(o, path, &st);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int
open_root(struct opening *o, int *ret_fd)
{
	CLEANUP(close_fd) int fd = -1;
	const char *kind;
	int r;

	fd = open(o->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return cannot_open(o, o->path, errno);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID,
		&o->root) < 0)
		return cannot_open(o, o->path, errno);
	r = probe_kind(fd, &kind);
	if (r == -ENOTSUP)
		return say(o, r,
		    "%s: on %s, which cannot keep mail safe over a crash; put "
		    "the spool on a local disk (ext4, xfs, btrfs)",
		    o->path, kind);
	if (r < 0)
		return cannot_open(o, o->path, -r);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int
open_all(struct opening *o, struct spool *spool)
{
	CLEANUP(close_fd) int root = -1;
	const char *what = NULL;
	int r;

	r = open_root(o, &root);
	for (size_t i = 0; r == 0 && i < spool_dirs(spool); i++)
		r = open_dir(
		    o, root, spool_dir_name((enum spool_dir)i), &spool->fds[i]);
	if (r == 0)
		r = open_dir(o, root, "journal", &spool->journal_fd);
	if (r < 0)
		return r;
	r = probe_features(spool->journal_fd, &what);
	if (r < 0)
		return say(o, r,
		    "%s/journal: %s: %s; mount a file system on which it works",
		    o->path, what, strerror(-r));
	return 0;
}

int
spool_open(const char *path, size_t feeds, struct spool **ret_spool, char *err,
    size_t err_size)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	struct opening o = {.path = path, .err = err, .err_size = err_size};
	int r;

	if (feeds < 1 || feeds > SPOOL_MAX_FEEDS)
		return say(&o, -EINVAL,
		    "%s: %zu feed queues; give it between 1 and %d", path,
		    feeds, SPOOL_MAX_FEEDS);
	spool = xcalloc(1, sizeof(*spool));
	spool->path = xstrdup(path);
	spool->feeds = feeds;
	spool->journal_fd = -1;
	for (size_t i = 0; i < SPOOL_MAX; i++)
		spool->fds[i] = -1;
	r = open_all(&o, spool);
	if (r < 0)
		return r;
	*ret_spool = TAKE_PTR(spool);
	return 0;
}

bool
spool_is_misplaced(int error)
{
	switch (-error) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case EXDEV:
	case ENOTSUP:
	case EACCES:
	case EPERM:
		return true;
	default:
		return false;
	}
}

struct spool *
spool_free(struct spool *spool)
{
	if (!spool)
		return NULL;
	for (size_t i = 0; i < SPOOL_MAX; i++)
		close_fd(&spool->fds[i]);
	close_fd(&spool->journal_fd);
	free(spool->path);
	free(spool);
	return NULL;
}

void
spool_freep(struct spool **spool)
{
	*spool = spool_free(*spool);
}
