#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queues/journal.h"
#include "queues/move.h"
#include "tests/support/tmpspool.h"

struct fixture {
	char *path;
	struct spool *spool;
	struct journal *journal;
	struct claim claims[3];
	struct move moves[3];
};

static int
set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->path = tmpspool_make();
	f->spool = tmpspool_open(f->path);
	assert_int_equal(journal_open(f->spool, "t", &f->journal), 0);
	for (int i = 0; i < 3; i++)
		f->claims[i].qf_fd = -1;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		claim_drop(&f->claims[i]);
	journal_close(f->journal);
	spool_free(f->spool);
	tmp_remove(f->path);
	free(f);
	return 0;
}

static const char *const ids[3] = {"A1", "B2", "C3"};

/* Put message i into dir, claim it, and plan its move. */
static void
plan(struct fixture *f, int i, enum spool_dir dir, enum spool_dir to)
{
	const char *reason;

	tmpspool_put(f->spool, dir, ids[i]);
	assert_int_equal(
	    claim_take(f->spool, dir, ids[i], &f->claims[i], &reason), 0);
	f->moves[i] = (struct move){&f->claims[i], to, "{}", 1};
}

/* Is the whole message in dir, and nothing of it? */
static void
assert_there(
    const struct fixture *f, enum spool_dir dir, const char *id, bool is_there)
{
	char name[QUEUE_ID_MAX + 3];

	(void)snprintf(name, sizeof(name), "qf%s", id);
	assert_int_equal(tmpspool_has(f->spool, dir, name), is_there);
	name[0] = 'd';
	assert_int_equal(tmpspool_has(f->spool, dir, name), is_there);
}

static int
count_line(void *arg, const char *line, size_t len)
{
	(void)line;
	(void)len;
	++*(int *)arg;
	return 0;
}

static int
journal_lines(const struct fixture *f)
{
	uint64_t off = 0;
	int n = 0;

	assert_true(
	    journal_read(f->spool, "t", &off, 1000, count_line, &n) >= 0);
	return n;
}

static void
a_batch_goes_to_its_places(void **state)
{
	struct fixture *f = *state;
	const char *reason;
	struct claim again;

	plan(f, 0, SPOOL_FEED1, SPOOL_OUT);
	plan(f, 1, SPOOL_FEED1, SPOOL_VIRUS);
	plan(f, 2, SPOOL_IN, SPOOL_FEED1 + 1);
	assert_int_equal(move_batch(f->spool, f->journal, f->moves, 3), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(f->moves[i].result, 0);
		assert_there(f, f->moves[i].to, ids[i], true);
		assert_there(f, f->claims[i].dir, ids[i], false);
	}
	assert_int_equal(journal_lines(f), 3);
	/* The lock has moved with the file. */
	assert_int_equal(
	    claim_take(f->spool, SPOOL_OUT, "A1", &again, &reason), -EBUSY);
	claim_drop(&f->claims[0]);
	assert_int_equal(
	    claim_take(f->spool, SPOOL_OUT, "A1", &again, &reason), 0);
	claim_drop(&again);
}

static void
an_empty_batch_is_done(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(move_batch(f->spool, f->journal, NULL, 0), 0);
	assert_int_equal(journal_lines(f), 0);
}

static void
one_that_cannot_move_does_not_stop_the_others(void **state)
{
	struct fixture *f = *state;

	/* Another message of the same name waits at the target. */
	tmpspool_put(f->spool, SPOOL_OUT, "B2");
	for (int i = 0; i < 3; i++)
		plan(f, i, SPOOL_FEED1, SPOOL_OUT);
	assert_int_equal(
	    move_batch(f->spool, f->journal, f->moves, 3), -EEXIST);
	assert_int_equal(f->moves[0].result, 0);
	assert_int_equal(f->moves[1].result, -EEXIST);
	assert_int_equal(f->moves[2].result, 0);
	assert_there(f, SPOOL_OUT, "A1", true);
	assert_there(f, SPOOL_FEED1, "B2", true);
	assert_there(f, SPOOL_OUT, "C3", true);
	assert_int_equal(journal_lines(f), 2);

	/* Only a df in the way: the same. */
	assert_int_equal(unlinkat(f->spool->fds[SPOOL_OUT], "qfB2", 0), 0);
	assert_int_equal(
	    move_batch(f->spool, f->journal, &f->moves[1], 1), -EEXIST);
	assert_there(f, SPOOL_FEED1, "B2", true);
	assert_true(tmpspool_has(f->spool, SPOOL_OUT, "dfB2"));
	assert_int_equal(journal_lines(f), 2);
}

static void
a_df_left_by_a_crashed_move_is_no_obstacle(void **state)
{
	struct fixture *f = *state;

	plan(f, 0, SPOOL_FEED1, SPOOL_OUT);
	assert_int_equal(linkat(f->spool->fds[SPOOL_FEED1], "dfA1",
			     f->spool->fds[SPOOL_OUT], "dfA1", 0),
	    0);
	assert_int_equal(move_batch(f->spool, f->journal, f->moves, 1), 0);
	assert_there(f, SPOOL_OUT, "A1", true);
	assert_there(f, SPOOL_FEED1, "A1", false);
}

