/*
 * tests/unit/test_mef_model.c - a model file that is damaged, pruned or full
 * says so, and what was learned decides.
 */
#include "worker/mef/model_priv.h"

#include "tests/support/tmpspool.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct mef_bag *
bag_of(const char *text)
{
	struct mef_bag *bag = mef_bag_new();

	mef_extract_list(bag, MEF_SET_FULL, text, strlen(text));
	return bag;
}

static struct digest
learn(struct mef_model *model, const char *text, enum mef_class class)
{
	const struct digest digest = digest_memory(text, strlen(text));
	struct mef_bag *bag = bag_of(text);

	assert_int_equal(mef_model_add(model, bag, &digest, class), 0);
	(void)mef_bag_free(bag);
	return digest;
}

static struct mef_model *
small_model(void)
{
	struct mef_model *model = mef_model_new(MEF_SET_FULL, 12);

	(void)learn(
	    model, "OpenDocument\nSaveDocument\nPrint page", MEF_BENIGN);
	(void)learn(model, "OpenDocument\nHelp contents\nAbout", MEF_BENIGN);
	(void)learn(
	    model, "InfectDisk\nDeleteBackups\nKeylogger", MEF_MALICIOUS);
	(void)learn(model, "InfectBoot\nKeylogger started", MEF_MALICIOUS);
	return model;
}

static double
total(const struct mef_model *model, const char *text)
{
	struct mef_bag *bag = bag_of(text);
	struct mef_score score;
	double sum = 0;

	mef_model_score(model, bag, NULL, &score);
	for (int f = 0; f < MEF_FAMILIES; f++)
		sum += score.family[f];
	assert_true(sum - score.total < 1e-9 && score.total - sum < 1e-9);
	(void)mef_bag_free(bag);
	return score.total;
}

static void
what_was_learned_is_told_from_the_rest(void **state)
{
	struct mef_model *model = small_model();

	(void)state;
	mef_model_solve(model);
	assert_true(total(model, "Keylogger for InfectDisk") >
		    total(model, "OpenDocument and Print"));
	(void)mef_model_free(model);
}

static void
known_documents_override_both_ways(void **state)
{
	static const char text[] = "OpenDocument\nPrint page";
	struct mef_model *model = small_model();
	struct digest digest = learn(model, text, MEF_MALICIOUS);
	struct mef_bag *bag = bag_of(text);
	struct mef_score score;

	(void)state;
	mef_model_solve(model);
	mef_model_score(model, bag, &digest, &score);
	assert_true(score.is_known && score.p_malicious == 1);
	assert_int_equal(mef_label_of(&score, 1), MEF_IS_MALICIOUS);
	/* Learned as both it decides nothing. */
	(void)learn(model, text, MEF_BENIGN);
	mef_model_solve(model);
	mef_model_score(model, bag, &digest, &score);
	assert_false(score.is_known);
	(void)mef_bag_free(bag);
	(void)mef_model_free(model);
}

static void
borderline_is_a_band_around_even_odds(void **state)
{
	struct mef_score score = {.p_malicious = 0.51};

	(void)state;
	assert_int_equal(mef_label_of(&score, 0.025), MEF_IS_BORDERLINE);
	assert_int_equal(mef_label_of(&score, 0.01), MEF_IS_MALICIOUS);
	score.p_malicious = 0.4;
	assert_int_equal(mef_label_of(&score, 0.2), MEF_IS_BORDERLINE);
	assert_int_equal(mef_label_of(&score, 0.19), MEF_IS_BENIGN);
	score.p_malicious = 0.5;
	assert_int_equal(mef_label_of(&score, 0), MEF_IS_BORDERLINE);
}

static void
a_saved_model_is_read_and_learns_on(void **state)
{
	char *dir = tmp_new(), err[300] = "";
	CLEANUP(free_ptr) char *path = xasprintf("%s/m", dir);
	struct mef_model *model = small_model(), *again = NULL;
	double before;

	(void)state;
	mef_model_solve(model);
	before = total(model, "Keylogger");
	assert_int_equal(mef_model_save(model, path), 0);
	if (mef_model_open(path, &again, err, sizeof(err)) < 0)
		fail_msg("%s", err);
	mef_model_solve(again);
	assert_true(total(again, "Keylogger") == before);
	(void)learn(again, "Another one", MEF_BENIGN);
	assert_int_equal(mef_model_head(again)->n_documents[MEF_BENIGN], 3);
	assert_int_equal(mef_model_save(again, path), 0);
	(void)mef_model_free(again);
	assert_int_equal(mef_model_open(path, &again, err, sizeof(err)), 0);
	assert_int_equal(mef_model_head(again)->n_known, 5);
	(void)mef_model_free(again);
	(void)mef_model_free(model);
	tmp_remove(dir);
}

static void
put_octet(const char *path, uint64_t at, unsigned char change)
{
	CLEANUP(close_fd) int fd = open(path, O_RDWR | O_CLOEXEC);
	unsigned char octet;

	assert_int_equal(pread(fd, &octet, 1, (off_t)at), 1);
	octet ^= change;
	assert_int_equal(pwrite(fd, &octet, 1, (off_t)at), 1);
}

