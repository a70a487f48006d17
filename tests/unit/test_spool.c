#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/tmpspool.h"

#include <sys/mount.h>

static int
open_err(const char *path, char *err, size_t size)
{
	struct spool *spool = NULL;
	int r;

	err[0] = '\0';
	r = spool_open(path, TMPSPOOL_FEEDS, &spool, err, size);
	assert_true((r == 0) == (spool != NULL));
	spool_free(spool);
	return r;
}

static void
a_good_spool_opens_and_leaves_no_probe(void **state)
{
	char *path = tmpspool_make();
	struct spool *spool = tmpspool_open(path);
	char *journal = xasprintf("%s/journal", path);

	(void)state;
	assert_int_equal(spool_dirs(spool), SPOOL_FEED1 + TMPSPOOL_FEEDS);
	assert_true(spool->fds[SPOOL_FEED1 + TMPSPOOL_FEEDS - 1] >= 0);
	assert_int_equal(spool->fds[SPOOL_FEED1 + TMPSPOOL_FEEDS], -1);
	assert_int_equal(spool->feeds, TMPSPOOL_FEEDS);
	assert_int_equal(rmdir(journal), 0); /* so it was empty */
	free(journal);
	spool_free(spool);
	tmp_remove(path);
}

static void
an_error_names_the_path_and_the_remedy(void **state)
{
	char *path = tmpspool_make();
	char *feed2 = xasprintf("%s/feed2", path);
	char err[512];

	(void)state;
	assert_int_equal(rmdir(feed2), 0);
	assert_int_equal(open_err(path, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, feed2));
	assert_non_null(strstr(err, "sluice setup"));

	assert_int_equal(symlink("/tmp", feed2), 0);
	assert_int_equal(open_err(path, err, sizeof(err)), -ENOTDIR);
	assert_non_null(strstr(err, feed2));
	assert_int_equal(unlink(feed2), 0);

	tmp_put(AT_FDCWD, feed2, "x", 1);
	assert_int_equal(open_err(path, err, sizeof(err)), -ENOTDIR);
	assert_int_equal(unlink(feed2), 0);

	assert_int_equal(mkdir(feed2, 0700), 0);
	assert_int_equal(chmod(feed2, 0777), 0);
	assert_int_equal(open_err(path, err, sizeof(err)), -EPERM);
	assert_non_null(strstr(err, "chmod o-w"));
	assert_int_equal(chmod(feed2, 0700), 0);
	assert_int_equal(open_err(path, err, sizeof(err)), 0);

	assert_int_equal(open_err("/nonexistent", err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "/nonexistent"));
	free(feed2);
	tmp_remove(path);
}

static void
a_number_of_queues_out_of_range_is_refused(void **state)
{
	struct spool *spool = NULL;
	char err[256];

	(void)state;
	assert_int_equal(
	    spool_open("/x", 0, &spool, err, sizeof(err)), -EINVAL);
	assert_int_equal(
	    spool_open("/x", SPOOL_MAX_FEEDS + 1, &spool, err, sizeof(err)),
	    -EINVAL);
	assert_null(spool);
}

static void
kinds_of_file_system_that_lose_mail_are_refused(void **state)
{
	char err[512];

	(void)state;
	assert_int_equal(open_err("/dev/shm", err, sizeof(err)), -ENOTSUP);
	assert_non_null(strstr(err, "/dev/shm"));
	assert_non_null(strstr(err, "local disk"));
}

static void
several_file_systems_are_refused(void **state)
{
	char *path = tmpspool_make();
	char *spam = xasprintf("%s/spam", path);
	char err[512];
	int r;

	(void)state;
	if (mount("none", spam, "tmpfs", 0, "size=64k,mode=700") < 0) {
		free(spam);
		tmp_remove(path);
		skip(); /* only root may mount */
	}
	r = open_err(path, err, sizeof(err));
	assert_int_equal(umount(spam), 0);
	assert_int_equal(r, -EXDEV);
	assert_non_null(strstr(err, spam));
	free(spam);
	tmp_remove(path);
}

