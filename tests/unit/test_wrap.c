/*
 * What stays when a message is enclosed, what is refused, and what a crash in
 * the middle leaves.  Every crash point, and every fault, is tests/torture's.
 */
#include "tests/support/wrap_site.h"

#include "queues/move.h"
#include "queues/recover.h"

static void
what_stands_on_the_qf_is_carried_over(void **state)
{
	struct wrap_site *f = *state;
	const struct timespec times[2] = {{1000000, 0}, {2000000, 7000}};
	struct tries tries = {3, 4};
	struct stat st;
	bool is_wrapped = true;

	wrap_put_pair(f);
	assert_int_equal(wrap_take(f), 0);
	assert_int_equal(tries_write(&f->claim, tries), 0);
	assert_int_equal(fchmod(f->claim.qf_fd, 0640), 0);
	assert_int_equal(futimens(f->claim.qf_fd, times), 0);
	if (geteuid() == 0) {
		assert_int_equal(fchown(f->claim.qf_fd, 12, 34), 0);
		assert_int_equal(fchownat(f->spool->fds[SPOOL_FEED1], "dfA1",
				     56, 78, AT_SYMLINK_NOFOLLOW),
		    0);
	}
	assert_int_equal(wrapped_read(f->claim.qf_fd, &is_wrapped), 0);
	assert_false(is_wrapped);
	assert_int_equal(wrap_claimed(f, TEXT), 0);
	tries = (struct tries){0};
	assert_int_equal(tries_read(&f->claim, &tries), 0);
	assert_int_equal(tries.died, 3);
	assert_int_equal(tries.begun, 4);
	assert_int_equal(wrapped_read(f->claim.qf_fd, &is_wrapped), 0);
	assert_true(is_wrapped);
	assert_int_equal(fstat(f->claim.qf_fd, &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 2000000);
	assert_int_equal(st.st_mode & 0777, 0640);
	if (geteuid() == 0)
		assert_true(st.st_uid == 12 && st.st_gid == 34);
	assert_int_equal(
	    fstatat(f->spool->fds[SPOOL_FEED1], "dfA1", &st, 0), 0);
	assert_int_equal(st.st_ino, f->claim.df_inode);
	assert_int_equal(st.st_mode & 0777, 0600);
	if (geteuid() == 0)
		assert_true(st.st_uid == 56 && st.st_gid == 78);
}

/* Also by a claim of its own, and after a header was added. */
static void
a_message_is_wrapped_once(void **state)
{
	struct wrap_site *f = *state;
	CLEANUP(free_ptr) char *once = NULL, *again = NULL;
	struct claim other;
	const char *reason;
	size_t a, b;

	wrap_put_pair(f);
	wrap_and_look(f);
	once = wrap_read(f, "dfA1", &a);
	/* The lock is on the file that everybody sees. */
	assert_int_equal(
	    claim_take(f->spool, SPOOL_FEED1, "A1", &other, &reason), -EBUSY);
	assert_int_equal(wrap_claimed(f, "other"), -EALREADY);
	assert_int_equal(wrap_take(f), 0);
	assert_int_equal(wrap_claimed(f, "other"), -EALREADY);
	assert_int_equal(move_add_header(f->spool, &f->claim, "X-A: b"), 0);
	assert_int_equal(wrap_claimed(f, "other"), -EALREADY);
	again = wrap_read(f, "dfA1", &b);
	assert_int_equal(a, b);
	assert_memory_equal(once, again, a);
}

static void
other_names_of_the_df_keep_the_original(void **state)
{
	struct wrap_site *f = *state;
	const int fd = f->spool->fds[SPOOL_FEED1];
	CLEANUP(free_ptr) char *text = NULL;
	struct stat st;
	size_t len;

	wrap_put_pair(f);
	assert_int_equal(linkat(fd, "dfA1", fd, "dfS9", 0), 0);
	wrap_and_look(f);
	text = wrap_read(f, "dfS9", &len);
	assert_string_equal(text, TMPSPOOL_BODY);
	assert_int_equal(fstatat(fd, "dfS9", &st, 0), 0);
	assert_int_equal(st.st_nlink, 1);
}

/* Of moves that died between link and rename, or before the unlink. */
static void
second_names_elsewhere_go_with_the_original(void **state)
{
	static const enum spool_dir dirs[] = {
	    SPOOL_IN, SPOOL_EXT, SPOOL_FEED1 + 1};
	struct wrap_site *f = *state;
	const int fd = f->spool->fds[SPOOL_FEED1];
	struct recovery rec;

	wrap_put_pair(f);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		assert_int_equal(
		    linkat(fd, "dfA1", f->spool->fds[dirs[i]], "dfA1", 0), 0);
	tmp_put(f->spool->fds[SPOOL_OUT], "dfA1", "another's\n", 10);
	wrap_and_look(f);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		assert_false(tmpspool_has(f->spool, dirs[i], "dfA1"));
	assert_true(tmpspool_has(f->spool, SPOOL_OUT, "dfA1"));
	claim_drop(&f->claim);
	f->claim.qf_fd = -1;
	assert_int_equal(recover_spool(f->spool, &rec), 0);
	assert_int_equal(rec.orphan_df, 1); /* another's */
}

static void
what_cannot_be_wrapped_stays_as_it_is(void **state)
{
	struct wrap_site *f = *state;
	CLEANUP(free_ptr) char *text = NULL, *huge = NULL, *qf = NULL;
	const char *reason = NULL;
	size_t len;

	tmpspool_put(f->spool, SPOOL_VIRUS, "A1");
	assert_int_equal(
	    claim_take(f->spool, SPOOL_VIRUS, "A1", &f->claim, &reason), 0);
	assert_int_equal(wrap_claimed(f, TEXT), -EINVAL);
	wrap_put_pair(f);
	assert_int_equal(wrap_take(f), 0);
	huge = xcalloc(1, WRAP_TEXT_MAX + 2);
	memset(huge, 'x', WRAP_TEXT_MAX + 1);
	assert_int_equal(wrap_claimed(f, huge), -EINVAL);
	huge[WRAP_TEXT_MAX] = '\0';
	assert_int_equal(wrap_claimed(f, huge), 0);

	wrap_put(f, "qfA1", "V8\nnonsense\n.\n");
	wrap_put(f, "dfA1", "b\n");
	assert_int_equal(wrap_take(f), 0);
	reason = NULL;
	assert_int_equal(
	    wrap_message(f->spool, &f->claim, TEXT, &reason), -EBADMSG);
	assert_string_equal(reason, "unknown record");

	/* A qf that would be too large to be read again. */
	qf = xcalloc(1, 16 << 20);
	memset(qf, 'x', (16 << 20) - 5);
	memcpy(qf, "V8\nS<>\nRPFD:<b>\nM", 17);
	(void)strcpy(qf + (16 << 20) - 10, "\n.\n");
	wrap_put(f, "qfA1", qf);
	assert_int_equal(wrap_take(f), 0);
	assert_int_equal(wrap_claimed(f, TEXT), -EFBIG);
	text = wrap_read(f, "dfA1", &len);
	assert_string_equal(text, "b\n");
	assert_false(tmpspool_has(f->spool, SPOOL_FEED1, "nfA1"));
	assert_false(tmpspool_has(f->spool, SPOOL_FEED1, "tfA1"));
}

/* nf, of and the new df of a wrap that died before its commit. */
static void
who_claims_a_half_wrapped_message_gets_the_original(void **state)
{
	struct wrap_site *f = *state;
	const int fd = f->spool->fds[SPOOL_FEED1];

	for (int is_replaced = 0; is_replaced < 2; is_replaced++) {
		CLEANUP(free_ptr) char *text = NULL;
		struct recovery rec;
		size_t len;

		wrap_put_pair(f);
		assert_int_equal(linkat(fd, "dfA1", fd, "ofA1", 0), 0);
		wrap_put(
		    f, is_replaced ? "dfnew" : "nfA1", "new body, longer\n");
		if (is_replaced)
			assert_int_equal(renameat(fd, "dfnew", fd, "dfA1"), 0);
		wrap_put(f, "tfA1", "V8\n");
		assert_int_equal(wrap_take(f), 0);
		assert_int_equal(f->claim.df_bytes, sizeof(TMPSPOOL_BODY) - 1);
		text = wrap_read(f, "dfA1", &len);
		assert_string_equal(text, TMPSPOOL_BODY);
		assert_false(tmpspool_has(f->spool, SPOOL_FEED1, "ofA1"));
		assert_int_equal(recover_spool(f->spool, &rec), 0);
		assert_int_equal(rec.stale_tf + rec.orphan_df + rec.wraps, 0);
		/* and so it can be wrapped */
		wrap_and_look(f);
	}
}

static void
recovery_puts_wraps_right_and_keeps_what_it_does_not_know(void **state)
{
	struct wrap_site *f = *state;
	const int fd = f->spool->fds[SPOOL_FEED1];
	struct recovery rec;

	wrap_put_pair(f);
	wrap_put(f, "ofA1", "the original\n");
	tmpspool_put(f->spool, SPOOL_FEED1, "B2");
	assert_int_equal(linkat(fd, "dfB2", fd, "ofB2", 0), 0);
	assert_int_equal(
	    claim_take_broken(f->spool, SPOOL_FEED1, "B2", &f->claim), 0);
	/* somebody alive */
	assert_int_equal(linkat(fd, "dfB2", fd, "ofB2", 0), 0);
	wrap_put(f, "ofC3", "of nobody\n");
	wrap_put(f, "nfD4", "of nobody\n");
	assert_int_equal(recover_spool(f->spool, &rec), 0);
	assert_int_equal(rec.wraps, 1);
	assert_int_equal(rec.skipped, 1);
	assert_int_equal(rec.orphan_df, 1);
	assert_int_equal(rec.stale_tf, 1);
	assert_true(tmpspool_has(f->spool, SPOOL_FEED1, "ofB2"));
	assert_true(tmpspool_has(f->spool, SPOOL_FEED1, "ofC3"));
	assert_false(tmpspool_has(f->spool, SPOOL_FEED1, "ofA1"));
	assert_true(tmpspool_has(f->spool, SPOOL_FEED1, "dfA1"));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, wrap_set_up, wrap_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_stands_on_the_qf_is_carried_over),
	    TEST(a_message_is_wrapped_once),
	    TEST(other_names_of_the_df_keep_the_original),
	    TEST(second_names_elsewhere_go_with_the_original),
	    TEST(what_cannot_be_wrapped_stays_as_it_is),
	    TEST(who_claims_a_half_wrapped_message_gets_the_original),
	    TEST(recovery_puts_wraps_right_and_keeps_what_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
