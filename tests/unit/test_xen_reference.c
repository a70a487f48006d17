/*
 * References by the back end Xen: how one is parked and opened, and what is
 * said when it can't be.
 */
#include "tests/support/xen_site.h"

#include "tests/support/open_files.h"

#include <unistd.h>

static char err[512];

static int
try_park(void)
{
	err[0] = '\0';
	return park(PATIENCE_USEC, 0, err, sizeof(err));
}

static int
try_open(void)
{
	struct vmm *vmm;
	int r;

	err[0] = '\0';
	r = vmm_xen.open(&options, &vmm, err, sizeof(err));
	if (r == 0)
		vmm_xen.close(vmm);
	assert_int_equal(0, fake_xen_domains());
	assert_int_equal(0, fake_xen_maps());
	assert_int_equal(0, fake_xen_opened());
	return r;
}

#define says(words) assert_non_null(strstr(err, words))

/* --- Parking. */

static int steps;

static void
step(const char *what)
{
	assert_string_not_equal("", what);
	steps++;
}

/* Telling each step. */
static int
park_in_steps(uint32_t proofs, uint32_t of_windows)
{
	const struct vmm_park park = {.of = options,
	    .recipe = "test",
	    .dirfd = place,
	    .mem_mib = FAKE_XEN_MIB,
	    .patience_usec = PATIENCE_USEC,
	    .proofs = {proofs, of_windows},
	    .step = step};
	int r;

	steps = 0;
	err[0] = '\0';
	r = vmm_xen.park(&park, err, sizeof(err));
	assert_int_equal(0, fake_xen_domains());
	assert_int_equal(0, fake_xen_maps());
	assert_int_equal(0, fake_xen_opened());
	return r;
}

static void
each_step_of_parking_is_told(void **test)
{
	(void)test;
	assert_int_equal(0, park_in_steps(0, 0));
	assert_int_equal(2, steps);
	assert_int_equal(0, park_in_steps(3, 0));
	assert_int_equal(3, steps);
}

static void
a_boot_whose_clones_go_wrong_is_followed_by_another(void **test)
{
	(void)test;
	fake_xen_host.odd_report =
	    "{\"ev\":\"agent.end\",\"how\":\"exit\",\"code\":5}\n";
	fake_xen_host.odd_run = 2;
	assert_int_equal(0, park_in_steps(3, 0));
	assert_int_equal(3 + 1 + 3, steps); /* why it is booted again */
	assert_int_equal(0, try_open());
}

/* The name of what was run last. */
static const char *
last_program(void)
{
	const struct mailbox *box =
	    (void *)(fake_xen_memory() + ((size_t)FAKE_XEN_MIB << 20));

	return box->name;
}

static void
programs_of_windows_are_run_where_they_are_asked_for(void **test)
{
	(void)test;
	assert_int_equal(0, park_in_steps(1, 0));
	assert_string_equal("proof.sh", last_program());
	assert_int_equal(0, park_in_steps(0, 1));
	assert_string_equal("proof.js", last_program());
	assert_int_equal(3, steps);
	/* Of both the third run is the first of Windows. */
	fake_xen_host.odd_report = "{\"ev\":\"agent.end\",\"how\":"
				   "\"no-opener\"}\n";
	fake_xen_host.odd_run = 3;
	assert_int_equal(0, park_in_steps(2, 2));
	assert_int_equal(3 + 1 + 3, steps);
	assert_string_equal("proof.js", last_program());
	fake_xen_host.odd_run = -1;
	assert_int_equal(-EREMOTEIO, park_in_steps(0, 2));
	says("after 0 good runs: proof.js: a program went wrong");
	assert_int_equal(-ENOENT, try_open());
}

