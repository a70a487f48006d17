#include "tests/torture/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static bool
fails(enum fault_kind kind)
{
	return kind == FAULT_ERROR || kind == FAULT_REST;
}

static struct {
	bool is_armed;
	enum fault_kind kind;
	int nth, error, seen;
	const char *name;
	const char *hit;
} fault;

void
fault_arm(enum fault_kind kind, int nth, int error, const char *name)
{
	fault.kind = kind;
	fault.nth = nth;
	fault.error = error;
	fault.name = name;
	fault.seen = 0;
	fault.hit = NULL;
	fault.is_armed = true;
}

int
fault_disarm(void)
{
	fault.is_armed = false;
	return fault.seen;
}

const char *
fault_hit(void)
{
	return fault.hit;
}

/* Count a call; is it the one? */
static bool
is_it(const char *name)
{
	if (!fault.is_armed || (fault.name && strcmp(name, fault.name) != 0))
		return false;
	++fault.seen;
	if (fault.kind == FAULT_COUNT || fault.seen < fault.nth ||
	    (fault.seen > fault.nth && fault.kind != FAULT_REST))
		return false;
	if (!fault.hit)
		fault.hit = name;
	return true;
}

/* The whole life of a wrapped call whose real form is the expression. */
#define WRAPPED(type, name, real) \
	do { \
		bool is_hit = is_it(name); \
		type done_; \
\
		if (is_hit && fails(fault.kind)) { \
			errno = fault.error; \
			return -1; \
		} \
		done_ = (real); \
		if (is_hit && fault.kind == FAULT_KILL) \
			_exit(FAULT_EXIT); \
		return done_; \
	} while (0)

int __real_linkat(int, const char *, int, const char *, int);
int __wrap_linkat(int, const char *, int, const char *, int);
int
__wrap_linkat(int a, const char *x, int b, const char *y, int flags)
{
	WRAPPED(int, "linkat", __real_linkat(a, x, b, y, flags));
}

int __real_unlinkat(int, const char *, int);
int __wrap_unlinkat(int, const char *, int);
int
__wrap_unlinkat(int dir, const char *name, int flags)
{
	WRAPPED(int, "unlinkat", __real_unlinkat(dir, name, flags));
}

int __real_renameat(int, const char *, int, const char *);
int __wrap_renameat(int, const char *, int, const char *);
int
__wrap_renameat(int a, const char *x, int b, const char *y)
{
	WRAPPED(int, "renameat", __real_renameat(a, x, b, y));
}

int __real_renameat2(int, const char *, int, const char *, unsigned int);
int __wrap_renameat2(int, const char *, int, const char *, unsigned int);
int
__wrap_renameat2(int a, const char *x, int b, const char *y, unsigned int flags)
{
	WRAPPED(int, "renameat2", __real_renameat2(a, x, b, y, flags));
}

static long sync_usec;

void
fault_slow_sync(long usec)
{
	sync_usec = usec;
}

static int
pretend_to_sync(void)
{
	const struct timespec ts = {0, sync_usec * 1000};

	if (sync_usec > 0)
		(void)nanosleep(&ts, NULL);
	return 0;
}

int __wrap_fsync(int);
int
__wrap_fsync(int fd)
{
	(void)fd;
	WRAPPED(int, "fsync", pretend_to_sync());
}

int __wrap_fdatasync(int);
int
__wrap_fdatasync(int fd)
{
	(void)fd;
	WRAPPED(int, "fdatasync", pretend_to_sync());
}

/* How much of len is written when it is this call's turn. */
static size_t
shortened(bool is_hit, size_t len)
{
	return is_hit && fault.kind == FAULT_SHORT ? (len + 1) / 2 : len;
}

ssize_t __real_write(int, const void *, size_t);
ssize_t __wrap_write(int, const void *, size_t);
ssize_t
__wrap_write(int fd, const void *buf, size_t len)
{
	bool is_hit = is_it("write");
	ssize_t n;

	if (is_hit && fails(fault.kind)) {
		errno = fault.error;
		return -1;
	}
	n = __real_write(fd, buf, shortened(is_hit, len));
	if (is_hit && fault.kind == FAULT_KILL)
		_exit(FAULT_EXIT);
	return n;
}

ssize_t __real_pwritev(int, const struct iovec *, int, off_t);
ssize_t __wrap_pwritev(int, const struct iovec *, int, off_t);
ssize_t
__wrap_pwritev(int fd, const struct iovec *iov, int n, off_t off)
{
	bool is_hit = is_it("pwritev");
	struct iovec half;
	ssize_t w;

	if (is_hit && fails(fault.kind)) {
		errno = fault.error;
		return -1;
	}
	if (is_hit && (fault.kind == FAULT_SHORT || fault.kind == FAULT_KILL)) {
		/* A crash as well can leave a part of a line. */
		half.iov_base = iov[0].iov_base;
		half.iov_len = (iov[0].iov_len + 1) / 2;
		w = __real_pwritev(fd, &half, 1, off);
	} else {
		w = __real_pwritev(fd, iov, n, off);
	}
	if (is_hit && fault.kind == FAULT_KILL)
		_exit(FAULT_EXIT);
	return w;
}

int __real_openat(int, const char *, int, ...);
int __wrap_openat(int, const char *, int, ...);
int
__wrap_openat(int dir, const char *name, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	WRAPPED(int, "openat", __real_openat(dir, name, flags, mode));
}

int __real_ftruncate(int, off_t);
int __wrap_ftruncate(int, off_t);
int
__wrap_ftruncate(int fd, off_t len)
{
	WRAPPED(int, "ftruncate", __real_ftruncate(fd, len));
}

int __real_fsetxattr(int, const char *, const void *, size_t, int);
int __wrap_fsetxattr(int, const char *, const void *, size_t, int);
int
__wrap_fsetxattr(
    int fd, const char *name, const void *value, size_t len, int flags)
{
	WRAPPED(
	    int, "fsetxattr", __real_fsetxattr(fd, name, value, len, flags));
}

int __real_futimens(int, const struct timespec *);
int __wrap_futimens(int, const struct timespec *);
int
__wrap_futimens(int fd, const struct timespec *times)
{
	WRAPPED(int, "futimens", __real_futimens(fd, times));
}

int __real_fchmod(int, mode_t);
int __wrap_fchmod(int, mode_t);
int
__wrap_fchmod(int fd, mode_t mode)
{
	WRAPPED(int, "fchmod", __real_fchmod(fd, mode));
}

int __real_fchown(int, uid_t, gid_t);
int __wrap_fchown(int, uid_t, gid_t);
int
__wrap_fchown(int fd, uid_t uid, gid_t gid)
{
	WRAPPED(int, "fchown", __real_fchown(fd, uid, gid));
}

static void (*flock_fn)(void *);
static void *flock_arg;

void
fault_before_flock(void (*fn)(void *), void *arg)
{
	flock_fn = fn;
	flock_arg = arg;
}

int __real_flock(int, int);
int __wrap_flock(int, int);
int
__wrap_flock(int fd, int op)
{
	if (flock_fn) {
		void (*fn)(void *) = flock_fn;

		flock_fn = NULL;
		fn(flock_arg);
	}
	WRAPPED(int, "flock", __real_flock(fd, op));
}
