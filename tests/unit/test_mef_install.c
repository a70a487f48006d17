#include "worker/mef/install.h"

#include "tests/support/mef_updates.h"
#include "tests/support/tmpspool.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define RELEASES 4 /* 0 to 3; 0 is not published */
#define WORDS    3000u

static const struct mef_listener nobody;

/* A site that has a model, and the models that there are. */
struct fixture {
	char *dir, *model;
	struct signature_key keys[2];
	struct mef_octets releases[RELEASES];
	struct mef_site site;
};

static int
make_fixture(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->dir = tmp_new();
	f->model = xasprintf("%s/model", f->dir);
	mef_updates_keys(f->dir, f->keys);
	for (uint32_t i = 0; i < RELEASES; i++) {
		f->releases[i] = mef_octets_new(WORDS, 0, i);
		mef_octets_words(&f->releases[i])[i] = 1;
	}
	f->site = (struct mef_site){f->model, f->keys, 1, nobody};
	*state = f;
	return 0;
}

static int
drop_fixture(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < RELEASES; i++)
		free(f->releases[i].at);
	free(f->model);
	tmp_remove(f->dir);
	free(f);
	return 0;
}

static void
has(struct fixture *f, int release)
{
	mef_updates_put(
	    f->model, f->releases[release].at, f->releases[release].n);
}

static void
is_release(struct fixture *f, int release)
{
	CLEANUP(free_ptr) char *is = NULL;
	size_t n;

	assert_int_equal(
	    read_file(AT_FDCWD, f->model, MEF_FILE_MAX, &is, &n), 0);
	assert_int_equal(n, f->releases[release].n);
	assert_memory_equal(is, f->releases[release].at, n);
}

static bool
is_there(const struct fixture *f, const char *suffix)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s%s", f->model, suffix);

	return access(path, F_OK) == 0;
}

/* From -1, nothing, or a release to another, signed by the key of number. */
static struct mef_update *
update(struct fixture *f, int from, int to, int key)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/private%d", f->dir, key);
	CLEANUP(close_fd) int old = -1, new = -1;
	struct mef_update *made = NULL;
	char err[300] = "";

	if (from >= 0)
		old = mef_octets_fd(f->releases[from].at, f->releases[from].n);
	new = mef_octets_fd(f->releases[to].at, f->releases[to].n);
	if (mef_update_make(old, new, &nobody, &made, err, sizeof(err)) < 0 ||
	    mef_update_sign(made, path, err, sizeof(err)) < 0)
		fail_msg("%s", err);
	return made;
}

static int
install(struct fixture *f, int from, int to, enum mef_install_by by)
{
	CLEANUP(mef_update_freep)
	struct mef_update *made = update(f, from, to, 0);
	char err[500] = "";
	int r = mef_install(&f->site, made, by, err, sizeof(err));

	assert_true((r == 0) == (*err == '\0'));
	return r;
}

static int
take_back(struct fixture *f, struct mef_update *made)
{
	char err[500] = "";
	int r = mef_take_back(&f->site, made, err, sizeof(err));

	assert_true((r == 0) == (*err == '\0'));
	(void)mef_update_free(made);
	return r;
}

static void
an_update_is_installed_and_taken_back(void **state)
{
	struct fixture *f = *state;

	has(f, 1);
	assert_int_equal(install(f, 1, 2, MEF_BY_ITSELF), 0);
	is_release(f, 2);
	assert_true(is_there(f, ".former"));
	assert_false(is_there(f, ".new"));
	assert_int_equal(take_back(f, NULL), 0);
	is_release(f, 1);
	/* There is one former model, and it is here again. */
	assert_int_equal(take_back(f, NULL), -ENODATA);
	is_release(f, 1);
}

static void
updates_are_taken_back_one_after_the_other(void **state)
{
	struct fixture *f = *state;

	has(f, 0);
	assert_int_equal(install(f, 0, 1, MEF_BY_ITSELF), 0);
	assert_int_equal(install(f, 1, 2, MEF_BY_ITSELF), 0);
	assert_int_equal(install(f, 2, 3, MEF_BY_ITSELF), 0);
	assert_int_equal(take_back(f, update(f, 1, 2, 0)), -ESTALE);
	assert_int_equal(take_back(f, update(f, 2, 3, 1)), -EKEYREJECTED);
	is_release(f, 3);
	assert_int_equal(take_back(f, update(f, 2, 3, 0)), 0);
	is_release(f, 2);
	assert_int_equal(take_back(f, update(f, 1, 2, 0)), 0);
	assert_int_equal(take_back(f, update(f, 0, 1, 0)), 0);
	is_release(f, 0);
}

static void
a_release_that_was_taken_back_comes_by_hand_alone(void **state)
{
	struct fixture *f = *state;

	has(f, 1);
	assert_int_equal(install(f, 1, 2, MEF_BY_ITSELF), 0);
	assert_int_equal(take_back(f, NULL), 0);
	assert_int_equal(install(f, 1, 2, MEF_BY_ITSELF), -ECANCELED);
	is_release(f, 1);
	assert_int_equal(install(f, 1, 2, MEF_BY_HAND), 0);
	is_release(f, 2);
	assert_false(is_there(f, ".held"));
	/* A later one isn't held. */
	assert_int_equal(take_back(f, NULL), 0);
	assert_int_equal(install(f, 1, 3, MEF_BY_ITSELF), 0);
	is_release(f, 3);
}

