/*
 * tests/unit/test_model.c - the model file as engines have it: there, not
 * there, damaged, replaced.
 */
#include "worker/model.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Looks are a second apart. */
static void
look_first(struct model *model)
{
	(void)usleep(1050000);
	model_look(model);
}

/* Its thread, if there is one, ends: nothing is to be read without it. */
static bool
wait_for_thread(const struct model *model, int patience_msec)
{
	struct pollfd done = {model_fd(model), POLLIN, 0};
	const int n = poll(&done, 1, patience_msec);

	assert_true(n >= 0);
	return n > 0;
}

static void
look(struct model *model, enum model_state want)
{
	look_first(model);
	if (model_state(model) != want) {
		(void)wait_for_thread(model, 60000);
		model_look(model);
	}
	assert_int_equal(model_state(model), want);
	assert_true((want == MODEL_GOOD) == (*model_why(model) == '\0'));
	assert_true((want == MODEL_NONE || want == MODEL_BROKEN) ==
		    (model_get(model) == NULL));
}

static void
put(const char *path, uint64_t number)
{
	static const struct digest none;
	struct mef_model *mef = mef_model_new(MEF_SET_FULL, 10);

	mef_model_set_release(mef, number, &none);
	assert_int_equal(mef_model_save(mef, path), 0);
	(void)mef_model_free(mef);
}

static void
put_damaged(const char *path)
{
	CLEANUP(free_ptr) char *fresh = xasprintf("%s.new", path);
	CLEANUP(close_fd)
	int fd = open(fresh, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_int_equal(write_all(fd, "SLUICMEF", 8), 0);
	assert_int_equal(rename(fresh, path), 0);
}

static uint64_t
release(const struct model *model)
{
	return mef_model_head(model_get(model))->release;
}

static void
a_file_comes_is_replaced_damaged_and_goes(void **state)
{
	char *dir = tmp_new(), *path = xasprintf("%s/model", dir);
	struct model *model = NULL;
	char context[TABLE_CONTEXT_MAX];
	struct mono begun;

	(void)state;
	do { /* again, if that took a busy machine a second */
		(void)model_free(model);
		(void)unlink(path);
		begun = mono_now();
		model = model_new(path, 25000);
		assert_int_equal(model_state(model), MODEL_NONE);
		put(path, 1);
		model_look(model); /* too early */
	} while (mono_span(begun, mono_now()) >= USEC_PER_SEC);
	assert_int_equal(model_state(model), MODEL_NONE);
	assert_false(wait_for_thread(model, 200));
	look(model, MODEL_GOOD);
	assert_int_equal(release(model), 1);
	(void)strcpy(context, model_context(model));
	put(path, 2);
	look_first(model);
	(void)wait_for_thread(model, 60000);
	model_look(model);
	assert_int_equal(model_state(model), MODEL_GOOD);
	assert_int_equal(release(model), 2);
	assert_string_not_equal(model_context(model), context);
	put_damaged(path);
	look(model, MODEL_FORMER);
	assert_int_equal(release(model), 2);
	assert_int_equal(unlink(path), 0);
	look(model, MODEL_NONE);
	put_damaged(path);
	look(model, MODEL_BROKEN);
	put(path, 1);
	look(model, MODEL_GOOD);
	assert_string_equal(model_context(model), context);
	(void)model_free(model);
	free(path);
	tmp_remove(dir);
}

static void
the_former_one_serves_while_another_is_opened(void **state)
{
	char *dir = tmp_new(), *path = xasprintf("%s/model", dir);
	struct model *model;

	(void)state;
	put(path, 1);
	model = model_new(path, 25000);
	put(path, 2);
	look_first(model);
	assert_int_equal(release(model), 1);
	(void)wait_for_thread(model, 60000);
	assert_int_equal(release(model), 1); /* nobody's hands but the loop's */
	model_look(model);
	assert_int_equal(release(model), 2);
	put(path, 3);
	look_first(model);
	(void)model_free(model); /* with a thread at work */
	free(path);
	tmp_remove(dir);
}

/* What is borderline is another answer. */
static void
another_band_is_another_context(void **state)
{
	char *dir = tmp_new(), *path = xasprintf("%s/model", dir);
	struct model *a, *b;

	(void)state;
	put(path, 1);
	a = model_new(path, 25000);
	b = model_new(path, 25001);
	assert_string_not_equal(model_context(a), model_context(b));
	(void)model_free(a);
	(void)model_free(b);
	free(path);
	tmp_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_comes_is_replaced_damaged_and_goes),
	    cmocka_unit_test(the_former_one_serves_while_another_is_opened),
	    cmocka_unit_test(another_band_is_another_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
