/*
 * tests/unit/test_runs.c - the engine vm: asked last, beside the others' turn,
 * and always answered.
 */
#include "tests/support/runs_site.h"

#include <unistd.h>

static void
a_suspicious_file_is_run_as_its_name_says(void **state)
{
	struct runs_site *r = *state;
	const struct wire_vm_run *run = &r->vmm.runs[0];

	runs_part(r, "plain", "a.txt");
	runs_part(r, "x = 1", "d\\b.js. ");
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 1);
	assert_string_equal(run->reference, "wine");
	assert_string_equal(run->name, "b.js");
	assert_string_equal(run->type, "");
	assert_string_equal(run->mail, "wAB12345");
	assert_int_equal(run->bytes, 5);
	assert_string_equal(r->vmm.content[0], "x = 1");
	assert_true(r->vmm.is_sealed[0]);
	assert_int_equal(r->n_longs, 1);
	assert_int_equal(r->longs[0], 1);
	runs_answer(r, 0, ANSWER_CLEAN, "");
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_CLEAN, ANSWER_WAIT_USUAL, "");
	assert_int_equal(r->vmm.n_runs, 1);
}

static void
a_hit_makes_a_virus_and_tells_what_it_did(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "x", "a.js");
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 1);
	fake_vmm_answer(&r->vmm, r->vmm.runs[0].run, ANSWER_HIT, "autorun",
	    "[{\"id\":\"autorun\", \"path\":\"\xc3\xa4\"}]");
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_HIT, ANSWER_WAIT_USUAL, "autorun");
	assert_non_null(strstr(r->s->evidence[1],
	    "\"did\":[{\"id\":\"autorun\",\"path\":\"\\u00E4\"}]"));
}

/* Lies of a role that hostile code has broken into. */
static void
evidence_that_is_none_is_left_out(void **state)
{
	static char grows[WIRE_VM_EVIDENCE_MAX + 1];
	const char *bad[] = {"[", "{} {}", "\"\xff\"", grows};
	struct runs_site *r = *state;

	grows[0] = '[';
	for (size_t i = 1; i + 4 < WIRE_VM_EVIDENCE_MAX; i += 4)
		(void)strcpy(grows + i, "1e9,");
	(void)strcat(grows, "0]");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		runs_part(r, i ? xasprintf("%zu", i) : xstrdup("x"), "a.js");
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, ARRAY_SIZE(bad));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		fake_vmm_answer(
		    &r->vmm, r->vmm.runs[i].run, ANSWER_HIT, "h", bad[i]);
	runs_finish(r, 1);
	assert_null(strstr(r->s->evidence[1], "\"did\""));
	assert_null(strstr(r->s->evidence[1], "too_large"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		free((void *)(uintptr_t)r->parts[i].octets);
}

static void
evidence_of_many_files_has_room(void **state)
{
	static char long_one[WIRE_VM_EVIDENCE_MAX + 1];
	struct runs_site *r = *state;
	char octets[10][2], *at;
	int n = 0;

	memset(long_one, 'e', WIRE_VM_EVIDENCE_MAX);
	(void)memcpy(long_one, "[\"", 2);
	(void)memcpy(long_one + WIRE_VM_EVIDENCE_MAX - 2, "\"]", 2);
	for (int i = 0; i < 10; i++) {
		octets[i][0] = (char)('0' + i);
		octets[i][1] = '\0';
		runs_part(r, octets[i], "a.js");
	}
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 10);
	for (int i = 0; i < 10; i++)
		fake_vmm_answer(
		    &r->vmm, r->vmm.runs[i].run, ANSWER_HIT, "h", long_one);
	runs_finish(r, 1);
	for (at = r->s->evidence[1]; (at = strstr(at, "\"did\"")); at++)
		n++;
	assert_int_equal(n, 10);
}

/* "ambiguous" is the reading's word, "warn" another engine's: from here they
 * must not pass for clean. */
