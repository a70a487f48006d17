#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queues/claim.h"
#include "tests/support/tmpspool.h"

#include <sys/file.h>
#include <sys/xattr.h>

#define ID "6AM7cU1D032072"

struct fixture {
	char *path;
	struct spool *spool;
	int in;
};

static int
set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->path = tmpspool_make();
	f->spool = tmpspool_open(f->path);
	f->in = f->spool->fds[SPOOL_IN];
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	spool_free(f->spool);
	tmp_remove(f->path);
	free(f);
	return 0;
}

/* Try to claim; what was claimed is dropped again. */
static int
try_claim(const struct fixture *f, const char **ret_reason)
{
	struct claim claim;
	int r;

	*ret_reason = NULL;
	r = claim_take(f->spool, SPOOL_IN, ID, &claim, ret_reason);
	if (r == 0)
		claim_drop(&claim);
	return r;
}

static int
expect(const struct fixture *f, int r)
{
	const char *reason;
	int got = try_claim(f, &reason);

	assert_int_equal(got, r);
	/* A reason with -EBADMSG, and only with it. */
	assert_true((reason != NULL) == (r == -EBADMSG));
	return r;
}

static void
a_claim_knows_its_message(void **state)
{
	const struct fixture *f = *state;
	struct claim claim;
	const char *reason = NULL;
	struct stat st;

	tmpspool_put(f->spool, SPOOL_IN, ID);
	assert_int_equal(
	    claim_take(f->spool, SPOOL_IN, ID, &claim, &reason), 0);
	assert_string_equal(claim.id, ID);
	assert_int_equal(claim.dir, SPOOL_IN);
	assert_int_equal(claim.qf_bytes, sizeof(TMPSPOOL_QF) - 1);
	assert_int_equal(claim.df_bytes, sizeof(TMPSPOOL_BODY) - 1);
	assert_int_equal(fstatat(f->in, "df" ID, &st, 0), 0);
	assert_int_equal(claim.df_inode, st.st_ino);
	assert_int_equal(fstatat(f->in, "qf" ID, &st, 0), 0);
	assert_int_equal(
	    claim.arrived.usec / USEC_PER_SEC, (uint64_t)st.st_mtim.tv_sec);

	expect(f, -EBUSY);
	claim_drop(&claim);
	assert_int_equal(claim.qf_fd, -1);
	expect(f, 0);
}

static void
a_claim_is_the_lock_that_sendmail_takes(void **state)
{
	const struct fixture *f = *state;
	int fd;

	tmpspool_put(f->spool, SPOOL_IN, ID);
	fd = openat(f->in, "qf" ID, O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	expect(f, -EBUSY);
	assert_int_equal(close(fd), 0);
	expect(f, 0);
}

static void
an_incomplete_qf_is_left_alone(void **state)
{
	static const char *const texts[] = {"", "V", "V8", ".\n",
	    "V8\nH??a: b\n", "V8\nH??a: b\n.", "V8\nH??a: b.\n"};
	const struct fixture *f = *state;

	expect(f, -ENOENT);
	tmpspool_put(f->spool, SPOOL_IN, ID);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		tmp_put(f->in, "qf" ID, texts[i], strlen(texts[i]));
		expect(f, -EAGAIN);
	}
	tmp_put(f->in, "qf" ID, "V8\n.\n", 5);
	expect(f, 0);
}

static void
an_empty_qf_is_not_even_opened(void **state)
{
	const struct fixture *f = *state;
	struct timespec old[2] = {{1000, 0}, {1000, 0}};
	struct stat st;

	/* Mode 0 stops everybody but root; a lock would stop sendmail. */
	tmp_put(f->in, "qf" ID, "", 0);
	assert_int_equal(fchmodat(f->in, "qf" ID, 0, 0), 0);
	assert_int_equal(utimensat(f->in, "qf" ID, old, 0), 0);
	expect(f, -EAGAIN);
	assert_int_equal(fstatat(f->in, "qf" ID, &st, 0), 0);
	assert_int_equal(st.st_atim.tv_sec, 1000);
}

