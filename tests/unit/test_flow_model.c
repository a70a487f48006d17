/*
 * tests/unit/test_flow_model.c - each kind of model on cases whose answer is
 * known; what is wrong with a model's file is said.
 */
#include "tests/support/flow_site.h"

#include "flow/model_priv.h"

#include <errno.h>
#include <jansson.h>
#include <time.h>

/* Samples by two features, spam where says. */
static struct site_set
grid(bool (*says)(unsigned int a, unsigned int b))
{
	struct site_set set = {xcalloc(400, sizeof(*set.samples)),
	    xcalloc(400, sizeof(struct flow_sample *)), 400};

	for (unsigned int i = 0; i < 400; i++) {
		struct flow_sample *s = &set.samples[i];

		*s = site_null(says(i % 2, i / 2 % 2));
		s->x[FLOW_FEATURE_rxmt_in] = i % 2;
		s->x[FLOW_FEATURE_ooo_in] = i / 2 % 2;
		set.at[i] = s;
	}
	return set;
}

static bool
first(unsigned int a, unsigned int b)
{
	(void)b;
	return a;
}

static bool
both(unsigned int a, unsigned int b)
{
	return a && b;
}

static bool
one_of_them(unsigned int a, unsigned int b)
{
	return a != b;
}

static double
score_of(const struct flow_model *model, double a, double b)
{
	struct flow_sample s = site_null(false);

	s.x[FLOW_FEATURE_rxmt_in] = a;
	s.x[FLOW_FEATURE_ooo_in] = b;
	return flow_model_score(model, s.x, NULL);
}

/* Trained on a grid, does a kind of model call all four cells right? */
static bool
learns(enum flow_kind kind, bool (*says)(unsigned int a, unsigned int b))
{
	struct site_set set = grid(says);
	struct flow_model *model =
	    flow_model_train(kind, NULL, set.at, set.n, 1);
	bool is_right = true;

	for (unsigned int i = 0; i < 4; i++)
		is_right &=
		    (score_of(model, i % 2, i / 2) > 0) == says(i % 2, i / 2);
	(void)flow_model_free(model);
	site_set_done(&set);
	return is_right;
}

static void
every_kind_learns_one_feature_and_an_and(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < FLOW_KINDS; k++) {
		assert_true(learns((enum flow_kind)k, first));
		assert_true(learns((enum flow_kind)k, both));
	}
}

/* Sums of points can't say it; one tree's first branch gains nothing by it. */
static void
exclusive_or_is_learned_by_many_trees_alone(void **state)
{
	(void)state;
	assert_false(learns(FLOW_BAYES, one_of_them));
	assert_false(learns(FLOW_LINEAR, one_of_them));
	assert_false(learns(FLOW_TREE, one_of_them));
	assert_true(learns(FLOW_FOREST, one_of_them));
	assert_true(learns(FLOW_BOOSTED, one_of_them));
}

static void
bayes_counts_as_by_hand(void **state)
{
	struct site_set set = grid(first);
	struct flow_model *model =
	    flow_model_train(FLOW_BAYES, NULL, set.at, set.n, 1);
	double c[FLOW_FEATURES];
	struct flow_sample s = site_null(false);

	(void)state;
	/* 200 of 200 spam and none of 200 ham are in the bin; one more each
	 * in both bins that there are. */
	s.x[FLOW_FEATURE_rxmt_in] = 1;
	(void)flow_model_score(model, s.x, c);
	assert_true(fabs(c[FLOW_FEATURE_rxmt_in] -
			 (log(201.0 / 202) - log(1.0 / 202))) < 1e-12);
	/* No sample lacks it, none has another: nothing is said. */
	assert_true(
	    c[FLOW_FEATURE_ooo_in] == 0 && c[FLOW_FEATURE_win_min] == 0);
	(void)flow_model_free(model);
	site_set_done(&set);
}

