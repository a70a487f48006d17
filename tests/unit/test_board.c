#include "feed/board.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/test_board.XXXXXX";
static char file[64], sub[64];

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(strrchr(path, '.'), ".XXXXXX");
	if (!mkdtemp(path))
		return -1;
	(void)snprintf(sub, sizeof(sub), "%s/feed", path);
	(void)snprintf(file, sizeof(file), "%s/feed/board", path);
	return mkdir(sub, 0700);
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(file);
	return rmdir(sub) < 0 ? -1 : rmdir(path);
}

static void
what_is_written_is_read_and_outlives_its_writer(void **state)
{
	struct board in = {.pid = 7, .placed = 11, .lanes = 2}, out;
	struct board_map *map;

	(void)state;
	in.policy = 3;
	in.lane[1] = (struct board_lane){.max_bytes = 2000,
	    .messages = 3,
	    .empty_usec = 4500,
	    .wait_usec = 700};
	in.lane[63].max_bytes = UINT64_MAX;
	assert_int_equal(board_create(path, &map), 0);
	board_write(map, &in);
	assert_int_equal(board_read(path, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	in.placed = 12;
	board_write(map, &in);
	board_close(map);
	assert_int_equal(board_read(path, &out), 0);
	assert_int_equal(out.placed, 12);
}

static void
a_new_writer_begins_anew(void **state)
{
	struct board board = {.placed = 11, .lanes = 2};
	struct board_map *old, *new;

	(void)state;
	assert_int_equal(board_create(path, &old), 0);
	board_write(old, &board);
	assert_int_equal(board_create(path, &new), 0);
	assert_int_equal(board_read(path, &board), 0);
	assert_int_equal(board.placed, 0);
	board_write(old, &board); /* harms nobody */
	board_close(old);
	board_close(new);
}

static void
put(const void *buf, size_t len)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, buf, len), len);
	(void)close(fd);
}

static void
what_is_no_board_is_refused(void **state)
{
	static char zeros[sizeof(struct board) + sizeof(uint64_t)];
	struct board board = {.lanes = BOARD_MAX_LANES + 1};
	struct board_map *map;

	(void)state;
	assert_int_equal(board_read(path, &board), -ENOENT);
	put("", 0);
	assert_int_equal(board_read(path, &board), -EBADMSG);
	put(zeros, sizeof(zeros));
	assert_int_equal(board_read(path, &board), -EBADMSG);
	assert_int_equal(board_create(path, &map), 0);
	board.lanes = BOARD_MAX_LANES + 1;
	board_write(map, &board);
	assert_int_equal(board_read(path, &board), -EBADMSG);
	board_close(map);
	assert_int_equal(board_create("/nowhere", &map), -ENOENT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_is_written_is_read_and_outlives_its_writer),
	    T(a_new_writer_begins_anew),
	    T(what_is_no_board_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
