#include "vmm/guest/tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/path.h"

#define PAGE     4096u
#define ARGS_MAX 64 /* of a command line; enough for anyone to read */

/* As many of n octets as can be read; a page that isn't there ends it. */
static size_t
read_some(pid_t pid, uint64_t at, void *ret, size_t n)
{
	struct iovec mine = {ret, n};
	struct iovec theirs = {(void *)(uintptr_t)at, n};
	ssize_t got = process_vm_readv(pid, &mine, 1, &theirs, 1, 0);

	return got > 0 ? (size_t)got : 0;
}

bool
tracee_read(pid_t pid, uint64_t at, void *ret, size_t n)
{
	return read_some(pid, at, ret, n) == n;
}

bool
tracee_string(pid_t pid, uint64_t at, char *ret, size_t size)
{
	size_t n = 0;

	while (n + 1 < size) {
		size_t want = PAGE - (at + n) % PAGE;
		size_t got;

		if (want > size - 1 - n)
			want = size - 1 - n;
		got = read_some(pid, at + n, ret + n, want);
		if (memchr(ret + n, '\0', got))
			return true;
		n += got;
		if (got < want) {
			ret[0] = '\0';
			return false;
		}
	}
	ret[n] = '\0';
	return true;
}

static bool
link_of(const char *link, char ret[PATH_MAX])
{
	ssize_t n = readlink(link, ret, PATH_MAX - 1);

	ret[n > 0 ? n : 0] = '\0';
	return n > 0;
}

bool
tracee_fd_path(pid_t pid, int fd, char ret[PATH_MAX])
{
	char link[64];

	(void)snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
	return link_of(link, ret);
}

/* What is its own self is not ours. */
static void
their_self(pid_t pid, char path[PATH_MAX])
{
	char theirs[PATH_MAX + 32];

	if (!path_is_in(path, "/proc/self"))
		return;
	(void)snprintf(theirs, sizeof(theirs), "/proc/%d%s", pid, path + 10);
	theirs[PATH_MAX - 1] = '\0';
	(void)strcpy(path, theirs);
}

bool
tracee_path(pid_t pid, int dirfd, uint64_t at, char ret[PATH_MAX])
{
	char path[PATH_MAX], base[PATH_MAX] = "/", link[64];

	if (!tracee_string(pid, at, path, sizeof(path)))
		return false;
	(void)snprintf(link, sizeof(link), "/proc/%d/cwd", pid);
	if (path[0] == '/')
		;
	else if (dirfd == AT_FDCWD)
		(void)link_of(link, base);
	else
		(void)tracee_fd_path(pid, dirfd, base);
	path_absolute(base, path, ret);
	their_self(pid, ret);
	return true;
}

void
tracee_args(
    pid_t pid, uint64_t at, size_t pointer_bytes, char *ret, size_t size)
{
	size_t n = 0;

	ret[0] = '\0';
	for (int i = 0; i < ARGS_MAX && n + 2 < size; i++) {
		uint64_t arg = 0;

		if (!tracee_read(pid, at + (uint64_t)i * pointer_bytes, &arg,
			pointer_bytes) ||
		    arg == 0)
			break;
		if (n > 0)
			ret[n++] = ' ';
		(void)tracee_string(pid, arg, ret + n, size - n);
		n += strlen(ret + n);
	}
}

/* The process of a thread, 0: gone. */
static pid_t
process_of(pid_t thread)
{
	CLEANUP(close_fd) int fd = -1;
	char text[512];
	const char *at;
	ssize_t n;

	(void)snprintf(text, sizeof(text), "/proc/%d/status", thread);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "\nTgid:");
	return at ? (pid_t)strtol(at + strlen("\nTgid:"), NULL, 10) : 0;
}

int
tracee_fd(pid_t pid, int fd)
{
	CLEANUP(close_fd) int pidfd = -1;
	int r;

	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0 && errno == EINVAL) /* a thread that isn't the first */
		pidfd = (int)syscall(SYS_pidfd_open, process_of(pid), 0);
	if (pidfd < 0)
		return -errno;
	r = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	return r < 0 ? -errno : r;
}

/* The state and the parent, which follow the last parenthesis. */
static bool
stat_of(pid_t pid, char *ret_state, pid_t *ret_parent)
{
	CLEANUP(close_fd) int fd = -1;
	char text[512];
	const char *at;
	ssize_t n;

	(void)snprintf(text, sizeof(text), "/proc/%d/stat", pid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	at = strrchr(text, ')');
	return at && sscanf(at, ") %c %d", ret_state, ret_parent) == 2;
}

pid_t
tracee_parent(pid_t pid)
{
	pid_t parent;
	char state;

	return stat_of(pid, &state, &parent) ? parent : 0;
}

char
tracee_state(pid_t pid)
{
	pid_t parent;
	char state;

	return stat_of(pid, &state, &parent) ? state : '\0';
}

void
tracee_name(pid_t pid, char ret[PATH_MAX])
{
	char link[64];

	(void)snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	(void)link_of(link, ret);
}
