/*
 * The pool as a whole, over the fake and a clock that the test moves.
 */
#include "vmm/pool.h"

#include "common/cleanup.h"
#include "tests/support/open_files.h"
#include "tests/support/pool_site.h"
#include "vmm/admit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
a_file_is_run_in_a_clone_that_was_ready(void **state)
{
	struct pool_site *s = *state;
	struct run_seen seen = {0};

	site_reference(s, "linux", 2);
	site_run(s, 5 * SITE_MSEC);
	assert_int_equal(site_counts(s).parked, 2);
	site_ask(s, &seen);
	site_run(s, 5 * SITE_MSEC);
	assert_int_equal(seen.begins, 1);
	assert_int_equal(seen.waits, 0);
	assert_int_equal(site_counts(s).busy, 1);
	assert_int_equal(site_counts(s).parked, 2); /* its successor is there */
	site_run(s, 20 * SITE_MSEC);
	assert_int_equal(seen.dones, 1);
	assert_int_equal(seen.done.end, ASK_END_PROGRAM);
	assert_int_equal(seen.done.report_bytes, 8);
	assert_memory_equal(seen.report, "one\ntwo\n", 8);
	assert_int_equal(seen.done.times.take, SITE_MSEC);
	assert_int_equal(seen.done.times.run, 10 * SITE_MSEC);
	assert_int_equal(seen.done.times.clone, SITE_MSEC);
	assert_int_equal(seen.done.times.queue, 0);
	seen_free(&seen);
}

static void
ready_clones_rehearse_while_nothing_else_is_to_be_done(void **state)
{
	struct pool_site *s = *state;
	struct run_seen seen = {0};
	struct fake_counts f;

	site_reference(s, "linux", 2);
	site_run(s, SITE_MSEC);
	fake_counts(s->fake, &f);
	assert_int_equal(f.rehearsed, 1); /* one at a time */
	site_run(s, 5 * SITE_MSEC);
	fake_counts(s->fake, &f);
	assert_int_equal(f.rehearsed, 2); /* each once */
	site_ask(s, &seen);
	site_run(s, 9 * SITE_MSEC);
	fake_counts(s->fake, &f);
	assert_int_equal(seen.dones, 0);
	assert_int_equal(f.made, 3);
	assert_int_equal(f.rehearsed, 2); /* the third waits for the run */
	site_run(s, 20 * SITE_MSEC);
	fake_counts(s->fake, &f);
	assert_int_equal(seen.dones, 1);
	assert_int_equal(f.rehearsed, 3);
	seen_free(&seen);
}

static void
a_clone_that_gains_nothing_doesnt_rehearse(void **state)
{
	struct pool_site *s = *state;
	struct fake_plan plan = site_plan;
	struct fake_counts f;

	plan.gains_nothing = true;
	fake_plan(s->fake, &plan);
	site_reference(s, "linux", 2);
	site_run(s, 9 * SITE_MSEC);
	fake_counts(s->fake, &f);
	assert_int_equal(f.made, 2);
	assert_int_equal(f.rehearsed, 0);
}

static void
a_run_that_comes_in_a_rehearsal_gets_a_clone_of_its_own(void **state)
{
	struct pool_site *s = *state;
	struct fake_plan plan = site_plan;
	struct run_seen seen = {0};

	plan.rehearse_usec = 100 * SITE_MSEC;
	fake_plan(s->fake, &plan);
	site_reference(s, "linux", 1);
	site_run(s, 51 * SITE_MSEC);
	site_ask(s, &seen);
	site_run(s, 20 * SITE_MSEC);
	assert_int_equal(seen.waits, 1);
	assert_int_equal(seen.dones, 1);
	assert_int_equal(seen.done.times.queue, SITE_MSEC); /* to make it */
	seen_free(&seen);
}

static void
without_its_reference_a_run_is_told_so(void **state)
{
	struct pool_site *s = *state;
	struct run_seen seen = {0};

	site_reference(s, "linux", 1);
	site_ask_by(s, &seen, NULL, "wine", 0);
	assert_null(seen.run);
	assert_int_equal(seen.dones, 1);
	assert_int_equal(seen.done.end, ASK_END_NO_BACKEND);
}

