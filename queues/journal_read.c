#include "queues/journal.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_BYTES ((size_t)64 * 1024)
#define LINE_BYTES  ((size_t)1024 * 1024) /* a longer line is given cut */

struct reading {
	int fd;
	uint64_t size; /* of the file, as it was at the start */
	uint64_t *offset;
	int left; /* lines that may still be given */
	int given;
	journal_fn *fn;
	void *arg;
};

static int
give(struct reading *rd, char *line, size_t len, uint64_t behind)
{
	line[len] = '\0';
	*rd->offset = behind;
	rd->left--;
	rd->given++;
	return rd->fn(rd->arg, line, len);
}

/* Give all whole lines of buf, which lies at *offset. */
static int
give_lines(struct reading *rd, char *buf, size_t len)
{
	const uint64_t base = *rd->offset;
	char *p = buf, *end;
	int r = 0;

	while (r == 0 && rd->left > 0 &&
	       (end = memchr(p, '\n', len - (size_t)(p - buf)))) {
		r = give(
		    rd, p, (size_t)(end - p), base + (uint64_t)(end + 1 - buf));
		p = end + 1;
	}
	return r;
}

/* The line in buf is too long: find its end and give its beginning. */
static int
give_cut(struct reading *rd, char *buf, size_t len)
{
	uint64_t off = *rd->offset + len;
	char chunk[4096];

	while (off < rd->size) {
		size_t n = sizeof(chunk);
		const char *end;
		int r;

		if (rd->size - off < n)
			n = (size_t)(rd->size - off);
		r = pread_all(rd->fd, chunk, n, off);
		if (r < 0)
			return r;
		end = memchr(chunk, '\n', n);
		if (end)
			return give(
			    rd, buf, len, off + (uint64_t)(end + 1 - chunk));
		off += n;
	}
	rd->left = 0; /* unfinished: not given */
	return 0;
}

static int
read_lines(struct reading *rd)
{
	CLEANUP(free_ptr) char *buf = NULL;
	size_t room = FIRST_BYTES;
	int r = 0;

	buf = xcalloc(1, LINE_BYTES + 1);
	while (r == 0 && rd->left > 0 && *rd->offset < rd->size) {
		const uint64_t before = *rd->offset;
		size_t len = room;

		if (rd->size - before < len)
			len = (size_t)(rd->size - before);
		r = pread_all(rd->fd, buf, len, before);
		if (r == 0)
			r = give_lines(rd, buf, len);
		if (r != 0 || *rd->offset != before) {
			room = FIRST_BYTES;
			continue;
		}
		if (len == rd->size - before)
			break; /* an unfinished last line */
		if (room == LINE_BYTES)
			r = give_cut(rd, buf, len);
		room = LINE_BYTES;
	}
	return r;
}

int
journal_read(const struct spool *spool, const char *name, uint64_t *offset,
    int max_lines, journal_fn *fn, void *arg)
{
	CLEANUP(close_fd) int fd = -1;
	struct reading rd = {
	    .offset = offset, .left = max_lines, .fn = fn, .arg = arg};
	struct stat st;
	int r;

	fd = openat(spool->journal_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (*offset > (uint64_t)st.st_size)
		return -ERANGE;
	rd.fd = fd;
	rd.size = (uint64_t)st.st_size;
	r = read_lines(&rd);
	return r != 0 ? r : rd.given;
}
