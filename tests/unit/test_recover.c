#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queues/claim.h"
#include "queues/recover.h"
#include "tests/support/tmpspool.h"

struct fixture {
	char *path;
	struct spool *spool;
};

static int
set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->path = tmpspool_make();
	f->spool = tmpspool_open(f->path);
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

static void
twin(const struct fixture *f, enum spool_dir from, enum spool_dir to,
    const char *df)
{
	assert_int_equal(
	    linkat(f->spool->fds[from], df, f->spool->fds[to], df, 0), 0);
}

static void
expect(const struct fixture *f, uint64_t extra, uint64_t tf, uint64_t skipped,
    uint64_t orphan)
{
	struct recovery rec;

	assert_int_equal(recover_spool(f->spool, &rec), 0);
	assert_int_equal(rec.extra_df, extra);
	assert_int_equal(rec.stale_tf, tf);
	assert_int_equal(rec.skipped, skipped);
	assert_int_equal(rec.orphan_df, orphan);
}

static void
a_healthy_spool_is_left_as_it_is(void **state)
{
	const struct fixture *f = *state;

	expect(f, 0, 0, 0, 0);
	for (int i = 0; i < (int)SPOOL_FEED1 + TMPSPOOL_FEEDS; i++)
		tmpspool_put(f->spool, (enum spool_dir)i, "A1");
	expect(f, 0, 0, 0, 0);
	for (int i = 0; i < (int)SPOOL_FEED1 + TMPSPOOL_FEEDS; i++)
		assert_true(tmpspool_has(f->spool, (enum spool_dir)i, "dfA1"));
}

static void
second_names_of_a_df_are_removed(void **state)
{
	const struct fixture *f = *state;

	tmpspool_put(f->spool, SPOOL_FEED1, "A1");
	twin(f, SPOOL_FEED1, SPOOL_OUT, "dfA1");
	twin(f, SPOOL_FEED1, SPOOL_IN, "dfA1");
	expect(f, 2, 0, 0, 0);
	assert_true(tmpspool_has(f->spool, SPOOL_FEED1, "dfA1"));
	assert_false(tmpspool_has(f->spool, SPOOL_OUT, "dfA1"));
	assert_false(tmpspool_has(f->spool, SPOOL_IN, "dfA1"));
}

static void
the_message_of_a_living_process_is_left_alone(void **state)
{
	const struct fixture *f = *state;
	struct claim claim;
	const char *reason;

	tmpspool_put(f->spool, SPOOL_FEED1, "A1");
	twin(f, SPOOL_FEED1, SPOOL_OUT, "dfA1");
	tmp_put(f->spool->fds[SPOOL_FEED1], "tfA1", "x", 1);
	assert_int_equal(
	    claim_take(f->spool, SPOOL_FEED1, "A1", &claim, &reason), 0);
	expect(f, 0, 0, 2, 0);
	assert_true(tmpspool_has(f->spool, SPOOL_OUT, "dfA1"));
	assert_true(tmpspool_has(f->spool, SPOOL_FEED1, "tfA1"));
	claim_drop(&claim);
	expect(f, 1, 1, 0, 0);
	assert_false(tmpspool_has(f->spool, SPOOL_OUT, "dfA1"));
	assert_false(tmpspool_has(f->spool, SPOOL_FEED1, "tfA1"));
}

static void
a_df_of_another_file_is_counted_and_kept(void **state)
{
	const struct fixture *f = *state;

	tmpspool_put(f->spool, SPOOL_FEED1, "A1");
	tmp_put(f->spool->fds[SPOOL_OUT], "dfA1", "other", 5);
	tmp_put(f->spool->fds[SPOOL_IN], "dfB2", "being received", 14);
	expect(f, 0, 0, 0, 2);
	assert_true(tmpspool_has(f->spool, SPOOL_OUT, "dfA1"));
	assert_true(tmpspool_has(f->spool, SPOOL_IN, "dfB2"));
}

static void
sendmails_own_tf_is_not_ours(void **state)
{
	const struct fixture *f = *state;

	tmpspool_put(f->spool, SPOOL_IN, "A1");
	tmp_put(f->spool->fds[SPOOL_IN], "tfA1", "x", 1);
	tmp_put(f->spool->fds[SPOOL_OUT], "tfA1", "x", 1);
	tmp_put(f->spool->fds[SPOOL_FEED1], "tfA1", "x", 1);
	expect(f, 0, 1, 0, 0);
	assert_true(tmpspool_has(f->spool, SPOOL_IN, "tfA1"));
	assert_true(tmpspool_has(f->spool, SPOOL_OUT, "tfA1"));
}

