/*
 * Real clones, of any back end: many in a row, many at once, many resets, and
 * what is left when their holder is killed or the memory is used up: nothing.
 * Arguments: as of clones.c, and how many in a row (of resets: a third).
 */
#include "tests/support/clone_site.h"
#include "tests/support/series.h"

#include <sys/wait.h>

#define AT_ONCE 16

static unsigned long in_a_row;

static int
tear_down(void **test)
{
	ops->close(*test);
#ifdef SLUICE_XEN
	/* Which of them loses one, if pages are lost. */
	if (is_xen())
		print_message("%lu pages\n", free_pages());
#endif
	return 0;
}

/* Let it run what lies before it, to the end. */
static void
run(struct vm *vm)
{
	assert_int_equal(0, ops->run_start(vm, 20 * USEC_PER_SEC));
	expect(vm, VMM_TAKEN);
	expect(vm, VMM_ENDED);
}

static void
has_ended_by(struct vm *vm, const char *code)
{
	static char report[65536];

	read_report(vm, report, sizeof(report));
	if (!strstr(report, code))
		fail_msg("no %s in: %s", code, report);
}

static void
nothing_is_left_of_many_clones(void **test)
{
	struct series cold = series_of("cold clone", in_a_row);
	struct series make = series_of("of it clone() itself", in_a_row);
	struct series hypervisor = series_of("of that the fork", in_a_row);
	struct series answer = series_of("of it the answer", in_a_row);
	struct series memory =
	    series_of("private memory (MB for ms)", in_a_row);
	struct series to_end =
	    series_of("inject, take and run to the end", in_a_row);
	struct series end = series_of("destroy", in_a_row);
	const size_t before = open_files();

	for (unsigned long i = 0; i < in_a_row; i++) {
		struct vmm_stats stats;
		struct mono t = mono_now();
		uint64_t made;
		struct vm *vm;

		assert_int_equal(0, ops->clone(*test, 1, &vm));
		made = mono_span(t, mono_now());
		expect(vm, VMM_PARKED);
		if (i % 2 == 0 && ops->rehearse) {
			assert_int_equal(0, ops->rehearse(vm));
			expect(vm, VMM_PARKED);
		}
		ops->stats(vm, &stats);
		add(&make, made);
		add(&hypervisor, stats.fork_usec);
		add(&cold, stats.clone_usec);
		add(&answer, stats.clone_usec - made);
		add(&memory, stats.private_bytes / 1000);
		t = mono_now();
		inject_file(vm, hello);
		run(vm);
		add(&to_end, mono_span(t, mono_now()));
		has_ended_by(vm, "\"code\":7");
		t = mono_now();
		destroy(vm);
		add(&end, mono_span(t, mono_now()));
	}
	assert_int_equal(before, open_files());
	assert_int_equal(0, newest_clone());
	say(&cold);
	say(&make);
	say(&hypervisor);
	say(&answer);
	say(&memory);
	say(&to_end);
	say(&end);
}

/* Each of those at once says its own number. */
static void
many_run_at_once_and_each_reports_its_own(void **test)
{
	struct vm *vms[AT_ONCE];
	char text[64], code[32];

	for (int i = 0; i < AT_ONCE; i++)
		vms[i] = parked_clone(*test);
	for (int i = 0; i < AT_ONCE; i++) {
		int n = snprintf(
		    text, sizeof(text), "#!/bin/sh\nexit %d\n", 40 + i);

		inject(vms[i], "number.sh", text, (size_t)n);
		assert_int_equal(0, ops->run_start(vms[i], 60 * USEC_PER_SEC));
	}
	for (int i = 0; i < AT_ONCE; i++) {
		expect(vms[i], VMM_TAKEN);
		expect(vms[i], VMM_ENDED);
		(void)snprintf(code, sizeof(code), "\"code\":%d", 40 + i);
		has_ended_by(vms[i], code);
	}
	for (int i = 0; i < AT_ONCE; i++)
		destroy(vms[i]);
}

static void
a_reset_leaves_no_trace_of_the_former_sample(void **test)
{
	static const char script[] = "#!/bin/sh\n"
				     "ls /tmp | grep -q mark && exit 3\n"
				     "touch /tmp/mark\nexit 4\n";
	const unsigned long resets = (in_a_row + 2) / 3;
	struct series time = series_of("reset", resets);
	struct vm *vm;

	if (!ops->reset) {
		free(time.values);
		skip();
		return;
	}
	vm = parked_clone(*test);
	for (unsigned long i = 0; i < resets; i++) {
		static char report[MAILBOX_REPORT_MAX];
		struct mono t;

		inject(vm, "mark.sh", script, sizeof(script) - 1);
		run(vm);
		has_ended_by(vm, "\"code\":4");
		t = mono_now();
		assert_int_equal(0, ops->reset(vm));
		add(&time, mono_span(t, mono_now()));
		expect(vm, VMM_PARKED);
		assert_int_equal(
		    0, ops->collect(vm, 0, report, sizeof(report)));
	}
	destroy(vm);
	say(&time);
}

