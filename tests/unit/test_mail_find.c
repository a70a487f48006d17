#include "tools/sluice/mail_find.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* base64 of "SLUICUPD" and more */
static const struct {
	const char *mail;
	const char *found; /* NULL: nothing */
} cases[] = {
    {"From: a\n\nU0xVSUNVUEQxMjM0\nNTY=\n\n--x--\n", "SLUICUPD123456"},
    {"From: a\r\n\r\nU0xVSUNVUEQxMjM0\r\nNTY=\r\n", "SLUICUPD123456"},
    {"U0xVSUNVUEQxMjM0", "SLUICUPD1234"},
    /* Lines of any length; the groups of four go on. */
    {"U0xVSUNVUEQx\nM\njM\n0NT\nY=\n", "SLUICUPD123456"},
    /* What follows its end is not of it. */
    {"U0xVSUNVUEQxMg==\nMzQ1\n", "SLUICUPD12"},
    {"U0xVSUNVUEQxMjM0\n--x\nNTY3\n", "SLUICUPD1234"},
    {"U0xVSUNVUEQxMjM0\n NTY3\n", "SLUICUPD1234"},
    /* The first one of two. */
    {"U0xVSUNVUEQx\n\nU0xVSUNVUEQy\n", "SLUICUPD1"},
    /* Not at the beginning of a line; another magic; no base64 */
    {" U0xVSUNVUEQxMjM0\n", NULL},
    {"X: U0xVSUNVUEQxMjM0\n", NULL},
    {"U0xVSUNTVUIxMjM0\n", NULL},
    {"SLUICUPD1234\n", NULL},
    {"", NULL},
};

static int
find(const char *mail, size_t n, uint64_t most, char **ret, size_t *ret_n)
{
	CLEANUP(close_fd) int fd = memfd_new("found");
	CLEANUP(free_ptr) char *copy = xcalloc(1, n + 1);
	FILE *in;
	int r;

	memcpy(copy, mail, n);
	in = fmemopen(copy, n ? n : 1, "r");
	assert_non_null(in);
	r = mail_find(in, "SLUICUPD", most, fd);
	(void)fclose(in);
	if (r == 0)
		assert_int_equal(read_fd(fd, 1 << 20, ret, ret_n), 0);
	return r;
}

static void
what_a_mail_has_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(free_ptr) char *found = NULL;
		size_t n = 0;
		const int r = find(
		    cases[i].mail, strlen(cases[i].mail), 1000, &found, &n);

		assert_int_equal(r, cases[i].found ? 0 : -ENODATA);
		if (cases[i].found)
			assert_string_equal(found, cases[i].found);
	}
}

static void
no_more_is_decoded_than_is_allowed(void **state)
{
	CLEANUP(free_ptr) char *found = NULL;
	const char mail[] = "U0xVSUNVUEQxMjM0\nNTY3\n";
	size_t n = 0;

	(void)state;
	assert_int_equal(find(mail, strlen(mail), 15, &found, &n), 0);
	assert_int_equal(n, 15);
	assert_int_equal(find(mail, strlen(mail), 14, NULL, NULL), -EFBIG);
}

static void
a_long_line_is_no_base64(void **state)
{
	CLEANUP(free_ptr) char *mail = xcalloc(1, 20001);
	CLEANUP(free_ptr) char *found = NULL;
	size_t n = 99;

	(void)state;
	memset(mail, 'A', 20000);
	memcpy(mail, "U0xVSUNVUEQB", 12);
	assert_int_equal(find(mail, 20000, 1 << 20, &found, &n), 0);
	assert_int_equal(n, 0);
	/* Nor does a new line begin in the midst of one. */
	memset(mail, 'A', 20000);
	memcpy(mail + 4095, "U0xVSUNVUEQB", 12);
	assert_int_equal(find(mail, 20000, 1 << 20, &found, &n), -ENODATA);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_mail_has_is_found),
	    cmocka_unit_test(no_more_is_decoded_than_is_allowed),
	    cmocka_unit_test(a_long_line_is_no_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