static void
a_bind_mount_of_the_same_disk_is_refused(void **state)
{
	char *path = tmpspool_make();
	char *spam = xasprintf("%s/spam", path);
	char *ext = xasprintf("%s/ext", path);
	char err[512];
	int r = -EXDEV;

	(void)state;
	/* link(2) refuses to cross mounts, though st_dev is the same. */
	if (mount(ext, spam, NULL, MS_BIND, NULL) == 0) {
		r = open_err(path, err, sizeof(err));
		assert_int_equal(umount(spam), 0);
	}
	free(spam);
	free(ext);
	tmp_remove(path);
	assert_int_equal(r, -EXDEV);
}

static void
a_foreign_spool_is_refused(void **state)
{
	char *path = tmpspool_make();
	char *virus = xasprintf("%s/virus", path);
	char err[512];
	int r;

	(void)state;
	if (geteuid() != 0) {
		free(virus);
		tmp_remove(path);
		skip(); /* cannot give a directory away */
	}
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(open_err(path, err, sizeof(err)), 0); /* as root */
	for (int i = 0; i < (int)SPOOL_FEED1 + TMPSPOOL_FEEDS; i++) {
		char *dir =
		    xasprintf("%s/%s", path, spool_dir_name((enum spool_dir)i));

		assert_int_equal(chown(dir, 4711, 4711), 0);
		free(dir);
	}
	assert_int_equal(chown(virus, 0, 0), 0);
	assert_int_equal(chmod(virus, 0755), 0);
	assert_int_equal(seteuid(4711), 0);
	r = open_err(path, err, sizeof(err));
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(r, -EPERM);
	assert_non_null(strstr(err, "virus"));
	free(virus);
	tmp_remove(path);
}

static void
names_of_directories_go_both_ways(void **state)
{
	enum spool_dir dir = SPOOL_IN;

	(void)state;
	for (int i = 0; i < SPOOL_MAX; i++) {
		const char *name = spool_dir_name((enum spool_dir)i);

		assert_int_equal(spool_dir_parse(name, &dir), 0);
		assert_int_equal(dir, i);
	}
	assert_string_equal(spool_dir_name(SPOOL_FEED1), "feed1");
	assert_string_equal(spool_dir_name(SPOOL_FEED1 + 8), "feed9");
	assert_string_equal(spool_dir_name(SPOOL_FEED1 + 9), "feed10");
	assert_string_equal(spool_dir_name(SPOOL_FEED1 + 41), "feed42");
	assert_string_equal(spool_dir_name(SPOOL_MAX - 1), "feed64");
	assert_int_equal(spool_dir_parse("feed0", &dir), -EINVAL);
	assert_int_equal(spool_dir_parse("feed65", &dir), -EINVAL);
	assert_int_equal(spool_dir_parse("feed01", &dir), -EINVAL);
	assert_int_equal(spool_dir_parse("In", &dir), -EINVAL);
	assert_int_equal(spool_dir_parse("", &dir), -EINVAL);
}

static void
only_well_formed_ids_are_ids(void **state)
{
	char longest[2 + QUEUE_ID_MAX + 2];

	(void)state;
	assert_string_equal(
	    spool_id_of("qf6AM7cU1D032072", "qf"), "6AM7cU1D032072");
	assert_null(spool_id_of("df6AM7cU1D032072", "qf"));
	assert_null(spool_id_of("qf", "qf"));
	assert_null(spool_id_of("q", "qf"));
	assert_null(spool_id_of("qf../x", "qf"));
	assert_null(spool_id_of("qfa.b", "qf"));
	assert_null(spool_id_of("qf\303\251", "qf"));
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "df", 2);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(spool_id_of(longest, "df"));
	longest[2 + QUEUE_ID_MAX] = '\0';
	assert_non_null(spool_id_of(longest, "df"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_spool_opens_and_leaves_no_probe),
	    cmocka_unit_test(an_error_names_the_path_and_the_remedy),
	    cmocka_unit_test(a_number_of_queues_out_of_range_is_refused),
	    cmocka_unit_test(kinds_of_file_system_that_lose_mail_are_refused),
	    cmocka_unit_test(several_file_systems_are_refused),
	    cmocka_unit_test(a_bind_mount_of_the_same_disk_is_refused),
	    cmocka_unit_test(a_foreign_spool_is_refused),
	    cmocka_unit_test(names_of_directories_go_both_ways),
	    cmocka_unit_test(only_well_formed_ids_are_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