/* --- A holder that is killed. */

enum held {
	OPENING,
	CLONED,
	PARKED,
	INJECTED,
	STARTED,
	TAKEN,
	ENDED,
	DESTROYED
};

static void
advance(struct vm *vm, enum held until)
{
	if (until >= PARKED)
		expect(vm, VMM_PARKED);
	if (until >= INJECTED)
		inject_file(vm, hello);
	if (until >= STARTED)
		assert_int_equal(0, ops->run_start(vm, 20 * USEC_PER_SEC));
	if (until >= TAKEN)
		expect(vm, VMM_TAKEN);
	if (until >= ENDED)
		expect(vm, VMM_ENDED);
	if (until >= DESTROYED)
		assert_int_equal(0, ops->destroy(vm));
}

/* In a process of its own; says the number of its clone, and is killed. */
static _Noreturn void
hold(int tell, enum held until)
{
	struct vmm *vmm;
	struct vm *vm;
	int number = 0;

	if (until == OPENING)
		(void)!write(tell, &number, sizeof(number));
	vmm = open_reference(state);
	if (until > OPENING) {
		assert_int_equal(0, ops->clone(vmm, 1, &vm));
		number = newest_clone();
		advance(vm, until);
		(void)!write(tell, &number, sizeof(number));
	}
	for (;;)
		(void)pause();
}

/* A process that was killed takes a moment to go. */
static void
nothing_is_left(const struct vmm_options *options)
{
	int found = ops->reap(options);

	for (int i = 0; !is_xen() && found > 0 && i < 200; i++) {
		(void)usleep(20000);
		found = ops->reap(options);
	}
	assert_int_equal(0, found);
}

static void
kill_holder(enum held stage)
{
	const struct vmm_options options = {.state = state};
	int pipe_fds[2], status, number = 0, found;
	pid_t holder;

	assert_int_equal(0, pipe(pipe_fds));
	holder = fork();
	if (holder == 0)
		hold(pipe_fds[1], stage);
	(void)close(pipe_fds[1]);
	assert_int_equal(
	    sizeof(number), read(pipe_fds[0], &number, sizeof(number)));
	(void)close(pipe_fds[0]);
	assert_int_equal(0, ops->reap(&options)); /* they have an owner */
	assert_int_equal(0, kill(holder, SIGKILL));
	assert_int_equal(holder, waitpid(holder, &status, 0));
	found = ops->reap(&options);
	assert_true(found >= 0);
	nothing_is_left(&options);
	if (is_xen()) { /* what it was made of, and the clone */
		if (stage > OPENING)
			assert_int_equal(stage < DESTROYED ? 2 : 1, found);
		assert_true(!number || !is_clone_there(number));
		return;
	}
	for (int i = 0; number && i < 200 && is_clone_there(number); i++)
		(void)usleep(20000);
	if (number && is_clone_there(number))
		is_zombie(number);
}

static void
clones_go_with_their_holder_or_are_reaped(void **test)
{
	(void)test;
	for (int stage = OPENING; stage <= DESTROYED; stage++)
		kill_holder((enum held)stage);
}

/* --- Memory that is used up. */

#ifdef SLUICE_XEN
#define BALLAST_MIB 64
#define BALLAST_MAX 256
/* For one to be parked where memory is short. */
#define HUNGER_USEC (10 * USEC_PER_SEC)

/* Domains that hold the host's memory, but for less than one more needs. */
static size_t
load_ballast(struct xen_host *host, uint32_t *domains)
{
	static const unsigned char nobody[XEN_HANDLE] = "sluice ballast";
	size_t n = 0;

	while (
	    n < BALLAST_MAX && xen_domain_new(host, nobody, &domains[n]) == 0) {
		if (xen_domain_furnish(host, domains[n], BALLAST_MIB) < 0) {
			assert_int_equal(0, xen_domain_end(host, domains[n]));
			break;
		}
		n++;
	}
	assert_in_range(n, 1, BALLAST_MAX - 1);
	return n;
}

struct eater {
	struct vm *vm;
	bool is_unfed; /* it stands still */
	bool is_dead;
};

/* Hear what they say, and no more: how many go on? */
static size_t
count_living(struct eater *eaters, size_t n)
{
	enum vmm_event event;
	size_t living = 0;

	for (size_t i = 0; i < n; i++) {
		while (ops->next(eaters[i].vm, &event) == 0)
			eaters[i].is_dead |= event == VMM_DIED;
		living += !eaters[i].is_dead && !eaters[i].is_unfed;
	}
	return living;
}

