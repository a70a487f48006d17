/*
 * tests/unit/test_runs_table.c - the engine vm and the scanned table; and how
 * long mail waits for what can't be run.
 */
#include "tests/support/runs_site.h"

static struct digest
digest_of(const char *octets)
{
	return digest_memory(octets, strlen(octets));
}

/* Submit job 1, beside its parts a script x, and wait for its questions;
 * returns the number of the first. */
static uint64_t
asked(struct runs_site *r)
{
	runs_part(r, "x", "a.js");
	runs_start(r, "vm", true);
	runs_submit(r, 1);
	runs_until(r, &r->s->book.n_lookups, r->n_parts);
	return r->s->book.lookups[0].job;
}

static void
is_result(const struct runs_site *r, size_t i, enum table_verdict verdict,
    const char *name)
{
	const struct table_result *result = &r->s->book.results[i];
	const struct digest want = digest_of("x");

	assert_memory_equal(&result->key, &want, sizeof(want));
	assert_string_equal(result->engine, "vm:js");
	assert_string_equal(result->context, "ref:js");
	assert_int_equal(result->verdict, verdict);
	assert_int_equal(result->bytes, 1);
	assert_string_equal(result->name, name);
}

static void
the_table_is_asked_by_content_reference_and_kind(void **state)
{
	struct runs_site *r = *state;
	const struct table_lookup *l = r->s->book.lookups;
	const struct digest x = digest_of("x");

	runs_part(r, "x", "b.vbs");
	(void)asked(r);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(l[i].engine, i ? "vm:js" : "vm:vbs");
		assert_string_equal(l[i].context, i ? "ref:js" : "ref:vbs");
		assert_int_equal(l[i].n, 1);
		assert_memory_equal(&l[i].keys[0], &x, sizeof(x));
	}
	assert_int_equal(r->vmm.n_runs, 0);
}

/* The longest that a reference may say is told whole. */
static void
no_context_is_cut_off(void **state)
{
	struct runs_site *r = *state;
	char context[sizeof(((struct wire_reference *)NULL)->context)];
	char want[TABLE_CONTEXT_MAX];

	memset(context, 'c', sizeof(context));
	context[sizeof(context) - 1] = '\0';
	(void)snprintf(want, sizeof(want), "%s:jse", context);
	runs_part(r, "x", "a.jse");
	runs_start(r, "vm", true);
	fake_vmm_state(&r->vmm, "wine", context, "");
	runs_for(r, 5 * USEC_PER_MSEC);
	runs_submit(r, 1);
	runs_until(r, &r->s->book.n_lookups, 1);
	assert_string_equal(r->s->book.lookups[0].context, want);
}

static void
what_is_known_is_not_run(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "y", "b.js");
	(void)asked(r);
	fake_book_answer(&r->s->book, r->s->book.lookups[0].job, 0, TABLE_KNOWN,
	    TABLE_CLEAN, "");
	fake_book_answer(&r->s->book, r->s->book.lookups[1].job, 0, TABLE_KNOWN,
	    TABLE_HIT, "autorun");
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_HIT, ANSWER_WAIT_USUAL, "autorun");
	assert_int_equal(r->vmm.n_runs + r->s->book.n_results, 0);
	assert_non_null(strstr(r->s->evidence[1], "\"known\":true"));
}

static void
what_is_ours_is_run_and_told(void **state)
{
	struct runs_site *r = *state;
	const uint64_t job = asked(r);

	fake_book_answer(&r->s->book, job, 0, TABLE_YOURS, 0, "");
	runs_until(r, &r->vmm.n_runs, 1);
	runs_answer(r, 0, ANSWER_HIT, "mass-rewrite");
	runs_finish(r, 1);
	runs_until(r, &r->s->book.n_results, 1);
	is_result(r, 0, TABLE_HIT, "mass-rewrite");
	runs_said(r, 1, ANSWER_HIT, ANSWER_WAIT_USUAL, "mass-rewrite");
}

static void
a_claim_is_given_back_when_the_clones_do_not_know(void **state)
{
	struct runs_site *r = *state;
	const enum answer unknown[] = {
	    ANSWER_UNKNOWN_SYSTEM, ANSWER_UNKNOWN_MESSAGE, ANSWER_AMBIGUOUS};
	uint64_t job = asked(r);

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		fake_book_answer(&r->s->book, job, 0, TABLE_YOURS, 0, "");
		runs_until(r, &r->vmm.n_runs, i + 1);
		runs_answer(r, i, unknown[i], "died");
		runs_finish(r, 1);
		runs_until(r, &r->s->book.n_results, i + 1);
		assert_int_equal(r->s->book.results[i].verdict, TABLE_UNKNOWN);
		runs_submit(r, 1);
		runs_until(r, &r->s->book.n_lookups, i + 2);
		job = r->s->book.lookups[i + 1].job;
	}
}

