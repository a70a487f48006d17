/*
 * Every call of a move fails once, with every likely error; afterwards each
 * message is in one place, as told, and a second try gets it to its target.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queues/claim.h"
#include "queues/journal.h"
#include "queues/recover.h"
#include "tests/support/tmpspool.h"
#include "tests/torture/fault.h"
#include "tests/torture/world.h"

#define CALLS_MAX 100

struct fixture {
	char *path;
	struct world world;
};

static int
set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->path = tmpspool_make();
	f->world.spool = tmpspool_open(f->path);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	spool_free(f->world.spool);
	tmp_remove(f->path);
	free(f);
	return 0;
}

struct plan {
	enum fault_kind kind;
	int nth, error;
	const char *name;
};

static void
arm(void *arg)
{
	const struct plan *p = arg;

	fault_arm(p->kind, p->nth, p->error, p->name);
}

static int
move_with(
    struct world *w, enum fault_kind kind, int nth, int error, const char *name)
{
	struct plan plan = {kind, nth, error, name};
	int r = world_move(w, arm, &plan);

	(void)fault_disarm();
	return r;
}

/* May this call be interrupted by a signal, so that we must go on? */
static bool
can_be_interrupted(const char *name)
{
	return strcmp(name, "openat") != 0 && strcmp(name, "fsetxattr") != 0 &&
	       strcmp(name, "futimens") != 0 && strcmp(name, "fchmod") != 0 &&
	       strcmp(name, "fchown") != 0;
}

/* What was said must be so. */
static void
check_results(const struct world *w)
{
	for (int i = 0; i < w->n; i++) {
		enum spool_dir at = world_find(w, i);

		assert_int_equal(at, w->result[i] < 0 ? w->from : w->to[i]);
	}
}

static void
try_again(struct world *w)
{
	struct recovery rec;

	assert_int_equal(recover_spool(w->spool, &rec), 0);
	assert_int_equal(rec.orphan_df, 0);
	assert_int_equal(move_with(w, FAULT_COUNT, 0, 0, NULL), 0);
	world_check_end(w);
}

/* Every call of one kind of move, with one error.  Returns their number. */
static int
run_row(struct world *w, enum world_kind kind, enum spool_dir to,
    enum fault_kind fault, int error)
{
	int nth;

	for (nth = 1;; nth++) {
		const char *hit;
		int r;

		assert_true(nth < CALLS_MAX);
		world_begin(w, kind, to);
		r = move_with(w, fault, nth, error, NULL);
		hit = fault_hit();
		world_check_always(w);
		if (!hit) {
			assert_int_equal(r, 0);
			world_check_end(w);
			return nth - 1;
		}
		if (fault == FAULT_SHORT ||
		    (error == EINTR && can_be_interrupted(hit)))
			assert_int_equal(r, 0);
		check_results(w);
		if (r < 0 && fault == FAULT_ERROR) {
			assert_false(tmpspool_has(w->spool, w->from, "tfA1"));
			assert_false(tmpspool_has(w->spool, w->from, "nfA1"));
		}
		try_again(w);
	}
}

static void
run_all(struct world *w, enum fault_kind fault, int error)
{
	static const enum spool_dir targets[] = {
	    SPOOL_OUT, SPOOL_VIRUS, SPOOL_FEED1, SPOOL_FEED1 + 1};

	for (int kind = 0; kind < WORLD_KINDS; kind++)
		for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
			assert_true(run_row(w, (enum world_kind)kind,
					targets[i], fault, error) >= 8);
}

static void
a_full_disk_loses_nothing(void **state)
{
	struct fixture *f = *state;

	run_all(&f->world, FAULT_ERROR, ENOSPC);
}

static void
an_unreadable_disk_loses_nothing(void **state)
{
	struct fixture *f = *state;

	run_all(&f->world, FAULT_ERROR, EIO);
}

/* From some call on everything fails, so nothing can be undone either. */
static void
a_disk_that_dies_loses_nothing(void **state)
{
	struct fixture *f = *state;

	run_all(&f->world, FAULT_REST, EIO);
}

static void
a_signal_is_no_error(void **state)
{
	struct fixture *f = *state;

	run_all(&f->world, FAULT_ERROR, EINTR);
}

static void
a_short_write_is_gone_on_with(void **state)
{
	struct fixture *f = *state;

	run_all(&f->world, FAULT_SHORT, 0);
}

static void
before_the_renames_a_failed_sync_moves_nothing(void **state)
{
	static const char *const calls[] = {"pwritev", "fdatasync", "fsync"};
	struct fixture *f = *state;
	struct world *w = &f->world;

	for (size_t c = 0; c < ARRAY_SIZE(calls); c++) {
		/* fsync 1 and 2 are the two targets' */
		for (int nth = 1; nth <= (strcmp(calls[c], "fsync") ? 1 : 2);
		     nth++) {
			world_begin(w, WORLD_BATCH, SPOOL_OUT);
			assert_int_equal(
			    move_with(w, FAULT_ERROR, nth, EIO, calls[c]),
			    -EIO);
			for (int i = 0; i < w->n; i++) {
				assert_int_equal(w->result[i], -EIO);
				assert_int_equal(world_find(w, i), w->from);
			}
			assert_false(tmpspool_has(w->spool, SPOOL_OUT, "dfA1"));
			assert_false(
			    tmpspool_has(w->spool, SPOOL_ERROR, "dfB2"));
			try_again(w);
		}
	}
}

