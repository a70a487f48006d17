/*
 * The crash matrix: a process dies after the nth system call of a move, for
 * every n, every target and every kind of move; then recovery and the move
 * again, to the same target or to another one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queues/recover.h"
#include "tests/support/tmpspool.h"
#include "tests/torture/fault.h"
#include "tests/torture/world.h"

#include <sys/wait.h>

/* No move makes more calls than that: the loop must end. */
#define POINTS_MAX 100

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

static void
arm_kill(void *arg)
{
	fault_arm(FAULT_KILL, *(int *)arg, 0, NULL);
}

static void
no_fault(void *arg)
{
	(void)arg;
	fault_arm(FAULT_COUNT, 0, 0, NULL); /* skips the fsyncs */
}

/* Move in a child that dies at point nth.  false: it got through. */
static bool
dies_at(struct world *w, int nth)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(world_move(w, arm_kill, &nth) == 0 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(
	    WEXITSTATUS(status) == FAULT_EXIT || WEXITSTATUS(status) == 0);
	return WEXITSTATUS(status) == FAULT_EXIT;
}

static void
recover_and_redo(struct world *w, bool is_other)
{
	struct recovery rec;

	assert_int_equal(recover_spool(w->spool, &rec), 0);
	assert_int_equal(rec.skipped, 0);
	assert_int_equal(rec.orphan_df, 0);
	world_check_always(w);
	for (int i = 0; is_other && i < w->n; i++)
		if (world_find(w, i) == w->from)
			w->to[i] = w->from == SPOOL_IN     ? SPOOL_FEED1 + 1
				   : w->to[i] == SPOOL_EXT ? SPOOL_SPAM
							   : SPOOL_EXT;
	assert_int_equal(world_move(w, no_fault, NULL), 0);
	(void)fault_disarm();
	/* The move has left nothing behind for another recovery. */
	world_check_end(w);
	assert_int_equal(recover_spool(w->spool, &rec), 0);
	assert_int_equal(
	    rec.extra_df + rec.stale_tf + rec.wraps + rec.orphan_df, 0);
}

/* All points of one kind of move to one target.  Returns their number. */
static int
run_row(struct world *w, enum world_kind kind, enum spool_dir to, bool is_other)
{
	int nth;

	for (nth = 1;; nth++) {
		bool is_dead;

		assert_true(nth < POINTS_MAX);
		world_begin(w, kind, to);
		is_dead = dies_at(w, nth);
		world_check_always(w);
		if (!is_dead) {
			world_check_end(w);
			return nth - 1;
		}
		recover_and_redo(w, is_other);
	}
}

static void
run_matrix(struct world *w, bool is_other)
{
	int least = INT32_MAX;

	for (int kind = 0; kind < WORLD_KINDS; kind++) {
		int points = 0;

		for (size_t to = SPOOL_OUT; to < spool_dirs(w->spool); to++) {
			int n;

			n = run_row(w, (enum world_kind)kind,
			    (enum spool_dir)to, is_other);
			points += n;
			if (n < least)
				least = n;
		}
		print_message("  %s: %d crash points\n",
		    world_kind_name((enum world_kind)kind), points);
	}
	/* link, append, sync, 2 + 1 fsyncs, rename, unlink: else the wrapping
	 * of the calls does not work and nothing was tested. */
	assert_true(least >= 8);
}

static void
a_crash_at_any_call_leaves_exactly_one(void **state)
{
	struct fixture *f = *state;

	run_matrix(&f->world, false);
}

static void
after_a_crash_another_destination_is_as_good(void **state)
{
	struct fixture *f = *state;

	run_matrix(&f->world, true);
}

/*
 * A recovery that dies itself, at each of its calls, is as harmless as the
 * move that died before it.
 */
static void
a_crash_of_the_recovery_does_no_harm(void **state)
{
	struct fixture *f = *state;
	struct world *w = &f->world;
	struct recovery rec;

	for (int move_at = 1; move_at <= 8; move_at++) {
		for (int at = 1; at <= 4; at++) {
			int status;
			pid_t pid;

			world_begin(w, WORLD_HEADERED, SPOOL_OUT);
			assert_true(dies_at(w, move_at * 3));
			pid = fork();
			if (pid == 0) {
				fault_arm(FAULT_KILL, at, 0, "unlinkat");
				_exit(recover_spool(w->spool, &rec) ? 1 : 0);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			world_check_always(w);
			recover_and_redo(w, false);
		}
		if (move_at * 3 >= 20)
			break;
	}
}

/* Dies at the nth call of a recovery.  false: it got through. */
static bool
recovery_dies_at(const struct world *w, int nth)
{
	struct recovery rec;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		fault_arm(FAULT_KILL, nth, 0, NULL);
		_exit(recover_spool(w->spool, &rec) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 1);
	return WEXITSTATUS(status) == FAULT_EXIT;
}

/* Every call of a wrap, and then every call of the recovery. */
static void
a_crash_of_the_recovery_of_a_wrap_does_no_harm(void **state)
{
	struct fixture *f = *state;
	struct world *w = &f->world;
	int points = 0, wraps = 0;

	for (int nth = 1;; nth++) {
		for (int at = 1;; at++) {
			struct recovery rec;
			bool is_dead;

			world_begin(w, WORLD_WRAPPED_SPLIT, SPOOL_OUT);
			if (!dies_at(w, nth)) {
				print_message("  %d pairs of points, %d of "
					      "them in a wrap\n",
				    points, wraps);
				assert_true(points > 200 && wraps > 5);
				return;
			}
			is_dead = recovery_dies_at(w, at);
			world_check_always(w);
			assert_int_equal(recover_spool(w->spool, &rec), 0);
			assert_int_equal(rec.orphan_df + rec.skipped, 0);
			wraps += rec.wraps > 0;
			recover_and_redo(w, false);
			if (!is_dead)
				break;
			points++;
		}
	}
}

/* A feed that steals, or a worker, does not wait for anybody to recover. */
static void
who_takes_a_half_wrapped_message_at_once_takes_a_whole_one(void **state)
{
	struct fixture *f = *state;
	struct world *w = &f->world;
	int mended = 0;

	for (int nth = 1;; nth++) {
		world_begin(w, WORLD_WRAPPED, SPOOL_OUT);
		if (!dies_at(w, nth))
			break;
		if (world_find(w, 0) != w->from)
			continue;
		mended += tmpspool_has(w->spool, w->from, "ofA1");
		world_steal(w);
		assert_false(tmpspool_has(w->spool, SPOOL_FEED1, "ofA1"));
		recover_and_redo(w, false);
	}
	assert_true(mended >= 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_crash_at_any_call_leaves_exactly_one),
	    TEST(after_a_crash_another_destination_is_as_good),
	    TEST(a_crash_of_the_recovery_does_no_harm),
	    TEST(a_crash_of_the_recovery_of_a_wrap_does_no_harm),
	    TEST(who_takes_a_half_wrapped_message_at_once_takes_a_whole_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