static void
each_clone_is_used_once(void **state)
{
	struct pool_site *s = *state;
	struct fake_counts f;

	site_reference(s, "linux", 1);
	for (int i = 0; i < 10; i++) {
		struct run_seen seen = {0};

		site_ask(s, &seen);
		site_run(s, 30 * SITE_MSEC);
		assert_int_equal(seen.done.end, ASK_END_PROGRAM);
		seen_free(&seen);
	}
	fake_counts(s->fake, &f);
	assert_int_equal(f.started, 10);
	assert_int_equal(f.made, 11);
	assert_int_equal(f.freed, 10);
}

static void
a_thousand_runs_leave_nothing_behind(void **state)
{
	struct pool_site *s = *state;
	struct fake_counts f;
	size_t files;

	site_reference(s, "linux", 2);
	site_run(s, 5 * SITE_MSEC);
	files = open_files();
	for (int i = 0; i < 1000; i++) {
		struct run_seen seen = {0};

		site_ask(s, &seen);
		site_run(s, 30 * SITE_MSEC);
		assert_int_equal(seen.dones, 1);
		seen_free(&seen);
	}
	assert_int_equal(open_files(), files);
	fake_counts(s->fake, &f);
	assert_int_equal(f.live, 2);
	assert_int_equal(f.most <= 4, 1);
	assert_int_equal(site_counts(s).odd, 0);
}

static void
who_waits_is_served_in_turn(void **state)
{
	struct pool_site *s = *state;
	struct run_seen many[3] = {{0}}, one = {0};
	const int busy = 0, modest = 0;
	struct pool_limits l = site_limits;

	site_end(s);
	l.slots = l.running = 1;
	site_init(s, &l);
	site_reference(s, "linux", 0);
	for (int i = 0; i < 3; i++)
		site_ask_by(s, &many[i], &busy, "linux", 0);
	site_ask_by(s, &one, &modest, "linux", 0);
	site_run(s, 20 * SITE_MSEC);
	assert_int_equal(many[0].dones, 1);
	assert_int_equal(one.begins, 1);
	assert_int_equal(many[1].begins, 0);
	site_run(s, 60 * SITE_MSEC);
	assert_int_equal(one.dones, 1);
	assert_int_equal(many[2].dones, 1);
	assert_true(many[1].done.times.queue < many[2].done.times.queue);
	for (int i = 0; i < 3; i++)
		seen_free(&many[i]);
	seen_free(&one);
}

static void
a_run_that_waits_is_told_how_long(void **state)
{
	struct pool_site *s = *state;
	struct run_seen seen[3] = {{0}};
	struct pool_limits l = site_limits;

	site_end(s);
	l.slots = l.running = 1;
	site_init(s, &l);
	site_reference(s, "linux", 0);
	site_ask(s, &seen[0]); /* teaches it what a run takes */
	site_run(s, 30 * SITE_MSEC);
	assert_int_equal(seen[0].dones, 1);
	seen_free(&seen[0]);
	seen[0] = (struct run_seen){0};
	for (int i = 0; i < 3; i++)
		site_ask(s, &seen[i]);
	site_run(s, 0);
	/* Its clone is being made; 1 + 10 of a run, 1 to destroy, 1 to clone.
	 */
	assert_int_equal(seen[0].wait_usec, SITE_MSEC);
	assert_int_equal(seen[1].wait_usec, 14 * SITE_MSEC);
	assert_int_equal(seen[2].wait_usec, 27 * SITE_MSEC);
	site_run(s, 60 * SITE_MSEC);
	assert_int_equal(seen[1].done.times.queue, 14 * SITE_MSEC);
	assert_int_equal(seen[2].done.times.queue, 27 * SITE_MSEC);
	for (int i = 0; i < 3; i++)
		seen_free(&seen[i]);
}

static void
patience_ends_a_wait(void **state)
{
	struct pool_site *s = *state;
	struct fake_plan plan = site_plan;
	struct run_seen first[4] = {{0}}, seen = {0};

	plan.run_usec = 500 * SITE_MSEC;
	fake_plan(s->fake, &plan);
	site_reference(s, "linux", 0);
	for (int i = 0; i < 4; i++)
		site_ask(s, &first[i]);
	site_ask_by(s, &seen, NULL, "linux", 20 * SITE_MSEC);
	site_run(s, 19 * SITE_MSEC);
	assert_int_equal(seen.dones, 0);
	site_run(s, SITE_MSEC);
	assert_int_equal(seen.done.end, ASK_END_REFUSED);
	assert_int_equal(seen.done.times.queue, 20 * SITE_MSEC);
	site_run(s, 600 * SITE_MSEC);
	for (int i = 0; i < 4; i++)
		seen_free(&first[i]);
}

