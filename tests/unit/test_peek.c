#include "feed/peek.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/test_peek.XXXXXX";
static int dir = -1, notify = -1;

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(strrchr(path, '.'), ".XXXXXX");
	if (!mkdtemp(path))
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY);
	notify = inotify_init1(IN_NONBLOCK);
	return dir < 0 || notify < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlinkat(dir, "qfA", 0);
	(void)unlinkat(dir, "qfA", AT_REMOVEDIR);
	(void)close(dir);
	(void)close(notify);
	return rmdir(path);
}

static void
write_qf(const char *text)
{
	int fd = openat(dir, "qfA", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void
watch(uint32_t mask)
{
	assert_true(inotify_add_watch(notify, path, mask) >= 0);
}

static void
assert_quiet(void)
{
	char buf[512];

	assert_int_equal(read(notify, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
an_empty_one_is_not_even_opened(void **state)
{
	(void)state;
	write_qf("");
	watch(IN_OPEN);
	assert_int_equal(peek_qf(dir, "A"), -EAGAIN);
	assert_quiet();
}

static void
a_look_raises_no_event_that_would_wake_us_again(void **state)
{
	static const char *const texts[] = {
	    "V8\nT1\n", "V8\n.\n", "x", ".\n", "V8\n."};
	static const int results[] = {-EAGAIN, 0, -EAGAIN, -EAGAIN, -EAGAIN};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_qf(texts[i]);
		watch(IN_CLOSE_WRITE | IN_MOVED_TO);
		assert_int_equal(peek_qf(dir, "A"), results[i]);
		assert_quiet();
		/* The next write is ours and may be seen. */
		(void)close(notify);
		notify = inotify_init1(IN_NONBLOCK);
	}
}

static void
a_locked_one_is_busy_however_complete(void **state)
{
	int fd;

	(void)state;
	write_qf("V8\n.\n");
	fd = openat(dir, "qfA", O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(peek_qf(dir, "A"), -EBUSY);
	(void)close(fd);
	assert_int_equal(peek_qf(dir, "A"), 0);
	/* and the look left no lock behind */
	fd = openat(dir, "qfA", O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	(void)close(fd);
}

static void
what_is_no_file_is_said_so(void **state)
{
	(void)state;
	assert_int_equal(peek_qf(dir, "A"), -ENOENT);
	assert_int_equal(mkdirat(dir, "qfA", 0700), 0);
	assert_int_equal(peek_qf(dir, "A"), -EBADMSG);
	assert_int_equal(unlinkat(dir, "qfA", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, "qfA"), 0);
	assert_int_equal(peek_qf(dir, "A"), -EBADMSG);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(an_empty_one_is_not_even_opened),
	    T(a_look_raises_no_event_that_would_wake_us_again),
	    T(a_locked_one_is_busy_however_complete),
	    T(what_is_no_file_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
