#include "common/metrics.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static void
what_one_process_counts_another_reads(void **state)
{
	const char *dir = *state;
	struct metrics_values v;
	struct metrics *m = NULL;
	int status;

	if (fork() == 0) {
		if (metrics_open(dir, "feed", &m) < 0)
			_exit(1);
		metrics_add(m, METRIC_feed_moved, 2);
		metrics_add(m, METRIC_feed_moved, 3);
		metrics_set(m, METRIC_feed_waiting, 7);
		metrics_set(m, METRIC_feed_waiting, 6);
		_exit(0);
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	/* Its writer is dead: the numbers still stand. */
	assert_int_equal(metrics_read(dir, "feed", &v), 0);
	assert_int_equal(v.values[METRIC_feed_moved], 5);
	assert_int_equal(v.values[METRIC_feed_waiting], 6);
	assert_int_equal(v.values[METRIC_book_rows], 0);
	assert_true(v.start.usec <= wall_now().usec);
	assert_int_equal(metrics_open(dir, "feed", &m), 0);
	assert_int_equal(metrics_read(dir, "feed", &v), 0);
	assert_int_equal(v.values[METRIC_feed_moved], 0);
	assert_int_equal(v.pid, getpid());
	m = metrics_close(m);
	metrics_add(NULL, METRIC_feed_moved, 1); /* nothing happens */
}

static int
count_name(void *arg, const char *name)
{
	(void)name;
	++*(int *)arg;
	return 0;
}

static void
only_counters_of_this_build_are_read(void **state)
{
	const char *dir = *state;
	CLEANUP(free_ptr) char *path = xasprintf("%s/metrics/other", dir);
	struct metrics_values v;
	struct metrics *m = NULL;
	int names = 0;
	FILE *f;

	assert_int_equal(metrics_read(dir, "nobody", &v), -ENOENT);
	assert_int_equal(metrics_open(dir, "other", &m), 0);
	m = metrics_close(m);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, 8, SEEK_SET), 0); /* the hash of names */
	assert_int_equal(fputc('x', f), 'x');
	assert_int_equal(fclose(f), 0);
	assert_int_equal(metrics_read(dir, "other", &v), -EBADMSG);
	assert_int_equal(truncate(path, 20), 0);
	assert_int_equal(metrics_read(dir, "other", &v), -EBADMSG);
	assert_int_equal(metrics_each(dir, count_name, &names), 0);
	assert_int_equal(names, 2); /* and no temporary file */
}

static void
every_counter_has_a_name_a_unit_and_a_sentence(void **state)
{
	(void)state;
	for (int i = 0; i < METRIC_COUNT; i++) {
		const struct metric_info *a = metric_info((enum metric)i);

		assert_true(a->name[0] && a->unit[0] && a->help[0]);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
			    a->name, metric_info((enum metric)j)->name);
	}
}

static int
set_up(void **state)
{
	*state = tmp_new();
	return 0;
}

static int
tear_down(void **state)
{
	tmp_remove(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_one_process_counts_another_reads),
	    cmocka_unit_test(only_counters_of_this_build_are_read),
	    cmocka_unit_test(every_counter_has_a_name_a_unit_and_a_sentence),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