static void
null_may_be_what_tells(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < FLOW_KINDS; k++) {
		struct site_set set = grid(first);
		struct flow_model *model;
		struct flow_sample s = site_null(false);

		for (size_t i = 0; i < set.n; i++) {
			set.samples[i].x[FLOW_FEATURE_rxmt_in] = NAN;
			set.samples[i].x[FLOW_FEATURE_ooo_in] = NAN;
			if (!set.samples[i].is_spam)
				set.samples[i].x[FLOW_FEATURE_rtt_var] =
				    (double)(i % 10);
		}
		model =
		    flow_model_train((enum flow_kind)k, NULL, set.at, set.n, 1);
		assert_true(flow_model_score(model, s.x, NULL) > 0);
		s.x[FLOW_FEATURE_rtt_var] = 3;
		assert_true(flow_model_score(model, s.x, NULL) < 0);
		(void)flow_model_free(model);
		site_set_done(&set);
	}
}

static void
a_tree_of_noise_hardly_grows(void **state)
{
	uint64_t seed = 5;
	struct site_set set = site_set(&seed, 400, 0);
	struct flow_model *model =
	    flow_model_train(FLOW_TREE, NULL, set.at, set.n, 1);

	(void)state;
	assert_int_equal(model->n_trees, 1);
	assert_in_range(model->trees[0].n, 1, 9);
	(void)flow_model_free(model);
	site_set_done(&set);
}

/* Two of these branches gain something, and not so much that they would be
 * expected to be right about others. */
static void
branches_that_fit_their_samples_alone_are_pruned(void **state)
{
	struct flow_params params = flow_params_default(FLOW_TREE);
	uint64_t seed = 4;
	struct site_set set = site_set(&seed, 400, 0.2);
	struct flow_model *model;

	(void)state;
	params.least = 2;
	params.depth = 12;
	model = flow_model_train(FLOW_TREE, &params, set.at, set.n, 1);
	assert_in_range(model->trees[0].n, 3, 5); /* 9 before */
	(void)flow_model_free(model);
	site_set_done(&set);
}

static void
classes_weigh_the_same(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < FLOW_KINDS; k++) {
		struct site_set set = grid(first);
		struct flow_model *model;

		/* Nine spams to a ham that no feature tells from them. */
		for (size_t i = 0; i < set.n; i++) {
			set.samples[i] = site_null(i % 10 != 0);
			set.samples[i].x[FLOW_FEATURE_rxmt_in] =
			    (double)(i / 10 % 2);
		}
		model =
		    flow_model_train((enum flow_kind)k, NULL, set.at, set.n, 1);
		if (fabs(score_of(model, 1, NAN)) > 0.3)
			fail_msg("%s: %f", flow_kind_name((enum flow_kind)k),
			    score_of(model, 1, NAN));
		(void)flow_model_free(model);
		site_set_done(&set);
	}
}

static void
bins_lie_between_values(void **state)
{
	struct flow_bins bins;
	struct flow_sample s[5];
	const struct flow_sample *at[5];
	const double values[5] = {1, 1, 2, 4, NAN};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		s[i] = site_null(false);
		s[i].x[FLOW_FEATURE_hs_time] = values[i];
		at[i] = &s[i];
	}
	flow_bins_make(at, 5, FLOW_CUTS, &bins);
	assert_int_equal(bins.n[FLOW_FEATURE_hs_time], 2);
	assert_true(bins.cuts[FLOW_FEATURE_hs_time][0] == 1.5);
	assert_true(bins.cuts[FLOW_FEATURE_hs_time][1] == 3);
	assert_int_equal(flow_bin(&bins, FLOW_FEATURE_hs_time, NAN), 0);
	assert_int_equal(flow_bin(&bins, FLOW_FEATURE_hs_time, 0), 1);
	assert_int_equal(flow_bin(&bins, FLOW_FEATURE_hs_time, 1.5), 2);
	assert_int_equal(flow_bin(&bins, FLOW_FEATURE_hs_time, 1e300), 3);
	assert_int_equal(bins.n[FLOW_FEATURE_win_min], 0);
	assert_int_equal(flow_bin(&bins, FLOW_FEATURE_win_min, 5), 1);
}

static void
a_judgement_takes_less_than_a_tenth_of_a_millisecond(void **state)
{
	uint64_t seed = 3;
	struct site_set set = site_set(&seed, 4000, 0.3);
	const struct flow_params params = {
	    .cuts = 31, .trees = 300, .depth = 8, .least = 1, .subset = 4};
	struct flow_model *model =
	    flow_model_train(FLOW_FOREST, &params, set.at, set.n, 1);
	const clock_t begin = clock();
	double c[FLOW_FEATURES];

	(void)state;
	for (size_t i = 0; i < set.n; i++)
		(void)flow_model_score(model, set.samples[i].x, c);
	/* Also by sanitizers, which make it several times slower. */
	assert_true(
	    (double)(clock() - begin) / CLOCKS_PER_SEC / (double)set.n < 1e-4);
	(void)flow_model_free(model);
	site_set_done(&set);
}

