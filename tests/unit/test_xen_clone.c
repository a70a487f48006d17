/*
 * Clones by the back end Xen: what becomes of one whose guest goes down, lies
 * or is slow, and what can be done with it when.
 */
#include "tests/support/xen_site.h"

#include "vmm/mailbox.h"

#include <poll.h>

static struct vmm *vmm;

static int
set_up_open(void **test)
{
	char err[512];
	int r = set_up(test);

	if (r == 0)
		r = vmm_xen.open(&options, &vmm, err, sizeof(err));
	return r;
}

static int
tear_down(void **test)
{
	(void)test;
	vmm_xen.close(vmm);
	assert_int_equal(0, fake_xen_domains());
	assert_int_equal(0, fake_xen_maps());
	assert_int_equal(0, fake_xen_opened());
	return 0;
}

static struct mailbox *
box(void)
{
	return (void *)(fake_xen_memory() + ((size_t)FAKE_XEN_MIB << 20));
}

static struct vm *
new_clone(void)
{
	struct vm *vm;

	assert_int_equal(0, vmm_xen.clone(vmm, 3, &vm));
	return vm;
}

static struct vm *
parked_clone(void)
{
	struct vm *vm = new_clone();

	assert_int_equal(0, wait_for(vm, VMM_PARKED));
	return vm;
}

static void
destroy(struct vm *vm)
{
	assert_int_equal(0, vmm_xen.destroy(vm));
	assert_int_equal(0, wait_for(vm, VMM_GONE));
}

static int
inject(struct vm *vm, uint64_t bytes)
{
	CLEANUP(close_fd) int fd = memfd_new("sample");
	const struct vmm_sample sample = {
	    .fd = fd, .bytes = bytes, .name = "a", .type = ""};

	assert_int_equal(0, ftruncate(fd, 5000));
	return vmm_xen.inject(vm, &sample);
}

static void
a_guest_that_goes_down_at_any_time_has_died(void **test)
{
	struct vm *vm = new_clone();

	(void)test;
	fake_xen_go_down();
	assert_int_equal(-ECHILD, wait_for(vm, VMM_PARKED));
	destroy(vm);
	fake_xen_come_up();
	vm = parked_clone();
	fake_xen_host.is_mute = true;
	assert_int_equal(0, vmm_xen.run_start(vm, USEC_PER_SEC));
	assert_int_equal(-ETIMEDOUT, wait_for(vm, VMM_TAKEN));
	fake_xen_go_down();
	assert_int_equal(-ECHILD, wait_for(vm, VMM_TAKEN));
	/* It is told once, and then there is nothing more. */
	assert_int_equal(-ETIMEDOUT, wait_for(vm, VMM_DIED));
	destroy(vm);
	fake_xen_come_up();
	/* One that is asked after, and isn't there. */
	vm = new_clone();
	box()->answer = 0;
	fake_xen_host.is_mute = true;
	fake_xen_fail("xc_domain_getinfolist", 1, ESRCH);
	assert_int_equal(-ECHILD, wait_for(vm, VMM_PARKED));
	destroy(vm);
}

/* Another domain may have come after it: Xen tells of that one then. */
static void
one_that_was_destroyed_by_another_has_died(void **test)
{
	static const unsigned char handle[XEN_HANDLE] = "another";
	struct xen_host *host;
	struct vm *vm = new_clone();
	uint32_t domain = 0, newest = 0, other = fake_xen_add(handle);
	unsigned char its[XEN_HANDLE];
	char why[256];

	(void)test;
	box()->answer = 0;
	fake_xen_host.is_mute = true;
	assert_int_equal(0, xen_host_open(&host, why, sizeof(why)));
	for (; xen_domain_next(host, &domain, its) == 0; domain++)
		if (its[XEN_HANDLE - 1] == XEN_CLONE)
			newest = domain;
	assert_in_range(newest, 1, other - 1);
	assert_int_equal(0, xen_domain_end(host, newest));
	assert_int_equal(-ECHILD, wait_for(vm, VMM_PARKED));
	destroy(vm);
	assert_int_equal(0, xen_domain_end(host, other));
	xen_host_close(host);
}