static void
what_goes_wrong_after_each_boot_is_no_reference(void **test)
{
	static const struct {
		const char *report, *words;
	} rows[] = {
	    {"{\"ev\":\"agent.end\",\"how\":\"exit\",\"code\":139}\n",
		"another status"},
	    {"{\"ev\":\"agent.end\",\"how\":\"deadline\"}\n", "another status"},
	    {"{\"ev\":\"agent.start\"}\n", "no end in its report"},
	    {"", "no end in its report"},
	    {"{\"ev\":\n", "not in order"},
	};

	(void)test;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_xen_begin();
		fake_xen_host.odd_report = rows[i].report;
		fake_xen_host.odd_run = -1;
		assert_int_equal(-EREMOTEIO, park_in_steps(3, 0));
		assert_int_equal(4 * 3 + 3, steps);
		says("after 0 good runs");
		says(rows[i].words);
		/* Nobody can open it. */
		assert_int_equal(-ENOENT, try_open());
	}
	fake_xen_begin();
	fake_xen_fail(
	    "xc_domain_unpause", 3, EPERM); /* the second of a clone */
	assert_int_equal(-EPERM, park_in_steps(3, 0));
	says("not permitted");
}

static void
a_guest_that_does_not_come_is_told_apart(void **test)
{
	(void)test;
	fake_xen_host.is_silent = true;
	assert_int_equal(
	    -ETIMEDOUT, park(10 * USEC_PER_MSEC, 0, err, sizeof(err)));
	says("not come to its mailbox in time");
	fake_xen_begin();
	fake_xen_host.is_mute = true;
	assert_int_equal(
	    -ETIMEDOUT, park(10 * USEC_PER_MSEC, 0, err, sizeof(err)));
	fake_xen_begin();
	fake_xen_go_down();
	assert_int_equal(-ECHILD, try_park());
	says("went down");
	assert_int_equal(0, fake_xen_domains());
}

static void
a_guest_that_lacks_something_is_no_reference(void **test)
{
	(void)test;
	fake_xen_host.lacking = "Wine's server doesn't start";
	assert_int_equal(-EREMOTEIO, park_in_steps(0, 0));
	says("Wine's server doesn't start; see that its packages");
	assert_int_equal(3, steps); /* why it is booted again, each time */
	assert_int_equal(-ENOENT, try_open());
}

static void
what_a_domain_has_no_room_for_is_said(void **test)
{
	(void)test;
	fake_xen_fail("xc_domain_create", 1, ENOMEM);
	assert_int_equal(-ENOMEM, try_park());
	says("dom0_mem=");
	fake_xen_fail("xc_domain_populate_physmap_exact", 1, 0);
	assert_int_equal(-ENOMEM, try_park());
	/* 4 MiB, 64 of mailbox, 1 of its tables, 1 to spare. */
	fake_xen_host.free_pages = 70 * 256;
	assert_int_equal(0, try_park());
	fake_xen_host.free_pages--;
	assert_int_equal(-ENOMEM, try_park());
	says("takes 70 MiB, and Xen has 69 free; give dom0 less");
	assert_int_equal(-ENOMEM, try_open());
	says("takes 70 MiB, and Xen has 69 free; give dom0 less");
	fake_xen_begin();
	put("disk", "disk", 4);
	assert_int_equal(-EOPNOTSUPP, try_park());
	says("no disk");
	assert_int_equal(0, unlinkat(place, "disk", 0));
	fake_xen_host.type = NULL;
	assert_int_equal(-ENOTSUP, try_park());
	says("not booted on Xen");
}

/* --- Kernels. */

#define FIELD(field, value) \
	{ \
		offsetof(struct xen_image, field), \
		    sizeof(((struct xen_image *)0)->field), value \
	}

static const struct spoil {
	size_t at, n;
	uint64_t value; /* little endian, as the file */
} spoils[] = {
    FIELD(e.e_ident[0], 'M'),
    FIELD(e.e_machine, EM_386),
    FIELD(e.e_phnum, 17),
    FIELD(e.e_phoff, sizeof(Elf64_Ehdr) + 4),
    FIELD(e.e_phoff, 4096),
    FIELD(p[0].p_memsz, 4095), /* less than of the file */
    FIELD(p[0].p_offset, KERNEL_END + 1),
    FIELD(p[0].p_offset, KERNEL_END - 1),
    FIELD(p[0].p_paddr, 0x1000), /* low memory */
    FIELD(p[0].p_paddr, UINT64_C(1) << 40),
    FIELD(p[0].p_memsz, UINT64_C(1) << 40),
};