static void
a_claim_is_given_back_when_it_cannot_be_handed_over(void **state)
{
	struct runs_site *r = *state;
	uint64_t job = asked(r);

	r->s->conf->detonate.script_hold_usec = 0;
	site_set(&r->s->conf->detonate.script_then, "deliver", "");
	fake_vmm_die(&r->vmm);
	fake_book_answer(&r->s->book, job, 0, TABLE_YOURS, 0, "");
	runs_finish(r, 1);
	runs_until(r, &r->s->book.n_results, 1);
	/* That it passes without is this message's affair. */
	is_result(r, 0, TABLE_UNKNOWN, "");
}

static void
an_answer_of_changed_rules_is_not_stored(void **state)
{
	struct runs_site *r = *state;
	const uint64_t job = asked(r);

	fake_book_answer(&r->s->book, job, 0, TABLE_YOURS, 0, "");
	runs_until(r, &r->vmm.n_runs, 1);
	fake_vmm_state(&r->vmm, "linux wine", "new", "");
	runs_answer(r, 0, ANSWER_CLEAN, "");
	runs_finish(r, 1);
	runs_until(r, &r->s->book.n_results, 1);
	is_result(r, 0, TABLE_UNKNOWN, "");
	runs_said(r, 1, ANSWER_CLEAN, ANSWER_WAIT_USUAL, "");
}

static void
what_another_worker_runs_is_waited_for(void **state)
{
	struct runs_site *r = *state;
	const uint64_t job = asked(r);

	fake_book_answer(&r->s->book, job, 0, TABLE_LATER, 0, "");
	runs_for(r, 20 * USEC_PER_MSEC);
	assert_int_equal(r->s->done[1] + r->vmm.n_runs, 0);
	assert_int_equal(r->n_longs, 1);
	fake_book_answer(&r->s->book, job, 0, TABLE_KNOWN, TABLE_HIT, "theirs");
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_HIT, ANSWER_WAIT_USUAL, "theirs");
}

static void
patience_with_another_worker_ends(void **state)
{
	struct runs_site *r = *state;
	uint64_t job;

	r->s->conf->detonate.patience_usec = 50 * USEC_PER_MSEC;
	job = asked(r);
	fake_book_answer(&r->s->book, job, 0, TABLE_LATER, 0, "");
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_UNKNOWN_SYSTEM, ANSWER_WAIT_ON, "too long");
	runs_until(r, &r->s->book.n_drops, 1);
	assert_int_equal(r->s->book.drops[0], job);
	assert_int_equal(r->s->book.n_results + r->vmm.n_runs, 0);
}

/* The other gave up, now it is ours: our own run is not its time. */
static void
patience_ends_with_the_wait(void **state)
{
	struct runs_site *r = *state;
	uint64_t job;

	r->s->conf->detonate.patience_usec = 50 * USEC_PER_MSEC;
	job = asked(r);
	fake_book_answer(&r->s->book, job, 0, TABLE_LATER, 0, "");
	runs_for(r, 10 * USEC_PER_MSEC);
	fake_book_answer(&r->s->book, job, 0, TABLE_YOURS, 0, "");
	runs_until(r, &r->vmm.n_runs, 1);
	runs_for(r, 100 * USEC_PER_MSEC);
	assert_int_equal(r->s->done[1], 0);
	runs_answer(r, 0, ANSWER_CLEAN, "");
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_CLEAN, ANSWER_WAIT_USUAL, "");
}

static void
claims_and_questions_of_a_dropped_message_are_given_up(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "y", "b.js");
	runs_part(r, "z", "b.js");
	(void)asked(r);
	fake_book_answer(
	    &r->s->book, r->s->book.lookups[0].job, 0, TABLE_YOURS, 0, "");
	fake_book_answer(
	    &r->s->book, r->s->book.lookups[1].job, 0, TABLE_LATER, 0, "");
	runs_until(r, &r->vmm.n_runs, 1);
	r->s->judge = judge_free(r->s->judge);
	fake_book_serve(&r->s->book);
	fake_vmm_serve(&r->vmm);
	assert_int_equal(r->s->book.n_drops, 3);
	assert_int_equal(r->vmm.n_drops, 1);
}

static void
without_a_book_it_is_run(void **state)
{
	struct runs_site *r = *state;
	const uint64_t job = asked(r);

	fake_book_answer(&r->s->book, job, 0, TABLE_LATER, 0, "");
	runs_for(r, 10 * USEC_PER_MSEC);
	fake_book_close(&r->s->book);
	runs_until(r, &r->vmm.n_runs, 1);
	runs_answer(r, 0, ANSWER_CLEAN, "");
	runs_finish(r, 1);
}

