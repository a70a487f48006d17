#include "flow/journal.h"

#include "flow/hash.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 2
/* Of the format: names of features and their order belong to it. */
#define MAGIC UINT64_C(0x31776f6c66636c73)

struct header {
	uint64_t magic;
	uint32_t record_bytes, features;
	int64_t begun_nsec; /* 0: empty */
};

struct line {
	struct flow_record record;
	uint64_t sum;
};

static_assert(
    sizeof(struct line) == sizeof(struct flow_record) + sizeof(uint64_t),
    "a record has no padding");

struct flow_journal {
	int fds[FILES];
	uint64_t size[FILES];
	int64_t begun_nsec[FILES];
	int current;
	uint32_t records_max;
	int64_t span_nsec;
};

static uint64_t
sum_of(const struct flow_record *record)
{
	/* Against accidents only, so the key is no secret. */
	const struct flow_hash_key key = {MAGIC, sizeof(*record)};

	return flow_hash(key, record, sizeof(*record));
}

static int
open_file(struct flow_journal *j, const char *directory, int i)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/flows.%d", directory, i);
	struct header header;
	struct stat st;

	j->fds[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->fds[i] < 0)
		return -errno;
	if (flock(j->fds[i], LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (fstat(j->fds[i], &st) < 0)
		return -errno;
	j->size[i] = (uint64_t)st.st_size;
	if (pread_all(j->fds[i], &header, sizeof(header), 0) == 0 &&
	    header.magic == MAGIC &&
	    header.record_bytes == sizeof(struct flow_record) &&
	    header.features == FLOW_FEATURES)
		j->begun_nsec[i] = header.begun_nsec;
	return 0;
}

int
flow_journal_open(const char *directory, uint32_t records_max,
    int64_t span_nsec, struct flow_journal **ret)
{
	struct flow_journal *j = xcalloc(1, sizeof(*j));
	int r = 0;

	assert(records_max > 0);
	j->records_max = records_max;
	j->span_nsec = span_nsec;
	for (int i = 0; i < FILES; i++)
		j->fds[i] = -1;
	for (int i = 0; i < FILES && r == 0; i++)
		r = open_file(j, directory, i);
	if (r < 0) {
		(void)flow_journal_close(j);
		return r;
	}
	j->current = j->begun_nsec[1] > j->begun_nsec[0];
	*ret = j;
	return 0;
}

struct flow_journal *
flow_journal_close(struct flow_journal *j)
{
	if (!j)
		return NULL;
	for (int i = 0; i < FILES; i++)
		close_fd(&j->fds[i]);
	free(j);
	return NULL;
}

static int64_t
read_one(struct flow_journal *j, int i, flow_journal_fn *fn, void *arg)
{
	uint64_t at = sizeof(struct header);
	int64_t skipped = 0;

	if (j->begun_nsec[i] == 0)
		return (int64_t)j->size[i];
	for (; at + sizeof(struct line) <= j->size[i];
	     at += sizeof(struct line)) {
		struct line line;
		const int r = pread_all(j->fds[i], &line, sizeof(line), at);

		if (r < 0)
			return r;
		if (line.sum == sum_of(&line.record))
			fn(arg, &line.record);
		else
			skipped += (int64_t)sizeof(line);
	}
	/* A part of a record at the end is written over. */
	skipped += (int64_t)(j->size[i] - at);
	j->size[i] = at;
	return skipped;
}

int64_t
flow_journal_read(struct flow_journal *j, flow_journal_fn *fn, void *arg)
{
	const int64_t older = read_one(j, !j->current, fn, arg);
	const int64_t newer =
	    older < 0 ? older : read_one(j, j->current, fn, arg);

	return newer < 0 ? newer : older + newer;
}

static int
begin_file(struct flow_journal *j, int i, int64_t now_nsec)
{
	const struct header header = {
	    MAGIC, sizeof(struct flow_record), FLOW_FEATURES, now_nsec};

	if (ftruncate(j->fds[i], 0) < 0)
		return -errno;
	if (pwrite(j->fds[i], &header, sizeof(header), 0) != sizeof(header))
		return errno ? -errno : -EIO;
	j->current = i;
	j->size[i] = sizeof(header);
	j->begun_nsec[i] = now_nsec;
	return 0;
}

int
flow_journal_write(
    struct flow_journal *j, const struct flow_record *record, int64_t now_nsec)
{
	const uint64_t full =
	    sizeof(struct header) + j->records_max * sizeof(struct line);
	int i = j->current, r = 0;
	struct line line;

	if (j->begun_nsec[i] == 0)
		r = begin_file(j, i, now_nsec);
	else if (j->size[i] >= full ||
		 now_nsec - j->begun_nsec[i] > j->span_nsec)
		r = begin_file(j, !i, now_nsec);
	if (r < 0)
		return r;
	i = j->current;
	line.record = *record;
	line.sum = sum_of(record);
	errno = 0;
	if (pwrite(j->fds[i], &line, sizeof(line), (off_t)j->size[i]) !=
	    sizeof(line))
		return errno ? -errno : -ENOSPC; /* a part is written over */
	j->size[i] += sizeof(line);
	return 0;
}
