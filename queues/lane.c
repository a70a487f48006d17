#include "queues/lane.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define LANE_MAGIC   UINT64_C(0x33656e616c756c73) /* "slulane3" */
#define LANE_ENTRIES 1024 /* above what a worker finishes between two looks */
#define SAMPLE_WORDS (sizeof(struct lane_sample) / sizeof(uint64_t))

/*
 * A sequence lock for each entry: seq is 0 while the entry is written, else
 * its number in the stream, counted from 1.
 */
struct entry {
	_Atomic uint64_t seq;
	_Atomic uint64_t words[SAMPLE_WORDS];
};

struct lane_file {
	_Atomic uint64_t magic;
	_Atomic uint64_t in_service;
	_Atomic uint64_t since_usec;
	_Atomic uint64_t head; /* entries written, ever */
	struct entry ring[LANE_ENTRIES];
};

_Static_assert(sizeof(struct lane_sample) % sizeof(uint64_t) == 0,
    "samples are copied word by word");

struct lane {
	int fd; /* the writer keeps its lock on it */
	struct lane_file *file;
};

static int
map_lane(int fd, int prot, struct lane **ret_lane)
{
	struct lane *lane = NULL;
	void *p;

	p = mmap(NULL, sizeof(struct lane_file), prot, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	lane = xcalloc(1, sizeof(*lane));
	lane->fd = -1;
	lane->file = p;
	*ret_lane = lane;
	return 0;
}

/* 0; -ENODATA: a new file, not filled yet; -EBADMSG: something else. */
static int
check_size(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	if (st.st_size == 0)
		return -ENODATA;
	return st.st_size == (off_t)sizeof(struct lane_file) ? 0 : -EBADMSG;
}

/* The writer sets the magic last. */
static int
check_magic(const struct lane *lane)
{
	uint64_t magic = atomic_load(&lane->file->magic);

	if (magic == 0)
		return -ENODATA;
	return magic == LANE_MAGIC ? 0 : -EBADMSG;
}

/*
 * The old file, so that readers who have it mapped go on; only something that
 * is no lane is thrown away (never cut: a reader would die of SIGBUS).
 */
static int
open_file(const char *path)
{
	CLEANUP(close_fd) int fd = -1;
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;

	fd = open(path, flags, 0644);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (check_size(fd) == 0)
		return TAKE_FD(fd);
	if (unlink(path) < 0)
		return -errno;
	(void)close(TAKE_FD(fd));
	fd = open(path, flags | O_EXCL, 0644);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	/* Real blocks: a full disk must not show up as SIGBUS later. */
	if (posix_fallocate(fd, 0, sizeof(struct lane_file)) != 0)
		return -ENOSPC;
	return TAKE_FD(fd);
}

int
lane_create(const char *runtime, unsigned int k, struct lane **ret_lane)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/lane-%u", runtime, k);
	CLEANUP(close_fd) int fd = -1;
	struct lane *lane = NULL;
	int r;

	fd = open_file(path);
	if (fd < 0)
		return fd;
	/* Whatever the umask: feed and `sluice status` read it. */
	if (fchmod(fd, 0644) < 0)
		return -errno;
	r = map_lane(fd, PROT_READ | PROT_WRITE, &lane);
	if (r < 0)
		return r;
	lane->fd = TAKE_FD(fd);
	lane_set(lane, 0, (struct mono){0});
	atomic_store(&lane->file->magic, LANE_MAGIC);
	*ret_lane = lane;
	return 0;
}

int
lane_open(const char *runtime, unsigned int k, struct lane **ret_lane)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/lane-%u", runtime, k);
	CLEANUP(close_fd) int fd = -1;
	struct lane *lane = NULL;
	int r;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = check_size(fd);
	if (r == 0)
		r = map_lane(fd, PROT_READ, &lane);
	if (r == 0)
		r = check_magic(lane);
	if (r < 0) {
		lane_close(lane);
		/* Half made: its worker will say so by the magic. */
		return r == -ENODATA ? -ENOENT : r;
	}
	*ret_lane = lane;
	return 0;
}

struct lane *
lane_close(struct lane *lane)
{
	if (!lane)
		return NULL;
	(void)munmap(lane->file, sizeof(struct lane_file));
	close_fd(&lane->fd);
	free(lane);
	return NULL;
}

void
lane_set(struct lane *lane, uint64_t in_service, struct mono since)
{
	atomic_store_explicit(
	    &lane->file->in_service, in_service, memory_order_relaxed);
	atomic_store_explicit(
	    &lane->file->since_usec, since.usec, memory_order_relaxed);
}

void
lane_get(
    const struct lane *lane, uint64_t *ret_in_service, struct mono *ret_since)
{
	*ret_in_service =
	    atomic_load_explicit(&lane->file->in_service, memory_order_relaxed);
	ret_since->usec =
	    atomic_load_explicit(&lane->file->since_usec, memory_order_relaxed);
}

void
lane_finished(struct lane *lane, const struct lane_sample *sample)
{
	struct lane_file *f = lane->file;
	uint64_t head = atomic_load_explicit(&f->head, memory_order_relaxed);
	struct entry *e = &f->ring[head % LANE_ENTRIES];
	uint64_t words[SAMPLE_WORDS];

	memcpy(words, sample, sizeof(words));
	atomic_store_explicit(&e->seq, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < SAMPLE_WORDS; i++)
		atomic_store_explicit(
		    &e->words[i], words[i], memory_order_relaxed);
	atomic_store_explicit(&e->seq, head + 1, memory_order_release);
	atomic_store_explicit(&f->head, head + 1, memory_order_release);
}

/* Copy entry number at; false when it is being overwritten. */
static bool
read_entry(const struct lane_file *f, uint64_t at, struct lane_sample *ret)
{
	const struct entry *e = &f->ring[at % LANE_ENTRIES];
	uint64_t words[SAMPLE_WORDS];

	if (atomic_load_explicit(&e->seq, memory_order_acquire) != at + 1)
		return false;
	for (size_t i = 0; i < SAMPLE_WORDS; i++)
		words[i] =
		    atomic_load_explicit(&e->words[i], memory_order_relaxed);
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&e->seq, memory_order_relaxed) != at + 1)
		return false;
	memcpy(ret, words, sizeof(words));
	ret->id[sizeof(ret->id) - 1] = '\0'; /* nothing mapped is trusted */
	return true;
}

int
lane_next(const struct lane *lane, uint64_t *cursor,
    struct lane_sample *ret_sample, uint64_t *ret_lost)
{
	const struct lane_file *f = lane->file;

	*ret_lost = 0;
	for (;;) {
		uint64_t head =
		    atomic_load_explicit(&f->head, memory_order_acquire);

		if (*cursor > head)
			*cursor = head; /* another file than before */
		if (*cursor == head)
			return 0;
		if (head - *cursor > LANE_ENTRIES) {
			*ret_lost += head - LANE_ENTRIES - *cursor;
			*cursor = head - LANE_ENTRIES;
		}
		if (read_entry(f, (*cursor)++, ret_sample))
			return 1;
		++*ret_lost;
	}
}