static void
too_many_that_wait_are_refused(void **state)
{
	struct pool_site *s = *state;
	struct run_seen seen[101] = {{0}};

	site_reference(s, "linux", 0);
	for (int i = 0; i < 101; i++)
		site_ask(s, &seen[i]);
	assert_null(seen[100].run);
	assert_int_equal(seen[100].done.end, ASK_END_REFUSED);
	for (int i = 0; i < 100; i++)
		pool_stop(s->pool, seen[i].run, s->now);
	for (int i = 0; i < 100; i++)
		assert_int_equal(seen[i].done.end, ASK_END_STOPPED);
}

static void
clones_are_made_while_there_is_memory(void **state)
{
	struct pool_site *s = *state;
	struct pool_limits l = site_limits;

	site_end(s);
	l.slots = 8;
	l.reserve_bytes = 10 * SITE_MIB;
	site_init(s, &l);
	/* Half a MiB each as long as they stand still, one when they run: for
	 * three there is room, and half a MiB is left. */
	s->memory = 13 * SITE_MIB + SITE_MIB / 2;
	site_reference(s, "linux", 8);
	site_run(s, 2000 * SITE_MSEC);
	assert_int_equal(site_counts(s).parked, 3);
	assert_int_equal(site_counts(s).used_bytes, 3 * SITE_MIB / 2);
	assert_in_range(
	    site_counts(s).budget_bytes, 3 * SITE_MIB / 2, 5 * SITE_MIB / 2);
	s->memory = 5 * SITE_MIB; /* less than the reserve: they are given up */
	site_run(s, 3000 * SITE_MSEC);
	assert_int_equal(site_counts(s).live, 0);
	s->memory = 100 * SITE_MIB;
	site_run(s, 1000 * SITE_MSEC); /* seen without any event */
	assert_int_equal(site_counts(s).parked, 8);
}

/* What a hypervisor has, whatever this system has; clones take of it. */
static uint64_t hypervisor_bytes;
static const struct fake *hypervisor;

static uint64_t
hypervisor_has(const struct vmm *vmm)
{
	struct fake_counts f;

	(void)vmm;
	fake_counts(hypervisor, &f);
	return hypervisor_bytes - f.live * (SITE_MIB / 2);
}

static void
of_a_hypervisor_with_memory_of_its_own_that_counts(void **state)
{
	const struct vmm_options options = {.reference = "linux"};
	struct pool_site *s = *state;
	struct pool_limits l = site_limits;
	struct vmm_ops ops = fake_ops;
	struct run_seen seen = {0};
	struct ask_clones head;
	struct ask_clone rows[8];
	struct vmm *vmm;
	char err[128];

	site_end(s);
	l.slots = 8;
	l.reserve_bytes = 10 * SITE_MIB;
	site_init(s, &l);
	s->memory = 100 * SITE_MIB;
	hypervisor = s->fake;
	hypervisor_bytes = 13 * SITE_MIB + SITE_MIB / 2;
	ops.available = hypervisor_has;
	assert_int_equal(0, ops.open(&options, &vmm, err, sizeof(err)));
	pool_add(s->pool, "linux", "1", 8, &ops, vmm, s->now);
	site_run(s, 2000 * SITE_MSEC);
	assert_int_equal(site_counts(s).parked, 3);
	hypervisor_bytes = 10 * SITE_MIB; /* the reserve: they are given up */
	site_run(s, 6000 * SITE_MSEC);
	assert_int_equal(site_counts(s).live, 0);
	assert_int_equal(site_counts(s).budget_bytes, 0);
	assert_int_equal(0, pool_list(s->pool, s->now, &head, rows, 8));
	assert_string_equal("no memory for another clone: 10 MiB are "
			    "available, 10 are kept (vm.memory_reserve), a "
			    "clone takes 1",
	    head.text);
	assert_int_equal(0, s->said); /* nobody waits */
	site_ask(s, &seen);
	site_run(s, 2000 * SITE_MSEC);
	assert_int_equal(1, s->said);
	assert_non_null(strstr(s->last_said, "no memory"));
	pool_stop(s->pool, seen.run, s->now);
	hypervisor_bytes = 11 * SITE_MIB;
	site_run(s, 1000 * SITE_MSEC);
	assert_int_equal(site_counts(s).parked, 1);
	assert_int_equal(1, pool_list(s->pool, s->now, &head, rows, 8));
	assert_int_equal(1, s->said);
	hypervisor_bytes = 100 * SITE_MIB;
	site_run(s, 1000 * SITE_MSEC);
	assert_int_equal(8, pool_list(s->pool, s->now, &head, rows, 8));
	assert_string_equal("", head.text);
	seen_free(&seen);
	site_end(s); /* as long as its ops are there */
	site_init(s, &l);
}