static void
a_kernel_that_can_not_be_booted_is_refused(void **test)
{
	(void)test;
	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		struct xen_image image = sound_image();

		memcpy((char *)&image + spoils[i].at, &spoils[i].value,
		    spoils[i].n);
		put_kernel(&image);
		assert_int_equal(-ENOEXEC, try_park());
		says("no ELF image");
		assert_int_equal(0, fake_xen_domains());
	}
	put("kernel", "short", 5);
	assert_int_equal(-ENOEXEC, try_park());
	assert_int_equal(0, unlinkat(place, "kernel", 0));
	assert_int_equal(-ENOENT, try_park());
	assert_int_equal(0, mkdirat(place, "kernel", 0700));
	assert_int_equal(-EISDIR, try_park());
	assert_int_equal(0, unlinkat(place, "kernel", AT_REMOVEDIR));
}

static void
files_that_can_not_be_written_are_said(void **test)
{
	static const char *const files[] = {"ram", "state"};

	(void)test;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_int_equal(0, unlinkat(place, files[i], 0));
		assert_int_equal(0, mkdirat(place, files[i], 0700));
		assert_int_equal(-EISDIR, try_park());
		says("Is a directory");
		assert_int_equal(0, unlinkat(place, files[i], AT_REMOVEDIR));
		assert_int_equal(0, try_park());
	}
}

static void
kernel_and_ram_disk_have_to_fit(void **test)
{
	const uint64_t all = ((uint64_t)FAKE_XEN_MIB << 20) - KERNEL_AT;
	struct xen_image image = sound_image();
	struct xen_host *host;

	(void)test;
	image.p[0].p_memsz = all;
	put_kernel(&image);
	assert_int_equal(-EFBIG, try_park());
	says("don't fit");
	image.p[0].p_memsz = all - 16; /* in the page of the RAM disk */
	put_kernel(&image);
	assert_int_equal(-EFBIG, try_park());
	/* More than the page tables reach may be there, but not needed. */
	assert_int_equal(0, xen_host_open(&host, err, sizeof(err)));
	image.p[0].p_memsz = UINT64_C(1) << 30;
	put_kernel(&image);
	assert_int_equal(-EFBIG, xen_kernel_load(host, 1, place, 2048));
	image = sound_image();
	put_kernel(&image);
	assert_int_equal(0, xen_kernel_load(host, 1, place, 2048));
	xen_host_close(host);
	assert_int_equal(0, unlinkat(place, "initrd", 0));
	assert_int_equal(-ENOENT, try_park());
}

static void
a_processor_that_can_not_be_described_is_not_begun(void **test)
{
	static const struct {
		uint16_t record;
		uint32_t bytes;
	} rows[] = {{6, 0}, {6, 100}, {14, 0}, {14, 8}};

	(void)test; /* LAPIC_REGS and MTRR */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_xen_host.odd_record = rows[i].record;
		fake_xen_host.odd_bytes = rows[i].bytes;
		assert_int_equal(-EBADMSG, try_park());
		assert_int_equal(0, fake_xen_domains());
	}
}

/* --- Opening. */

static void
a_reference_of_another_host_is_stale(void **test)
{
	struct manifest was, m;

	(void)test;
	assert_int_equal(0, manifest_read(place, &was, err, sizeof(err)));
	assert_int_equal(0, try_open());
	m = was;
	(void)snprintf(m.backend, sizeof(m.backend), "qemu");
	assert_int_equal(0, manifest_write(place, &m));
	assert_int_equal(-ESTALE, try_open());
	says("built for qemu");
	m = was;
	(void)snprintf(m.hypervisor, sizeof(m.hypervisor), "Xen 4.16.0");
	assert_int_equal(0, manifest_write(place, &m));
	assert_int_equal(-ESTALE, try_open());
	says("built by Xen 4.16.0; here is Xen 4.17.5");
	m = was;
	m.machine[0] = (char)(m.machine[0] ^ 1);
	assert_int_equal(0, manifest_write(place, &m));
	assert_int_equal(-ESTALE, try_open());
	says("another machine");
	m = was;
	m.mailbox++;
	assert_int_equal(0, manifest_write(place, &m));
	assert_int_equal(-ESTALE, try_open());
	m = was;
	m.tsc_khz = 2000000;
	assert_int_equal(0, manifest_write(place, &m));
	assert_int_equal(-ESTALE, try_open());
	says("of 2000000 kHz; this one has 1000000");
	m.tsc_khz = 900000;
	assert_int_equal(0, manifest_write(place, &m));
	assert_int_equal(-ESTALE, try_open());
	manifest_done(&was);
}

