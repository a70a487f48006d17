/*
 * tests/unit/test_flow_state.c - the learner on disk: what is kept, what is
 * said of damage, and that a failed write leaves what was there.
 */
#include "tests/support/flow_site.h"

#include "flow/learn_priv.h"
#include "flow/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

static struct flow_learner *
taught(size_t n)
{
	struct flow_learner *l = flow_learner_new(&flow_rules_default, 1);
	uint64_t seed = 4;

	for (size_t i = 0; i < n; i++) {
		const struct flow_sample s = site_sample(&seed, i % 2, 0.5);

		flow_learner_saw(l, &s, i % 3 ? 64 : NAN);
		flow_learner_teach(l, &s, i % 5 ? 4.25 : NAN);
		if (flow_learner_is_due(l))
			flow_learner_retrain(l);
	}
	return l;
}

static int
load(int dir, struct flow_learner **ret, char *err, size_t size)
{
	return flow_state_load(dir, &flow_rules_default, 5, ret, err, size);
}

static void
remove_all(const char *path)
{
	static const char *const names[] = {"samples.jsonl", "model.json"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(free_ptr)
		char *name = xasprintf("%s/%s", path, names[i]);

		(void)unlink(name);
	}
	assert_int_equal(rmdir(path), 0);
}

static void
a_learner_that_saw_nothing_comes_of_no_file(void **state)
{
	char path[] = "/tmp/test_flow_state.XXXXXX", err[300] = "";
	struct flow_learner *l = NULL;
	int dir;

	(void)state;
	assert_non_null(mkdtemp(path));
	dir = flow_state_open(path, false);
	assert_true(dir >= 0);
	assert_int_equal(load(dir, &l, err, sizeof(err)), 0);
	assert_int_equal(l->seed, 5);
	assert_null(flow_learner_model(l));
	assert_int_equal(flow_state_save(dir, l), 0);
	(void)flow_learner_free(l);
	assert_int_equal(load(dir, &l, err, sizeof(err)), 0);
	(void)flow_learner_free(l);
	assert_int_equal(close(dir), 0);
	remove_all(path);
}

static void
everything_is_kept(void **state)
{
	char path[] = "/tmp/test_flow_state.XXXXXX", err[300] = "";
	struct flow_learner *l = taught(700), *back = NULL;
	char *text[2];
	size_t n[2];
	int dir;

	(void)state;
	assert_non_null(mkdtemp(path));
	dir = flow_state_open(path, false);
	assert_int_equal(flow_state_save(dir, l), 0);
	assert_int_equal(load(dir, &back, err, sizeof(err)), 0);
	text[0] = flow_state_samples_text(l, &n[0]);
	text[1] = flow_state_samples_text(back, &n[1]);
	assert_int_equal(n[0], n[1]);
	assert_string_equal(text[0], text[1]);
	assert_int_equal(back->paths.n, 500);
	assert_true(back->n_records > 500 && back->since == l->since);
	assert_true(flow_learner_threshold(l) == flow_learner_threshold(back));
	for (size_t i = 0; i < 2; i++)
		free(text[i]);
	(void)flow_learner_free(l);
	(void)flow_learner_free(back);
	assert_int_equal(close(dir), 0);
	remove_all(path);
}

static void
a_freeze_outlasts_a_restart(void **state)
{
	char err[300] = "";
	struct flow_learner *l = taught(100), *back = NULL;
	char *samples, *model;
	size_t n;

	(void)state;
	(void)snprintf(l->frozen, sizeof(l->frozen), "frozen: for a reason");
	samples = flow_state_samples_text(l, &n);
	model = flow_state_model_text(l);
	assert_int_equal(flow_state_of(&flow_rules_default, samples, n, model,
			     strlen(model), &back, err, sizeof(err)),
	    0);
	assert_string_equal(flow_learner_why(back), "frozen: for a reason");
	free(samples);
	free(model);
	(void)flow_learner_free(l);
	(void)flow_learner_free(back);
}

