/*
 * tests/unit/test_parts.c - the parts of a reading: each content judged once,
 * by the scanned table where it knows it.
 */
#include "tests/support/judge_site.h"

#include "common/cleanup.h"
#include "common/digest.h"
#include "worker/clamd_priv.h"
#include "worker/job_priv.h"

/* What clamd is to say of each part; behind a NUL what makes it different. */
struct parts {
	size_t n;
	struct {
		const char *octets;
		size_t len;
		const char *name;
	} rows[4];
};

#define PART(octets, name) \
	{ \
		octets, sizeof(octets) - 1, name \
	}

static bool
leave_parts(struct reading_writer *w, void *arg)
{
	const struct parts *parts = arg;

	for (size_t i = 0; i < parts->n; i++)
		(void)fake_part(w, parts->rows[i].octets, parts->rows[i].len,
		    parts->rows[i].name);
	assert_int_equal(writer_commit(w, READING_COMPLETE, 0, false, ""), 0);
	return true;
}

/* clamd alone; its context is known after a first message. */
static void
start(struct site *s, struct parts *parts, bool has_book)
{
	static struct parts none;
	char err[200] = "";

	if (has_book)
		fake_book_open(&s->book, s->book_path);
	site_set(&s->conf->worker.engines, "clamd", "");
	assert_int_equal(site_start(s, err, sizeof(err)), 0);
	clamd_look_every(s->judge->clamd, 0);
	s->reading = leave_parts;
	s->reading_arg = &none;
	site_submit(s, 1, "OK");
	site_finish(s, 1);
	s->reading_arg = parts;
}

static int
files(const struct site *s)
{
	return fake_clamd_files(s->clamd) - 2; /* both raw messages */
}

static struct digest
digest_of(const struct parts *parts, size_t i)
{
	return digest_memory(parts->rows[i].octets, parts->rows[i].len);
}

/* Submit job 1 and wait for its question. */
static const struct table_lookup *
asked(struct site *s)
{
	site_submit(s, 1, "OK");
	site_until(s, &s->book.n_lookups, 1);
	return &s->book.lookups[0];
}

static void
is_result_of(const struct site *s, size_t i, const struct parts *parts,
    size_t part, enum table_verdict verdict, const char *name)
{
	const struct table_result *r = &s->book.results[i];
	const struct digest want = digest_of(parts, part);

	assert_memory_equal(&r->key, &want, sizeof(want));
	assert_string_equal(r->engine, "clamd");
	assert_string_equal(r->context, s->book.lookups[0].context);
	assert_int_equal(r->verdict, verdict);
	assert_int_equal(r->bytes, parts->rows[part].len);
	assert_string_equal(r->name, name);
}

static void
one_content_is_scanned_once(void **state)
{
	struct parts parts = {4, {PART("OK\0a", "1"), PART("B FOUND", "2"),
				     PART("OK\0a", "3"), PART("", "4")}};
	struct site *s = *state;

	start(s, &parts, false);
	site_submit(s, 1, "OK");
	site_finish(s, 1);
	assert_int_equal(files(s), 2); /* and nothing of no octets */
	site_said(s, 1, "clamd", ANSWER_HIT, "B");
}

static void
each_different_content_is_asked_for_once(void **state)
{
	struct parts parts = {4, {PART("OK\0a", "1"), PART("OK\0b", "2"),
				     PART("OK\0a", "3"), PART("", "4")}};
	struct site *s = *state;
	const struct table_lookup *l;
	struct digest a, b;

	start(s, &parts, true);
	l = asked(s);
	a = digest_of(&parts, 0);
	b = digest_of(&parts, 1);
	assert_string_equal(l->engine, "clamd");
	assert_memory_equal(l->context, "ClamAV 1.4.6 ", 13);
	assert_int_equal(l->n, 2);
	assert_memory_equal(&l->keys[0], &a, sizeof(a));
	assert_memory_equal(&l->keys[1], &b, sizeof(b));
	fake_book_answer(&s->book, l->job, 1, TABLE_YOURS, 0, "");
	fake_book_answer(&s->book, l->job, 0, TABLE_YOURS, 0, "");
	site_finish(s, 1);
	assert_int_equal(files(s), 2);
}

