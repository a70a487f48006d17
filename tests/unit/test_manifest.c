/*
 * What says what a reference is, and references that can't be opened.
 */
#include "vmm/manifest.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "vmm/mailbox.h"
#include "vmm/qemu.h"
#include "vmm/vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static int
make_dir(void **test)
{
	char path[] = "/tmp/test_qemu.XXXXXX";

	assert_non_null(mkdtemp(path));
	*test = xstrdup(path);
	return 0;
}

static int
remove_dir(void **test)
{
	CLEANUP(free_ptr) char *cmd = xasprintf("rm -rf %s", (char *)*test);

	assert_int_equal(0, system(cmd));
	free(*test);
	return 0;
}

static void
put(int dirfd, const char *name, const char *text, size_t n)
{
	CLEANUP(close_fd)
	int fd = openat(dirfd, name, O_CREAT | O_WRONLY | O_TRUNC, 0600);

	assert_int_equal(0, write_all(fd, text, strlen(text)));
	assert_int_equal(0, ftruncate(fd, (off_t)n));
}

static void
make_reference(int dirfd)
{
	struct manifest m = {.reference = "linux",
	    .backend = "qemu",
	    .hypervisor = "QEMU 1",
	    .accel = "tcg",
	    .machine = "m",
	    .recipe = "r",
	    .mailbox = MAILBOX_VERSION,
	    .mem_mib = 1,
	    .tsc_khz = 1000};

	put(dirfd, "ram", "memory", 1 << 20);
	put(dirfd, "state", "devices", 7);
	m.packages = xstrdup("a=1\nb=2\n");
	assert_int_equal(0, manifest_add(&m, dirfd, MANIFEST_RAM));
	assert_int_equal(0, manifest_add(&m, dirfd, MANIFEST_STATE));
	assert_int_equal(-ENOENT, manifest_add(&m, dirfd, MANIFEST_DISK));
	assert_int_equal(0, manifest_write(dirfd, &m));
	manifest_done(&m);
}

static void
a_manifest_is_read_as_it_was_written(void **test)
{
	CLEANUP(close_fd) int dirfd = open(*test, O_RDONLY | O_DIRECTORY);
	CLEANUP(close_fd) int state = -1;
	struct manifest m;
	char err[256];

	make_reference(dirfd);
	assert_int_equal(0, manifest_read(dirfd, &m, err, sizeof(err)));
	assert_string_equal("QEMU 1", m.hypervisor);
	assert_string_equal("a=1\nb=2\n", m.packages);
	assert_int_equal(1, m.mem_mib);
	assert_int_equal(1 << 20, m.files[MANIFEST_RAM].bytes);
	assert_false(m.files[MANIFEST_DISK].is_there);
	state = openat(dirfd, "state", O_RDONLY);
	assert_int_equal(
	    0, manifest_check(&m, MANIFEST_STATE, state, err, sizeof(err)));
	put(dirfd, "state", "devicez", 7);
	assert_int_equal(-EBADMSG,
	    manifest_check(&m, MANIFEST_STATE, state, err, sizeof(err)));
	assert_non_null(strstr(err, "state"));
	manifest_done(&m);
}

static void
a_manifest_that_makes_no_sense_is_refused(void **test)
{
	static const char *const changes[][2] = {
	    {"\"version\": 1", "\"version\": 2"},
	    {"\"reference\"", "\"preference\""},
	    {"\"mem_mib\": 1", "\"mem_mib\": 0"},
	    {"\"mem_mib\": 1", "\"mem_mib\": 99999"},
	    {"\"mem_mib\": 1", "\"mem_mib\": 2"}, /* not the RAM's size */
	    {"\"tsc_khz\": 1000", "\"tsc_khz\": \"x\""},
	    {"\"ram\"", "\"rom\""},
	    {"{", "["},
	    {"}", ""},
	};
	CLEANUP(close_fd) int dirfd = open(*test, O_RDONLY | O_DIRECTORY);

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		CLEANUP(free_ptr) char *text = NULL;
		CLEANUP(free_ptr) char *wrong = NULL;
		struct manifest m;
		char err[256] = "", *at;
		size_t n;

		make_reference(dirfd);
		assert_int_equal(
		    0, read_file(dirfd, MANIFEST_NAME, 65536, &text, &n));
		at = strstr(text, changes[i][0]);
		assert_non_null(at);
		wrong = xasprintf("%.*s%s%s", (int)(at - text), text,
		    changes[i][1], at + strlen(changes[i][0]));
		put(dirfd, MANIFEST_NAME, wrong, strlen(wrong));
		assert_int_equal(
		    -EBADMSG, manifest_read(dirfd, &m, err, sizeof(err)));
		assert_true(strlen(err) > 10);
	}
}

static void
what_cannot_be_opened_says_why(void **test)
{
	const struct vmm_options options = {
	    .state = *test, .reference = "linux", .program = "/bin/true"};
	CLEANUP(free_ptr) char *path = xasprintf("%s/linux", options.state);
	CLEANUP(close_fd) int dirfd = -1;
	struct vmm *vmm;
	char err[512];

	assert_int_equal(
	    -ENOENT, vmm_qemu.open(&options, &vmm, err, sizeof(err)));
	assert_int_equal(0, mkdir(path, 0700));
	assert_int_equal(
	    -ENOENT, vmm_qemu.open(&options, &vmm, err, sizeof(err)));
	dirfd = open(path, O_RDONLY | O_DIRECTORY);
	make_reference(dirfd);
	/* /bin/true is no QEMU. */
	assert_int_equal(
	    -ENOEXEC, vmm_qemu.open(&options, &vmm, err, sizeof(err)));
	assert_non_null(strstr(err, "no QEMU"));
	assert_int_equal(-ENOTSUP, vmm_qemu.probe(&options, err, sizeof(err)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_manifest_is_read_as_it_was_written, make_dir, remove_dir),
	    cmocka_unit_test_setup_teardown(
		a_manifest_that_makes_no_sense_is_refused, make_dir,
		remove_dir),
	    cmocka_unit_test_setup_teardown(
		what_cannot_be_opened_says_why, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