static void
a_damaged_file_is_refused_and_says_why(void **state)
{
	char *dir = tmp_new();
	CLEANUP(free_ptr) char *path = xasprintf("%s/m", dir);
	struct mef_model *model = small_model(), *again = NULL;
	const uint64_t places[] = {0, 8, 12, 16, 24, 32, 40, 56, 100, 300,
	    MEF_PAGE, MEF_PAGE + 5000, 0};

	(void)state;
	assert_int_equal(mef_model_save(model, path), 0);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const uint64_t at = i + 1 < ARRAY_SIZE(places)
					? places[i]
					: mef_model_head(model)->file_bytes - 1;
		char err[300] = "";

		put_octet(path, at, 0x11);
		assert_int_equal(
		    mef_model_open(path, &again, err, sizeof(err)), -EBADMSG);
		assert_null(again);
		assert_non_null(strstr(err, path));
		assert_non_null(strstr(err, "again"));
		put_octet(path, at, 0x11);
	}
	assert_int_equal(truncate(path, 5000), 0);
	assert_int_equal(
	    mef_model_open(path, &again, (char[300]){""}, 300), -EBADMSG);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(
	    mef_model_open(path, &again, (char[300]){""}, 300), -EBADMSG);
	assert_int_equal(
	    mef_model_open(dir, &again, (char[300]){""}, 300), -EBADMSG);
	(void)mef_model_free(model);
	tmp_remove(dir);
}

static void
a_pruned_view_judges_and_does_not_learn(void **state)
{
	struct mef_model *model = small_model(), *fresh = small_model();
	struct mef_bag *bag = bag_of("something");
	const struct digest digest = {{1}};

	(void)state;
	assert_int_equal(mef_model_prune(model, 2), 0);
	assert_int_equal(mef_model_head(model)->n_known, 2);
	mef_model_solve(model);
	assert_true(total(model, "Keylogger") > total(model, "OpenDocument"));
	assert_int_equal(
	    mef_model_add(model, bag, &digest, MEF_BENIGN), -EROFS);
	assert_int_equal(
	    mef_model_remove(model, bag, &digest, MEF_BENIGN), -EROFS);
	assert_int_equal(mef_model_merge(fresh, model), -EROFS);
	assert_int_equal(mef_model_prune(model, 2), -EROFS);
	(void)mef_bag_free(bag);
	(void)mef_model_free(model);
	(void)mef_model_free(fresh);
}

static void
the_last_document_that_fits_is_the_last(void **state)
{
	struct mef_model *model = mef_model_new(MEF_SET_FULL, 12);
	struct mef_model *other = small_model();
	struct mef_bag *bag = bag_of("something");
	const struct digest digest = {{1}};

	(void)state;
	model->head.n_documents[MEF_BENIGN] = MEF_DOCUMENTS_MAX;
	assert_int_equal(
	    mef_model_add(model, bag, &digest, MEF_BENIGN), -EOVERFLOW);
	assert_int_equal(mef_model_merge(model, other), -EOVERFLOW);
	assert_int_equal(mef_model_add(model, bag, &digest, MEF_MALICIOUS), 0);
	(void)mef_bag_free(bag);
	(void)mef_model_free(model);
	(void)mef_model_free(other);
}

static void
models_of_other_sizes_are_not_added(void **state)
{
	struct mef_model *model = small_model();
	struct mef_model *other = mef_model_new(MEF_SET_FULL, 11);
	struct mef_model *old = mef_model_new(MEF_SET_2001, 12);

	(void)state;
	assert_int_equal(mef_model_merge(model, other), -EINVAL);
	assert_int_equal(mef_model_merge(model, old), -EINVAL);
	assert_int_equal(mef_model_subtract(model, old), -EINVAL);
	(void)mef_model_free(model);
	(void)mef_model_free(other);
	(void)mef_model_free(old);
}

static void
the_default_is_below_128_megabytes(void **state)
{
	struct mef_head head;

	(void)state;
	for (int set = 0; set < MEF_SETS; set++) {
		mef_head_init(&head, (enum mef_set)set, 0);
		assert_true(head.file_bytes < 128 * 1000 * 1000);
		assert_true(mef_head_is_sane(&head, head.file_bytes));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_learned_is_told_from_the_rest),
	    cmocka_unit_test(known_documents_override_both_ways),
	    cmocka_unit_test(borderline_is_a_band_around_even_odds),
	    cmocka_unit_test(a_saved_model_is_read_and_learns_on),
	    cmocka_unit_test(a_damaged_file_is_refused_and_says_why),
	    cmocka_unit_test(a_pruned_view_judges_and_does_not_learn),
	    cmocka_unit_test(the_last_document_that_fits_is_the_last),
	    cmocka_unit_test(models_of_other_sizes_are_not_added),
	    cmocka_unit_test(the_default_is_below_128_megabytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