/* Both would save what they began with, and one's mail would be lost. */
static void
two_that_learn_wait_for_each_other(void **state)
{
	char path[] = "/tmp/test_flow_state.XXXXXX";
	int first, other;

	(void)state;
	assert_non_null(mkdtemp(path));
	first = flow_state_open(path, true);
	other = flow_state_open(path, true);
	assert_true(first >= 0 && other >= 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(close(first), 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(close(other), 0);
	remove_all(path);
	assert_int_equal(flow_state_open("/nonexistent/flow", false), -ENOENT);
}

static void
a_failed_save_leaves_what_was_there(void **state)
{
	char path[] = "/tmp/test_flow_state.XXXXXX", err[300] = "";
	CLEANUP(free_ptr) char *in_the_way = NULL;
	struct flow_learner *l = taught(100), *more = taught(300);
	struct flow_learner *back = NULL;
	int dir;

	(void)state;
	assert_non_null(mkdtemp(path));
	dir = flow_state_open(path, false);
	assert_int_equal(flow_state_save(dir, l), 0);
	in_the_way = xasprintf("%s/samples.jsonl.new", path);
	assert_int_equal(mkdir(in_the_way, 0700), 0);
	assert_int_equal(flow_state_save(dir, more), -EISDIR);
	assert_int_equal(load(dir, &back, err, sizeof(err)), 0);
	assert_int_equal(back->number, l->number);
	assert_int_equal(rmdir(in_the_way), 0);
	(void)flow_learner_free(l);
	(void)flow_learner_free(more);
	(void)flow_learner_free(back);
	assert_int_equal(close(dir), 0);
	remove_all(path);
}

#define HEAD \
	"{\"format\":\"sluice-flow-samples\",\"version\":1,\"seed\":" \
	"\"00000000000000ff\",\"number\":2,\"since\":0,\"seen\":[1,1]," \
	"\"before\":[0,0],\"frozen\":\"\",\"frozen_for\":0,\"paths\":[]}\n"
#define SAMPLE "{\"pkts_in\":3,\"label\":\"ham\",\"number\":1}\n"

static const struct {
	const char *text, *model, *says;
} damages[] = {
    {"", NULL, "samples.jsonl:1: cut off"},
    {"{}", NULL, "samples.jsonl:1: cut off"},
    {"{}\n", NULL, "samples.jsonl:1: no samples of connections"},
    {"x\n", NULL, "samples.jsonl:1: "},
    {SAMPLE, NULL, "samples.jsonl:1: no samples of connections"},
    {"{\"format\":\"sluice-flow-samples\",\"version\":9}\n", NULL,
	"samples of another version"},
    {"{\"format\":\"sluice-flow-samples\",\"version\":1}\n", NULL,
	"a counter is missing"},
    {HEAD "{\"pkts_in\":3", NULL, "samples.jsonl:2: cut off"},
    {HEAD "\n", NULL, "samples.jsonl:2: "},
    {HEAD "{\"pkts_in\":3}\n", NULL, ":2: label: neither ham nor spam"},
    {HEAD "{\"pkts_in\":3,\"label\":\"ham\"}\n", NULL, ":2: number: not a"},
    {HEAD "{\"pkts_in\":-3,\"label\":\"ham\"}\n", NULL, ":2: pkts_in: not"},
    {HEAD SAMPLE SAMPLE, NULL, ":3: seen: fewer than there are samples"},
    {HEAD "{\"record\":[1,true]}\n", NULL, ":2: record: not [score"},
    {HEAD "{\"record\":[1e300,true,null]}\n", NULL, ":2: record: not"},
    {HEAD SAMPLE, "", "model.json:1: "},
    {HEAD SAMPLE, "{\"format\":\"sluice", "model.json:1: "},
    {HEAD SAMPLE, "{}", "model.json: no model of connections"},
};

static void
damage_is_told_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		struct flow_learner *l = NULL;
		const char *model = damages[i].model;
		char err[300] = "";

		assert_int_equal(
		    flow_state_of(&flow_rules_default, damages[i].text,
			strlen(damages[i].text), model,
			model ? strlen(model) : 0, &l, err, sizeof(err)),
		    -EBADMSG);
		assert_null(l);
		if (!strstr(err, damages[i].says) ||
		    !strstr(err, "; remove the file, and "))
			fail_msg("%zu: %s", i, err);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_learner_that_saw_nothing_comes_of_no_file),
	    cmocka_unit_test(everything_is_kept),
	    cmocka_unit_test(a_freeze_outlasts_a_restart),
	    cmocka_unit_test(two_that_learn_wait_for_each_other),
	    cmocka_unit_test(a_failed_save_leaves_what_was_there),
	    cmocka_unit_test(damage_is_told_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