static void
says_what_is_no_answer(struct runs_site *r, enum answer answer)
{
	runs_part(r, "x", "a.js");
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 1);
	runs_answer(r, 0, answer, "perhaps");
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_UNKNOWN_SYSTEM, ANSWER_WAIT_ON, "perhaps");
}

static void
an_answer_that_is_none_is_unknown(void **state)
{
	says_what_is_no_answer(*state, ANSWER_AMBIGUOUS);
}

static void
nor_do_clones_warn(void **state)
{
	says_what_is_no_answer(*state, ANSWER_WARN);
}

static void
who_has_answered_is_not_heard_again(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "x", "a.js");
	runs_part(r, "y", "b.js");
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 2);
	for (int i = 0; i < 3; i++)
		runs_answer(r, 0, ANSWER_CLEAN, "");
	fake_vmm_answer(&r->vmm, 999, ANSWER_HIT, "nobody's", "");
	runs_for(r, 20 * USEC_PER_MSEC);
	assert_int_equal(r->s->done[1], 0);
	runs_answer(r, 1, ANSWER_CLEAN, "");
	runs_answer(r, 1, ANSWER_HIT, "too late");
	runs_finish(r, 1);
	runs_for(r, 20 * USEC_PER_MSEC);
	assert_int_equal(r->s->done[1], 1);
	runs_said(r, 1, ANSWER_CLEAN, ANSWER_WAIT_USUAL, "");
}

static void
nothing_suspicious_is_clean_at_once(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "plain", "a.txt");
	r->parts[r->n_parts++] =
	    (struct runs_part){"import x", "", "text/x-python", PART_BODY};
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_CLEAN, ANSWER_WAIT_USUAL, "");
	assert_int_equal(r->vmm.n_runs + r->n_longs, 0);
}

static void
of_what_no_reference_runs_it_has_no_opinion(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "x", "a.js");
	site_set(&r->s->conf->vm.references, "linux", "");
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_CLEAN, ANSWER_WAIT_USUAL, "");
	assert_int_equal(r->vmm.n_runs, 0);
}

/* clamd is asked first; what it says of the part decides whether we are. */
static void
when_clamd_has_a_hit_or_does_not_know_nothing_is_run(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "A FOUND", "a.js");
	runs_start(r, "clamd vm", false);
	runs_submit(r, 1);
	runs_finish(r, 1);
	site_said(r->s, 1, "clamd", ANSWER_HIT, "A");
	r->parts[0].octets = "New ERROR";
	runs_submit(r, 2);
	runs_finish(r, 2);
	site_said(r->s, 2, "clamd", ANSWER_UNKNOWN_SYSTEM, "");
	r->parts[0].octets = "OK";
	runs_submit(r, 3);
	runs_until(r, &r->vmm.n_runs, 1);
	assert_int_equal(r->s->done[3], 0);
	for (int job = 1; job <= 2; job++)
		for (uint32_t i = 0; i < r->s->judgement[job].n_answers; i++)
			assert_string_not_equal(
			    r->s->judgement[job].answers[i].engine, "vm");
}

static void
it_is_asked_when_the_others_have_answered(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "!later", "a.js"); /* "OK" after 100 ms */
	r->s->conf->clamd.timeout_usec = 5 * USEC_PER_SEC;
	runs_start(r, "clamd vm", false);
	runs_submit(r, 1);
	runs_for(r, 50 * USEC_PER_MSEC);
	assert_int_equal(r->vmm.n_runs + r->n_longs, 0);
	runs_until(r, &r->vmm.n_runs, 1);
	assert_int_equal(r->n_longs, 1);
}

/* Policy's refusal doesn't end it: a virus outranks that. */
static void
a_refused_name_is_run_all_the_same(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "x", "a.exe");
	runs_start(r, "policy vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 1);
	runs_answer(r, 0, ANSWER_HIT, "drops");
	runs_finish(r, 1);
	site_said(r->s, 1, "policy", ANSWER_HIT, "");
	runs_said(r, 1, ANSWER_HIT, ANSWER_WAIT_USUAL, "drops");
}

