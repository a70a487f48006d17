/*
 * The back end Xen with a hypervisor that is none: each of its calls is
 * replaced (--wrap) and fails on cue.
 */
#include "vmm/xen.h"
#include "vmm/xen_host_priv.h"
#include "vmm/xen_priv.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "tests/support/fake_xen.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct xen_host host;
static struct vmm vmm;

static int
set_up(void **test)
{
	struct xen_state state;

	fake_xen_begin();
	host = (struct xen_host){.khz = 1000000, .store = xen_store_open()};
	assert_non_null(host.store);
	assert_int_equal(0, xen_state_get(&host, 0, &state));
	vmm = (struct vmm){.host = &host, .ram = -1, .site = "0badcafe"};
	vmm.manifest.mem_mib = 1;
	assert_int_equal(0, xen_state_cpu(&state, &vmm.cpu));
	vmm.state = state;
	vmm.parent = 7;
	*test = &vmm;
	return 0;
}

static int
tear_down(void **test)
{
	(void)test;
	xen_state_done(&vmm.state);
	xen_state_done(&vmm.cpu);
	xen_store_close(host.store);
	return 0;
}

/* --- Answers of single calls. */

static void
a_host_without_xen_is_refused_in_words(void **test)
{
	const struct vmm_options options = {.state = "/nonexistent"};
	char why[256] = "";

	(void)test;
	if (access("/sys/hypervisor/type", F_OK) == 0) {
		skip();
		return;
	}
	assert_int_equal(-ENOTSUP, vmm_xen.probe(&options, why, sizeof(why)));
	assert_non_null(strstr(why, "not booted on Xen"));
	assert_non_null(strstr(why, "xen-system-amd64"));
	assert_int_equal(-ENOTSUP, vmm_xen.reap(&options));
}

static void
why_memory_is_not_shared_is_said_by_name(void **test)
{
	static const struct {
		int error;
		const char *words;
	} rows[] = {{ENOSYS, "MEM_SHARING"}, {EOPNOTSUPP, "VMX"},
	    {ENODEV, "paging"}, {EXDEV, "IOMMU"}};
	char why[256];

	(void)test;
	assert_int_equal(0, xen_host_shares(&host, why, sizeof(why)));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_xen_fail("xc_memshr_control", 1, rows[i].error);
		assert_int_equal(
		    -ENOTSUP, xen_host_shares(&host, why, sizeof(why)));
		assert_non_null(strstr(why, rows[i].words));
		assert_int_equal(0, fake_xen_domains());
	}
	fake_xen_fail("xc_domain_create", 1, ENOMEM);
	assert_int_equal(-ENOMEM, xen_host_shares(&host, why, sizeof(why)));
	assert_non_null(strstr(why, "dom0_mem"));
}

static void
errors_of_a_fork_are_told_apart(void **test)
{
	static const struct {
		int error, ours;
	} rows[] = {{ENOSYS, -ENOTSUP}, {EOPNOTSUPP, -ENOTSUP},
	    {ENODEV, -ENOTSUP}, {ENOMEM, -ENOMEM}, {ESRCH, -ESRCH},
	    {EINVAL, -EINVAL}, {EBUSY, -EBUSY}, {EPERM, -EPERM}};

	(void)test;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_xen_fail("xc_memshr_fork", 1, rows[i].error);
		assert_int_equal(rows[i].ours, xen_domain_fork(&host, 7, 8));
	}
	assert_int_equal(0, xen_domain_fork(&host, 7, 8));
}

static void
an_end_goes_on_until_it_is_one(void **test)
{
	static const unsigned char handle[XEN_HANDLE] = "test";
	uint32_t domain;

	(void)test;
	assert_int_equal(0, xen_domain_new(&host, handle, &domain));
	fake_xen_fail("xc_domain_destroy", 1, EPERM);
	assert_int_equal(-EPERM, xen_domain_end(&host, domain));
	fake_xen_fail("xc_domain_destroy", 1, EAGAIN);
	assert_int_equal(0, xen_domain_end(&host, domain));
	assert_int_equal(0, fake_xen_domains());
	/* Of one that is no more. */
	assert_int_equal(0, xen_domain_end(&host, domain));
}

static void
pages_are_all_mapped_or_none(void **test)
{
	struct xen_map map = {.at = NULL};

	(void)test;
	fake_xen_bad_page(3, -ENOMEM);
	assert_int_equal(-ENOMEM, xen_map(&host, 1, 0, 8, &map));
	assert_null(map.at);
	assert_int_equal(0, fake_xen_maps());
	fake_xen_bad_page(3, EFAULT); /* some kernels say it without a sign */
	assert_int_equal(-EFAULT, xen_map(&host, 1, 0, 8, &map));
	fake_xen_bad_page(-1, 0);
	assert_int_equal(0, xen_map(&host, 1, 0, 8, &map));
	xen_unmap(&host, &map);
	xen_unmap(&host, &map);
	assert_int_equal(0, fake_xen_maps());
}

/* --- States. */

static void
a_state_that_is_cut_off_anywhere_has_no_processor(void **test)
{
	struct xen_state whole, part;
	const uint32_t n = vmm.state.n;

	(void)test;
	for (uint32_t cut = 0; cut < n; cut++) {
		int r;

		whole =
		    (struct xen_state){.octets = xcalloc(1, cut + 1), .n = cut};
		memcpy(whole.octets, vmm.state.octets, cut);
		r = xen_state_cpu(&whole, &part);
		if (r == 0)
			xen_state_done(&part);
		else
			assert_int_equal(-EBADMSG, r);
		/* Header and processor come first in the fake's. */
		assert_int_equal(cut >= fake_xen_cpu_end(), r == 0);
		xen_state_done(&whole);
	}
}