static struct vm *
running_clone(void)
{
	struct vm *vm = parked_clone();

	fake_xen_host.is_silent = true; /* we are the agent */
	assert_int_equal(0, vmm_xen.run_start(vm, USEC_PER_SEC));
	box()->answer = box()->order;
	box()->state = MAILBOX_RUNNING;
	assert_int_equal(0, wait_for(vm, VMM_TAKEN));
	return vm;
}

static void
a_run_is_told_as_it_goes_on(void **test)
{
	struct vm *vm = running_clone();
	char report[64];

	(void)test;
	box()->report_bytes = 5;
	assert_int_equal(0, wait_for(vm, VMM_REPORT));
	assert_int_equal(5, vmm_xen.collect(vm, 0, report, sizeof(report)));
	assert_int_equal(3, vmm_xen.collect(vm, 2, report, sizeof(report)));
	assert_int_equal(0, vmm_xen.collect(vm, 5, report, sizeof(report)));
	assert_int_equal(-ETIMEDOUT, wait_for(vm, VMM_ENDED));
	box()->state = MAILBOX_ENDED;
	assert_int_equal(0, wait_for(vm, VMM_ENDED));
	destroy(vm);
}

/* It may have been told ones where its sample is. */
static void
what_runs_when_no_page_is_left_has_died(void **test)
{
	struct vm *vm = running_clone();

	(void)test;
	fake_xen_host.free_pages = 0;
	assert_int_equal(-ECHILD, wait_for(vm, VMM_ENDED));
	destroy(vm);
	/* So it has when it says that it came to its end. */
	fake_xen_host.free_pages = 1;
	fake_xen_host.is_silent = false;
	vm = running_clone();
	fake_xen_host.free_pages = 0;
	box()->state = MAILBOX_ENDED;
	assert_int_equal(-ECHILD, wait_for(vm, VMM_ENDED));
	destroy(vm);
	/* Where Xen doesn't tell, all is well. */
	fake_xen_host.free_pages = 1;
	fake_xen_host.is_silent = false;
	vm = running_clone();
	fake_xen_fail("xc_physinfo", 1, EACCES);
	box()->state = MAILBOX_ENDED;
	assert_int_equal(0, wait_for(vm, VMM_ENDED));
	destroy(vm);
}

/* 0, or what its reset or the answer after it came to. */
static int
reset(struct vm *vm)
{
	int r = vmm_xen.reset(vm);

	return r < 0 ? r : wait_for(vm, VMM_PARKED);
}

static void
a_clone_is_reset_at_any_stage_of_its_use(void **test)
{
	struct vm *vm = parked_clone();
	char report[64];

	(void)test;
	assert_int_equal(0, reset(vm));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(0, inject(vm, 5000));
		assert_int_equal(0, vmm_xen.run_start(vm, USEC_PER_SEC));
		if (i > 0)
			assert_int_equal(0, wait_for(vm, VMM_ENDED));
		assert_int_equal(0, reset(vm));
		/* Nothing of what was before. */
		assert_int_equal(
		    0, vmm_xen.collect(vm, 0, report, sizeof(report)));
	}
	destroy(vm);
}

static void
what_can_not_be_reset_is_said(void **test)
{
	struct vmm *whole;
	struct vm *vm = new_clone();
	char err[256];

	(void)test;
	assert_int_equal(-ENOTSUP, vmm_xen.reset(vm)); /* it isn't parked */
	assert_int_equal(0, wait_for(vm, VMM_PARKED));
	fake_xen_go_down();
	assert_int_equal(-ENOTSUP, vmm_xen.reset(vm));
	destroy(vm);
	fake_xen_come_up();
	fake_xen_host.no_sharing = ENOSYS;
	assert_int_equal(0, vmm_xen.open(&options, &whole, err, sizeof(err)));
	assert_int_equal(0, vmm_xen.clone(whole, 1, &vm));
	assert_int_equal(0, wait_for(vm, VMM_PARKED));
	assert_int_equal(-ENOTSUP, vmm_xen.reset(vm)); /* it is no fork */
	destroy(vm);
	vmm_xen.close(whole);
}

