/*
 * What goes wrong: clones that die, are silent, never end; askers that don't
 * read or go away.
 */
#include "vmm/pool.h"

#include "common/cleanup.h"
#include "tests/support/pool_site.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* One run whose clone has that fault; the clones after it are fine. */
static void
run_with(struct pool_site *s, enum fake_fault fault, enum fake_end end,
    struct run_seen *seen)
{
	struct fake_plan plan = site_plan;

	plan.fault = fault;
	plan.end = end;
	plan.idle_usec = 100 * SITE_MSEC;
	fake_plan_next(s->fake, &plan);
	site_reference(s, "linux", 0);
	site_ask(s, seen);
	site_run(s, 3000 * SITE_MSEC);
	assert_int_equal(seen->dones, 1);
}

static void
a_death_in_each_state_ends_the_run_or_costs_it_nothing(void **state)
{
	static const struct {
		enum fake_fault fault;
		enum ask_end end;
	} cases[] = {
	    {FAKE_CLONE_REFUSED, ASK_END_PROGRAM}, /* by the next clone */
	    {FAKE_CLONE_DIES, ASK_END_PROGRAM},
	    {FAKE_CLONE_HANGS, ASK_END_PROGRAM},
	    {FAKE_INJECT_FAILS, ASK_END_REFUSED},
	    {FAKE_START_FAILS, ASK_END_REFUSED},
	    {FAKE_TAKE_DIES, ASK_END_DIED},
	    {FAKE_TAKE_HANGS, ASK_END_SILENT},
	    {FAKE_RUN_DIES, ASK_END_DIED},
	    {FAKE_RUN_HANGS, ASK_END_DEADLINE},
	};
	struct pool_site *s = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run_seen seen = {0};

		run_with(s, cases[i].fault, FAKE_ENDS, &seen);
		assert_int_equal(seen.done.end, cases[i].end);
		assert_int_equal(site_counts(s).live, 0);
		seen_free(&seen);
	}
}

static void
what_a_clone_told_before_it_died_is_kept(void **state)
{
	struct pool_site *s = *state;
	struct run_seen seen = {0};

	run_with(s, FAKE_RUN_DIES, FAKE_ENDS, &seen);
	assert_int_equal(seen.n_report, 8);
	assert_int_equal(seen.done.report_bytes, 8);
	seen_free(&seen);
}

static void
a_parked_clone_that_dies_is_replaced(void **state)
{
	struct pool_site *s = *state;
	struct fake_plan plan = site_plan;

	plan.fault = FAKE_PARKED_DIES;
	plan.idle_usec = 5 * SITE_MSEC;
	fake_plan_next(s->fake, &plan);
	site_reference(s, "linux", 1);
	site_run(s, 2 * SITE_MSEC);
	assert_int_equal(site_counts(s).parked, 1);
	site_run(s, 5 * SITE_MSEC);
	assert_int_equal(site_counts(s).parked, 0);
	site_run(s, 200 * SITE_MSEC);
	assert_int_equal(site_counts(s).parked, 1);
	assert_int_equal(site_counts(s).died, 1);
}

static void
a_rehearsal_that_fails_costs_one_clone(void **state)
{
	static const enum fake_fault faults[] = {
	    FAKE_REHEARSAL_REFUSED, FAKE_REHEARSAL_DIES, FAKE_REHEARSAL_HANGS};
	struct pool_site *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct fake_plan plan = site_plan;
		struct run_seen seen = {0};

		plan.fault = faults[i];
		fake_plan_next(s->fake, &plan);
		if (i == 0)
			site_reference(s, "linux", 1);
		else
			site_ask(s, &seen); /* makes room for the next */
		site_run(s, 3000 * SITE_MSEC);
		assert_int_equal(site_counts(s).died, i + 1);
		assert_int_equal(site_counts(s).parked, 1);
		seen_free(&seen);
	}
	assert_int_equal(site_counts(s).odd, 0);
}