static void
one_content_is_run_once_a_kind(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "x", "a.js");
	runs_part(r, "x", "b.js");
	runs_part(r, "x", "c.vbs");
	runs_part(r, "x", "readme");
	r->parts[3].type = "text/x-perl";
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 3);
	assert_string_equal(r->vmm.runs[0].name, "a.js");
	assert_string_equal(r->vmm.runs[1].name, "c.vbs");
	assert_string_equal(r->vmm.runs[2].name, "readme");
	assert_string_equal(r->vmm.runs[2].type, "text/x-perl");
	runs_answer(r, 1, ANSWER_HIT, "as vbs");
	runs_answer(r, 0, ANSWER_CLEAN, "");
	runs_for(r, 20 * USEC_PER_MSEC);
	assert_int_equal(r->s->done[1], 0);
	runs_answer(r, 2, ANSWER_CLEAN, "");
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_HIT, ANSWER_WAIT_USUAL, "as vbs");
	assert_int_equal(r->vmm.n_runs, 3);
}

static void
too_many_files_are_the_messages_fault(void **state)
{
	struct runs_site *r = *state;
	char octets[3][2] = {"1", "2", "3"};

	for (int i = 0; i < 3; i++)
		runs_part(r, octets[i], "a.js");
	r->s->conf->detonate.files = 2;
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_UNKNOWN_MESSAGE, ANSWER_WAIT_USUAL,
	    "more than 2 files to run");
	r->n_parts = 2;
	runs_submit(r, 2);
	runs_until(r, &r->vmm.n_runs, 2);
}

/* One content and many names: what is handed over must stay bounded. */
static void
too_large_files_are_the_messages_fault(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "0123456789", "a.js");
	runs_part(r, "0123456789", "a.vbs");
	runs_start(r, "vm", false);
	r->s->conf->budget.output_bytes = 19;
	runs_submit(r, 1);
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_UNKNOWN_MESSAGE, ANSWER_WAIT_USUAL,
	    "too large together");
	r->s->conf->budget.output_bytes = 20;
	runs_submit(r, 2);
	runs_until(r, &r->vmm.n_runs, 2);
}

static void
too_many_messages_that_wait_are_the_systems_fault(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "x", "a.js");
	r->s->conf->detonate.waiting = 1;
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 1);
	runs_submit(r, 2);
	runs_finish(r, 2);
	runs_said(
	    r, 2, ANSWER_UNKNOWN_SYSTEM, ANSWER_WAIT_ON, "too many messages");
	/* And that has its end, too. */
	runs_submit_held(r, 3, r->s->conf->detonate.script_hold_usec, false);
	runs_finish(r, 3);
	runs_said(r, 3, ANSWER_UNKNOWN_SYSTEM, ANSWER_WAIT_NO_MORE, "");
	assert_int_equal(r->n_longs, 1);
	runs_answer(r, 0, ANSWER_CLEAN, "");
	runs_finish(r, 1);
	runs_submit(r, 2);
	runs_until(r, &r->vmm.n_runs, 2);
}

/* It gives up its share of memory, so another can be read meanwhile. */
static void
who_waits_for_memory_is_read_when_another_waits_for_clones(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "!later", "a.js");
	r->s->conf->clamd.timeout_usec = 5 * USEC_PER_SEC;
	runs_start(r, "clamd vm", false);
	r->s->conf->budget.output_bytes = 10; /* less than any reading */
	runs_submit(r, 1);
	runs_for(r, 50 * USEC_PER_MSEC);
	r->n_parts = 0; /* of the next message, which waits for its reading */
	runs_submit(r, 2);
	runs_for(r, 20 * USEC_PER_MSEC);
	assert_int_equal(r->s->done[2] + r->n_longs, 0);
	runs_until(r, &r->vmm.n_runs, 1);
	runs_finish(r, 2);
	assert_int_equal(r->s->done[1], 0);
}