static void
what_can_never_be_a_message_says_why(void **state)
{
	const struct fixture *f = *state;
	static const char with_d[] = "V8\nT1\nK0\nN0\nP1\ndqd2/df\nS<a>\n.\n";

	tmpspool_put(f->spool, SPOOL_IN, ID);
	tmp_put(f->in, "qf" ID, with_d, sizeof(with_d) - 1);
	expect(f, -EBADMSG);

	tmpspool_put(f->spool, SPOOL_IN, ID);
	assert_int_equal(linkat(f->in, "qf" ID, f->in, "qfX", 0), 0);
	expect(f, -EBADMSG);
	assert_int_equal(unlinkat(f->in, "qfX", 0), 0);
	expect(f, 0);

	assert_int_equal(unlinkat(f->in, "df" ID, 0), 0);
	expect(f, -EBADMSG);
	assert_int_equal(mkdirat(f->in, "df" ID, 0700), 0);
	expect(f, -EBADMSG);
	assert_int_equal(unlinkat(f->in, "qf" ID, 0), 0);
	assert_int_equal(mkdirat(f->in, "qf" ID, 0700), 0);
	expect(f, -EBADMSG);
	assert_int_equal(unlinkat(f->in, "qf" ID, AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/etc/passwd", f->in, "qf" ID), 0);
	expect(f, -EBADMSG);
	assert_int_equal(unlinkat(f->in, "qf" ID, 0), 0);
	assert_int_equal(mkfifoat(f->in, "qf" ID, 0600), 0);
	expect(f, -EBADMSG); /* and does not hang */
}

static void
a_d_in_a_header_is_no_d_record(void **state)
{
	const struct fixture *f = *state;
	static const char text[] = "V8\nS<a>\nH??Subject: x\n\tdrop\n.\n";

	tmpspool_put(f->spool, SPOOL_IN, ID);
	tmp_put(f->in, "qf" ID, text, sizeof(text) - 1);
	expect(f, 0);
}

static void
a_broken_qf_can_be_locked_to_set_it_aside(void **state)
{
	const struct fixture *f = *state;
	struct claim claim, other;

	assert_int_equal(
	    claim_take_broken(f->spool, SPOOL_IN, ID, &claim), -ENOENT);
	tmp_put(f->in, "qf" ID, "", 0);
	assert_int_equal(claim_take_broken(f->spool, SPOOL_IN, ID, &claim), 0);
	assert_int_equal(claim.df_inode, 0);
	assert_int_equal(
	    claim_take_broken(f->spool, SPOOL_IN, ID, &other), -EBUSY);
	claim_drop(&claim);

	tmp_put(f->in, "df" ID, "x", 1);
	assert_int_equal(claim_take_broken(f->spool, SPOOL_IN, ID, &claim), 0);
	assert_int_equal(claim.df_bytes, 1);
	assert_int_not_equal(claim.df_inode, 0);
	claim_drop(&claim);

	assert_int_equal(unlinkat(f->in, "qf" ID, 0), 0);
	assert_int_equal(mkdirat(f->in, "qf" ID, 0700), 0);
	assert_int_equal(
	    claim_take_broken(f->spool, SPOOL_IN, ID, &claim), -EISDIR);
	assert_int_equal(unlinkat(f->in, "qf" ID, AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("x", f->in, "qf" ID), 0);
	assert_int_equal(
	    claim_take_broken(f->spool, SPOOL_IN, ID, &claim), -EINVAL);
}

static void
a_qf_is_stale_after_ten_minutes_without_a_lock(void **state)
{
	const struct fixture *f = *state;
	struct wall now = wall_now(), later;
	int fd;

	later.usec = now.usec + 601 * USEC_PER_SEC;
	assert_false(claim_is_stale(f->spool, SPOOL_IN, ID, later));
	tmp_put(f->in, "qf" ID, "V8\n", 3);
	assert_false(claim_is_stale(f->spool, SPOOL_IN, ID, now));
	assert_true(claim_is_stale(f->spool, SPOOL_IN, ID, later));
	fd = openat(f->in, "qf" ID, O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_false(claim_is_stale(f->spool, SPOOL_IN, ID, later));
	assert_int_equal(close(fd), 0);
}

static void
tries_stay_with_the_qf(void **state)
{
	const struct fixture *f = *state;
	const struct tries two = {2, 7};
	struct tries t = {9, 9};
	struct claim claim;
	const char *reason;

	tmpspool_put(f->spool, SPOOL_IN, ID);
	assert_int_equal(
	    claim_take(f->spool, SPOOL_IN, ID, &claim, &reason), 0);
	assert_int_equal(tries_read(&claim, &t), 0);
	assert_int_equal(t.died + t.begun, 0);
	assert_int_equal(tries_write(&claim, two), 0);
	claim_drop(&claim);

	assert_int_equal(renameat(f->in, "qf" ID, f->in, "qfX"), 0);
	assert_int_equal(renameat(f->in, "df" ID, f->in, "dfX"), 0);
	assert_int_equal(
	    claim_take(f->spool, SPOOL_IN, "X", &claim, &reason), 0);
	assert_int_equal(tries_read(&claim, &t), 0);
	assert_int_equal(t.died, 2);
	assert_int_equal(t.begun, 7);

	assert_int_equal(
	    fsetxattr(claim.qf_fd, "user.sluice.tries", "1 x", 3, 0), 0);
	assert_int_equal(tries_read(&claim, &t), 0);
	assert_int_equal(t.died, 0);
	assert_int_equal(fsetxattr(claim.qf_fd, "user.sluice.tries",
			     "1 2 and much more than ever fits in here", 40, 0),
	    0);
	assert_int_equal(tries_read(&claim, &t), 0);
	assert_int_equal(t.died + t.begun, 0);
	claim_drop(&claim);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_claim_knows_its_message),
	    TEST(a_claim_is_the_lock_that_sendmail_takes),
	    TEST(an_incomplete_qf_is_left_alone),
	    TEST(an_empty_qf_is_not_even_opened),
	    TEST(what_can_never_be_a_message_says_why),
	    TEST(a_d_in_a_header_is_no_d_record),
	    TEST(a_broken_qf_can_be_locked_to_set_it_aside),
	    TEST(a_qf_is_stale_after_ten_minutes_without_a_lock),
	    TEST(tries_stay_with_the_qf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