static void
afresh_the_table_is_not_asked(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "x", "a.js");
	runs_start(r, "vm", true);
	runs_submit_held(r, 1, 0, true);
	runs_until(r, &r->vmm.n_runs, 1);
	runs_answer(r, 0, ANSWER_HIT, "h");
	runs_finish(r, 1);
	runs_for(r, 10 * USEC_PER_MSEC);
	assert_int_equal(r->s->book.n_lookups + r->s->book.n_results, 0);
}

/* Files that can't be run: a script, then a program as well. */
static void
what_cannot_be_run_waits_as_its_class_may(void **state)
{
	static const struct {
		uint64_t held_usec;
		const char *script_then, *program_then;
		bool has_program;
		enum answer answer;
		enum answer_wait wait;
	} rows[] = {
	    {99, "error", "error", false, ANSWER_UNKNOWN_SYSTEM,
		ANSWER_WAIT_ON},
	    {100, "error", "hold", false, ANSWER_UNKNOWN_SYSTEM,
		ANSWER_WAIT_NO_MORE},
	    {100, "hold", "error", false, ANSWER_UNKNOWN_SYSTEM,
		ANSWER_WAIT_ON},
	    {100, "deliver", "error", false, ANSWER_CLEAN, ANSWER_WAIT_USUAL},
	    /* Together: who must not pass holds the whole message... */
	    {100, "deliver", "error", true, ANSWER_UNKNOWN_SYSTEM,
		ANSWER_WAIT_ON},
	    {200, "deliver", "error", true, ANSWER_UNKNOWN_SYSTEM,
		ANSWER_WAIT_NO_MORE},
	    {200, "error", "hold", true, ANSWER_UNKNOWN_SYSTEM,
		ANSWER_WAIT_NO_MORE},
	    {200, "hold", "hold", true, ANSWER_UNKNOWN_SYSTEM, ANSWER_WAIT_ON},
	    {200, "deliver", "deliver", true, ANSWER_CLEAN, ANSWER_WAIT_USUAL},
	};
	struct runs_site *r = *state;

	runs_part(r, "x", "a.js");
	runs_part(r, "y", "b.exe");
	runs_start(r, "vm", false);
	r->s->conf->detonate.script_hold_usec = 100;
	r->s->conf->detonate.program_hold_usec = 200;
	fake_vmm_state(&r->vmm, "", "", "no hypervisor");
	runs_for(r, 5 * USEC_PER_MSEC);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		site_set(
		    &r->s->conf->detonate.script_then, rows[i].script_then, "");
		site_set(&r->s->conf->detonate.program_then,
		    rows[i].program_then, "");
		r->n_parts = rows[i].has_program ? 2 : 1;
		runs_submit_held(r, 1, rows[i].held_usec, false);
		runs_finish(r, 1);
		runs_said(r, 1, rows[i].answer, rows[i].wait,
		    rows[i].answer == ANSWER_CLEAN ? "" : "no hypervisor");
		if (rows[i].answer == ANSWER_CLEAN)
			assert_non_null(strstr(r->s->evidence[1],
			    "not run (detonate.script_then = deliver): no "
			    "hypervisor"));
	}
}

/* A rule for what can't be run; a hit of another file stays one. */
static void
a_hit_outranks_what_could_not_be_run(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "x", "a.js");
	runs_part(r, "y", "b.sh");
	runs_start(r, "vm", false);
	fake_vmm_state(&r->vmm, "linux", "ref", "");
	runs_for(r, 5 * USEC_PER_MSEC);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 1);
	runs_answer(r, 0, ANSWER_HIT, "h");
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_HIT, ANSWER_WAIT_USUAL, "h");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, runs_setup, runs_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_table_is_asked_by_content_reference_and_kind),
	    TEST(no_context_is_cut_off),
	    TEST(what_is_known_is_not_run),
	    TEST(what_is_ours_is_run_and_told),
	    TEST(a_claim_is_given_back_when_the_clones_do_not_know),
	    TEST(a_claim_is_given_back_when_it_cannot_be_handed_over),
	    TEST(an_answer_of_changed_rules_is_not_stored),
	    TEST(what_another_worker_runs_is_waited_for),
	    TEST(patience_with_another_worker_ends),
	    TEST(patience_ends_with_the_wait),
	    TEST(claims_and_questions_of_a_dropped_message_are_given_up),
	    TEST(without_a_book_it_is_run),
	    TEST(afresh_the_table_is_not_asked),
	    TEST(what_cannot_be_run_waits_as_its_class_may),
	    TEST(a_hit_outranks_what_could_not_be_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