static void
a_reset_that_fails_leaves_a_clone_that_can_be_destroyed(void **test)
{
	unsigned int n = 0, failed = 0;
	bool was_reached;

	(void)test;
	do {
		struct vm *vm = parked_clone();
		struct vmm_stats stats;
		int r;

		assert_int_equal(0, vmm_xen.run_start(vm, USEC_PER_SEC));
		fake_xen_fail_nth(++n, EAGAIN);
		r = reset(vm);
		was_reached = fake_xen_has_failed();
		fake_xen_fail_nth(0, 0);
		failed += r < 0;
		assert_true(was_reached || r == 0);
		vmm_xen.stats(vm, &stats);
		destroy(vm);
		assert_int_equal(0, fake_xen_maps());
		assert_int_equal(1, fake_xen_domains()); /* the parent */
	} while (was_reached && n < 100);
	assert_in_range(failed, 5, n);
}

static void
what_it_said_before_it_went_down_is_its_last_word(void **test)
{
	struct vm *vm = parked_clone();
	char report[64];

	(void)test;
	fake_xen_host.is_mute = true;
	assert_int_equal(0, vmm_xen.run_start(vm, USEC_PER_SEC));
	assert_int_equal(-ETIMEDOUT, wait_for(vm, VMM_TAKEN));
	/* Between a look at the mailbox and one at the domain. */
	fake_xen_host.is_last_word = true;
	assert_int_equal(0, wait_for(vm, VMM_ENDED));
	assert_int_equal(strlen(FAKE_XEN_REPORT),
	    vmm_xen.collect(vm, 0, report, sizeof(report)));
	destroy(vm);
	/* It isn't believed when no page is left: the clone has died, once. */
	fake_xen_come_up();
	fake_xen_host.is_mute = fake_xen_host.is_last_word = false;
	vm = parked_clone();
	fake_xen_host.is_mute = true;
	assert_int_equal(0, vmm_xen.run_start(vm, USEC_PER_SEC));
	assert_int_equal(-ETIMEDOUT, wait_for(vm, VMM_TAKEN));
	fake_xen_host.free_pages = 0;
	fake_xen_host.is_last_word = true;
	assert_int_equal(-ECHILD, wait_for(vm, VMM_ENDED));
	assert_int_equal(-ETIMEDOUT, wait_for(vm, VMM_DIED));
	destroy(vm);
}

static void
a_guest_that_lies_is_dead(void **test)
{
	struct vm *vm = parked_clone();

	(void)test;
	assert_int_equal(0, vmm_xen.run_start(vm, USEC_PER_SEC));
	box()->report_bytes = UINT32_MAX;
	assert_int_equal(-ECHILD, wait_for(vm, VMM_ENDED));
	assert_int_equal(-ENOTSUP, vmm_xen.reset(vm));
	destroy(vm);
}

static void
only_a_parked_clone_takes_a_sample(void **test)
{
	struct vmm_stats stats;
	struct vm *vm = new_clone();

	(void)test;
	assert_int_equal(-ESTALE, inject(vm, 5000));
	assert_int_equal(-ESTALE, vmm_xen.run_start(vm, USEC_PER_SEC));
	assert_int_equal(0, wait_for(vm, VMM_PARKED));
	assert_int_equal(-EFBIG, inject(vm, MAILBOX_SAMPLE_MAX + 1));
	assert_int_equal(-ENODATA, inject(vm, 5001));
	assert_int_equal(-ENODATA, inject(vm, 3 << 20));
	fake_xen_bad_page(1, -ENOMEM);
	assert_int_equal(-ENOMEM, inject(vm, 5000));
	fake_xen_bad_page(-1, 0);
	assert_int_equal(0, inject(vm, 5000));
	vmm_xen.stats(vm, &stats);
	assert_int_equal(100 * 4096, stats.private_bytes);
	assert_int_equal(0, vmm_xen.destroy(vm));
	/* Of one that is no more. */
	assert_int_equal(0, vmm_xen.collect(vm, 0, &stats, sizeof(stats)));
	vmm_xen.stats(vm, &stats);
	assert_int_equal(0, stats.private_bytes);
	assert_int_equal(0, wait_for(vm, VMM_GONE));
}

