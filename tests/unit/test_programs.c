/*
 * tests/unit/test_programs.c - the engine mef: what it says of the files of a
 * message, whom it asks, and what becomes of it without a good model.
 */
#include "tests/support/runs_site.h"

#include "common/digest.h"
#include "worker/mef/extract.h"
#include "worker/mef/model.h"
#include "worker/programs_priv.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define BAD       "#!/bin/sh\nencrypt documents; send ransom note; wipe backups\n"
#define GOOD      "#!/bin/sh\nprint report; count lines; close ledger\n"
#define DOCUMENTS 8

/* Learns variants of both; reversed: as the other class each. */
static void
make_model(const struct runs_site *r, bool is_reversed)
{
	struct mef_model *model = mef_model_new(MEF_SET_FULL, 12);
	char *path = xasprintf("%s/model", r->s->dir);

	for (int i = 0; i < 2 * DOCUMENTS; i++) {
		const bool is_bad = i % 2;
		char *text =
		    xasprintf("%s# variant %d\n", is_bad ? BAD : GOOD, i);
		const struct digest digest = digest_memory(text, strlen(text));
		struct mef_bag *bag = mef_bag_new();

		mef_extract(bag, MEF_SET_FULL, text, strlen(text));
		assert_int_equal(
		    mef_model_add(model, bag, &digest,
			is_bad != is_reversed ? MEF_MALICIOUS : MEF_BENIGN),
		    0);
		(void)mef_bag_free(bag);
		free(text);
	}
	mef_model_set_point(model, (struct mef_point){.slope = 10000000});
	assert_int_equal(mef_model_save(model, path), 0);
	(void)mef_model_free(model);
	site_set(&r->s->conf->mef.model, path, "");
	free(path);
}

static void
break_model(const struct runs_site *r)
{
	char *fresh = xasprintf("%s.new", r->s->conf->mef.model);

	site_write(fresh, "SLUICMEF");
	assert_int_equal(rename(fresh, r->s->conf->mef.model), 0);
	free(fresh);
}

/* Engines look at most once a second, have a thread open what is there, and
 * take it when that is done. */
static void
let_it_be_seen(struct runs_site *r)
{
	struct model *model = r->s->judge->programs->model;
	struct pollfd done = {model_fd(model), POLLIN, 0};

	runs_for(r, 1100 * USEC_PER_MSEC);
	model_look(model);
	assert_int_equal(poll(&done, 1, 60000), 1);
	runs_for(r, USEC_PER_MSEC);
	assert_int_equal(poll(&done, 1, 0), 0);
}

static void
judged(struct runs_site *r, uint64_t job, enum answer answer, const char *why)
{
	runs_submit(r, job);
	runs_finish(r, job);
	site_said(r->s, job, "mef", answer, why);
}

static void
list_as(struct runs_site *r, const char *class, const char *octets)
{
	const struct digest digest = digest_memory(octets, strlen(octets));
	char hex[DIGEST_HEX], *path = xasprintf("%s/known", r->s->dir);
	char *line = xasprintf("%s %s\n", class, digest_hex(&digest, hex));

	site_write(path, line);
	site_set(&r->s->conf->mef.known, path, "");
	free(line);
	free(path);
}

