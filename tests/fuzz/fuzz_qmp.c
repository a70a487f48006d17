/*
 * tests/fuzz/fuzz_qmp.c - what QEMU says on its control socket, once a guest
 * has taken it over.  Each line is a known answer or refused, its text is
 * bounded, and the same octets cut in two say the same.
 */
#include "vmm/qemu_priv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Less than a socket takes without anybody who reads. */
#define MOST 16384

/* All lines' ids as one number, and why it ended. */
static uint64_t
read_all(struct qmp *qmp, int fd, uint64_t sum, int *ret)
{
	struct qmp_line line;

	while ((*ret = qmp_next(qmp, fd, &line)) == 0) {
		assert(line.id < QMP_IDS);
		assert(memchr(line.text, '\0', sizeof(line.text)));
		assert(!line.is_error || line.id < QMP_IDS);
		sum = sum * 31 + (uint64_t)line.id * 4 + line.is_error * 2u +
		      line.is_end;
	}
	assert(*ret == -EAGAIN || *ret == -EPIPE || *ret == -EBADMSG);
	return sum;
}

static uint64_t
read_cut(const uint8_t *data, size_t size, size_t cut, int *ret)
{
	struct qmp qmp = {.n = 0};
	uint64_t sum = 0;
	int fds[2], r = socketpair(AF_UNIX, SOCK_STREAM, 0, fds);

	assert(r == 0);
	assert(write(fds[1], data, cut) == (ssize_t)cut);
	*ret = -EAGAIN;
	if (cut > 0)
		sum = read_all(&qmp, fds[0], sum, ret);
	if (*ret == -EAGAIN) {
		assert(write(fds[1], data + cut, size - cut) ==
		       (ssize_t)(size - cut));
		(void)close(fds[1]);
		/* It reads once in each call: until the end is known. */
		do
			sum = read_all(&qmp, fds[0], sum, ret);
		while (*ret == -EAGAIN);
	} else {
		(void)close(fds[1]);
	}
	(void)close(fds[0]);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int one, two;

	if (size == 0 || size > MOST)
		return 0;
	if (read_cut(data, size, 0, &one) !=
		read_cut(data, size, data[0] % size, &two) ||
	    one != two)
		__builtin_trap();
	return 0;
}
