/*
 * sluice-vmm from both ends: a holder over the fake and askers, in one loop.
 */
#include "tests/support/holder_site.h"

static void
a_file_is_run_and_its_report_comes(void **state)
{
	struct site *s = *state;
	struct seen seen = {0};

	ask(s, &seen);
	until(s, &seen.dones, 1);
	assert_int_equal(seen.begins, 1);
	assert_int_equal(seen.done.end, ASK_END_PROGRAM);
	assert_int_equal(seen.n_report, 8);
	/* On a busy host its clone has it and ends it in one turn. */
	assert_true(seen.done.times.take + seen.done.times.run > 0);
}

static void
the_holder_says_what_it_has(void **state)
{
	struct site *s = *state;
	const struct ask_clones *c;
	const struct ask_clone *rows;
	struct seen seen = {0};

	until(s, &s->states, 1);
	c = asker_state(s->asker, &rows);
	assert_string_equal(c->backend, "fake");
	assert_string_equal(c->how, "as tests have it");
	assert_string_equal(c->text, "");
	assert_int_equal(c->n_references, 1);
	assert_string_equal(c->references[0].name, "linux");
	assert_int_equal(strlen(c->references[0].digest), 64);
	ask(s, &seen);
	until(s, &seen.begins, 1);
	s->states = 0;
	assert_int_equal(asker_list(s->asker), 0);
	until(s, &s->states, 1);
	c = asker_state(s->asker, &rows);
	assert_true(c->n >= 1);
	assert_string_equal(rows[0].reference, "linux");
	assert_string_equal(seen.digest, c->references[0].digest);
	until(s, &seen.dones, 1);
}

static void
a_run_without_its_reference_is_told_so(void **state)
{
	struct site *s = *state;
	struct seen seen = {0};

	assert_int_equal(ask_on(s->asker, &seen, "wine"), 0);
	until(s, &seen.dones, 1);
	assert_int_equal(seen.done.end, ASK_END_NO_BACKEND);
}

static void
only_what_nobody_can_change_any_more_is_run(void **state)
{
	struct site *s = *state;
	CLEANUP(close_fd) int fd = memfd_new("sample");
	const struct ask_run what = {.bytes = 3, .reference = "linux"};
	struct seen seen = {0};

	assert_int_equal(write(fd, "abc", 3), 3);
	assert_int_equal(
	    asker_run(s->asker, &what, fd, &seen_ops, &seen, &seen.run), 0);
	until(s, &seen.dones, 1);
	assert_int_equal(seen.done.end, ASK_END_REFUSED);
	assert_non_null(strstr(seen.done.text, "sealed"));
}

static void
a_stop_ends_a_run(void **state)
{
	struct site *s = *state;
	struct fake_plan plan = plan_usual;
	struct seen seen = {.stop_at_once = true};

	plan.fault = FAKE_RUN_HANGS;
	restart(s, &plan);
	ask(s, &seen);
	until(s, &seen.dones, 1);
	assert_int_equal(seen.done.end, ASK_END_STOPPED);
}

static void
a_long_report_comes_whole_through_a_narrow_socket(void **state)
{
	enum { BYTES = 1500000 };
	struct site *s = *state;
	struct fake_plan plan = plan_usual;
	struct seen seen[4] = {{0}};
	char *report = xcalloc(1, BYTES);
	uint64_t sum = 0;

	for (size_t i = 0; i < BYTES; i++) {
		report[i] = (char)('a' + i % 23);
		sum += weigh((unsigned char)report[i], i);
	}
	plan.report = report;
	plan.report_bytes = BYTES;
	plan.piece = 100000;
	plan.piece_usec = 300;
	restart(s, &plan);
	for (int i = 0; i < 4; i++)
		ask(s, &seen[i]);
	for (int i = 0; i < 4; i++) {
		until(s, &seen[i].dones, 1);
		assert_int_equal(seen[i].done.end, ASK_END_PROGRAM);
		assert_int_equal(seen[i].n_report, BYTES);
		assert_int_equal(seen[i].done.report_bytes, BYTES);
		assert_int_equal(seen[i].sum, sum);
	}
	stop_holder(s);
	free(report);
}

static void
a_reference_that_is_built_anew_is_taken(void **state)
{
	struct site *s = *state;
	char before[ASK_DIGEST_MAX];
	struct fake_counts f;

	until(s, &s->states, 1);
	strcpy(before, asker_state(s->asker, NULL)->references[0].digest);
	build_reference(s, "linux", "{\"newer\": true}");
	until(s, &s->states, 2);
	assert_string_not_equal(
	    asker_state(s->asker, NULL)->references[0].digest, before);
	fake_counts(s->fake, &f);
	assert_int_equal(f.opened, 2);
}

static void
no_descriptor_is_left_of_many_runs(void **state)
{
	struct site *s = *state;
	size_t before = 0;

	for (int i = 0; i < 200; i++) {
		struct seen seen = {0};

		ask(s, &seen);
		until(s, &seen.dones, 1);
		for (int k = 0; k < 50; k++) /* let the successors come */
			turn(s);
		if (i == 10)
			before = open_files();
	}
	assert_in_range(open_files(), before - 2, before + 2);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_file_is_run_and_its_report_comes),
	    TEST(the_holder_says_what_it_has),
	    TEST(a_run_without_its_reference_is_told_so),
	    TEST(only_what_nobody_can_change_any_more_is_run),
	    TEST(a_stop_ends_a_run),
	    TEST(a_long_report_comes_whole_through_a_narrow_socket),
	    TEST(a_reference_that_is_built_anew_is_taken),
	    TEST(no_descriptor_is_left_of_many_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