struct damage {
	const char *was, *is, *says;
};

/* In the text of a tree that asks for rxmt_in alone. */
static const struct damage damages[] = {
    {"sluice-flow-model", "other", "no model of connections"},
    {"\"version\":1", "\"version\":2", "another version than 1"},
    {"\"tree\"", "\"bush\"", "kind: \"bush\" is none"},
    {"\"pkts_in\"", "\"pkts\"", "features: 1 isn't pkts_in"},
    {"\"win_zero\"]", "\"win_zero\",\"more\"]", "more than 20"},
    {"[0.5]", "[0.5,0.5]", "cuts of rxmt_in: not ascending"},
    {"[0.5]", "[\"x\"]", "cuts: a member is no number"},
    {"[0.5]", "7", "cuts of rxmt_in: not up to 31"},
    {"[0.5]", "[0.5,0.6]", "points: 3 numbers in place of 4"},
    {"\"points\":[[0.0", "\"points\":[[1e7", "points of pkts_in: beyond"},
    {"\"bias\":0.0", "\"bias\":null", "bias: no number up to 10^6"},
    {"\"trees\":[[", "\"trees\":[[],[", "trees: one of 0 nodes"},
    {",3,1,0,1,2]", ",3,1,0,0,2]", "trees: branch 0 leads nowhere"},
    {",3,1,0,1,2]", ",3,1,0,1,3]", "trees: branch 0 leads nowhere"},
    {",3,1,0,1,2]", ",20,1,0,1,2]", "trees: branch 0 leads nowhere"},
    {",3,1,0,1,2]", ",3,0,0,1,2]", "trees: branch 0 leads nowhere"},
    {",3,1,0,1,2]", ",3,1,2,1,2]", "trees: branch 0 leads nowhere"},
    {",3,1,0,1,2]", ",3]", "node 0 isn't a leaf or branch"},
};

static char *
replaced(const char *text, const struct damage *d)
{
	const char *at = strstr(text, d->was);

	if (!at)
		fail_msg("%s isn't in %s", d->was, text);
	return xasprintf(
	    "%.*s%s%s", (int)(at - text), text, d->is, at + strlen(d->was));
}

static void
damage_is_told(void **state)
{
	struct site_set set = grid(first);
	struct flow_model *model =
	    flow_model_train(FLOW_TREE, NULL, set.at, set.n, 1);
	json_t *json = flow_model_json(model);
	char *text = json_dumps(json, JSON_COMPACT);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		char *wrong = replaced(text, &damages[i]), err[300] = "";
		json_t *bad = json_loads(wrong, 0, NULL);
		struct flow_model *back = NULL;

		assert_non_null(bad);
		assert_int_equal(
		    flow_model_of("m", bad, &back, err, sizeof(err)), -EBADMSG);
		assert_null(back);
		if (strncmp(err, "m: ", 3) != 0 ||
		    !strstr(err, damages[i].says) ||
		    !strstr(err, "remove the file"))
			fail_msg("%s -> %s", damages[i].is, err);
		json_decref(bad);
		free(wrong);
	}
	free(text);
	json_decref(json);
	(void)flow_model_free(model);
	site_set_done(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_learns_one_feature_and_an_and),
	    cmocka_unit_test(exclusive_or_is_learned_by_many_trees_alone),
	    cmocka_unit_test(bayes_counts_as_by_hand),
	    cmocka_unit_test(null_may_be_what_tells),
	    cmocka_unit_test(a_tree_of_noise_hardly_grows),
	    cmocka_unit_test(branches_that_fit_their_samples_alone_are_pruned),
	    cmocka_unit_test(classes_weigh_the_same),
	    cmocka_unit_test(bins_lie_between_values),
	    cmocka_unit_test(
		a_judgement_takes_less_than_a_tenth_of_a_millisecond),
	    cmocka_unit_test(damage_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
