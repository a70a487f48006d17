/*
 * The known programs that a reference is proven by, and what of a run's report
 * counts as right.
 */
#include "vmm/prove.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "vmm/fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define RIGHT "{\"ev\":\"agent.end\",\"how\":\"exit\",\"code\":42}\n"
#define WRONG "{\"ev\":\"agent.end\",\"how\":\"exit\",\"code\":4}\n"

static char err[512];

static struct fake_plan
plan_of(const char *report)
{
	return (struct fake_plan){
	    .report = report, .report_bytes = strlen(report)};
}

/* --- The programs. */

/* By the shell of this host, as a guest's would. */
static int
status_of(const char *octets, size_t n)
{
	CLEANUP(close_fd) int fd = memfd_new("program");
	char path[64];
	int status;
	pid_t pid;

	assert_int_equal(0, write_all(fd, octets, n));
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	pid = fork();
	if (pid == 0) {
		(void)execl("/bin/sh", "sh", path, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(pid, waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *
octets_of(enum vmm_proof by, size_t *ret_n)
{
	struct vmm_sample sample;
	char *octets;
	int fd;

	assert_int_equal(0, prove_program(by, &sample));
	fd = sample.fd;
	octets = xcalloc(1, sample.bytes + 1);
	assert_int_equal(0, pread_all(fd, octets, sample.bytes, 0));
	*ret_n = sample.bytes;
	close_fd(&fd);
	return octets;
}

static void
a_shell_says_by_its_status_that_all_was_right(void **test)
{
	size_t n;
	CLEANUP(free_ptr) char *octets = octets_of(VMM_PROOF_SHELL, &n);

	(void)test;
	assert_int_equal(PROVE_RIGHT, status_of(octets, n));
	octets[n - 1] ^= 1; /* an octet of what came with it */
	assert_int_equal(5, status_of(octets, n));
}

/* What its loop computes, computed from its text. */
static void
the_sum_of_the_windows_program_is_that_of_its_letters(void **test)
{
	static const char begin[] = "var letters = '",
			  test_of[] = "if (sum != ";
	size_t n;
	CLEANUP(free_ptr) char *octets = octets_of(VMM_PROOF_WINDOWS, &n);
	const char *at = octets + strlen(begin), *want;
	unsigned long sum = 0;

	(void)test;
	assert_memory_equal(begin, octets, strlen(begin));
	for (; *at != '\''; at++) {
		assert_in_range(*at, 'A', 'Z');
		sum = (sum * 31 + (unsigned char)*at) % 65521;
	}
	assert_int_equal(4096, at - octets - (long)strlen(begin));
	assert_non_null(strstr(at, "(sum * 31 + "));
	assert_non_null(strstr(at, ") % 65521;"));
	want = strstr(at, test_of);
	assert_non_null(want);
	assert_int_equal(sum, strtoul(want + strlen(test_of), NULL, 10));
	assert_non_null(strstr(at, "WScript.Quit(42);"));
}

/* --- Runs of them. */

static int
try(const uint32_t runs[VMM_PROOFS], size_t good, const char *then,
    struct fake_counts *ret)
{
	struct fake *fake = fake_new(NULL);
	const struct vmm_options options = {.reference = "linux"};
	const struct fake_plan right = plan_of(RIGHT), last = plan_of(then);
	struct vmm *vmm;
	int r;

	fake_plan(fake, &last);
	while (good-- > 0)
		fake_plan_next(fake, &right);
	err[0] = '\0';
	assert_int_equal(0, fake_ops.open(&options, &vmm, err, sizeof(err)));
	r = prove_all(&fake_ops, vmm, runs, err, sizeof(err));
	fake_ops.close(vmm);
	fake_counts(fake, ret);
	(void)fake_free(fake);
	return r;
}

static void
all_that_are_asked_for_are_run(void **test)
{
	const uint32_t runs[VMM_PROOFS] = {3, 2}, none[VMM_PROOFS] = {0, 0};
	struct fake_counts counts;

	(void)test;
	assert_int_equal(0, try(runs, 0, RIGHT, &counts));
	assert_int_equal(5, counts.started);
	assert_int_equal(0, try(none, 0, WRONG, &counts));
	assert_int_equal(0, counts.made);
}

static void
the_first_that_goes_wrong_is_the_last(void **test)
{
	const uint32_t runs[VMM_PROOFS] = {3, 2};
	struct fake_counts counts;

	(void)test;
	assert_int_equal(-EREMOTEIO, try(runs, 1, WRONG, &counts));
	assert_int_equal(2, counts.started);
	assert_non_null(strstr(err, "after 1 good runs: proof.sh: "));
	assert_int_equal(-EREMOTEIO, try(runs, 4, WRONG, &counts));
	assert_int_equal(5, counts.started);
	assert_non_null(strstr(err, "after 4 good runs: proof.js: "));
	assert_non_null(strstr(err, "another status"));
	assert_int_equal(5, counts.freed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_shell_says_by_its_status_that_all_was_right),
	    cmocka_unit_test(
		the_sum_of_the_windows_program_is_that_of_its_letters),
	    cmocka_unit_test(all_that_are_asked_for_are_run),
	    cmocka_unit_test(the_first_that_goes_wrong_is_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
