#include "common/store.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char schema[] =
    "CREATE TABLE t(i INTEGER, s TEXT, b BLOB, d REAL)";

static char *
file_in(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void
values_come_back_as_they_went_in(void **state)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct store_stmt *put, *get;
	char err[256];
	size_t n;

	(void)state;
	assert_int_equal(
	    store_open(":memory:", schema, 1, false, &s, err, sizeof(err)), 0);
	put = store_prepare(s, "INSERT INTO t VALUES(?,?,?,?)");
	get = store_prepare(s, "SELECT * FROM t");
	assert_int_equal(
	    store_run(put, "itbd", INT64_MIN, "x\xff", "a\0b", (size_t)3, 0.5),
	    0);
	assert_int_equal(
	    store_run(put, "itbd", (int64_t)1, NULL, "", (size_t)0, -1.0), 0);
	assert_int_equal(store_step(get), 1);
	assert_true(store_int(get, 0) == INT64_MIN);
	assert_string_equal(store_text(get, 1), "x\xff");
	assert_memory_equal(store_blob(get, 2, &n), "a\0b", 3);
	assert_int_equal(n, 3);
	assert_true(store_double(get, 3) == 0.5);
	assert_int_equal(store_step(get), 1);
	assert_null(store_text(get, 1));
	assert_int_equal(store_step(get), 0);
	store_reset(get);
	assert_null(store_prepare(s, "SELECT nothing FROM nowhere"));
}

static void
a_closed_store_is_found_again_without_what_was_not_committed(void **state)
{
	char *dir = *state, err[256];
	CLEANUP(free_ptr) char *path = file_in(dir, "kept.db");
	struct store *s = NULL;
	struct store_stmt *count;

	assert_int_equal(
	    store_open(path, schema, 3, false, &s, err, sizeof(err)), 0);
	assert_int_equal(store_exec(s, "INSERT INTO t(i) VALUES(1)"), 0);
	assert_int_equal(store_exec(s, "BEGIN; INSERT INTO t(i) VALUES(2)"), 0);
	s = store_close(s);
	assert_int_equal(
	    store_open(path, schema, 3, true, &s, err, sizeof(err)), 0);
	count = store_prepare(s, "SELECT count(*) FROM t");
	assert_int_equal(store_step(count), 1);
	assert_int_equal(store_int(count, 0), 1);
	store_reset(count);
	assert_int_equal(store_exec(s, "INSERT INTO t(i) VALUES(3)"), -EROFS);
	s = store_close(s);
	assert_int_equal(
	    store_open(path, schema, 4, false, &s, err, sizeof(err)), -EBADMSG);
	assert_non_null(strstr(err, "version"));
}

static void
put_file(const char *path, const char *text)
{
	CLEANUP(close_fd)
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static void
bad_files_are_named_and_not_touched(void **state)
{
	char *dir = *state, err[256] = "";
	CLEANUP(free_ptr) char *path = file_in(dir, "bad.db");
	CLEANUP(free_ptr) char *missing = file_in(dir, "none/x.db");
	struct store *s = NULL;
	struct stat st;

	put_file(path, "This is no database, but it is long enough for one.\n"
		       "This is no database, but it is long enough for one.\n");
	assert_int_equal(
	    store_open(path, schema, 1, false, &s, err, sizeof(err)), -EBADMSG);
	assert_true(err[0] != '\0');
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 104);
	assert_int_equal(
	    store_open(missing, schema, 1, false, &s, err, sizeof(err)),
	    -ENOENT);
	assert_true(
	    store_open(dir, schema, 1, false, &s, err, sizeof(err)) < 0);
	assert_int_equal(store_set_aside(path), 0);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(
	    store_open(path, schema, 1, false, &s, err, sizeof(err)), 0);
	s = store_close(s);
	assert_null(s);
}

static void
a_writer_waits_for_nobody_when_told_so(void **state)
{
	char *dir = *state, err[256];
	CLEANUP(free_ptr) char *path = file_in(dir, "two.db");
	CLEANUP(store_closep) struct store *a = NULL;
	CLEANUP(store_closep) struct store *b = NULL;

	assert_int_equal(
	    store_open(path, schema, 1, false, &a, err, sizeof(err)), 0);
	assert_int_equal(
	    store_open(path, schema, 1, false, &b, err, sizeof(err)), 0);
	(void)store_exec(b, "PRAGMA busy_timeout=0");
	assert_int_equal(store_exec(a, "BEGIN IMMEDIATE"), 0);
	assert_int_equal(store_exec(b, "BEGIN IMMEDIATE"), -EAGAIN);
	assert_int_equal(store_exec(a, "COMMIT"), 0);
	assert_int_equal(store_exec(b, "BEGIN IMMEDIATE"), 0);
}

static int
set_up(void **state)
{
	*state = tmp_new();
	return 0;
}

static int
tear_down(void **state)
{
	tmp_remove(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_come_back_as_they_went_in),
	    cmocka_unit_test(
		a_closed_store_is_found_again_without_what_was_not_committed),
	    cmocka_unit_test(bad_files_are_named_and_not_touched),
	    cmocka_unit_test(a_writer_waits_for_nobody_when_told_so),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
