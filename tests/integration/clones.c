/*
 * Real clones, of any back end, each by itself; many: clones_many.c.
 * Arguments: its name; the directory of a reference with the agent, and of one
 * whose process 1 is tests/support/hostile_agent.c; a program to run.
 * t_vmm_qemu.sh and tests/xen/t_clones.sh build the references and call this.
 */
#include "tests/support/clone_site.h"

#include "vmm/prove.h"

#include <fcntl.h>
#include <sys/resource.h>

static int
tear_down(void **test)
{
	ops->close(*test);
	return 0;
}

static void
a_clone_runs_a_program_and_reports_its_end(void **test)
{
	struct vm *vm = parked_clone(*test);
	struct vmm_stats stats;
	char report[65536];
	size_t n;

	inject_file(vm, hello);
	assert_int_equal(0, ops->run_start(vm, 20 * USEC_PER_SEC));
	expect(vm, VMM_TAKEN);
	expect(vm, VMM_ENDED);
	n = ops->collect(vm, 0, report, sizeof(report) - 1);
	report[n] = '\0';
	assert_non_null(strstr(report, "agent.start"));
	if (!strstr(report, "\"code\":7"))
		fail_msg("no exit by 7 in: %s", report);
	/* From where it ends there is no more. */
	assert_int_equal(0, ops->collect(vm, n, report, sizeof(report)));
	ops->stats(vm, &stats);
	assert_in_range(stats.private_bytes, 1 << 20, 200 << 20);
	assert_in_range(stats.clone_usec, 1000, PATIENCE_USEC);
	destroy(vm);
}

/* Its own digest is right, and so are its arguments. */
static void
a_known_program_goes_well_in_each_of_some_clones(void **test)
{
	uint32_t good;
	char err[512];

	if (prove(ops, *test, VMM_PROOF_SHELL, 3, &good, err, sizeof(err)) < 0)
		fail_msg("after %u: %s", good, err);
	assert_int_equal(3, good);
}

/* The report of hello, without its numbers: times, processes. */
static void
report_of(struct vm *vm, char *report, size_t size)
{
	size_t n, kept = 0;

	inject_file(vm, hello);
	assert_int_equal(0, ops->run_start(vm, 20 * USEC_PER_SEC));
	expect(vm, VMM_TAKEN);
	expect(vm, VMM_ENDED);
	n = ops->collect(vm, 0, report, size - 1);
	for (size_t i = 0; i < n; i++)
		if (report[i] < '0' || report[i] > '9')
			report[kept++] = report[i];
	report[kept] = '\0';
}

static void
a_rehearsal_leaves_no_trace_in_the_report(void **test)
{
	char without[65536], with[65536];
	struct vm *vm;

	if (!ops->rehearse) {
		skip();
		return;
	}
	vm = parked_clone(*test);
	report_of(vm, without, sizeof(without));
	destroy(vm);
	vm = parked_clone(*test);
	assert_int_equal(0, ops->rehearse(vm));
	assert_int_equal(-ESTALE, ops->rehearse(vm)); /* not while it does */
	expect(vm, VMM_PARKED);
	report_of(vm, with, sizeof(with));
	assert_string_equal(without, with);
	destroy(vm);
}

static void
what_one_clone_does_another_one_does_not_see(void **test)
{
	static const char script[] = "#!/bin/sh\n"
				     "ls /tmp | grep -q mark && exit 3\n"
				     "touch /tmp/mark\nexit 4\n";

	for (int i = 0; i < 2; i++) {
		struct vm *vm = parked_clone(*test);
		char report[65536];

		inject(vm, "mark.sh", script, sizeof(script) - 1);
		assert_int_equal(0, ops->run_start(vm, 20 * USEC_PER_SEC));
		expect(vm, VMM_TAKEN);
		expect(vm, VMM_ENDED);
		report[ops->collect(vm, 0, report, sizeof(report) - 1)] = '\0';
		if (!strstr(report, "\"code\":4"))
			fail_msg("no exit by 4 in: %s", report);
		destroy(vm);
	}
}

static void
a_clone_that_is_killed_at_any_stage_died_and_can_be_destroyed(void **test)
{
	for (int stage = -1; stage < 5; stage++) {
		struct vm *vm;
		int number;

		if (stage < 0 && !ops->rehearse)
			continue;
		assert_int_equal(0, ops->clone(*test, 7, &vm));
		number = newest_clone();
		if (stage != 0)
			expect(vm, VMM_PARKED);
		if (stage < 0)
			assert_int_equal(0, ops->rehearse(vm));
		if (stage > 1)
			inject(vm, "wait.sh", "#!/bin/sh\nsleep 60\n", 19);
		if (stage > 2)
			assert_int_equal(
			    0, ops->run_start(vm, 60 * USEC_PER_SEC));
		if (stage > 3)
			expect(vm, VMM_TAKEN);
		kill_clone(number);
		if (stage == 3) { /* it may have been quicker */
			int event = next_stage(vm);

			if (event != VMM_TAKEN) {
				assert_int_equal(VMM_DIED, event);
				destroy(vm);
				continue;
			}
		}
		/* Of a domain that stands still nobody asks: its next use
		 * fails. */
		if (is_xen() && (stage == 1 || stage == 2))
			assert_true(ops->run_start(vm, USEC_PER_SEC) < 0);
		else
			expect(vm, VMM_DIED);
		destroy(vm);
		assert_false(is_clone_there(number));
	}
}