static void
what_is_known_is_not_scanned(void **state)
{
	struct parts parts = {2, {PART("A FOUND\0a", "1"), PART("OK\0b", "2")}};
	struct site *s = *state;
	const struct table_lookup *l;

	/* The other way round than clamd would say it. */
	start(s, &parts, true);
	l = asked(s);
	fake_book_answer(&s->book, l->job, 0, TABLE_KNOWN, TABLE_CLEAN, "");
	site_run_for(s, 20 * USEC_PER_MSEC);
	assert_int_equal(s->done[1], 0); /* one is still open */
	fake_book_answer(
	    &s->book, l->job, 1, TABLE_KNOWN, TABLE_HIT, "Old.Virus");
	site_finish(s, 1);
	assert_int_equal(files(s), 0);
	site_said(s, 1, "clamd", ANSWER_HIT, "Old.Virus");
	assert_int_equal(s->book.n_results, 0);
	assert_non_null(strstr(s->evidence[1], "\"known\":true"));
}

static void
what_is_ours_is_scanned_and_told(void **state)
{
	struct parts parts = {
	    2, {PART("OK\0clean", "1"), PART("A FOUND\0hit", "2")}};
	struct site *s = *state;
	const struct table_lookup *l;

	start(s, &parts, true);
	l = asked(s);
	fake_book_answer(&s->book, l->job, 0, TABLE_YOURS, 0, "");
	site_until(s, &s->book.n_results, 1);
	is_result_of(s, 0, &parts, 0, TABLE_CLEAN, "");
	fake_book_answer(&s->book, l->job, 1, TABLE_YOURS, 0, "");
	site_finish(s, 1);
	site_until(s, &s->book.n_results, 2);
	is_result_of(s, 1, &parts, 1, TABLE_HIT, "A");
	assert_int_equal(files(s), 2);
	assert_null(strstr(s->evidence[1], "\"known\""));
}

static void
what_clamd_does_not_know_is_not_stored(void **state)
{
	struct parts parts = {2,
	    {PART("New ERROR", "1"), PART("Exceeded time limit ERROR", "2")}};
	struct site *s = *state;
	const struct table_lookup *l;

	start(s, &parts, true);
	l = asked(s);
	fake_book_answer(&s->book, l->job, 0, TABLE_YOURS, 0, "");
	site_until(s, &s->book.n_results, 1);
	fake_book_answer(&s->book, l->job, 1, TABLE_YOURS, 0, "");
	site_finish(s, 1);
	site_until(s, &s->book.n_results, 2);
	/* Told all the same: others wait for the claims. */
	assert_int_equal(s->book.results[0].verdict, TABLE_UNKNOWN);
	assert_int_equal(s->book.results[1].verdict, TABLE_UNKNOWN);
	site_said(s, 1, "clamd", ANSWER_UNKNOWN_MESSAGE, "time");
}

static void
an_answer_of_changed_signatures_is_not_stored(void **state)
{
	struct parts parts = {1, {PART("!later", "1")}};
	struct site *s = *state;
	const struct table_lookup *l;

	start(s, &parts, true);
	l = asked(s);
	fake_book_answer(&s->book, l->job, 0, TABLE_YOURS, 0, "");
	site_run_for(s, 30 * USEC_PER_MSEC);
	assert_int_equal(s->book.n_results, 0); /* clamd is at it */
	site_write(s->sig, "B:0:*:6162 and more\n");
	site_finish(s, 1);
	site_until(s, &s->book.n_results, 1);
	is_result_of(s, 0, &parts, 0, TABLE_UNKNOWN, "");
	site_said(s, 1, "clamd", ANSWER_CLEAN, ""); /* for this message */
}