static void
a_reference_whose_files_are_damaged_is_refused(void **test)
{
	static const char *const files[] = {"state", "ram"};

	(void)test;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		fake_xen_begin();
		assert_int_equal(0, try_park());
		put(files[i], "damaged", 7);
		assert_int_equal(-EBADMSG, try_open());
		says(files[i]);
	}
	assert_int_equal(0, unlinkat(place, "manifest.json", 0));
	assert_int_equal(-ENOENT, try_open());
	options.reference = "none";
	assert_int_equal(-ENOENT, try_open());
	says("/none: No such file");
	options.reference = "linux";
}

static void
a_state_without_a_processor_is_damaged(void **test)
{
	(void)test;
	fake_xen_host.odd_record = 2; /* CPU */
	assert_int_equal(0, try_park());
	assert_int_equal(-EBADMSG, try_open());
	says("Bad message");
}

static void
a_host_without_memory_for_a_reference_says_so(void **test)
{
	(void)test;
	/* After that of the probe. */
	fake_xen_fail("xc_domain_create", 2, ENOMEM);
	assert_int_equal(-ENOMEM, try_open());
	says("too little free memory");
	fake_xen_fail("xc_domain_create", 2, EINVAL);
	assert_int_equal(-EINVAL, try_open());
	says("Invalid argument");
	fake_xen_fail("xc_memshr_control", 1, EBUSY);
	assert_int_equal(0, try_open()); /* each clone restored whole */
}

static void
what_was_in_memory_is_there_again(void **test)
{
	unsigned char *memory = fake_xen_memory();
	struct vmm *vmm;

	(void)test;
	assert_int_equal(0, vmm_xen.open(&options, &vmm, err, sizeof(err)));
	assert_int_equal(0x90, memory[KERNEL_AT]);
	assert_int_equal(0x90, memory[KERNEL_AT + 4095]);
	assert_int_equal(0, memory[KERNEL_AT + 4096]);
	assert_memory_equal("initrd", memory + (4u << 20) - 4096, 6);
	vmm_xen.close(vmm);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(each_step_of_parking_is_told, set_up),
	    cmocka_unit_test_setup(
		a_boot_whose_clones_go_wrong_is_followed_by_another, set_up),
	    cmocka_unit_test_setup(
		programs_of_windows_are_run_where_they_are_asked_for, set_up),
	    cmocka_unit_test_setup(
		what_goes_wrong_after_each_boot_is_no_reference, set_up),
	    cmocka_unit_test_setup(
		a_guest_that_does_not_come_is_told_apart, set_up),
	    cmocka_unit_test_setup(
		a_guest_that_lacks_something_is_no_reference, set_up),
	    cmocka_unit_test_setup(
		what_a_domain_has_no_room_for_is_said, set_up),
	    cmocka_unit_test_setup(
		a_kernel_that_can_not_be_booted_is_refused, set_up),
	    cmocka_unit_test_setup(
		files_that_can_not_be_written_are_said, set_up),
	    cmocka_unit_test_setup(kernel_and_ram_disk_have_to_fit, set_up),
	    cmocka_unit_test_setup(
		a_processor_that_can_not_be_described_is_not_begun, set_up),
	    cmocka_unit_test_setup(
		a_reference_of_another_host_is_stale, set_up),
	    cmocka_unit_test_setup(
		a_reference_whose_files_are_damaged_is_refused, set_up),
	    cmocka_unit_test_setup(
		a_state_without_a_processor_is_damaged, set_up),
	    cmocka_unit_test_setup(
		a_host_without_memory_for_a_reference_says_so, set_up),
	    cmocka_unit_test_setup(what_was_in_memory_is_there_again, set_up),
	};

	return cmocka_run_group_tests(tests, begin_all, end_all);
}
