/*
 * A message file becomes what the spool would hold: LF line ends, sealed.
 */
#include "tools/sluice/letter.h"

#include "common/io.h"
#include "tests/support/tmpspool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after those that it needs */
#include <cmocka.h>

/* Write text to a file, open it as a letter, compare. */
static void
becomes(const char *text, size_t len, const char *want, size_t want_len)
{
	char *top = tmp_new(), *path = xasprintf("%s/x.eml", top), *got;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), letter;
	uint64_t bytes;
	size_t n;

	assert_int_equal(write_all(fd, text, len), 0);
	(void)close(fd);
	assert_int_equal(letter_open(path, 1 << 20, &letter, &bytes), 0);
	assert_true(memfd_is_sealed(letter));
	assert_int_equal(read_fd(letter, 1 << 20, &got, &n), 0);
	assert_int_equal(n, want_len);
	assert_int_equal(bytes, want_len);
	assert_memory_equal(got, want, want_len);
	(void)close(letter);
	free(got);
	free(path);
	tmp_remove(top);
}

#define BECOMES(text, want) \
	becomes(text, sizeof(text) - 1, want, sizeof(want) - 1)

static void
line_ends_become_lf_and_nothing_else_changes(void **state)
{
	(void)state;
	BECOMES("A: b\r\n\r\nx\r\n", "A: b\n\nx\n");
	BECOMES("A: b\n\nx\n", "A: b\n\nx\n");
	BECOMES("bare \r cr\n", "bare \r cr\n");
	BECOMES("two \r\r\n", "two \r\n");
	BECOMES("ends in \r", "ends in \r");
	BECOMES("nul \0 8 bit \xff\r\n", "nul \0 8 bit \xff\n");
}

static void
a_line_end_across_two_reads_is_one(void **state)
{
	static char text[40000], want[40000];
	size_t n = 0, m = 0;

	(void)state;
	/* One octet, then pairs: a pair lies across each even offset. */
	text[n++] = want[m++] = 'x';
	while (n + 2 < sizeof(text)) {
		text[n++] = '\r';
		text[n++] = '\n';
		want[m++] = '\n';
	}
	becomes(text, n, want, m);
}

static void
what_is_no_file_or_too_large_is_refused(void **state)
{
	char *top = tmp_new(), *path = xasprintf("%s/x.eml", top);
	int letter, fd;
	uint64_t bytes;

	(void)state;
	assert_int_equal(letter_open(path, 10, &letter, &bytes), -ENOENT);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)close(fd);
	assert_int_equal(letter_open(path, 10, &letter, &bytes), -ENODATA);
	(void)unlink(path);
	assert_int_equal(letter_open(top, 10, &letter, &bytes), -EISDIR);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write_all(fd, "0123456789", 10), 0);
	assert_int_equal(letter_open(path, 9, &letter, &bytes), -EFBIG);
	assert_int_equal(letter_open(path, 10, &letter, &bytes), 0);
	(void)close(letter);
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0); /* and nobody writes */
	assert_int_equal(letter_open(path, 10, &letter, &bytes), -ENODATA);
	assert_int_equal(
	    letter_open("/dev/null", 10, &letter, &bytes), -EINVAL);
	free(path);
	tmp_remove(top);
}

static void
a_pipe_is_read_to_its_end(void **state)
{
	char *top = tmp_new(), *path = xasprintf("%s/pipe", top), *got;
	int fd, letter;
	uint64_t bytes;
	size_t n;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fork() == 0) {
		(void)usleep(20000);
		_exit(write_all(fd, "A: b\n\nx\n", 8));
	}
	(void)close(fd);
	assert_int_equal(letter_open(path, 100, &letter, &bytes), 0);
	assert_int_equal(read_fd(letter, 100, &got, &n), 0);
	assert_int_equal(n, 8);
	assert_memory_equal(got, "A: b\n\nx\n", 8);
	(void)close(letter);
	free(got);
	free(path);
	tmp_remove(top);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(line_ends_become_lf_and_nothing_else_changes),
	    cmocka_unit_test(a_line_end_across_two_reads_is_one),
	    cmocka_unit_test(what_is_no_file_or_too_large_is_refused),
	    cmocka_unit_test(a_pipe_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