static void
what_is_gone_or_nonsense_is_refused(void **state)
{
	struct fixture *f = *state;

	plan(f, 0, SPOOL_FEED1, SPOOL_FEED1);
	plan(f, 1, SPOOL_FEED1, SPOOL_FEED1 + TMPSPOOL_FEEDS);
	plan(f, 2, SPOOL_FEED1, SPOOL_OUT);
	assert_int_equal(unlinkat(f->spool->fds[SPOOL_FEED1], "qfC3", 0), 0);
	assert_int_equal(
	    move_batch(f->spool, f->journal, f->moves, 3), -EINVAL);
	assert_int_equal(f->moves[0].result, -EINVAL);
	assert_int_equal(f->moves[1].result, -EINVAL);
	assert_int_equal(f->moves[2].result, -ENOENT);
	assert_false(tmpspool_has(f->spool, SPOOL_OUT, "dfC3"));
	assert_there(f, SPOOL_FEED1, "A1", true);
	assert_int_equal(journal_lines(f), 0);
}

static void
a_df_with_two_names_stays_shared(void **state)
{
	struct fixture *f = *state;
	int from = f->spool->fds[SPOOL_FEED1];
	struct stat a, b;

	plan(f, 0, SPOOL_FEED1, SPOOL_OUT);
	tmpspool_put(f->spool, SPOOL_FEED1, "B2");
	assert_int_equal(unlinkat(from, "dfB2", 0), 0);
	assert_int_equal(linkat(from, "dfA1", from, "dfB2", 0), 0);
	assert_int_equal(move_batch(f->spool, f->journal, f->moves, 1), 0);
	assert_there(f, SPOOL_OUT, "A1", true);
	assert_there(f, SPOOL_FEED1, "A1", false);
	assert_there(f, SPOOL_FEED1, "B2", true);
	assert_int_equal(fstatat(from, "dfB2", &a, 0), 0);
	assert_int_equal(fstatat(f->spool->fds[SPOOL_OUT], "dfA1", &b, 0), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(a.st_nlink, 2);
}

static void
a_qf_without_df_moves_alone(void **state)
{
	struct fixture *f = *state;

	tmp_put(f->spool->fds[SPOOL_IN], "qfA1", "V8\n", 3);
	assert_int_equal(
	    claim_take_broken(f->spool, SPOOL_IN, "A1", &f->claims[0]), 0);
	f->moves[0] = (struct move){&f->claims[0], SPOOL_ERROR, "{}", 1};
	/* Never beside a stranger's df. */
	tmp_put(f->spool->fds[SPOOL_ERROR], "dfA1", "x", 1);
	assert_int_equal(
	    move_batch(f->spool, f->journal, f->moves, 1), -EEXIST);
	assert_int_equal(unlinkat(f->spool->fds[SPOOL_ERROR], "dfA1", 0), 0);
	assert_int_equal(move_batch(f->spool, f->journal, f->moves, 1), 0);
	assert_true(tmpspool_has(f->spool, SPOOL_ERROR, "qfA1"));
	assert_false(tmpspool_has(f->spool, SPOOL_IN, "qfA1"));
}

static void
a_header_goes_in_front_of_the_others(void **state)
{
	struct fixture *f = *state;
	const struct tries t = {1, 2};
	struct tries got;
	struct stat before, after;
	char *text;
	size_t len;
	const char *reason;
	struct claim other;
	int dir = f->spool->fds[SPOOL_FEED1];

	plan(f, 0, SPOOL_FEED1, SPOOL_OUT);
	tmp_put(dir, "tfA1", "left by a crash", 15);
	assert_int_equal(tries_write(&f->claims[0], t), 0);
	assert_int_equal(fstat(f->claims[0].qf_fd, &before), 0);
	assert_int_equal(
	    move_add_header(f->spool, &f->claims[0], "X-Sluice: seen"), 0);
	assert_int_equal(fstat(f->claims[0].qf_fd, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(before.st_mode, after.st_mode);
	assert_int_equal(f->claims[0].qf_bytes, after.st_size);
	assert_false(tmpspool_has(f->spool, SPOOL_FEED1, "tfA1"));
	assert_int_equal(read_file(dir, "qfA1", 100000, &text, &len), 0);
	assert_int_equal(len, after.st_size);
	assert_non_null(strstr(
	    text, "RPFD:<b@y.test>\nH??X-Sluice: seen\nH?P?Return-Path:"));
	assert_string_equal(text + len - 3, "\n.\n");
	free(text);
	assert_int_equal(tries_read(&f->claims[0], &got), 0);
	assert_int_equal(got.died, 1);
	assert_int_equal(got.begun, 2);
	assert_int_equal(
	    claim_take(f->spool, SPOOL_FEED1, "A1", &other, &reason), -EBUSY);
	assert_int_equal(move_batch(f->spool, f->journal, f->moves, 1), 0);
	assert_there(f, SPOOL_OUT, "A1", true);
}

static void
a_malformed_header_changes_nothing(void **state)
{
	static const char *const headers[] = {"", "x", ": y", "X Y: z",
	    "X: a\nY: b", "X: a\r", "X\303\244: y", "X: a\177"};
	struct fixture *f = *state;
	struct stat before, after;

	plan(f, 0, SPOOL_FEED1, SPOOL_OUT);
	assert_int_equal(fstat(f->claims[0].qf_fd, &before), 0);
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		assert_int_equal(
		    move_add_header(f->spool, &f->claims[0], headers[i]),
		    -EINVAL);
	assert_int_equal(
	    fstatat(f->spool->fds[SPOOL_FEED1], "qfA1", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_batch_goes_to_its_places),
	    TEST(an_empty_batch_is_done),
	    TEST(one_that_cannot_move_does_not_stop_the_others),
	    TEST(a_df_left_by_a_crashed_move_is_no_obstacle),
	    TEST(what_is_gone_or_nonsense_is_refused),
	    TEST(a_df_with_two_names_stays_shared),
	    TEST(a_qf_without_df_moves_alone),
	    TEST(a_header_goes_in_front_of_the_others),
	    TEST(a_malformed_header_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
