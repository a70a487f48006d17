/*
 * What `sluice vm bench` measures, over the fake: its times are known.
 */
#include "tools/sluice/vm_measure.h"

#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"
#include "tools/sluice/vm_rate.h"
#include "vmm/fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct fake *fake;
static struct vmm *vmm;

static const struct fake_plan plan_usual = {
    .clone_usec = 8000,
    .take_usec = 3000,
    .run_usec = 5000,
    .destroy_usec = 2000,
    .report = "one\n",
    .report_bytes = 4,
    .private_bytes = 7000000,
};

static int
set_up(void **state)
{
	const struct vmm_options options = {.reference = "linux"};
	char err[128];

	(void)state;
	fake = fake_new(NULL);
	fake_plan(fake, &plan_usual);
	return fake_ops.open(&options, &vmm, err, sizeof(err));
}

static int
tear_down(void **state)
{
	(void)state;
	fake_ops.close(vmm);
	fake = fake_free(fake);
	return 0;
}

static void
quiet(const char *what, size_t at, size_t of)
{
	(void)what;
	assert_true(at < of);
}

static void
percentiles_are_those_of_the_nearest_rank(void **state)
{
	struct measure m = {0};

	(void)state;
	assert_int_equal(measure_at(&m, 50), 0);
	assert_int_equal(measure_mean(&m), 0);
	for (uint64_t i = 200; i > 0; i--)
		measure_add(&m, i);
	measure_end(&m);
	assert_int_equal(measure_at(&m, 50), 100);
	assert_int_equal(measure_at(&m, 95), 190);
	assert_int_equal(measure_at(&m, 100), 200);
	assert_int_equal(measure_at(&m, 0), 1);
	assert_int_equal(measure_mean(&m), 100);
	measure_done(&m);
}

/* No sooner than planned; how much later is the machine's affair. */
static void
each_stage_gets_the_time_that_it_took(void **state)
{
	const struct vmm_sample sample = {.fd = -1, .name = "", .type = ""};
	struct stages s = {.clone = {0}};
	struct fake_counts f;
	char err[256] = "";

	(void)state;
	assert_int_equal(measure_stages(&fake_ops, vmm, &sample, 5, quiet, &s,
			     err, sizeof(err)),
	    0);
	stages_end(&s);
	assert_int_equal(s.take.n, 5);
	assert_true(measure_at(&s.clone, 0) >= 8000);
	assert_true(measure_at(&s.take, 0) >= 3000);
	/* The end is planned from the taking on, not from when we heard. */
	assert_true(measure_mean(&s.take) + measure_mean(&s.run) >= 8000);
	assert_true(measure_at(&s.destroy, 0) >= 2000);
	assert_int_equal(measure_at(&s.private_bytes, 50), 7000000);
	/* And not one stage's time in another's. */
	assert_true(measure_at(&s.inject, 0) < 3000);
	assert_true(measure_at(&s.destroy, 0) < 8000);
	fake_counts(fake, &f);
	assert_int_equal(f.live, 0);
	stages_done(&s);
}

static void
a_clone_that_dies_is_an_error_with_its_stage(void **state)
{
	const struct vmm_sample sample = {.fd = -1, .name = "", .type = ""};
	struct fake_plan plan = plan_usual;
	struct stages s = {.clone = {0}};
	struct fake_counts f;
	char err[256] = "";

	(void)state;
	plan.fault = FAKE_TAKE_DIES;
	fake_plan(fake, &plan);
	assert_int_equal(measure_stages(&fake_ops, vmm, &sample, 2, quiet, &s,
			     err, sizeof(err)),
	    -ECHILD);
	assert_non_null(strstr(err, "take"));
	fake_counts(fake, &f);
	assert_int_equal(f.live, 0); /* ended all the same */
	stages_done(&s);
}

static void
the_most_that_live_at_once_are_found(void **state)
{
	struct fake_plan plan = plan_usual;
	struct fake_counts f;
	char err[256] = "";
	size_t live = 0;

	(void)state;
	for (int i = 0; i < 6; i++)
		fake_plan_next(fake, &plan);
	plan.fault = FAKE_CLONE_REFUSED;
	fake_plan(fake, &plan);
	assert_int_equal(measure_live(&fake_ops, vmm, 10, quiet, &live, NULL,
			     err, sizeof(err)),
	    0);
	assert_int_equal(live, 6);
	assert_non_null(strstr(err, "No space"));
	fake_counts(fake, &f);
	assert_int_equal(f.most, 6);
	assert_int_equal(f.live, 0);
}

static void
the_rate_is_that_of_files_that_were_run(void **state)
{
	struct rate rate = {.cores = 1, .clones = 4, .files = 40};
	struct conf *conf = NULL;
	char err[256] = "", *dir = tmp_new();
	char *linux_dir = xasprintf("%s/linux", dir);
	char *manifest = xasprintf("%s/manifest.json", linux_dir);
	int fd = memfd_new("sample");
	FILE *f;

	(void)state;
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(memfd_seal(fd), 0);
	assert_int_equal(mkdir(linux_dir, 0755), 0);
	f = fopen(manifest, "we");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(conf_load(NULL, &conf, err, sizeof(err)), 0);
	free(conf->vm.directory);
	conf->vm.directory = xstrdup(dir);
	assert_int_equal(rate_measure(conf, &fake_ops, "linux", fd, 1, &rate,
			     err, sizeof(err)),
	    0);
	assert_int_equal(rate.files, 40);
	assert_int_equal(rate.failed, 0);
	/* Four at a time, 8 ms each: no more than 500 a second. */
	assert_true(rate.per_second > 1 && rate.per_second <= 500);
	(void)conf_free(conf);
	(void)close(fd);
	tmp_remove(dir);
	free(linux_dir);
	free(manifest);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(percentiles_are_those_of_the_nearest_rank),
	    TEST(each_stage_gets_the_time_that_it_took),
	    TEST(a_clone_that_dies_is_an_error_with_its_stage),
	    TEST(the_most_that_live_at_once_are_found),
	    TEST(the_rate_is_that_of_files_that_were_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