static void
clones_that_always_fail_are_not_made_in_a_circle(void **state)
{
	struct pool_site *s = *state;
	struct fake_plan plan = site_plan;
	struct run_seen seen = {0};

	plan.fault = FAKE_CLONE_REFUSED;
	fake_plan(s->fake, &plan);
	site_reference(s, "linux", 1);
	site_ask(s, &seen);
	site_run(s, 2000 * SITE_MSEC);
	assert_int_equal(seen.done.end, ASK_END_REFUSED);
	assert_non_null(strstr(seen.done.text, "No space left"));
	assert_in_range(site_counts(s).failed, 3, 6);
	plan.fault = FAKE_FINE;
	fake_plan(s->fake, &plan);
	site_run(s, 11000 * SITE_MSEC);
	assert_int_equal(site_counts(s).parked, 1);
}

static void
a_clone_that_cannot_be_ended_costs_its_slot_and_is_reported(void **state)
{
	struct pool_site *s = *state;
	struct ask_clones head;
	struct ask_clone rows[4];
	struct run_seen seen[4] = {{0}};

	run_with(s, FAKE_FINE, FAKE_END_REFUSED, &seen[0]);
	run_with(s, FAKE_FINE, FAKE_END_HANGS, &seen[1]);
	assert_int_equal(seen[0].done.end, ASK_END_PROGRAM);
	assert_int_equal(site_counts(s).lost, 2);
	assert_int_equal(site_counts(s).written_off, 2);
	assert_int_equal(s->said, 2);
	assert_int_equal(pool_list(s->pool, s->now, &head, rows, 4), 2);
	assert_int_equal(head.written_off, 2);
	assert_int_equal(rows[0].state, POOL_LOST);
	/* The others serve on; the one that goes after all is free again. */
	site_ask(s, &seen[2]);
	site_run(s, 30 * SITE_MSEC);
	assert_int_equal(seen[2].done.end, ASK_END_PROGRAM);
	fake_let_go(s->fake);
	site_run(s, SITE_MSEC);
	assert_int_equal(site_counts(s).lost, 1);
	assert_int_equal(site_counts(s).reclaimed, 1);
	for (int i = 0; i < 3; i++)
		seen_free(&seen[i]);
}

static void
babble_changes_no_result(void **state)
{
	struct pool_site *s = *state;
	struct run_seen seen = {0};

	run_with(s, FAKE_BABBLES, FAKE_ENDS, &seen);
	/* It said "ended" before anything else: its own report is short. */
	assert_int_equal(seen.done.end, ASK_END_PROGRAM);
	assert_true(site_counts(s).odd > 0);
	assert_int_equal(site_counts(s).live, 0);
	seen_free(&seen);
}

static void
a_stop_ends_the_run_at_once_wherever_it_is(void **state)
{
	struct pool_site *s = *state;
	struct run_seen seen[6] = {{0}};

	site_reference(s, "linux", 0);
	for (int i = 0; i < 6; i++)
		site_ask(s, &seen[i]);
	site_run(s, SITE_MSEC); /* four are taken, two wait */
	pool_stop(s->pool, seen[5].run, s->now);
	pool_stop(s->pool, seen[0].run, s->now);
	site_run(s, 3 * SITE_MSEC);
	pool_stop(s->pool, seen[1].run, s->now);
	pool_abandon(s->pool, seen[2].run, s->now);
	assert_int_equal(seen[0].done.end, ASK_END_STOPPED);
	assert_int_equal(seen[1].done.end, ASK_END_STOPPED);
	assert_int_equal(seen[2].dones, 0); /* nobody to tell */
	assert_int_equal(seen[5].done.end, ASK_END_STOPPED);
	site_run(s, 100 * SITE_MSEC);
	assert_int_equal(seen[3].done.end, ASK_END_PROGRAM);
	assert_int_equal(seen[4].done.end, ASK_END_PROGRAM);
	assert_int_equal(site_counts(s).live, 0);
	for (int i = 0; i < 6; i++)
		seen_free(&seen[i]);
}

