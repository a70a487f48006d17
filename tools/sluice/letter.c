#include "tools/sluice/letter.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

struct sink {
	int fd;
	uint64_t bytes;
	bool cr; /* a CR that may belong to a line end is held back */
};

/* One buffer's worth: CR LF becomes LF, any other CR stays. */
static int
put(struct sink *s, const char *buf, size_t n)
{
	char out[65536 + 1];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (s->cr && buf[i] != '\n')
			out[len++] = '\r';
		s->cr = buf[i] == '\r';
		if (!s->cr)
			out[len++] = buf[i];
	}
	s->bytes += len;
	return write_all(s->fd, out, len);
}

static int
copy(int in, uint64_t max_bytes, struct sink *s)
{
	char buf[32768];

	for (;;) {
		ssize_t n = read(in, buf, sizeof(buf));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		r = put(s, buf, (size_t)n);
		if (r < 0)
			return r;
		if (s->bytes > max_bytes)
			return -EFBIG;
	}
	if (!s->cr)
		return 0;
	s->bytes++;
	return write_all(s->fd, "\r", 1);
}

static int
open_input(const char *path)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat st;

	if (strcmp(path, "-") == 0)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else /* nobody need have opened a pipe's other end */
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) &&
	    strcmp(path, "-") != 0)
		return -EINVAL;
	/* What is being written to a pipe is waited for. */
	if (S_ISFIFO(st.st_mode) && fcntl(fd, F_SETFL, 0) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int
letter_open(
    const char *path, uint64_t max_bytes, int *ret_fd, uint64_t *ret_bytes)
{
	CLEANUP(close_fd) int in = open_input(path);
	CLEANUP(close_fd) int fd = -1;
	struct sink sink = {0};
	int r;

	if (in < 0)
		return in;
	fd = memfd_new("message");
	if (fd < 0)
		return fd;
	sink.fd = fd;
	r = copy(in, max_bytes, &sink);
	if (r == 0 && sink.bytes == 0)
		r = -ENODATA;
	if (r == 0)
		r = memfd_seal(fd);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	*ret_bytes = sink.bytes;
	return 0;
}