/* docs/queue-states.md: moved, unconfirmed; the source keeps its df. */
static void
after_the_renames_a_failed_sync_keeps_both_df(void **state)
{
	struct fixture *f = *state;
	struct world *w = &f->world;

	for (int nth = 3; nth <= 5; nth++) {
		struct recovery rec;

		world_begin(w, WORLD_BATCH, SPOOL_OUT);
		assert_int_equal(
		    move_with(w, FAULT_ERROR, nth, EIO, "fsync"), -EIO);
		for (int i = 0; i < w->n; i++) {
			assert_int_equal(w->result[i], 0);
			assert_int_equal(world_find(w, i), w->to[i]);
		}
		assert_true(tmpspool_has(w->spool, w->from, "dfA1"));
		assert_true(tmpspool_has(w->spool, w->from, "dfC3"));
		assert_int_equal(recover_spool(w->spool, &rec), 0);
		assert_int_equal(rec.extra_df, 3);
		world_check_end(w);
	}
}

static int
count_line(void *arg, const char *line, size_t len)
{
	(void)line;
	(void)len;
	++*(int *)arg;
	return 0;
}

/*
 * After a failed sync Linux calls the pages clean: the second sync must not
 * come back as a success before they were written again.
 */
static void
a_journal_that_failed_to_sync_is_written_again(void **state)
{
	struct fixture *f = *state;
	struct journal *j = NULL;
	uint64_t off = 0;
	int lines = 0;

	assert_int_equal(journal_open(f->world.spool, "j", &j), 0);
	assert_int_equal(journal_append(j, "one"), 0);
	fault_arm(FAULT_ERROR, 1, EIO, "fdatasync");
	assert_int_equal(journal_sync(j), -EIO);
	fault_arm(FAULT_COUNT, 0, 0, "pwritev");
	assert_int_equal(journal_sync(j), 0);
	assert_int_equal(fault_disarm(), 1);
	fault_arm(FAULT_COUNT, 0, 0, "pwritev");
	assert_int_equal(journal_sync(j), 0);
	assert_int_equal(fault_disarm(), 0);
	assert_int_equal(journal_append(j, "two"), 0);
	assert_int_equal(
	    journal_read(f->world.spool, "j", &off, 9, count_line, &lines), 2);
	journal_close(j);
}

/* What sendmail does while we wait for the processor. */
static void
replace_qf(void *arg)
{
	const struct spool *spool = arg;
	int in = spool->fds[SPOOL_IN];

	tmp_put(in, "tfA1", "V8\nnew\n.\n", 9);
	assert_int_equal(renameat(in, "tfA1", in, "qfA1"), 0);
}

static void
a_lock_on_a_file_that_was_replaced_is_no_claim(void **state)
{
	struct fixture *f = *state;
	struct claim claim = {.qf_fd = -1};
	const char *reason;
	struct stat st;

	tmpspool_put(f->world.spool, SPOOL_IN, "A1");
	fault_before_flock(replace_qf, f->world.spool);
	assert_int_equal(
	    claim_take(f->world.spool, SPOOL_IN, "A1", &claim, &reason), 0);
	assert_int_equal(
	    fstatat(f->world.spool->fds[SPOOL_IN], "qfA1", &st, 0), 0);
	assert_int_equal(claim.qf_bytes, 9);
	assert_int_equal(st.st_size, 9);
	claim_drop(&claim);
}

static int
keep_line(void *arg, const char *line, size_t len)
{
	assert_true(len < 16);
	(void)snprintf(arg, 16, "%s", line);
	return 0;
}

/* Even when the cutting off fails, the next line stands alone. */
static void
a_torn_line_is_cut_off_before_the_next_one(void **state)
{
	struct fixture *f = *state;
	struct journal *j = NULL;
	uint64_t off = 0;
	char line[16] = "";

	assert_int_equal(journal_open(f->world.spool, "j", &j), 0);
	fault_arm(FAULT_REST, 1, ENOSPC, NULL);
	assert_int_equal(journal_append(j, "one"), -ENOSPC);
	(void)fault_disarm();
	/* What the kernel may have taken of it. */
	tmp_put(f->world.spool->journal_fd, "j", "on", 2);
	assert_int_equal(journal_append(j, ""), 0);
	assert_int_equal(journal_append(j, "two"), 0);
	assert_int_equal(
	    journal_read(f->world.spool, "j", &off, 9, keep_line, line), 2);
	assert_string_equal(line, "two");
	assert_int_equal(off, 5);
	journal_close(j);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_full_disk_loses_nothing),
	    TEST(an_unreadable_disk_loses_nothing),
	    TEST(a_disk_that_dies_loses_nothing),
	    TEST(a_signal_is_no_error),
	    TEST(a_short_write_is_gone_on_with),
	    TEST(before_the_renames_a_failed_sync_moves_nothing),
	    TEST(after_the_renames_a_failed_sync_keeps_both_df),
	    TEST(a_journal_that_failed_to_sync_is_written_again),
	    TEST(a_lock_on_a_file_that_was_replaced_is_no_claim),
	    TEST(a_torn_line_is_cut_off_before_the_next_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
