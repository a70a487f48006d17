#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queues/journal.h"
#include "tests/support/tmpspool.h"

#include <signal.h>
#include <sys/resource.h>

struct fixture {
	char *path;
	struct spool *spool;
};

static int
set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->path = tmpspool_make();
	f->spool = tmpspool_open(f->path);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	spool_free(f->spool);
	tmp_remove(f->path);
	free(f);
	return 0;
}

struct seen {
	int lines;
	int stop_at; /* this line returns 7 */
	size_t len;  /* of the last line */
	char last[64];
};

static int
see(void *arg, const char *line, size_t len)
{
	struct seen *s = arg;

	assert_int_equal(line[len], '\0');
	s->lines++;
	s->len = len;
	(void)snprintf(s->last, sizeof(s->last), "%s", line);
	return s->lines == s->stop_at ? 7 : 0;
}

static struct journal *
open_journal(const struct fixture *f)
{
	struct journal *j = NULL;

	assert_int_equal(journal_open(f->spool, "a", &j), 0);
	return j;
}

static int
read_all(const struct fixture *f, uint64_t *offset, struct seen *s)
{
	return journal_read(f->spool, "a", offset, 1000000, see, s);
}

static void
what_is_appended_is_read(void **state)
{
	const struct fixture *f = *state;
	struct journal *j = open_journal(f);
	struct seen s = {0};
	uint64_t off = 0;

	assert_int_equal(read_all(f, &off, &s), 0);
	assert_int_equal(journal_append(j, "one"), 0);
	assert_int_equal(journal_append(j, "second"), 0);
	assert_int_equal(journal_sync(j), 0);
	assert_int_equal(read_all(f, &off, &s), 2);
	assert_string_equal(s.last, "second");
	assert_int_equal(off, 11);
	assert_int_equal(journal_append(j, ""), 0);
	assert_int_equal(read_all(f, &off, &s), 1);
	assert_int_equal(s.len, 0);
	assert_int_equal(read_all(f, &off, &s), 0);
	off = 13;
	assert_int_equal(read_all(f, &off, &s), -ERANGE);
	journal_close(j);
}

static void
a_journal_has_one_writer(void **state)
{
	const struct fixture *f = *state;
	struct journal *j = open_journal(f), *other = NULL;

	assert_int_equal(journal_open(f->spool, "a", &other), -EBUSY);
	assert_int_equal(journal_open(f->spool, "b", &other), 0);
	journal_close(other);
	journal_close(j);
	j = open_journal(f);
	journal_close(j);
}

static void
a_line_cut_off_by_a_crash_spoils_no_other(void **state)
{
	const struct fixture *f = *state;
	struct journal *j;
	struct seen s = {0};
	uint64_t off = 0;

	tmp_put(f->spool->journal_fd, "a", "whole\ncut o", 11);
	assert_int_equal(read_all(f, &off, &s), 1);
	assert_int_equal(off, 6);
	j = open_journal(f);
	assert_int_equal(journal_append(j, "next"), 0);
	assert_int_equal(read_all(f, &off, &s), 2);
	assert_string_equal(s.last, "next");
	journal_close(j);
	/* Closed well, it is not touched again. */
	j = open_journal(f);
	assert_int_equal(read_all(f, &off, &s), 0);
	journal_close(j);
}

static void
reading_stops_where_it_is_told(void **state)
{
	const struct fixture *f = *state;
	struct seen s = {.stop_at = 2};
	uint64_t off = 0;

	tmp_put(f->spool->journal_fd, "a", "1\n2\n3\n4\n", 8);
	assert_int_equal(read_all(f, &off, &s), 7);
	assert_int_equal(off, 4);
	assert_int_equal(journal_read(f->spool, "a", &off, 1, see, &s), 1);
	assert_string_equal(s.last, "3");
	assert_int_equal(off, 6);
	assert_int_equal(
	    journal_read(f->spool, "b", &off, 1, see, &s), -ENOENT);
}

static void
long_lines_are_cut_and_longer_files_are_read_whole(void **state)
{
	const struct fixture *f = *state;
	struct journal *j = open_journal(f);
	const size_t big = 3 * 1024 * 1024;
	char *line = malloc(big + 1);
	struct seen s = {0};
	uint64_t off = 0;

	memset(line, 'x', big);
	line[big] = '\0';
	assert_int_equal(journal_append(j, "first"), 0);
	assert_int_equal(journal_append(j, line), 0);
	line[200000] = '\0';
	for (int i = 0; i < 20; i++)
		assert_int_equal(journal_append(j, line), 0);
	assert_int_equal(journal_read(f->spool, "a", &off, 2, see, &s), 2);
	assert_int_equal(s.len, 1024 * 1024);
	assert_int_equal(off, 6 + big + 1);
	assert_int_equal(read_all(f, &off, &s), 20);
	assert_int_equal(s.len, 200000);
	free(line);
	journal_close(j);
}

static void
a_full_disk_leaves_no_half_line(void **state)
{
	const struct fixture *f = *state;
	struct journal *j = open_journal(f);
	struct rlimit old, tight;
	struct seen s = {0};
	uint64_t off = 0;
	struct stat st;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(journal_append(j, "fits"), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = old;
	tight.rlim_cur = 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	assert_int_equal(journal_append(j, "does not fit"), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(fstatat(f->spool->journal_fd, "a", &st, 0), 0);
	assert_int_equal(st.st_size, 5);
	assert_int_equal(journal_append(j, "again"), 0);
	assert_int_equal(journal_sync(j), 0);
	assert_int_equal(read_all(f, &off, &s), 2);
	assert_string_equal(s.last, "again");
	journal_close(j);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_appended_is_read),
	    TEST(a_journal_has_one_writer),
	    TEST(a_line_cut_off_by_a_crash_spoils_no_other),
	    TEST(reading_stops_where_it_is_told),
	    TEST(long_lines_are_cut_and_longer_files_are_read_whole),
	    TEST(a_full_disk_leaves_no_half_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
