#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queues/lane.h"
#include "tests/support/tmpspool.h"

#include <sys/stat.h>
#include <sys/wait.h>

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

static struct lane_sample
sample(uint64_t i)
{
	struct lane_sample s = {
	    .bytes = i, .service_usec = ~i, .wait_usec = i * 3};

	(void)snprintf(s.id, sizeof(s.id), "%llu", (unsigned long long)i);
	return s;
}

static void
assert_sample(const struct lane_sample *s, uint64_t i)
{
	const struct lane_sample want = sample(i);

	assert_memory_equal(s, &want, sizeof(want));
}

static void
a_reader_sees_what_the_writer_says(void **state)
{
	struct lane *w = NULL, *r = NULL;
	uint64_t cursor = 0, n, lost;
	struct lane_sample s;
	struct mono since;

	assert_int_equal(lane_open(*state, 3, &r), -ENOENT);
	assert_int_equal(lane_create(*state, 3, &w), 0);
	assert_int_equal(lane_open(*state, 3, &r), 0);
	lane_set(w, 2, (struct mono){4711});
	lane_get(r, &n, &since);
	assert_int_equal(n, 2);
	assert_int_equal(since.usec, 4711);
	assert_int_equal(lane_next(r, &cursor, &s, &lost), 0);
	for (uint64_t i = 0; i < 3; i++) {
		const struct lane_sample one = sample(i);

		lane_finished(w, &one);
	}
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(lane_next(r, &cursor, &s, &lost), 1);
		assert_sample(&s, i);
		assert_int_equal(lost, 0);
	}
	assert_int_equal(lane_next(r, &cursor, &s, &lost), 0);
	lane_close(r);
	lane_close(w);
}

static void
overwritten_samples_are_counted(void **state)
{
	struct lane *w = NULL, *r = NULL;
	uint64_t cursor = 0, lost, all_lost = 0, seen = 0;
	struct lane_sample s;

	assert_int_equal(lane_create(*state, 1, &w), 0);
	assert_int_equal(lane_open(*state, 1, &r), 0);
	for (uint64_t i = 0; i < 5000; i++) {
		const struct lane_sample one = sample(i);

		lane_finished(w, &one);
	}
	while (lane_next(r, &cursor, &s, &lost) == 1) {
		all_lost += lost;
		assert_sample(&s, all_lost + seen);
		seen++;
	}
	assert_true(seen >= 100);
	assert_int_equal(all_lost + seen, 5000);
	assert_int_equal(cursor, 5000);
	lane_close(r);
	lane_close(w);
}

static void
a_restarted_worker_goes_on_in_the_readers_view(void **state)
{
	struct lane *w = NULL, *r = NULL, *other = NULL;
	uint64_t cursor = 0, lost, n;
	struct lane_sample s = sample(1);
	struct mono since;

	assert_int_equal(lane_create(*state, 1, &w), 0);
	assert_int_equal(lane_create(*state, 1, &other), -EBUSY);
	assert_int_equal(lane_open(*state, 1, &r), 0);
	lane_finished(w, &s);
	lane_set(w, 5, (struct mono){5});
	lane_close(w);
	assert_int_equal(lane_create(*state, 1, &w), 0);
	lane_get(r, &n, &since);
	assert_int_equal(n + since.usec, 0);
	s = sample(2);
	lane_finished(w, &s);
	assert_int_equal(lane_next(r, &cursor, &s, &lost), 1);
	assert_sample(&s, 1);
	assert_int_equal(lane_next(r, &cursor, &s, &lost), 1);
	assert_sample(&s, 2);
	assert_int_equal(lane_next(r, &cursor, &s, &lost), 0);
	lane_close(r);
	lane_close(w);
}

/* The writer's steps, each seen by a reader who comes at once. */
static void
a_lane_being_made_is_not_there_yet(void **state)
{
	struct lane *w = NULL, *r = NULL;
	int dir = open(*state, O_DIRECTORY);
	struct stat st;
	int fd;

	assert_int_equal(lane_create(*state, 2, &w), 0);
	assert_int_equal(fstatat(dir, "lane-2", &st, 0), 0);
	lane_close(w);

	fd = openat(dir, "lane-1", O_RDWR | O_CREAT | O_EXCL, 0644);
	assert_true(fd >= 0);
	assert_int_equal(lane_open(*state, 1, &r), -ENOENT);
	assert_int_equal(ftruncate(fd, st.st_size), 0);
	assert_int_equal(lane_open(*state, 1, &r), -ENOENT);
	assert_int_equal(pwrite(fd, "no lane!", 8, 0), 8);
	assert_int_equal(lane_open(*state, 1, &r), -EBADMSG);
	assert_int_equal(close(fd), 0);
	assert_int_equal(close(dir), 0);
}

static void
what_is_no_lane_is_refused_and_replaced(void **state)
{
	struct lane *w = NULL, *r = NULL;
	int dir = open(*state, O_DIRECTORY);

	tmp_put(dir, "lane-1", "hello", 5);
	assert_int_equal(lane_open(*state, 1, &r), -EBADMSG);
	assert_int_equal(lane_create(*state, 1, &w), 0);
	assert_int_equal(lane_open(*state, 1, &r), 0);
	lane_close(r);
	lane_close(w);
	assert_int_equal(close(dir), 0);
	assert_int_equal(lane_create("/nonexistent", 1, &w), -ENOENT);
}

/* Write samples as fast as can be, each of which is a whole. */
static void
write_for_a_while(struct lane *w)
{
	for (uint64_t i = 0; i < 300000; i++) {
		const struct lane_sample one = sample(i);

		lane_finished(w, &one);
	}
	_exit(0);
}

static void
no_sample_is_ever_torn(void **state)
{
	struct lane *w = NULL, *r = NULL;
	uint64_t cursor = 0, lost, all = 0;
	struct lane_sample s;
	int status = 1;
	pid_t pid;

	assert_int_equal(lane_create(*state, 1, &w), 0);
	assert_int_equal(lane_open(*state, 1, &r), 0);
	pid = fork();
	if (pid == 0)
		write_for_a_while(w);
	while (cursor < 300000) {
		if (lane_next(r, &cursor, &s, &lost) == 1) {
			assert_sample(&s, s.bytes);
			assert_int_equal(s.bytes, cursor - 1);
			all++;
		}
		all += lost;
	}
	assert_int_equal(all, 300000);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	lane_close(r);
	lane_close(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_reader_sees_what_the_writer_says),
	    TEST(overwritten_samples_are_counted),
	    TEST(a_restarted_worker_goes_on_in_the_readers_view),
	    TEST(a_lane_being_made_is_not_there_yet),
	    TEST(what_is_no_lane_is_refused_and_replaced),
	    TEST(no_sample_is_ever_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
