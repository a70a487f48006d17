#include "worker/mef/archive.h"

#include "common/clock.h"
#include "common/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define META  ".json"
#define LOCK  ".lock"
#define FRESH ".new" /* only who holds the lock has one */

/* A name, with its NUL. */
#define NAME_ROOM (DIGEST_HEX + sizeof(META) - 1)

struct mef_archive {
	int dir;
};

/* A file or both of one digest. */
struct item {
	struct digest digest;
	uint64_t bytes, meta_bytes;
	uint64_t at_usec;
	bool has_meta;
};

struct items {
	struct item *at;
	size_t n, room;
};

static void
items_done(struct items *items)
{
	free(items->at);
}

int
mef_archive_open(const char *path, struct mef_archive **ret_archive)
{
	CLEANUP(close_fd)
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mef_archive *archive;

	if (dir < 0)
		return -errno;
	archive = xcalloc(1, sizeof(*archive));
	archive->dir = TAKE_FD(dir);
	*ret_archive = archive;
	return 0;
}

struct mef_archive *
mef_archive_free(struct mef_archive *archive)
{
	if (!archive)
		return NULL;
	close_fd(&archive->dir);
	free(archive);
	return NULL;
}

static char *
octets_name(const struct digest *digest, char name[NAME_ROOM])
{
	return digest_hex(digest, name);
}

static char *
meta_name(const struct digest *digest, char name[NAME_ROOM])
{
	(void)digest_hex(digest, name);
	return strcat(name, META);
}

/* Is it a name of ours?  Capital digits would be another file of the same. */
static bool
read_name(const char *name, struct digest *ret_digest, bool *ret_is_meta)
{
	const size_t n = DIGEST_HEX - 1;
	char hex[DIGEST_HEX], again[DIGEST_HEX];

	if (strlen(name) < n)
		return false;
	*ret_is_meta = strcmp(name + n, META) == 0;
	if (name[n] && !*ret_is_meta)
		return false;
	memcpy(hex, name, n);
	hex[n] = '\0';
	return digest_parse(hex, ret_digest) == 0 &&
	       strcmp(digest_hex(ret_digest, again), hex) == 0;
}

static void
take_file(struct items *items, const struct digest *digest, bool is_meta,
    const struct stat *st)
{
	struct item *item;

	if (items->n == items->room) {
		items->room = items->room ? 2 * items->room : 256;
		items->at =
		    realloc(items->at, items->room * sizeof(*items->at));
		if (!items->at)
			abort();
	}
	item = &items->at[items->n++];
	*item = (struct item){.digest = *digest, .has_meta = is_meta};
	if (!is_meta) {
		item->bytes = (uint64_t)st->st_size;
		return;
	}
	item->meta_bytes = (uint64_t)st->st_size;
	item->at_usec = (uint64_t)st->st_mtim.tv_sec * USEC_PER_SEC +
			(uint64_t)st->st_mtim.tv_nsec / 1000;
}

static int
by_digest(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return memcmp(&x->digest, &y->digest, sizeof(x->digest));
}

static int
by_age(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->at_usec != y->at_usec)
		return x->at_usec < y->at_usec ? -1 : 1;
	return by_digest(a, b);
}

/* Both files of a digest become one item; then the oldest come first. */
static void
join(struct items *items)
{
	size_t n = 0;

	if (items->n == 0)
		return;
	qsort(items->at, items->n, sizeof(*items->at), by_digest);
	for (size_t i = 0; i < items->n; i++) {
		const struct item *item = &items->at[i];

		if (n == 0 || by_digest(&items->at[n - 1], item) != 0) {
			items->at[n++] = *item;
			continue;
		}
		items->at[n - 1].bytes += item->bytes;
		items->at[n - 1].meta_bytes += item->meta_bytes;
		items->at[n - 1].has_meta |= item->has_meta;
		if (item->at_usec > 0)
			items->at[n - 1].at_usec = item->at_usec;
	}
	items->n = n;
	qsort(items->at, items->n, sizeof(*items->at), by_age);
}