static void
no_more_run_than_may(void **state)
{
	struct pool_site *s = *state;
	struct run_seen seen[4] = {{0}};
	struct pool_limits l = site_limits;

	site_end(s);
	l.running = 2;
	site_init(s, &l);
	site_reference(s, "linux", 4);
	site_run(s, 5 * SITE_MSEC);
	for (int i = 0; i < 4; i++)
		site_ask(s, &seen[i]);
	site_run(s, 5 * SITE_MSEC);
	assert_int_equal(site_counts(s).busy, 2);
	assert_int_equal(site_counts(s).waiting, 2);
	site_run(s, 50 * SITE_MSEC);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(seen[i].done.end, ASK_END_PROGRAM);
		seen_free(&seen[i]);
	}
}

static void
another_reference_gets_room_when_it_is_needed(void **state)
{
	struct pool_site *s = *state;
	struct run_seen seen = {0};

	site_reference(s, "linux", 4);
	site_run(s, 5 * SITE_MSEC);
	assert_int_equal(site_counts(s).parked, 4);
	site_reference(s, "wine", 0);
	site_ask_by(s, &seen, NULL, "wine", 0);
	site_run(s, 30 * SITE_MSEC);
	assert_int_equal(seen.done.end, ASK_END_PROGRAM);
	seen_free(&seen);
}

static void
a_reference_that_was_rebuilt_serves_the_next_run(void **state)
{
	struct pool_site *s = *state;
	struct run_seen old = {0}, new = {0};
	struct fake_counts f;

	site_reference(s, "linux", 2);
	site_run(s, 5 * SITE_MSEC);
	site_ask(s, &old);
	site_run(s, 2 * SITE_MSEC);
	site_reference(s, "linux", 2);
	site_ask(s, &new);
	site_run(s, 5 * SITE_MSEC);
	fake_counts(s->fake, &f);
	assert_int_equal(f.closed, 0); /* the old run goes on */
	site_run(s, 50 * SITE_MSEC);
	fake_counts(s->fake, &f);
	assert_int_equal(f.opened, 2);
	assert_int_equal(f.closed, 1);
	assert_int_equal(old.done.end, ASK_END_PROGRAM);
	assert_int_equal(new.done.end, ASK_END_PROGRAM);
	/* Each knows which it was run in. */
	assert_string_equal(old.digest, "1");
	assert_string_equal(new.digest, "2");
	seen_free(&old);
	seen_free(&new);
	pool_drop(s->pool, "linux", "gone", s->now);
	site_run(s, 5 * SITE_MSEC);
	fake_counts(s->fake, &f);
	assert_int_equal(f.closed, 2);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, site_set_up, site_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_file_is_run_in_a_clone_that_was_ready),
	    TEST(ready_clones_rehearse_while_nothing_else_is_to_be_done),
	    TEST(a_clone_that_gains_nothing_doesnt_rehearse),
	    TEST(a_run_that_comes_in_a_rehearsal_gets_a_clone_of_its_own),
	    TEST(without_its_reference_a_run_is_told_so),
	    TEST(each_clone_is_used_once),
	    TEST(a_thousand_runs_leave_nothing_behind),
	    TEST(who_waits_is_served_in_turn),
	    TEST(a_run_that_waits_is_told_how_long),
	    TEST(patience_ends_a_wait),
	    TEST(too_many_that_wait_are_refused),
	    TEST(clones_are_made_while_there_is_memory),
	    TEST(of_a_hypervisor_with_memory_of_its_own_that_counts),
	    TEST(no_more_run_than_may),
	    TEST(another_reference_gets_room_when_it_is_needed),
	    TEST(a_reference_that_was_rebuilt_serves_the_next_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