static void
an_asker_that_is_full_gets_the_rest_later(void **state)
{
	enum { BYTES = 300000 };
	struct pool_site *s = *state;
	struct fake_plan plan = site_plan;
	struct run_seen seen = {.answer = -EAGAIN};
	char *report = xcalloc(1, BYTES);

	for (int i = 0; i < BYTES; i++)
		report[i] = (char)('a' + i % 23);
	plan.report = report;
	plan.report_bytes = BYTES;
	plan.piece = 7000;
	plan.piece_usec = 100;
	fake_plan(s->fake, &plan);
	site_reference(s, "linux", 0);
	site_ask(s, &seen);
	site_run(s, 50 * SITE_MSEC);
	assert_int_equal(seen.dones, 0); /* the program has long ended */
	assert_int_equal(site_counts(s).busy, 1);
	seen.answer = 0;
	pool_resume(s->pool, seen.run);
	site_run(s, SITE_MSEC);
	assert_int_equal(seen.done.end, ASK_END_PROGRAM);
	assert_int_equal(seen.n_report, BYTES);
	assert_memory_equal(seen.report, report, BYTES);
	seen_free(&seen);
	free(report);
}

static void
an_asker_that_never_reads_loses_its_run(void **state)
{
	struct pool_site *s = *state;
	struct run_seen seen = {.answer = -EAGAIN}, gone = {.answer = -EPIPE};

	site_reference(s, "linux", 0);
	site_ask(s, &seen);
	site_ask(s, &gone);
	site_run(s, 1000 * SITE_MSEC);
	assert_int_equal(seen.done.end, ASK_END_REFUSED);
	assert_int_equal(gone.done.end, ASK_END_STOPPED);
	assert_int_equal(site_counts(s).live, 0);
}

static void
a_report_is_cut_where_its_memory_ends(void **state)
{
	enum { BYTES = MAILBOX_REPORT_MAX + 10000 };
	struct pool_site *s = *state;
	struct fake_plan plan = site_plan;
	struct run_seen seen = {0};
	char *report = xcalloc(1, BYTES);

	plan.report = report;
	plan.report_bytes = BYTES;
	fake_plan(s->fake, &plan);
	site_reference(s, "linux", 0);
	site_ask(s, &seen);
	site_run(s, 100 * SITE_MSEC);
	assert_int_equal(seen.dones, 1);
	assert_int_equal(seen.n_report, MAILBOX_REPORT_MAX);
	seen_free(&seen);
	free(report);
}

static void
the_end_of_the_pool_ends_everything_clones_first(void **state)
{
	struct pool_site *s = *state;
	struct run_seen seen[6] = {{0}};
	struct fake_counts f;

	site_reference(s, "linux", 1);
	for (int i = 0; i < 6; i++)
		site_ask(s, &seen[i]);
	site_run(s, 3 * SITE_MSEC);
	pool_end(s->pool, "going down", s->now);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(seen[i].done.end, ASK_END_REFUSED);
		assert_string_equal(seen[i].done.text, "going down");
	}
	assert_false(pool_is_idle(s->pool));
	fake_counts(s->fake, &f);
	assert_int_equal(f.closed, 0);
	site_run(s, 10 * SITE_MSEC);
	assert_true(pool_is_idle(s->pool));
	fake_counts(s->fake, &f);
	assert_int_equal(f.closed, 1);
	assert_int_equal(f.live, 0);
	for (int i = 0; i < 6; i++)
		seen_free(&seen[i]);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, site_set_up, site_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_death_in_each_state_ends_the_run_or_costs_it_nothing),
	    TEST(what_a_clone_told_before_it_died_is_kept),
	    TEST(a_parked_clone_that_dies_is_replaced),
	    TEST(a_rehearsal_that_fails_costs_one_clone),
	    TEST(clones_that_always_fail_are_not_made_in_a_circle),
	    TEST(a_clone_that_cannot_be_ended_costs_its_slot_and_is_reported),
	    TEST(babble_changes_no_result),
	    TEST(a_stop_ends_the_run_at_once_wherever_it_is),
	    TEST(an_asker_that_is_full_gets_the_rest_later),
	    TEST(an_asker_that_never_reads_loses_its_run),
	    TEST(a_report_is_cut_where_its_memory_ends),
	    TEST(the_end_of_the_pool_ends_everything_clones_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
