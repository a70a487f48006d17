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
#include <limits.h>
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
	vmm.manifest.mem_mib = FAKE_XEN_MIB;
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

/* What is missing, and what is then to be done, as the probe has it. */
static const struct refusal {
	struct fake_xen_host host; /* but for what is zero here */
	const char *call;          /* that fails; NULL: none */
	int error;
	const char *missing, *remedy;
} refusals[] = {
    {.host.type = "", .missing = "not booted on Xen", .remedy = "install"},
    {.host.type = "kvm\n", .missing = "not booted on Xen", .remedy = "boot it"},
    {.host.capabilities = "", .missing = "a guest of Xen", .remedy = "in dom0"},
    {.host.capabilities = "other\n",
	.missing = "a guest of Xen",
	.remedy = "in dom0"},
    {.call = "xc_interface_open",
	.error = EACCES,
	.missing = "not allowed to open",
	.remedy = "run as root"},
    {.call = "xc_interface_open",
	.error = EPERM,
	.missing = "not allowed to open",
	.remedy = "run as root"},
    {.call = "xc_interface_open",
	.error = ENOENT,
	.missing = "/dev/xen/privcmd",
	.remedy = "load the module"},
    {.call = "xenforeignmemory_open",
	.error = ENOENT,
	.missing = "refuses control: No such file",
	.remedy = "libxen-dev"},
    {.call = "xc_physinfo",
	.error = EACCES, /* another version of its interface */
	.missing = "refuses control: Permission denied",
	.remedy = "libxen-dev"},
    {.host.can = XEN_SYSCTL_PHYSCAP_hap,
	.missing = "no VMX or SVM",
	.remedy = "firmware"},
    {.host.can = XEN_SYSCTL_PHYSCAP_hvm,
	.missing = "no hardware-assisted paging",
	.remedy = "remove hap=0"},
    {.call = "xs_open",
	.error = ENOENT,
	.missing = "xenstored does not answer",
	.remedy = "start it"},
    {.call = "xc_domain_create",
	.error = ENOMEM,
	.missing = "no free memory",
	.remedy = "dom0_mem="},
    {.call = "xc_domain_create",
	.error = EPERM,
	.missing = "no domain can be made",
	.remedy = "not permitted"},
};

static void
what_a_host_lacks_is_said_with_what_can_be_done(void **test)
{
	const struct vmm_options options = {.state = "/nonexistent"};

	(void)test;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *row = &refusals[i];
		/* As much as a holder tells (vmm/backends.c). */
		char why[192] = "";

		fake_xen_begin();
		if (row->host.type)
			fake_xen_host.type = row->host.type;
		if (row->host.capabilities)
			fake_xen_host.capabilities = row->host.capabilities;
		if (row->host.can)
			fake_xen_host.can = row->host.can;
		if (row->call)
			fake_xen_fail(row->call, 1, row->error);
		assert_int_equal(
		    -ENOTSUP, vmm_xen.probe(&options, why, sizeof(why)));
		if (!strstr(why, row->missing) || !strstr(why, row->remedy))
			fail_msg("row %zu: %s", i, why);
		assert_in_range(strlen(why), 0, sizeof(why) - 2);
		assert_int_equal(0, fake_xen_opened());
		assert_int_equal(0, fake_xen_domains());
	}
}

static void
files_that_are_missing_are_said(void **test)
{
	const struct vmm_options options = {.state = "/nonexistent"};
	char why[192] = "";

	(void)test;
	fake_xen_begin();
	fake_xen_host.type = NULL;
	assert_int_equal(-ENOTSUP, vmm_xen.probe(&options, why, sizeof(why)));
	assert_non_null(strstr(why, "not booted on Xen"));
	assert_int_equal(-ENOTSUP, vmm_xen.reap(&options));
	fake_xen_begin();
	fake_xen_host.capabilities = NULL;
	assert_int_equal(-ENOTSUP, vmm_xen.probe(&options, why, sizeof(why)));
	assert_non_null(strstr(why, "xenfs is not mounted"));
}

static void
a_host_that_shares_no_memory_will_do(void **test)
{
	const struct vmm_options options = {.state = "/nonexistent"};
	struct xen_host *opened;
	char why[192] = "";

	(void)test;
	fake_xen_begin();
	fake_xen_host.no_sharing = ENOSYS;
	assert_int_equal(0, vmm_xen.probe(&options, why, sizeof(why)));
	assert_non_null(strstr(why, "Xen 4.17.5, each clone restored whole"));
	assert_non_null(strstr(why, "MEM_SHARING"));
	assert_in_range(strlen(why), 0, sizeof(why) - 2);
	fake_xen_host.no_sharing = 0;
	assert_int_equal(0, vmm_xen.probe(&options, why, sizeof(why)));
	assert_string_equal("Xen 4.17.5, by memory forks", why);
	/* A probe leaves it open, for the sandbox's sake. */
	assert_int_equal(0, xen_host_open(&opened, why, sizeof(why)));
	for (int i = 0; i < 3; i++)
		xen_host_close(opened);
	assert_int_equal(0, fake_xen_opened());
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
	assert_int_equal(0, xen_host_shares(&host, vmm.site, why, sizeof(why)));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_xen_fail("xc_memshr_control", 1, rows[i].error);
		assert_int_equal(-ENOTSUP,
		    xen_host_shares(&host, vmm.site, why, sizeof(why)));
		assert_non_null(strstr(why, rows[i].words));
		assert_int_equal(0, fake_xen_domains());
	}
	fake_xen_fail("xc_domain_create", 1, ENOMEM);
	assert_int_equal(
	    -ENOMEM, xen_host_shares(&host, vmm.site, why, sizeof(why)));
	assert_non_null(strstr(why, "dom0_mem"));
}

static void
errors_of_a_fork_are_told_apart(void **test)
{
	static const struct {
		int error, ours;
	} rows[] = {{ENOSYS, -ENOTSUP}, {EOPNOTSUPP, -ENOTSUP},
	    {ENODEV, -ENOTSUP}, {ENOMEM, -ENOMEM}, {ESRCH, -ESRCH},
	    {EINVAL, -EINVAL}, {EBUSY, -EBUSY}, {EPERM, -EPERM},
	    {EXDEV, -EXDEV}, {0, -EIO}};

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
	fake_xen_fail("xc_domain_destroy", 1, EINTR);
	assert_int_equal(0, xen_domain_end(&host, domain));
	assert_int_equal(0, xen_domain_new(&host, handle, &domain));
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
	fake_xen_host.state_bytes = -1;
	assert_int_equal(-EIO, xen_state_get(&host, 1, &(struct xen_state){0}));
	fake_xen_host.state_bytes = INT_MAX;
	assert_int_equal(
	    -EFBIG, xen_state_get(&host, 1, &(struct xen_state){0}));
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_host_lacks_is_said_with_what_can_be_done),
	    cmocka_unit_test(files_that_are_missing_are_said),
	    cmocka_unit_test(a_host_that_shares_no_memory_will_do),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