static void
a_malicious_program_is_warned_of(void **state)
{
	struct runs_site *r = *state;
	const char *evidence = r->s->evidence[1];

	make_model(r, false);
	runs_program(r, BAD, "a.sh");
	runs_program(r, GOOD, "b.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_WARN, "malicious, P ");
	assert_int_equal(r->s->n_extracted, 2);
	assert_non_null(
	    strstr(evidence, "\"engine\":\"mef\",\"answer\":\"warn\""));
	assert_non_null(strstr(evidence, "\"label\":\"malicious\""));
	assert_non_null(strstr(evidence, "\"label\":\"benign\""));
	assert_non_null(strstr(evidence, "\"strongest\":[{\"family\":"));
}

static void
a_harmless_one_is_clean(void **state)
{
	struct runs_site *r = *state;

	make_model(r, false);
	runs_program(r, GOOD, "b.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_CLEAN, "");
	assert_string_equal(site_answer(r->s, 1, "mef")->reason, "");
}

/* Everything is borderline where the band is all there is. */
static void
the_band_is_the_sites(void **state)
{
	struct runs_site *r = *state;

	make_model(r, false);
	r->s->conf->mef.threshold_ppm = 1000000;
	runs_program(r, GOOD, "b.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_WARN, "borderline, P ");
}

static void
what_is_no_program_is_not_asked_about(void **state)
{
	struct runs_site *r = *state;

	make_model(r, false);
	runs_part(r, BAD, "a.txt"); /* the cell did not mark it */
	r->parts[r->n_parts++] = (struct runs_part){
	    BAD "#", "", "text/plain", PART_BODY | PART_PROGRAM};
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_CLEAN, "");
	assert_int_equal(r->s->n_extracted, 0);
}

static void
a_content_is_read_once(void **state)
{
	struct runs_site *r = *state;

	make_model(r, false);
	for (int i = 0; i < 3; i++)
		runs_program(r, BAD, "a.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_WARN, "malicious");
	assert_int_equal(r->s->n_extracted, 1);
}

static void
of_many_each_is_asked_about(void **state)
{
	struct runs_site *r = *state;
	char octets[60][sizeof(GOOD) + 20];

	make_model(r, false);
	for (int i = 0; i < 60; i++) {
		(void)sprintf(octets[i], GOOD "# number %d\n", i);
		runs_program(r, octets[i], "b.sh");
	}
	runs_program(r, BAD, "a.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_WARN, "malicious");
	assert_int_equal(r->s->n_extracted, 61);
}

static void
a_cell_that_dies_of_it_is_the_messages_fault(void **state)
{
	struct runs_site *r = *state;

	make_model(r, false);
	r->s->is_deadly = true;
	runs_program(r, BAD, "a.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_UNKNOWN_MESSAGE, "its cell died");
}

static void
without_a_model_there_is_no_opinion(void **state)
{
	struct runs_site *r = *state;

	site_set(&r->s->conf->mef.model, r->s->dir, "/model");
	runs_program(r, BAD, "a.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_CLEAN, "no opinion: ");
	assert_int_equal(r->s->n_extracted, 0);
	make_model(r, false);
	let_it_be_seen(r);
	judged(r, 2, ANSWER_WARN, "malicious");
}

static void
a_damaged_model_is_unknown_for_programs_alone(void **state)
{
	struct runs_site *r = *state;

	make_model(r, false);
	break_model(r);
	runs_program(r, BAD, "a.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_UNKNOWN_SYSTEM, "/model");
	r->n_parts = 0;
	runs_part(r, "plain", "a.txt");
	judged(r, 2, ANSWER_CLEAN, "");
}

static void
a_former_model_goes_on_where_the_new_one_is_damaged(void **state)
{
	struct runs_site *r = *state;

	make_model(r, false);
	runs_program(r, BAD, "a.sh");
	runs_start(r, "mef", false);
	break_model(r);
	let_it_be_seen(r);
	judged(r, 1, ANSWER_WARN, "malicious");
	make_model(r, true);
	let_it_be_seen(r);
	judged(r, 2, ANSWER_CLEAN, "");
}

static void
the_sites_list_is_right(void **state)
{
	struct runs_site *r = *state;

	make_model(r, false);
	list_as(r, "benign", BAD);
	runs_program(r, BAD, "a.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_CLEAN, "");
	assert_int_equal(r->s->n_extracted, 0);
}

/* Even where there is no model. */
static void
the_sites_list_makes_malicious(void **state)
{
	struct runs_site *r = *state;

	site_set(&r->s->conf->mef.model, r->s->dir, "/model");
	list_as(r, "malicious", GOOD);
	runs_program(r, GOOD, "b.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_WARN, "malicious: this site lists it");
}

static void
a_wrong_list_is_no_start(void **state)
{
	struct runs_site *r = *state;
	char err[200] = "", *path = xasprintf("%s/known", r->s->dir);

	site_write(path, "evil " BAD);
	site_set(&r->s->conf->mef.known, path, "");
	site_set(&r->s->conf->worker.engines, "mef", "");
	assert_int_equal(site_start(r->s, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "/known:1: "));
	free(path);
}

static void
a_document_that_was_learned_is_known(void **state)
{
	struct runs_site *r = *state;

	make_model(r, false);
	runs_program(r, BAD "# variant 1\n", "a.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_WARN, "the model has learned this very file");
	assert_int_equal(r->s->n_extracted, 0);
}

static void
it_can_be_held(void **state)
{
	struct runs_site *r = *state;

	make_model(r, false);
	site_set(&r->s->conf->mef.malicious, "hold", "");
	runs_program(r, BAD, "a.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_HIT, "malicious");
}

static void
without_clones_detonate_is_wrap(void **state)
{
	struct runs_site *r = *state;

	make_model(r, false);
	site_set(&r->s->conf->mef.malicious, "detonate", "");
	runs_program(r, BAD, "a.sh");
	runs_start(r, "mef", false);
	judged(r, 1, ANSWER_WARN, "malicious");
}

static void
detonated(struct runs_site *r, enum answer answer, enum answer want)
{
	make_model(r, false);
	site_set(&r->s->conf->mef.malicious, "detonate", "");
	runs_program(r, BAD, "a.sh");
	runs_start(r, "mef vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 1);
	runs_answer(r, 0, answer, "");
	runs_finish(r, 1);
	site_said(r->s, 1, "mef", want, "malicious");
}

static void
what_a_clone_has_run_without_harm_passes(void **state)
{
	struct runs_site *r = *state;

	detonated(r, ANSWER_CLEAN, ANSWER_CLEAN);
	assert_non_null(strstr(r->s->evidence[1], "a clone shows nothing"));
}

/* Mail that is let through although its program was not run. */
static void
what_no_clone_has_run_is_wrapped(void **state)
{
	struct runs_site *r = *state;

	site_set(&r->s->conf->detonate.script_then, "deliver", "");
	r->s->conf->detonate.script_hold_usec = 0;
	detonated(r, ANSWER_UNKNOWN_SYSTEM, ANSWER_WARN);
	site_said(r->s, 1, "vm", ANSWER_CLEAN, "");
}

/* Named and typed as something else: it is run all the same. */
static void
a_flagged_program_is_run_under_any_name(void **state)
{
	static char elf[70] = "\177ELF\2\1\1 no more than the beginning of one";
	struct runs_site *r = *state;

	make_model(r, false);
	r->s->conf->mef.threshold_ppm = 1000000;
	site_set(&r->s->conf->mef.borderline, "detonate", "");
	runs_program(r, elf, "holiday.jpg");
	runs_start(r, "mef vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 1);
	assert_string_equal(r->vmm.runs[0].reference, "linux");
	assert_string_equal(r->vmm.runs[0].type, "application/x-executable");
	runs_answer(r, 0, ANSWER_HIT, "autorun");
	runs_finish(r, 1);
	runs_said(r, 1, ANSWER_HIT, ANSWER_WAIT_USUAL, "autorun");
	site_said(r->s, 1, "mef", ANSWER_WARN, "borderline");
}

/* With wrap a clone has no say in it. */
static void
wrap_needs_no_clone(void **state)
{
	struct runs_site *r = *state;

	make_model(r, false);
	runs_program(r, BAD, "a.sh");
	runs_start(r, "mef vm", false);
	runs_submit(r, 1);
	runs_until(r, &r->vmm.n_runs, 1);
	runs_answer(r, 0, ANSWER_CLEAN, "");
	runs_finish(r, 1);
	site_said(r->s, 1, "mef", ANSWER_WARN, "malicious");
}

static void
the_table_is_asked_and_told(void **state)
{
	struct runs_site *r = *state;
	struct fake_book *book = &r->s->book;
	char first[TABLE_CONTEXT_MAX];

	make_model(r, false);
	runs_program(r, BAD, "a.sh");
	runs_start(r, "mef", true);
	runs_submit(r, 1);
	runs_until(r, &book->n_lookups, 1);
	assert_string_equal(book->lookups[0].engine, "mef");
	(void)strcpy(first, book->lookups[0].context);
	fake_book_answer(
	    book, book->lookups[0].job, 0, TABLE_YOURS, TABLE_UNKNOWN, "");
	runs_finish(r, 1);
	runs_until(r, &book->n_results, 1);
	assert_int_equal(book->results[0].verdict, TABLE_HIT);
	assert_string_equal(book->results[0].context, first);
	assert_memory_equal(book->results[0].name, "malicious ", 10);
	/* Another model: nothing that is there is of it. */
	make_model(r, true);
	let_it_be_seen(r);
	runs_submit(r, 2);
	runs_until(r, &book->n_lookups, 2);
	assert_string_not_equal(book->lookups[1].context, first);
	fake_book_answer(book, book->lookups[1].job, 0, TABLE_KNOWN, TABLE_HIT,
	    "borderline 0.51 script words+0.3");
	runs_finish(r, 2);
	site_said(r->s, 2, "mef", ANSWER_WARN,
	    "borderline, P 51.0 % (script; words +0.3)");
	assert_non_null(strstr(r->s->evidence[2], "\"known\":true"));
	assert_int_equal(r->s->n_extracted, 1);
}

static void
a_table_that_talks_nonsense_is_not_believed(void **state)
{
	struct runs_site *r = *state;
	struct fake_book *book = &r->s->book;

	make_model(r, false);
	runs_program(r, BAD, "a.sh");
	runs_start(r, "mef", true);
	runs_submit(r, 1);
	runs_until(r, &book->n_lookups, 1);
	fake_book_answer(
	    book, book->lookups[0].job, 0, TABLE_KNOWN, TABLE_CLEAN, "");
	runs_finish(r, 1);
	site_said(r->s, 1, "mef", ANSWER_WARN, "malicious, P ");
	assert_int_equal(r->s->n_extracted, 1);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, runs_setup, runs_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_malicious_program_is_warned_of),
	    TEST(a_harmless_one_is_clean),
	    TEST(the_band_is_the_sites),
	    TEST(what_is_no_program_is_not_asked_about),
	    TEST(a_content_is_read_once),
	    TEST(of_many_each_is_asked_about),
	    TEST(a_cell_that_dies_of_it_is_the_messages_fault),
	    TEST(without_a_model_there_is_no_opinion),
	    TEST(a_damaged_model_is_unknown_for_programs_alone),
	    TEST(a_former_model_goes_on_where_the_new_one_is_damaged),
	    TEST(the_sites_list_is_right),
	    TEST(the_sites_list_makes_malicious),
	    TEST(a_wrong_list_is_no_start),
	    TEST(a_document_that_was_learned_is_known),
	    TEST(it_can_be_held),
	    TEST(without_clones_detonate_is_wrap),
	    TEST(what_a_clone_has_run_without_harm_passes),
	    TEST(what_no_clone_has_run_is_wrapped),
	    TEST(a_flagged_program_is_run_under_any_name),
	    TEST(wrap_needs_no_clone),
	    TEST(the_table_is_asked_and_told),
	    TEST(a_table_that_talks_nonsense_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