static void
a_clone_can_be_destroyed_at_any_stage(void **test)
{
	for (int stage = -1; stage < 4; stage++) {
		struct vm *vm;

		if (stage < 0 && !ops->rehearse)
			continue;
		assert_int_equal(0, ops->clone(*test, 7, &vm));
		if (stage != 0)
			expect(vm, VMM_PARKED);
		if (stage < 0)
			assert_int_equal(0, ops->rehearse(vm));
		if (stage > 1)
			inject(vm, "wait.sh", "#!/bin/sh\nsleep 60\n", 19);
		if (stage > 2)
			assert_int_equal(
			    0, ops->run_start(vm, 60 * USEC_PER_SEC));
		destroy(vm);
	}
}

static void
a_sample_that_is_too_large_or_too_short_is_refused(void **test)
{
	struct vm *vm = parked_clone(*test);
	CLEANUP(close_fd) int fd = memfd_new("short");
	struct vmm_sample sample = {
	    .fd = fd, .bytes = MAILBOX_SAMPLE_MAX + 1, .name = "", .type = ""};

	assert_int_equal(-EFBIG, ops->inject(vm, &sample));
	sample.bytes = 10;
	assert_int_equal(-ENODATA, ops->inject(vm, &sample));
	destroy(vm);
}

/* --- A guest that is taken over. */

static uint64_t
processor_usec(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (uint64_t)u.ru_utime.tv_sec * USEC_PER_SEC +
	       (uint64_t)u.ru_utime.tv_usec +
	       (uint64_t)u.ru_stime.tv_sec * USEC_PER_SEC +
	       (uint64_t)u.ru_stime.tv_usec;
}

/* Serve it for a second: events of one wake-up at most, and processor time. */
static void
serve(struct vm *vm, unsigned int *ret_most, uint64_t *ret_usec)
{
	uint64_t end = mono_now().usec + USEC_PER_SEC;
	uint64_t before = processor_usec();
	static char octets[MAILBOX_REPORT_MAX + 4096];

	*ret_most = 0;
	while (mono_now().usec < end) {
		struct pollfd p = {.fd = ops->event_fd(vm), .events = POLLIN};
		enum vmm_event event;
		unsigned int n = 0;

		(void)poll(&p, 1, 100);
		while (n < 1000 && ops->next(vm, &event) == 0)
			n++;
		if (n > *ret_most)
			*ret_most = n;
	}
	*ret_usec = processor_usec() - before;
	assert_true(
	    ops->collect(vm, 0, octets, sizeof(octets)) <= MAILBOX_REPORT_MAX);
	assert_int_equal(
	    0, ops->collect(vm, UINT64_MAX, octets, sizeof(octets)));
}

static void
what_floods_and_scribbles_is_bounded_and_can_be_ended(void **test)
{
	static const char *const acts[] = {"flood", "ring", "scribble"};

	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		struct vm *vm = parked_clone(*test);
		unsigned int most;
		uint64_t usec;

		inject(vm, acts[i], "", 0);
		assert_int_equal(0, ops->run_start(vm, USEC_PER_SEC));
		/* What scribbles may overwrite its answer, or lie at once. */
		if (strcmp(acts[i], "scribble") != 0)
			expect(vm, VMM_TAKEN);
		serve(vm, &most, &usec);
		print_message("%s: at most %u events at a time, %lu ms of "
			      "processor\n",
		    acts[i], most, (unsigned long)usec / 1000);
		/* Taken, report, ended, died. */
		assert_in_range(most, 0, 4);
		/* Rings alone are not worth half of a processor.  By Xen none
		 * is heard: it looks by the clock, whatever the guest does. */
		if (strcmp(acts[i], "ring") == 0 && !is_xen())
			assert_in_range(usec, 0, USEC_PER_SEC / 4);
		destroy(vm);
	}
}

static void
a_guest_that_reboots_or_panics_has_died(void **test)
{
	static const char *const acts[] = {"reboot", "panic"};

	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		struct vm *vm = parked_clone(*test);

		inject(vm, acts[i], "", 0);
		assert_int_equal(0, ops->run_start(vm, USEC_PER_SEC));
		expect(vm, VMM_TAKEN);
		expect(vm, VMM_DIED);
		/* What is down is not brought back. */
		if (ops->reset)
			assert_int_equal(-ENOTSUP, ops->reset(vm));
		destroy(vm);
	}
}

static void
of_a_silent_guest_nothing_is_heard_and_it_can_be_ended(void **test)
{
	struct vm *vm = parked_clone(*test);
	const uint64_t end = mono_now().usec + 2 * USEC_PER_SEC;
	enum vmm_event event;

	inject(vm, "silence", "", 0);
	assert_int_equal(0, ops->run_start(vm, USEC_PER_SEC));
	while (mono_now().usec < end) {
		struct pollfd p = {.fd = ops->event_fd(vm), .events = POLLIN};

		(void)poll(&p, 1, 100);
		assert_int_equal(-EAGAIN, ops->next(vm, &event));
	}
	destroy(vm);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_clone_runs_a_program_and_reports_its_end, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_known_program_goes_well_in_each_of_some_clones, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_rehearsal_leaves_no_trace_in_the_report, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_one_clone_does_another_one_does_not_see, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_clone_that_is_killed_at_any_stage_died_and_can_be_destroyed,
		set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_clone_can_be_destroyed_at_any_stage, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_sample_that_is_too_large_or_too_short_is_refused, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		what_floods_and_scribbles_is_bounded_and_can_be_ended,
		set_up_hostile, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_guest_that_reboots_or_panics_has_died, set_up_hostile,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		of_a_silent_guest_nothing_is_heard_and_it_can_be_ended,
		set_up_hostile, tear_down),
	};

	if (argc != 5 || !choose_back_end(argv[1]))
		return 100;
	state = argv[2];
	hostile = argv[3];
	hello = argv[4];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