static void
a_state_that_xen_does_not_take_is_damaged(void **test)
{
	(void)test;
	fake_xen_fail("xc_domain_hvm_setcontext", 1, EINVAL);
	assert_int_equal(-EBADMSG, xen_state_put(&host, 1, &vmm.state));
	fake_xen_fail("xc_domain_hvm_setcontext", 1, ESRCH);
	assert_int_equal(-ESRCH, xen_state_put(&host, 1, &vmm.state));
	fake_xen_fail("xc_domain_hvm_getcontext", 2, ENOMEM);
	assert_int_equal(
	    -ENOMEM, xen_state_get(&host, 1, &(struct xen_state){0}));
}

/* --- Owners. */

static void
a_handle_says_whose_a_domain_is(void **test)
{
	unsigned char handle[XEN_HANDLE];
	enum xen_role role;
	uint32_t start;
	pid_t pid;

	(void)test;
	xen_owner_handle("0badcafe", XEN_CLONE, handle);
	assert_true(xen_owner_find(handle, "0badcafe", &role, &pid, &start));
	assert_int_equal(XEN_CLONE, role);
	assert_int_equal(getpid(), pid);
	assert_int_equal(owner_start_of(getpid()) & 0xffffff, start);
	assert_false(xen_owner_find(handle, "0badcaff", &role, &pid, &start));
	handle[XEN_HANDLE - 1] = 'x';
	assert_false(xen_owner_find(handle, "0badcafe", &role, &pid, &start));
	memset(handle, 0, sizeof(handle));
	assert_false(xen_owner_find(handle, "00000000", &role, &pid, &start));
}

/* --- A whole life, in which the nth call fails. */

static int
wait_for(struct vm *vm, enum vmm_event wanted)
{
	enum vmm_event event;

	for (int i = 0; i < 1000; i++) {
		int r = vmm_xen.next(vm, &event);

		if (r == 0 && (event == wanted || event == VMM_DIED))
			return event == wanted ? 0 : -ECHILD;
		if (r < 0)
			(void)usleep(100);
	}
	return -ETIMEDOUT;
}

static int
live(struct vm *vm)
{
	CLEANUP(close_fd) int fd = memfd_new("sample");
	const struct vmm_sample sample = {
	    .fd = fd, .bytes = 5000, .name = "a", .type = ""};
	char report[64];
	int r = ftruncate(fd, 5000) < 0 ? -errno : wait_for(vm, VMM_PARKED);

	if (r == 0)
		r = vmm_xen.inject(vm, &sample);
	if (r == 0)
		r = vmm_xen.run_start(vm, USEC_PER_SEC);
	if (r == 0)
		r = wait_for(vm, VMM_ENDED);
	if (r == 0 && vmm_xen.collect(vm, 0, report, sizeof(report)) !=
			  strlen(FAKE_XEN_REPORT))
		r = -EIO;
	return r;
}

/* One life.  Nothing may be left of it, however it ended, but a domain that
 * Xen has refused to end. */
static int
whole_life(void)
{
	struct vmm_stats stats;
	struct vm *vm;
	int r = vmm_xen.clone(&vmm, 3, &vm), end;

	if (r < 0)
		return r;
	r = live(vm);
	vmm_xen.stats(vm, &stats);
	end = vmm_xen.destroy(vm);
	if (end < 0)
		return end;
	assert_int_equal(0, wait_for(vm, VMM_GONE));
	return r;
}

static void
a_life_ends_well_whichever_call_fails(void **test)
{
	unsigned int n = 0, failed = 0;
	bool was_reached;

	(void)test;
	assert_int_equal(0, whole_life());
	do {
		int r;

		fake_xen_begin();
		fake_xen_fail_nth(++n, ENOMEM);
		r = whole_life();
		was_reached = fake_xen_has_failed();
		failed += r < 0;
		assert_int_equal(0, vmm.clones);
		assert_int_equal(0, fake_xen_maps());
		assert_in_range(
		    fake_xen_domains(), 0, fake_xen_failed_at_end());
	} while (was_reached);
	assert_in_range(n, 15, 1000);
	print_message("%u calls, %u of which are needed\n", n - 1, failed);
	assert_in_range(failed, 10, n);
}

static void
a_guest_that_goes_down_has_died(void **test)
{
	struct vm *vm;

	(void)test;
	assert_int_equal(0, vmm_xen.clone(&vmm, 3, &vm));
	fake_xen_go_down();
	assert_int_equal(-ECHILD, wait_for(vm, VMM_PARKED));
	assert_int_equal(0, vmm_xen.destroy(vm));
	assert_int_equal(0, wait_for(vm, VMM_GONE));
	assert_int_equal(0, fake_xen_domains());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_host_without_xen_is_refused_in_words),
	    cmocka_unit_test_setup_teardown(
		why_memory_is_not_shared_is_said_by_name, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		errors_of_a_fork_are_told_apart, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		an_end_goes_on_until_it_is_one, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		pages_are_all_mapped_or_none, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_state_that_is_cut_off_anywhere_has_no_processor, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_state_that_xen_does_not_take_is_damaged, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_handle_says_whose_a_domain_is, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_life_ends_well_whichever_call_fails, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_guest_that_goes_down_has_died, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
