/*
 * tests/unit/test_programs_table.c - the engine mef while another worker reads
 * the same file, or is asked not to trust what is known.
 */
#include "tests/support/runs_site.h"

#include "worker/mef/model.h"

#include <unistd.h>

#define SCRIPT "#!/bin/sh\ndo something\n"

/* A model that has learned nothing; job 1 has asked the table of its file. */
static uint64_t
asked(struct runs_site *r)
{
	struct mef_model *model = mef_model_new(MEF_SET_FULL, 10);
	char *path = xasprintf("%s/model", r->s->dir);

	assert_int_equal(mef_model_save(model, path), 0);
	(void)mef_model_free(model);
	site_set(&r->s->conf->mef.model, path, "");
	free(path);
	runs_program(r, SCRIPT, "a.sh");
	runs_start(r, "mef", true);
	runs_submit(r, 1);
	runs_until(r, &r->s->book.n_lookups, 1);
	return r->s->book.lookups[0].job;
}

static void
what_another_worker_finds_is_ours_too(void **state)
{
	struct runs_site *r = *state;
	const uint64_t number = asked(r);

	fake_book_answer(
	    &r->s->book, number, 0, TABLE_LATER, TABLE_UNKNOWN, "");
	runs_for(r, 20 * USEC_PER_MSEC);
	assert_int_equal(r->s->done[1], 0);
	fake_book_answer(&r->s->book, number, 0, TABLE_KNOWN, TABLE_HIT,
	    "malicious 0.9 script");
	runs_finish(r, 1);
	site_said(r->s, 1, "mef", ANSWER_WARN, "malicious, P 90.0 % (script)");
	assert_int_equal(r->s->n_extracted, 0);
}

static void
where_another_worker_gives_up_it_is_ours(void **state)
{
	struct runs_site *r = *state;
	const uint64_t number = asked(r);

	fake_book_answer(
	    &r->s->book, number, 0, TABLE_LATER, TABLE_UNKNOWN, "");
	fake_book_answer(
	    &r->s->book, number, 0, TABLE_YOURS, TABLE_UNKNOWN, "");
	runs_finish(r, 1);
	site_said(r->s, 1, "mef", ANSWER_WARN, "borderline");
	runs_until(r, &r->s->book.n_results, 1);
	assert_int_equal(r->s->n_extracted, 1);
}

/* It can hang; the table is told that nobody waits, and nothing else. */
static void
nobody_waits_for_another_worker_for_ever(void **state)
{
	struct runs_site *r = *state;

	r->s->conf->budget.wall_usec = 100 * USEC_PER_MSEC;
	fake_book_answer(
	    &r->s->book, asked(r), 0, TABLE_LATER, TABLE_UNKNOWN, "");
	runs_finish(r, 1);
	site_said(r->s, 1, "mef", ANSWER_WARN, "borderline");
	runs_until(r, &r->s->book.n_drops, 1);
	assert_int_equal(r->s->book.n_results, 0);
	assert_int_equal(r->s->n_extracted, 1);
}

/* A cell that died is no answer for the table. */
static void
what_is_unknown_is_not_kept(void **state)
{
	struct runs_site *r = *state;

	r->s->is_deadly = true;
	fake_book_answer(
	    &r->s->book, asked(r), 0, TABLE_YOURS, TABLE_UNKNOWN, "");
	runs_finish(r, 1);
	site_said(r->s, 1, "mef", ANSWER_UNKNOWN_MESSAGE, "its cell died");
	runs_until(r, &r->s->book.n_results, 1);
	assert_int_equal(r->s->book.results[0].verdict, TABLE_UNKNOWN);
}

static void
asked_afresh_the_table_is_left_out(void **state)
{
	struct runs_site *r = *state;

	fake_book_answer(
	    &r->s->book, asked(r), 0, TABLE_YOURS, TABLE_UNKNOWN, "");
	runs_finish(r, 1);
	runs_submit_held(r, 2, 0, true);
	runs_finish(r, 2);
	site_said(r->s, 2, "mef", ANSWER_WARN, "borderline");
	assert_int_equal(r->s->book.n_lookups, 1);
	assert_int_equal(r->s->n_extracted, 2);
}

/* The judge goes while a file waits: nothing is left behind (ASan). */
static void
it_can_end_in_the_middle(void **state)
{
	(void)asked(*state);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, runs_setup, runs_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_another_worker_finds_is_ours_too),
	    TEST(where_another_worker_gives_up_it_is_ours),
	    TEST(nobody_waits_for_another_worker_for_ever),
	    TEST(what_is_unknown_is_not_kept),
	    TEST(asked_afresh_the_table_is_left_out),
	    TEST(it_can_end_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