static void
without_known_signatures_the_table_is_left_out(void **state)
{
	struct parts parts = {1, {PART("A FOUND", "1")}};
	struct site *s = *state;

	start(s, &parts, true);
	assert_int_equal(unlink(s->sig), 0);
	site_submit(s, 1, "OK");
	site_finish(s, 1);
	site_run_for(s, 20 * USEC_PER_MSEC);
	assert_int_equal(s->book.n_lookups + s->book.n_results, 0);
	assert_int_equal(files(s), 1);
	site_said(s, 1, "clamd", ANSWER_HIT, "A");
}

static void
what_others_judge_is_waited_for(void **state)
{
	struct parts parts = {1, {PART("OK\0x", "1")}};
	struct site *s = *state;
	const struct table_lookup *l;

	start(s, &parts, true);
	l = asked(s);
	fake_book_answer(&s->book, l->job, 0, TABLE_LATER, 0, "");
	site_run_for(s, 50 * USEC_PER_MSEC);
	assert_int_equal(s->done[1] + files(s), 0);
	fake_book_answer(&s->book, l->job, 0, TABLE_KNOWN, TABLE_HIT, "V");
	site_finish(s, 1);
	assert_int_equal(files(s), 0);
	site_said(s, 1, "clamd", ANSWER_HIT, "V");
	assert_int_equal(s->book.n_drops, 0);
}

static void
a_claim_that_passes_on_to_us_is_taken_up(void **state)
{
	struct parts parts = {1, {PART("A FOUND\0x", "1")}};
	struct site *s = *state;
	const struct table_lookup *l;

	start(s, &parts, true);
	l = asked(s);
	fake_book_answer(&s->book, l->job, 0, TABLE_LATER, 0, "");
	site_run_for(s, 20 * USEC_PER_MSEC);
	fake_book_answer(&s->book, l->job, 0, TABLE_YOURS, 0, "");
	site_finish(s, 1);
	site_until(s, &s->book.n_results, 1);
	is_result_of(s, 0, &parts, 0, TABLE_HIT, "A");
	assert_int_equal(files(s), 1);
}

static void
patience_with_others_ends(void **state)
{
	struct parts parts = {2, {PART("A FOUND\0x", "1"), PART("OK\0y", "2")}};
	struct site *s = *state;
	const struct table_lookup *l;
	struct mono begun;

	s->conf->clamd.timeout_usec = USEC_PER_SEC;
	start(s, &parts, true);
	l = asked(s);
	begun = mono_now();
	fake_book_answer(&s->book, l->job, 0, TABLE_LATER, 0, "");
	fake_book_answer(&s->book, l->job, 1, TABLE_KNOWN, TABLE_CLEAN, "");
	site_finish(s, 1);
	assert_true(mono_span(begun, mono_now()) >=
		    s->conf->clamd.timeout_usec - 20 * USEC_PER_MSEC);
	assert_int_equal(files(s), 1); /* only what was open */
	site_said(s, 1, "clamd", ANSWER_HIT, "A");
	site_until(s, &s->book.n_drops, 1);
	assert_int_equal(s->book.drops[0], l->job);
	/* The claim is the other's, and so is the result. */
	assert_int_equal(s->book.n_results, 0);
	/* Its late answer finds nobody. */
	fake_book_answer(&s->book, l->job, 0, TABLE_KNOWN, TABLE_CLEAN, "");
	site_run_for(s, 20 * USEC_PER_MSEC);
	assert_int_equal(s->done[1], 1);
}