static void
put_journal(const struct fixture *f, const char *name, const char *text)
{
	tmp_put(f->spool->journal_fd, name, text, strlen(text));
}

/*
 * Killed between rename and unlink; the message has left the host before
 * recovery could see its qf.
 */
static void
a_df_whose_message_has_moved_on_is_removed(void **state)
{
	const struct fixture *f = *state;
	int feed1 = f->spool->fds[SPOOL_FEED1];

	tmp_put(feed1, "dfA1", "body", 4);
	put_journal(f, "feed",
	    "{\"t\":5,\"event\":\"move\",\"id\":\"A1\",\"from\":\"in\","
	    "\"to\":\"feed1\"}\n");
	expect(f, 0, 0, 0, 1); /* came here: what left in/ is not this one */

	put_journal(f, "worker-1",
	    "cut off\n{\"t\":6,\"event\":\"move\",\"id\":\"A1\",\"from\":"
	    "\"feed1\",\"to\":\"out\"}\n");
	/* What left in/ is not the latest, but the latest there. */
	assert_int_equal(
	    linkat(feed1, "dfA1", f->spool->fds[SPOOL_IN], "dfA1", 0), 0);
	expect(f, 2, 0, 0, 0);
	assert_false(tmpspool_has(f->spool, SPOOL_IN, "dfA1"));
	assert_false(tmpspool_has(f->spool, SPOOL_FEED1, "dfA1"));
}

/* Several names and a fresh line: perhaps a move that runs. */
static void
a_df_that_may_be_moving_is_left_alone(void **state)
{
	const struct fixture *f = *state;
	int feed1 = f->spool->fds[SPOOL_FEED1];
	char line[256];

	tmp_put(feed1, "dfA1", "body", 4);
	assert_int_equal(linkat(feed1, "dfA1", feed1, "other", 0), 0);
	(void)snprintf(line, sizeof(line),
	    "{\"t\":%llu,\"event\":\"move\",\"id\":\"A1\",\"from\":"
	    "\"feed1\",\"to\":\"out\"}\n",
	    (unsigned long long)wall_now().usec - 50 * USEC_PER_SEC);
	put_journal(f, "worker-1", line);
	expect(f, 0, 0, 0, 1);
	assert_int_equal(unlinkat(feed1, "other", 0), 0);
	expect(f, 1, 0, 0, 0);
}

static void
the_latest_journal_line_decides(void **state)
{
	const struct fixture *f = *state;

	tmp_put(f->spool->fds[SPOOL_FEED1], "dfA1", "body", 4);
	put_journal(f, "worker-1",
	    "{\"t\":6,\"event\":\"move\",\"id\":\"A1\",\"from\":\"feed1\","
	    "\"to\":\"ext\"}\n");
	put_journal(f, "sluice",
	    "{\"t\":7,\"event\":\"move\",\"id\":\"A1\",\"from\":\"ext\","
	    "\"to\":\"feed1\"}\n");
	expect(f, 0, 0, 0, 1);
	assert_true(tmpspool_has(f->spool, SPOOL_FEED1, "dfA1"));
}

/* A move to feed2 died between its link and its rename; then the worker of
 * feed1 took the message, and it was gone before anybody recovered. */
static void
a_move_that_was_begun_and_never_made_leaves_nothing(void **state)
{
	const struct fixture *f = *state;

	tmp_put(f->spool->fds[SPOOL_FEED1 + 1], "dfA1", "body", 4);
	put_journal(f, "feed",
	    "{\"t\":5,\"event\":\"move\",\"id\":\"A1\",\"from\":\"feed1\","
	    "\"to\":\"feed2\"}\n");
	expect(f, 0, 0, 0, 1);
	put_journal(f, "worker-1",
	    "{\"t\":6,\"event\":\"move\",\"id\":\"A1\",\"from\":\"feed1\","
	    "\"to\":\"out\"}\n");
	expect(f, 1, 0, 0, 0);
	/* Or before its line. */
	tmp_put(f->spool->fds[SPOOL_SPAM], "dfA1", "body", 4);
	expect(f, 1, 0, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_healthy_spool_is_left_as_it_is),
	    TEST(second_names_of_a_df_are_removed),
	    TEST(the_message_of_a_living_process_is_left_alone),
	    TEST(a_df_of_another_file_is_counted_and_kept),
	    TEST(sendmails_own_tf_is_not_ours),
	    TEST(a_df_whose_message_has_moved_on_is_removed),
	    TEST(a_df_that_may_be_moving_is_left_alone),
	    TEST(the_latest_journal_line_decides),
	    TEST(a_move_that_was_begun_and_never_made_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
