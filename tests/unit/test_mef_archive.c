#include "worker/mef/archive.h"

#include "common/clock.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define META "{\"format\":1}\n"
#define BOTH (1000 + sizeof(META) - 1)

struct fixture {
	char *dir;
	struct mef_archive *archive;
	struct mef_archive_limits limits;
	struct digest seen[8]; /* by visit(), in its order */
	size_t n;
};

static int
make_fixture(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->dir = tmp_new();
	f->limits = (struct mef_archive_limits){1 << 20, 3600 * USEC_PER_SEC};
	assert_int_equal(mef_archive_open(f->dir, &f->archive), 0);
	*state = f;
	return 0;
}

static int
drop_fixture(void **state)
{
	struct fixture *f = *state;

	(void)mef_archive_free(f->archive);
	tmp_remove(f->dir);
	free(f);
	return 0;
}

/* A file of 1000 octets c. */
static struct digest
put(struct fixture *f, char c, int expected)
{
	CLEANUP(close_fd) int fd = memfd_new("test");
	struct digest digest;
	char octets[1000];

	memset(octets, c, sizeof(octets));
	digest = digest_memory(octets, sizeof(octets));
	assert_int_equal(write_all(fd, octets, sizeof(octets)), 0);
	assert_int_equal(mef_archive_put(f->archive, &f->limits, &digest, fd,
			     sizeof(octets), META, sizeof(META) - 1),
	    expected);
	return digest;
}

/* An entry as old as that. */
static struct digest
put_aged(struct fixture *f, char c, unsigned int sec)
{
	const struct digest digest = put(f, c, 0);
	char hex[DIGEST_HEX];
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/%s.json", f->dir, digest_hex(&digest, hex));
	struct timespec times[2];

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &times[0]), 0);
	times[0].tv_sec -= sec;
	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	return digest;
}

static int
visit(void *arg, const struct mef_archive_entry *entry)
{
	struct fixture *f = arg;

	assert_true(f->n < ARRAY_SIZE(f->seen));
	assert_int_equal(entry->bytes, 1000);
	f->seen[f->n++] = entry->digest;
	return 0;
}

static size_t
count(struct fixture *f)
{
	f->n = 0;
	assert_int_equal(mef_archive_each(f->archive, visit, f), 0);
	return f->n;
}

static void
make_file(const struct fixture *f, const char *name)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/%s", f->dir, name);
	CLEANUP(close_fd)
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write_all(fd, "left", 4), 0);
}

static bool
is_there(const struct fixture *f, const char *name)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/%s", f->dir, name);

	return access(path, F_OK) == 0;
}

static void
what_is_put_there_can_be_read(void **state)
{
	struct fixture *f = *state;
	const struct digest digest = put(f, 'a', 0);
	CLEANUP(close_fd) int fd = mef_archive_octets(f->archive, &digest);
	CLEANUP(free_ptr) char *meta = NULL;
	struct digest again;
	struct stat st;
	size_t n;

	assert_true(fd >= 0);
	assert_int_equal(digest_file(fd, 0, 1000, &again), 0);
	assert_memory_equal(&again, &digest, sizeof(digest));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(mef_archive_meta(f->archive, &digest, &meta, &n), 0);
	assert_string_equal(meta, META);
	assert_int_equal(n, sizeof(META) - 1);
	assert_int_equal(count(f), 1);
}

static void
the_same_file_is_kept_once(void **state)
{
	struct fixture *f = *state;

	(void)put(f, 'a', 0);
	(void)put(f, 'a', -EEXIST);
	assert_int_equal(count(f), 1);
}

static void
the_oldest_go_first_when_it_is_full(void **state)
{
	struct fixture *f = *state;
	struct digest a, b, c, d;

	f->limits.bytes = 3 * BOTH;
	b = put_aged(f, 'b', 20);
	a = put_aged(f, 'a', 30);
	c = put_aged(f, 'c', 10);
	assert_int_equal(count(f), 3);
	assert_memory_equal(&f->seen[0], &a, sizeof(a));
	d = put(f, 'd', 0);
	assert_int_equal(count(f), 3);
	assert_memory_equal(&f->seen[0], &b, sizeof(b));
	assert_memory_equal(&f->seen[1], &c, sizeof(c));
	assert_memory_equal(&f->seen[2], &d, sizeof(d));
	f->limits.bytes = BOTH;
	assert_int_equal(mef_archive_trim(f->archive, &f->limits), 0);
	assert_int_equal(count(f), 1);
	assert_memory_equal(&f->seen[0], &d, sizeof(d));
}

