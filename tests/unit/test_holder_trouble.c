/*
 * sluice-vmm and its askers when clones die, or one of both ends goes.
 */
#include "tests/support/holder_site.h"

static void
a_clone_that_died_is_replaced_once(void **state)
{
	struct site *s = *state;
	struct fake_plan plan = plan_usual;
	struct seen once = {0}, twice = {0};

	restart(s, &plan);
	plan.fault = FAKE_RUN_DIES;
	fake_plan_next(s->fake, &plan);
	ask(s, &once);
	until(s, &once.dones, 1);
	assert_int_equal(once.attempt, 2);
	assert_int_equal(once.done.end, ASK_END_PROGRAM);
	assert_int_equal(once.n_report, 8); /* of the second alone */
	plan.fault = FAKE_TAKE_DIES;
	fake_plan(s->fake, &plan);
	ask(s, &twice);
	until(s, &twice.dones, 1);
	assert_int_equal(twice.attempt, 2);
	assert_int_equal(twice.done.end, ASK_END_DIED);
}

static void
a_connection_that_goes_takes_its_runs_along(void **state)
{
	struct site *s = *state;
	struct fake_plan plan = plan_usual;
	struct seen seen[3] = {{0}}, other = {0};
	struct fake_counts f;
	struct mono start;

	plan.fault = FAKE_RUN_HANGS;
	restart(s, &plan);
	for (int i = 0; i < 3; i++)
		ask(s, &seen[i]);
	until(s, &seen[2].begins, 1);
	s->asker = asker_close(s->asker);
	start = mono_now();
	do {
		turn(s);
		fake_counts(s->fake, &f);
	} while (f.live > 0 && mono_span(start, mono_now()) < USEC_PER_SEC);
	assert_int_equal(f.live, 0);
	assert_int_equal(seen[0].dones, 0);
	/* The next asker is served. */
	fake_plan(s->fake, &plan_usual);
	s->asker = asker_open(s->base, s->sock, NULL, NULL);
	ask(s, &other);
	until(s, &other.dones, 1);
	assert_int_equal(other.done.end, ASK_END_PROGRAM);
}

static void
a_holder_that_goes_ends_the_runs_and_is_found_again(void **state)
{
	struct site *s = *state;
	struct fake_plan plan = plan_usual;
	struct seen seen = {0}, next = {0};
	struct mono start = mono_now();

	plan.fault = FAKE_RUN_HANGS;
	restart(s, &plan);
	until(s, &s->states, 1);
	s->states = 1;
	ask(s, &seen);
	until(s, &seen.begins, 1);
	stop_holder(s);
	until(s, &seen.dones, 1);
	assert_int_equal(seen.done.end, ASK_END_REFUSED);
	until(s, &s->states, 2);
	assert_null(asker_state(s->asker, NULL));
	assert_int_equal(ask_on(s->asker, &next, "linux"), -ENOTCONN);
	fake_plan(s->fake, &plan_usual);
	start_holder(s);
	while (ask_on(s->asker, &next, "linux") < 0 &&
	       mono_span(start, mono_now()) < 5 * USEC_PER_SEC)
		turn(s);
	until(s, &next.dones, 1);
	assert_int_equal(next.done.end, ASK_END_PROGRAM);
}

static void
without_a_back_end_it_says_why(void **state)
{
	struct site *s = *state;
	struct holder_parts parts = {.meminfo = -1,
	    .conf = s->conf,
	    .why = "no hypervisor here",
	    .uid = geteuid()};
	struct seen seen = {0};

	stop_holder(s);
	parts.listen_fd = ipc_listen(s->sock);
	s->holder = holder_new(s->base, &parts);
	s->asker =
	    (asker_close(s->asker), asker_open(s->base, s->sock, on_state, s));
	s->states = 0;
	ask(s, &seen);
	until(s, &seen.dones, 1);
	until(s, &s->states, 1);
	assert_int_equal(seen.done.end, ASK_END_NO_BACKEND);
	assert_string_equal(
	    asker_state(s->asker, NULL)->text, "no hypervisor here");
	assert_int_equal(asker_state(s->asker, NULL)->n_references, 0);
}

static void
nonsense_ends_the_connection(void **state)
{
	struct site *s = *state;
	CLEANUP(close_fd) int fd = ipc_connect(s->sock);
	struct ipc_msg *msg = xcalloc(1, sizeof(*msg));
	struct mono start = mono_now();
	int r;

	assert_true(fd >= 0);
	assert_int_equal(ipc_send(fd, ASK_RUN, "x", 1, NULL, 0), 0);
	do {
		turn(s);
		r = ipc_recv(fd, msg);
	} while (r == -EAGAIN && mono_span(start, mono_now()) < USEC_PER_SEC);
	assert_int_equal(r, -EPIPE);
	free(msg);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_clone_that_died_is_replaced_once),
	    TEST(a_connection_that_goes_takes_its_runs_along),
	    TEST(a_holder_that_goes_ends_the_runs_and_is_found_again),
	    TEST(without_a_back_end_it_says_why),
	    TEST(nonsense_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