/* All files, with and without the other one; 0 or -errno. */
static int
list(const struct mef_archive *archive, struct items *ret)
{
	const int fd =
	    openat(archive->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int r;

	if (!dir) {
		r = -errno;
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	for (errno = 0; (e = readdir(dir)); errno = 0) {
		struct digest digest;
		struct stat st;
		bool is_meta;

		if (read_name(e->d_name, &digest, &is_meta) &&
		    fstatat(archive->dir, e->d_name, &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			take_file(ret, &digest, is_meta, &st);
	}
	r = -errno;
	(void)closedir(dir);
	join(ret);
	return r;
}

static int
drop(const struct mef_archive *archive, const struct digest *digest)
{
	char name[NAME_ROOM];
	int r = 0;

	if (unlinkat(archive->dir, meta_name(digest, name), 0) < 0)
		r = -errno;
	if (unlinkat(archive->dir, octets_name(digest, name), 0) < 0 &&
	    errno != ENOENT && r == 0)
		r = -errno;
	return r;
}

int
mef_archive_drop(struct mef_archive *archive, const struct digest *digest)
{
	return drop(archive, digest);
}

/* Drop what has no .json or is too old, then the oldest, until there is room
 * for need octets. */
static int
make_room(const struct mef_archive *archive,
    const struct mef_archive_limits *limits, uint64_t need)
{
	CLEANUP(items_done) struct items items = {NULL, 0, 0};
	const uint64_t now = wall_now().usec;
	uint64_t total = need;
	int r = list(archive, &items);

	for (size_t i = 0; i < items.n; i++)
		total += items.at[i].bytes + items.at[i].meta_bytes;
	for (size_t i = 0; r == 0 && i < items.n; i++) {
		const struct item *item = &items.at[i];

		if (item->has_meta && total <= limits->bytes &&
		    item->at_usec + limits->age_usec > now)
			continue;
		r = drop(archive, &item->digest);
		if (r == -ENOENT) /* no .json, or somebody else's work */
			r = 0;
		total -= item->bytes + item->meta_bytes;
	}
	return r;
}

static int
lock(const struct mef_archive *archive)
{
	CLEANUP(close_fd)
	int fd = openat(archive->dir, LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	return TAKE_FD(fd);
}

int
mef_archive_trim(
    struct mef_archive *archive, const struct mef_archive_limits *limits)
{
	CLEANUP(close_fd) int held = lock(archive);

	if (held < 0)
		return held;
	(void)unlinkat(archive->dir, FRESH, 0);
	return make_room(archive, limits, 0);
}

/* A file that is there whole under its name, or not at all; the octets are
 * those of fd, or of text where fd is -1. */
static int
write_file(const struct mef_archive *archive, const char *name, int fd,
    const char *text, uint64_t bytes)
{
	CLEANUP(close_fd) int to = -1;
	int r;

	(void)unlinkat(archive->dir, FRESH, 0);
	to = openat(
	    archive->dir, FRESH, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	r = fd < 0 ? write_all(to, text, bytes) : copy_range(fd, 0, bytes, to);
	if (r == 0 && fsync(to) < 0)
		r = -errno;
	if (r == 0 && renameat(archive->dir, FRESH, archive->dir, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(archive->dir, FRESH, 0);
	return r;
}

static bool
is_there(const struct mef_archive *archive, const struct digest *digest)
{
	char name[NAME_ROOM];

	return faccessat(archive->dir, meta_name(digest, name), F_OK, 0) == 0;
}

int
mef_archive_put(struct mef_archive *archive,
    const struct mef_archive_limits *limits, const struct digest *digest,
    int fd, uint64_t bytes, const char *meta, size_t meta_bytes)
{
	CLEANUP(close_fd) int held = -1;
	char name[NAME_ROOM];
	int r;

	if (meta_bytes > MEF_ARCHIVE_META_MAX || bytes > limits->bytes ||
	    meta_bytes > limits->bytes - bytes)
		return -EFBIG;
	held = lock(archive);
	if (held < 0)
		return held;
	if (is_there(archive, digest))
		return -EEXIST;
	r = make_room(archive, limits, bytes + meta_bytes);
	if (r == 0)
		r = write_file(
		    archive, octets_name(digest, name), fd, NULL, bytes);
	if (r == 0)
		r = write_file(
		    archive, meta_name(digest, name), -1, meta, meta_bytes);
	if (r == 0 && fsync(archive->dir) < 0)
		r = -errno;
	if (r < 0)
		(void)drop(archive, digest);
	return r;
}

int
mef_archive_each(
    struct mef_archive *archive, mef_archive_visit *visit, void *arg)
{
	CLEANUP(items_done) struct items items = {NULL, 0, 0};
	int r = list(archive, &items);

	for (size_t i = 0; r == 0 && i < items.n; i++) {
		const struct mef_archive_entry entry = {
		    .digest = items.at[i].digest,
		    .bytes = items.at[i].bytes,
		    .at_usec = items.at[i].at_usec};

		if (items.at[i].has_meta)
			r = visit(arg, &entry);
	}
	return r;
}

int
mef_archive_meta(struct mef_archive *archive, const struct digest *digest,
    char **ret_meta, size_t *ret_bytes)
{
	char name[NAME_ROOM];

	return read_file(archive->dir, meta_name(digest, name),
	    MEF_ARCHIVE_META_MAX, ret_meta, ret_bytes);
}

int
mef_archive_octets(struct mef_archive *archive, const struct digest *digest)
{
	char name[NAME_ROOM];
	const int fd = openat(archive->dir, octets_name(digest, name),
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}