static void
what_alone_is_too_much_moves_nothing(void **state)
{
	struct fixture *f = *state;

	(void)put(f, 'a', 0);
	f->limits.bytes = BOTH - 1;
	(void)put(f, 'b', -EFBIG);
	assert_int_equal(count(f), 1);
}

static void
what_is_too_old_goes(void **state)
{
	struct fixture *f = *state;
	struct digest b;

	(void)put_aged(f, 'a', 3601);
	b = put_aged(f, 'b', 3000);
	assert_int_equal(mef_archive_trim(f->archive, &f->limits), 0);
	assert_int_equal(count(f), 1);
	assert_memory_equal(&f->seen[0], &b, sizeof(b));
}

/* Octets without their .json, and what was being written. */
static void
what_a_crash_leaves_is_no_entry_and_goes(void **state)
{
	struct fixture *f = *state;
	const struct digest digest = digest_memory("x", 1);
	char hex[DIGEST_HEX];

	(void)digest_hex(&digest, hex);
	make_file(f, hex);
	make_file(f, ".new");
	make_file(f, "README");
	assert_int_equal(count(f), 0);
	assert_int_equal(mef_archive_trim(f->archive, &f->limits), 0);
	assert_false(is_there(f, hex));
	assert_false(is_there(f, ".new"));
	assert_true(is_there(f, "README")); /* not ours */
}

static void
names_of_others_are_no_entries(void **state)
{
	struct fixture *f = *state;
	const struct digest digest = put(f, 'a', 0);
	char hex[DIGEST_HEX];
	CLEANUP(free_ptr) char *capital = NULL, *longer = NULL;

	capital = xstrdup(digest_hex(&digest, hex));
	for (char *p = capital; *p; p++)
		*p = (char)(*p >= 'a' ? *p - 32 : *p);
	longer = xasprintf("%s.jsonx", hex);
	make_file(f, capital);
	make_file(f, longer);
	assert_int_equal(count(f), 1);
}

/* fd has fewer octets than promised: as good as a disk that fails. */
static void
after_a_failure_nothing_is_there(void **state)
{
	struct fixture *f = *state;
	const struct digest digest = digest_memory("short", 5);
	CLEANUP(close_fd) int fd = memfd_new("test");
	char hex[DIGEST_HEX];

	assert_int_equal(write_all(fd, "short", 5), 0);
	assert_int_equal(mef_archive_put(f->archive, &f->limits, &digest, fd, 6,
			     META, sizeof(META) - 1),
	    -ENODATA);
	assert_int_equal(count(f), 0);
	assert_false(is_there(f, digest_hex(&digest, hex)));
	assert_false(is_there(f, ".new"));
}

static void
an_entry_can_be_dropped(void **state)
{
	struct fixture *f = *state;
	const struct digest digest = put(f, 'a', 0);

	assert_int_equal(mef_archive_drop(f->archive, &digest), 0);
	assert_int_equal(mef_archive_drop(f->archive, &digest), -ENOENT);
	assert_int_equal(count(f), 0);
	assert_int_equal(mef_archive_octets(f->archive, &digest), -ENOENT);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, make_fixture, drop_fixture)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_put_there_can_be_read),
	    TEST(the_same_file_is_kept_once),
	    TEST(the_oldest_go_first_when_it_is_full),
	    TEST(what_alone_is_too_much_moves_nothing),
	    TEST(what_is_too_old_goes),
	    TEST(what_a_crash_leaves_is_no_entry_and_goes),
	    TEST(names_of_others_are_no_entries),
	    TEST(after_a_failure_nothing_is_there),
	    TEST(an_entry_can_be_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