static void
a_long_report_is_mapped_piece_by_piece(void **test)
{
	static unsigned char got[MAILBOX_REPORT_MAX];
	unsigned char *report = (unsigned char *)box() + MAILBOX_REPORT_AT;
	struct vm *vm = parked_clone();
	size_t n;

	(void)test;
	assert_int_equal(0, vmm_xen.run_start(vm, USEC_PER_SEC));
	for (size_t i = 0; i < MAILBOX_REPORT_MAX; i++)
		report[i] = (unsigned char)(i * 31 / 7);
	box()->report_bytes = MAILBOX_REPORT_MAX;
	assert_int_equal(0, wait_for(vm, VMM_ENDED));
	/* No memory for the second piece: what there is until then. */
	fake_xen_fail("xenforeignmemory_map", 2, ENOMEM);
	n = vmm_xen.collect(vm, 0, got, sizeof(got));
	assert_int_equal((1 << 20) - MAILBOX_REPORT_AT, n);
	n += vmm_xen.collect(vm, n, got + n, 5);
	n += vmm_xen.collect(vm, n, got + n, sizeof(got) - n);
	assert_int_equal(sizeof(got), n);
	assert_memory_equal(report, got, n);
	destroy(vm);
}

static void
its_descriptor_is_readable_while_there_is_news(void **test)
{
	struct vm *vm = parked_clone();
	struct pollfd p = {.fd = vmm_xen.event_fd(vm), .events = POLLIN};
	enum vmm_event event;
	int n = 0;

	(void)test;
	/* Once more, for the ledger. */
	assert_int_equal(-ETIMEDOUT, wait_for(vm, VMM_TAKEN));
	assert_int_equal(-EAGAIN, vmm_xen.next(vm, &event));
	assert_int_equal(0, poll(&p, 1, 0));
	assert_int_equal(0, vmm_xen.run_start(vm, USEC_PER_SEC));
	/* Taken, report, ended: one at a time. */
	while (n < 3 && poll(&p, 1, 1000) == 1)
		if (vmm_xen.next(vm, &event) == 0)
			n++;
	assert_int_equal(VMM_ENDED, event);
	assert_int_equal(-EAGAIN, vmm_xen.next(vm, &event));
	assert_int_equal(0, poll(&p, 1, 0));
	destroy(vm);
}

/* By this the pool admits another one (vmm/pool_refill.c). */
static void
what_clones_can_be_made_of_are_pages_that_are_free(void **test)
{
	(void)test;
	fake_xen_host.free_pages = 1000;
	assert_int_equal(1000 * 4096, vmm_xen.available(vmm));
	fake_xen_host.outstanding_pages = 600;
	assert_int_equal(400 * 4096, vmm_xen.available(vmm));
	/* None is not the same as nobody knows how many. */
	fake_xen_host.outstanding_pages = 1000;
	assert_int_equal(1, vmm_xen.available(vmm));
	fake_xen_fail("xc_physinfo", 1, EACCES);
	assert_int_equal(0, vmm_xen.available(vmm));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_guest_that_goes_down_at_any_time_has_died, set_up_open,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		one_that_was_destroyed_by_another_has_died, set_up_open,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_run_is_told_as_it_goes_on, set_up_open, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_runs_when_no_page_is_left_has_died, set_up_open,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_clone_is_reset_at_any_stage_of_its_use, set_up_open,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		what_can_not_be_reset_is_said, set_up_open, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_reset_that_fails_leaves_a_clone_that_can_be_destroyed,
		set_up_open, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_it_said_before_it_went_down_is_its_last_word, set_up_open,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_guest_that_lies_is_dead, set_up_open, tear_down),
	    cmocka_unit_test_setup_teardown(
		only_a_parked_clone_takes_a_sample, set_up_open, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_long_report_is_mapped_piece_by_piece, set_up_open, tear_down),
	    cmocka_unit_test_setup_teardown(
		its_descriptor_is_readable_while_there_is_news, set_up_open,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		what_clones_can_be_made_of_are_pages_that_are_free, set_up_open,
		tear_down),
	};

	return cmocka_run_group_tests(tests, begin_all, end_all);
}