static void
the_death_of_the_book_leaves_parts_to_us(void **state)
{
	struct parts parts = {2, {PART("A FOUND\0x", "1"), PART("OK\0y", "2")}};
	struct site *s = *state;
	const struct table_lookup *l;
	struct mono begun;

	s->conf->clamd.timeout_usec = 3 * USEC_PER_SEC;
	start(s, &parts, true);
	l = asked(s);
	fake_book_answer(&s->book, l->job, 0, TABLE_LATER, 0, "");
	site_run_for(s, 20 * USEC_PER_MSEC);
	fake_book_close(&s->book);
	begun = mono_now();
	site_finish(s, 1);
	assert_true(mono_span(begun, mono_now()) < 2 * USEC_PER_SEC);
	assert_int_equal(files(s), 2);
	site_said(s, 1, "clamd", ANSWER_HIT, "A");
}

static void
the_questions_of_two_jobs_are_kept_apart(void **state)
{
	struct parts parts = {1, {PART("OK\0x", "1")}};
	struct site *s = *state;

	start(s, &parts, true);
	site_submit(s, 1, "OK");
	site_until(s, &s->book.n_lookups, 1);
	site_submit(s, 2, "OK");
	site_until(s, &s->book.n_lookups, 2);
	assert_true(s->book.lookups[0].job != s->book.lookups[1].job);
	fake_book_answer(&s->book, s->book.lookups[1].job, 0, TABLE_KNOWN,
	    TABLE_HIT, "Second");
	site_finish(s, 2);
	assert_int_equal(s->done[1], 0);
	fake_book_answer(
	    &s->book, s->book.lookups[0].job, 0, TABLE_KNOWN, TABLE_CLEAN, "");
	site_finish(s, 1);
	site_said(s, 1, "clamd", ANSWER_CLEAN, "");
	site_said(s, 2, "clamd", ANSWER_HIT, "Second");
}

#define MANY 1200

static bool
leave_many(struct reading_writer *w, void *arg)
{
	char octets[16];

	(void)arg;
	for (int i = 0; i < MANY; i++)
		(void)fake_part(w, octets,
		    (size_t)snprintf(octets, sizeof(octets), "OK %d", i), "");
	assert_int_equal(writer_commit(w, READING_COMPLETE, 0, false, ""), 0);
	return true;
}

static void
more_parts_than_one_question_holds_are_several(void **state)
{
	struct site *s = *state;
	struct parts none = {0};
	uint64_t first;

	start(s, &none, true);
	s->reading = leave_many;
	site_submit(s, 1, "OK");
	site_until(s, &s->book.n_lookups, 3);
	first = s->book.lookups[0].job;
	for (uint32_t i = 0; i < MANY; i++) {
		const size_t l = i / TABLE_KEYS_MAX;

		assert_int_equal(s->book.lookups[l].job, first + l);
		fake_book_answer(&s->book, first + l, i % TABLE_KEYS_MAX,
		    TABLE_KNOWN, i == MANY - 1 ? TABLE_HIT : TABLE_CLEAN,
		    i == MANY - 1 ? "Last" : "");
		if (i % 32 == 31)
			site_turn(s);
		assert_int_equal(s->done[1], 0);
	}
	assert_int_equal(s->book.lookups[2].n, MANY - 2 * TABLE_KEYS_MAX);
	site_finish(s, 1);
	site_said(s, 1, "clamd", ANSWER_HIT, "Last");
	assert_int_equal(files(s), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, site_setup, site_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_content_is_scanned_once),
	    TEST(each_different_content_is_asked_for_once),
	    TEST(what_is_known_is_not_scanned),
	    TEST(what_is_ours_is_scanned_and_told),
	    TEST(what_clamd_does_not_know_is_not_stored),
	    TEST(an_answer_of_changed_signatures_is_not_stored),
	    TEST(without_known_signatures_the_table_is_left_out),
	    TEST(what_others_judge_is_waited_for),
	    TEST(a_claim_that_passes_on_to_us_is_taken_up),
	    TEST(patience_with_others_ends),
	    TEST(the_death_of_the_book_leaves_parts_to_us),
	    TEST(the_questions_of_two_jobs_are_kept_apart),
	    TEST(more_parts_than_one_question_holds_are_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