static void
no_more_is_handed_over_than_the_vmm_role_can_hold(void **state)
{
	static char octets[3][RUNS_PARTS_MAX][8];
	struct runs_site *r = *state;

	r->s->conf->detonate.files = 64;
	runs_start(r, "vm", false);
	for (int job = 1; job <= 3; job++) {
		r->n_parts = 0;
		for (int i = 0; i < 50; i++) {
			(void)snprintf(
			    octets[job - 1][i], 8, "%d", i + 100 * job);
			runs_part(r, octets[job - 1][i], "a.js");
		}
		runs_submit(r, (uint64_t)job);
		runs_until(r, &r->n_longs, (size_t)job);
	}
	runs_until(r, &r->vmm.n_runs, WIRE_VM_RUNS_MAX);
	runs_for(r, 20 * USEC_PER_MSEC);
	assert_int_equal(r->vmm.n_runs, WIRE_VM_RUNS_MAX);
	for (size_t i = 100; i < WIRE_VM_RUNS_MAX; i++)
		runs_answer(r, i, ANSWER_CLEAN, "");
	runs_finish(r, 3);
	runs_said(r, 3, ANSWER_UNKNOWN_SYSTEM, ANSWER_WAIT_ON, "no more files");
	assert_int_equal(r->s->done[1] + r->s->done[2], 0);
	runs_submit(r, 3); /* those have gone: there is room for some */
	runs_until(r, &r->vmm.n_runs, WIRE_VM_RUNS_MAX + 28);
}

static void
when_the_role_dies_this_one_ends(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "x", "a.js");
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 1);
	fake_vmm_die(&r->vmm);
	runs_for(r, 20 * USEC_PER_MSEC);
	assert_int_equal(r->s->lost, 1);
	assert_int_equal(r->s->done[1], 0);
}

static void
what_nobody_waits_for_is_dropped(void **state)
{
	struct runs_site *r = *state;

	runs_part(r, "x", "a.js");
	runs_part(r, "y", "a.js");
	runs_start(r, "vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 2);
	runs_answer(r, 0, ANSWER_CLEAN, "");
	runs_for(r, 20 * USEC_PER_MSEC);
	r->s->judge = judge_free(r->s->judge);
	fake_vmm_serve(&r->vmm);
	assert_int_equal(r->vmm.n_drops, 1);
	assert_int_equal(r->vmm.drops[0], r->vmm.runs[1].run);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, runs_setup, runs_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_suspicious_file_is_run_as_its_name_says),
	    TEST(a_hit_makes_a_virus_and_tells_what_it_did),
	    TEST(evidence_that_is_none_is_left_out),
	    TEST(evidence_of_many_files_has_room),
	    TEST(an_answer_that_is_none_is_unknown),
	    TEST(nor_do_clones_warn),
	    TEST(who_has_answered_is_not_heard_again),
	    TEST(nothing_suspicious_is_clean_at_once),
	    TEST(of_what_no_reference_runs_it_has_no_opinion),
	    TEST(when_clamd_has_a_hit_or_does_not_know_nothing_is_run),
	    TEST(it_is_asked_when_the_others_have_answered),
	    TEST(a_refused_name_is_run_all_the_same),
	    TEST(one_content_is_run_once_a_kind),
	    TEST(too_many_files_are_the_messages_fault),
	    TEST(too_large_files_are_the_messages_fault),
	    TEST(too_many_messages_that_wait_are_the_systems_fault),
	    TEST(who_waits_for_memory_is_read_when_another_waits_for_clones),
	    TEST(no_more_is_handed_over_than_the_vmm_role_can_hold),
	    TEST(when_the_role_dies_this_one_ends),
	    TEST(what_nobody_waits_for_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