static void
nothing_leads_back(void **state)
{
	struct fixture *f = *state;

	has(f, 2);
	assert_int_equal(install(f, 2, 1, MEF_BY_HAND), -EALREADY);
	assert_int_equal(install(f, -1, 1, MEF_BY_HAND), -EALREADY);
	assert_int_equal(install(f, -1, 2, MEF_BY_ITSELF), -EALREADY);
	assert_int_equal(install(f, -1, 0, MEF_BY_HAND), -EALREADY);
	is_release(f, 2);
	assert_false(is_there(f, ".former"));
}

static void
a_model_that_was_never_published_changes_by_hand_alone(void **state)
{
	struct fixture *f = *state;

	has(f, 0);
	mef_octets_words(&f->releases[1])[9] = 9;
	mef_octets_head(&f->releases[1])->release = 0;
	assert_int_equal(install(f, 0, 1, MEF_BY_ITSELF), -EALREADY);
	is_release(f, 0);
	assert_int_equal(install(f, 0, 1, MEF_BY_HAND), 0);
	is_release(f, 1);
}

static void
a_whole_model_is_the_first_one_and_mends_a_broken_chain(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(install(f, 1, 2, MEF_BY_ITSELF), -ESTALE);
	assert_false(is_there(f, ""));
	assert_int_equal(install(f, -1, 1, MEF_BY_ITSELF), 0);
	is_release(f, 1);
	assert_false(is_there(f, ".former"));
	assert_int_equal(install(f, 2, 3, MEF_BY_ITSELF), -ESTALE);
	assert_int_equal(install(f, -1, 3, MEF_BY_ITSELF), 0);
	is_release(f, 3);
	assert_int_equal(take_back(f, NULL), 0);
	is_release(f, 1);
}

static void
a_stranger_changes_nothing(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mef_update_freep)
	struct mef_update *made = update(f, 1, 2, 1);
	char err[500] = "";

	has(f, 1);
	assert_int_equal(
	    mef_install(&f->site, made, MEF_BY_HAND, err, sizeof(err)),
	    -EKEYREJECTED);
	is_release(f, 1);
	/* Nor is anything made beside the model. */
	assert_false(is_there(f, ".lock"));
}

static void
a_damaged_model_is_not_built_on(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mef_update_freep)
	struct mef_update *made = update(f, 1, 2, 0);
	char err[500] = "";

	f->releases[1].at[f->releases[1].n - 1] ^= 1;
	has(f, 1);
	assert_int_equal(
	    mef_install(&f->site, made, MEF_BY_HAND, err, sizeof(err)),
	    -ESTALE);
	is_release(f, 1);
	mef_updates_put(f->model, "what?", 5);
	assert_int_equal(
	    mef_install(&f->site, made, MEF_BY_HAND, err, sizeof(err)),
	    -EBADMSG);
	assert_memory_equal(err, f->model, strlen(f->model));
}

/* The disk is full, as a limit on the size of files: nothing has changed. */
static void
without_room_nothing_changes(void **state)
{
	struct fixture *f = *state;
	const struct rlimit none = {f->releases[2].n - 1, RLIM_INFINITY};
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	CLEANUP(mef_update_freep) struct mef_update *made = NULL;
	char err[500] = "";

	has(f, 1);
	(void)signal(SIGXFSZ, SIG_IGN);
	mef_octets_words(&f->releases[2])[WORDS - 1] = 1;
	made = update(f, -1, 2, 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(
	    mef_install(&f->site, made, MEF_BY_HAND, err, sizeof(err)), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_non_null(strstr(err, "File too large"));
	is_release(f, 1);
	assert_false(is_there(f, ".new"));
	assert_int_equal(install(f, -1, 2, MEF_BY_HAND), 0);
	is_release(f, 2);
}

/* What one that was killed has left neither hinders nor gets in. */
static void
leavings_of_a_crash_are_written_over(void **state)
{
	static const char *const left[] = {
	    ".new", ".former.new", ".held.new", ".lock"};
	struct fixture *f = *state;

	has(f, 1);
	for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
		CLEANUP(free_ptr)
		char *path = xasprintf("%s%s", f->model, left[i]);

		mef_updates_put(path, f->dir, strlen(f->dir));
	}
	/* Killed after the former one was kept, before the rename. */
	assert_int_equal(install(f, 1, 2, MEF_BY_ITSELF), 0);
	has(f, 1);
	assert_int_equal(install(f, 1, 2, MEF_BY_ITSELF), 0);
	is_release(f, 2);
	assert_int_equal(take_back(f, NULL), 0);
	is_release(f, 1);
}

static void
two_installers_come_one_after_the_other(void **state)
{
	struct fixture *f = *state;
	CLEANUP(free_ptr) char *path = xasprintf("%s.lock", f->model);
	int status, fd;
	pid_t pid;

	has(f, 1);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(fd);
		_exit(install(f, 1, 2, MEF_BY_ITSELF) == 0 ? 0 : 1);
	}
	(void)usleep(100000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	is_release(f, 1);
	(void)close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	is_release(f, 2);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, make_fixture, drop_fixture)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_update_is_installed_and_taken_back),
	    TEST(updates_are_taken_back_one_after_the_other),
	    TEST(a_release_that_was_taken_back_comes_by_hand_alone),
	    TEST(nothing_leads_back),
	    TEST(a_model_that_was_never_published_changes_by_hand_alone),
	    TEST(a_whole_model_is_the_first_one_and_mends_a_broken_chain),
	    TEST(a_stranger_changes_nothing),
	    TEST(a_damaged_model_is_not_built_on),
	    TEST(without_room_nothing_changes),
	    TEST(leavings_of_a_crash_are_written_over),
	    TEST(two_installers_come_one_after_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
