#include "common/metrics.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* "SLUMETR" and the version of this layout. */
#define MAGIC UINT64_C(0x534c554d45545201)

/* The file. */
struct metrics {
	uint64_t magic;
	uint64_t names; /* which counters, in which order */
	int64_t pid;
	uint64_t start_usec;
	uint64_t values[METRIC_COUNT];
};

static const struct metric_info infos[METRIC_COUNT] = {
#define METRIC(name, kind, unit, help) \
	[METRIC_##name] = {#name, METRIC_KIND_##kind, unit, help},
#include "common/metrics.def"
#undef METRIC
};

const struct metric_info *
metric_info(enum metric metric)
{
	assert(metric < METRIC_COUNT);
	return &infos[metric];
}

/* FNV-1a of all names: a reader of another build is told apart by it. */
static uint64_t
names_hash(void)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < METRIC_COUNT; i++)
		for (const char *p = infos[i].name;; p++) {
			h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
			if (*p == '\0')
				break;
		}
	return h;
}

static int
open_dir(const char *runtime)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/metrics", runtime);
	int fd;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A writer's file: whole before it has its name. */
static int
make_file(int dir, const char *name, int *ret_fd)
{
	CLEANUP(free_ptr)
	char *tmp = xasprintf(".%s.%d", name, (int)getpid());
	CLEANUP(close_fd) int fd = -1;
	int r = 0;

	/* Left by a predecessor of that pid, or put there by somebody. */
	(void)unlinkat(dir, tmp, 0);
	fd = openat(dir, tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	/* Allocated now: a full disk must not kill us at some counter. */
	r = posix_fallocate(fd, 0, sizeof(struct metrics));
	if (r == 0 && renameat(dir, tmp, dir, name) < 0)
		r = errno;
	if (r != 0) {
		(void)unlinkat(dir, tmp, 0);
		return -r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int
metrics_open(
    const char *runtime, const char *name, struct metrics **ret_metrics)
{
	CLEANUP(close_fd) int dir = open_dir(runtime);
	CLEANUP(close_fd) int fd = -1;
	struct metrics *m;
	int r;

	assert(name[0] != '.' && !strchr(name, '/'));
	if (dir < 0)
		return dir;
	r = make_file(dir, name, &fd);
	if (r < 0)
		return r;
	m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m == MAP_FAILED)
		return -errno;
	m->names = names_hash();
	m->pid = getpid();
	m->start_usec = wall_now().usec;
	__atomic_store_n(&m->magic, MAGIC, __ATOMIC_RELEASE);
	*ret_metrics = m;
	return 0;
}

struct metrics *
metrics_close(struct metrics *metrics)
{
	if (metrics)
		(void)munmap(metrics, sizeof(*metrics));
	return NULL;
}

void
metrics_add(struct metrics *metrics, enum metric metric, uint64_t n)
{
	assert(metric < METRIC_COUNT);
	if (metrics)
		(void)__atomic_add_fetch(
		    &metrics->values[metric], n, __ATOMIC_RELAXED);
}

void
metrics_set(struct metrics *metrics, enum metric metric, uint64_t value)
{
	assert(metric < METRIC_COUNT);
	if (metrics)
		__atomic_store_n(
		    &metrics->values[metric], value, __ATOMIC_RELAXED);
}

int
metrics_read(
    const char *runtime, const char *name, struct metrics_values *ret_values)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/metrics/%s", runtime, name);
	CLEANUP(close_fd) int fd = -1;
	struct metrics m;
	int r;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = pread_all(fd, &m, sizeof(m), 0);
	if (r == -ENODATA || r == -EISDIR)
		return -EBADMSG;
	if (r < 0)
		return r;
	if (m.magic != MAGIC || m.names != names_hash())
		return -EBADMSG;
	ret_values->pid = (pid_t)m.pid;
	ret_values->start.usec = m.start_usec;
	memcpy(ret_values->values, m.values, sizeof(m.values));
	return 0;
}

int
metrics_each(const char *runtime, metrics_fn *fn, void *arg)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/metrics", runtime);
	const struct dirent *d;
	DIR *dir = opendir(path);
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			r = fn(arg, d->d_name);
	(void)closedir(dir);
	return r;
}