/* 0; or -errno: there is no memory for that either. */
static int
feed(struct vm *vm)
{
	CLEANUP(close_fd) int fd = memfd_new("sample");
	const struct vmm_sample sample = {.fd = fd, .name = "eat", .type = ""};
	int r = ops->inject(vm, &sample);

	return r < 0 ? r : ops->run_start(vm, 20 * USEC_PER_SEC);
}

/* Clones that eat, until no more can be made, parked or fed. */
static size_t
feed_eaters(struct vmm *vmm, struct eater *eaters)
{
	size_t n = 0;
	int r = 0;

	while (n < AT_ONCE && r == 0) {
		struct eater *e = &eaters[n];
		int event;

		*e = (struct eater){.vm = NULL};
		r = ops->clone(vmm, 1, &e->vm);
		if (r < 0)
			break;
		n++;
		event = next_stage_within(e->vm, HUNGER_USEC);
		e->is_dead = event == VMM_DIED;
		r = event == VMM_PARKED ? feed(e->vm) : -ECHILD;
		e->is_unfed = event == VMM_PARKED && r < 0;
	}
	print_message("%zu clones, and then: %s\n", n,
	    r == -ECHILD ? "the last isn't parked" : strerror(-r));
	return n;
}

/* -> how many go on for all that. */
static size_t
wait_for_deaths(struct eater *eaters, size_t n)
{
	const struct mono begun = mono_now();
	size_t living;

	do {
		living = count_living(eaters, n);
		(void)usleep(10000);
	} while (living > 0 && mono_span(begun, mono_now()) < PATIENCE_USEC);
	return living;
}

static void
when_memory_is_used_up_clones_die_and_all_can_be_ended(void **test)
{
	struct xen_host *host;
	uint32_t domains[BALLAST_MAX];
	struct eater eaters[AT_ONCE];
	size_t ballast, n, living;

	if (!is_xen()) {
		skip(); /* it is this host's */
		return;
	}
	host = any_host();
	ballast = load_ballast(host, domains);
	print_message("%zu domains leave %lu pages\n", ballast, free_pages());
	n = feed_eaters(*test, eaters);
	assert_in_range(n, 2, AT_ONCE);
	living = wait_for_deaths(eaters, n);
	print_message("%zu go on, %lu pages are free\n", living, free_pages());
	assert_int_equal(0, living);
	for (size_t i = 0; i < n; i++)
		destroy(eaters[i].vm);
	assert_int_equal(0, newest_clone());
	for (size_t i = 0; i < ballast; i++)
		assert_int_equal(0, xen_domain_end(host, domains[i]));
	/* That all pages are free again is seen when their parent has gone: its
	 * tables grow by what forks touch. */
	destroy(parked_clone(*test));
	xen_host_close(host);
}

/* Pages that were free before all tests are free after them.  Xen's allocator
 * keeps what the most domains at a time have needed of it: as many as any test
 * has are made before, once. */
static unsigned long pages;

static int
note_pages(void **test)
{
	struct vm *vms[AT_ONCE];
	struct vmm *vmm;

	(void)test;
	if (!is_xen())
		return 0;
	vmm = open_reference(state);
	for (int i = 0; i < AT_ONCE; i++)
		vms[i] = parked_clone(vmm);
	for (int i = 0; i < AT_ONCE; i++)
		destroy(vms[i]);
	ops->close(vmm);
	(void)usleep(500000);
	pages = free_pages();
	return 0;
}

/* Xen gives the last pages of a domain back after it has told of its end. */
static bool
are_free(unsigned long want)
{
	for (int i = 0; i < 100 && free_pages() != want; i++)
		(void)usleep(50000);
	return free_pages() == want;
}

static int
compare_pages(void **test)
{
	bool ok = !is_xen() || are_free(pages);

	(void)test;
	if (is_xen())
		print_message(
		    "free pages: %lu before, %lu after\n", pages, free_pages());
	return ok ? 0 : -1;
}
#else
#define note_pages    NULL
#define compare_pages NULL

static void
when_memory_is_used_up_clones_die_and_all_can_be_ended(void **test)
{
	(void)test;
	skip(); /* it is this host's */
}
#endif

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		nothing_is_left_of_many_clones, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		many_run_at_once_and_each_reports_its_own, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_reset_leaves_no_trace_of_the_former_sample, set_up,
		tear_down),
	    cmocka_unit_test(clones_go_with_their_holder_or_are_reaped),
	    cmocka_unit_test_setup_teardown(
		when_memory_is_used_up_clones_die_and_all_can_be_ended,
		set_up_hostile, tear_down),
	};

	if (argc != 6 || !choose_back_end(argv[1]))
		return 100;
	state = argv[2];
	hostile = argv[3];
	hello = argv[4];
	in_a_row = strtoul(argv[5], NULL, 10);
	return in_a_row
		   ? cmocka_run_group_tests(tests, note_pages, compare_pages)
		   : 100;
}
