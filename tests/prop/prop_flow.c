/*
 * tests/prop/prop_flow.c - random samples and models: every score is the sum
 * of what is shown, is the same bit for bit after it was on disk, and every
 * mail of a class has the same chance to be kept.
 */
#include "flow/learn_priv.h"
#include "flow/model_priv.h"
#include "flow/state.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tests/support/prop_draw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RUNS 30

/* Of any size, null, equal to others, tiny or huge. */
static double
gen_value(void)
{
	switch (draw(6)) {
	case 0:
		return NAN;
	case 1:
		return (double)draw(3);
	case 2:
		return (double)draw(1000) / 7;
	case 3:
		return 1e300 * (double)draw(100);
	case 4:
		return 1e-300 * (double)draw(100);
	default:
		return (double)draw(UINT64_C(1) << 60);
	}
}

static struct flow_sample
gen_sample(bool is_spam)
{
	struct flow_sample s = {.is_spam = is_spam, .peer = draw(50)};

	for (size_t f = 0; f < FLOW_FEATURES; f++)
		s.x[f] = gen_value();
	if (is_spam && draw(2))
		s.x[draw(FLOW_FEATURES)] = 42;
	return s;
}

static struct flow_learner *
gen_learner(void)
{
	struct flow_rules rules = flow_rules_default;
	struct flow_learner *l;
	const size_t n = 60 + draw(300);

	rules.kind = (enum flow_kind)draw(FLOW_KINDS);
	rules.room = 20 + draw(200);
	l = flow_learner_new(&rules, draw(UINT64_MAX));
	for (size_t i = 0; i < n; i++) {
		const struct flow_sample s = gen_sample(draw(2));

		flow_learner_saw(l, &s, draw(2) ? NAN : (double)draw(256));
		if (draw(2))
			flow_learner_teach(l, &s, NAN);
		else
			(void)flow_learner_hear(l, &s, (double)draw(20));
		if (flow_learner_is_due(l) && draw(2))
			flow_learner_retrain(l);
	}
	return l;
}

static struct flow_learner *
put_aside_and_back(const struct flow_learner *l)
{
	struct flow_learner *back = NULL;
	char err[300] = "";
	size_t n;
	CLEANUP(free_ptr) char *samples = flow_state_samples_text(l, &n);
	CLEANUP(free_ptr) char *model = flow_state_model_text(l);

	if (flow_state_of(&l->rules, samples, n, model,
		model ? strlen(model) : 0, &back, err, sizeof(err)) < 0)
		fail_msg("%s", err);
	return back;
}

static bool
is_same(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void
prop_what_was_on_disk_says_the_same_bit_for_bit(void **state)
{
	(void)state;
	for (int i = 0; i < RUNS; i++) {
		struct flow_learner *l = gen_learner();
		struct flow_learner *back = put_aside_and_back(l);

		for (int turn = 0; turn < 2; turn++) {
			for (int k = 0; k < 50; k++) {
				const struct flow_sample s = gen_sample(k % 2);
				struct flow_opinion a, b;

				flow_learner_judge(l, &s, &a);
				flow_learner_judge(back, &s, &b);
				assert_true(is_same(a.score, b.score) &&
					    is_same(a.points, b.points));
				assert_string_equal(a.why, b.why);
			}
			/* The next model, too. */
			flow_learner_retrain(l);
			flow_learner_retrain(back);
		}
		(void)flow_learner_free(l);
		(void)flow_learner_free(back);
	}
}

static void
prop_a_score_is_the_sum_of_what_is_shown(void **state)
{
	(void)state;
	for (int i = 0; i < RUNS; i++) {
		struct flow_learner *l = gen_learner();

		for (int k = 0; k < 50; k++) {
			const struct flow_sample s = gen_sample(k % 2);
			struct flow_opinion o;
			double sum;

			flow_learner_judge(l, &s, &o);
			sum = o.bias;
			for (size_t f = 0; f < FLOW_FEATURES; f++)
				sum += o.contributions[f];
			assert_true(isnan(o.score) || is_same(sum, o.score));
		}
		(void)flow_learner_free(l);
	}
}

/* What the branches on a path change comes to the leaf's value. */
static void
prop_the_leaf_is_the_sum_of_its_path(void **state)
{
	(void)state;
	for (int i = 0; i < RUNS; i++) {
		struct flow_learner *l = gen_learner();
		const struct flow_model *m = flow_learner_model(l);

		for (int k = 0; m && k < 50; k++) {
			const struct flow_sample s = gen_sample(k % 2);
			uint8_t bins[FLOW_FEATURES];
			double leaves = m->n_trees ? 0 : m->bias;

			for (size_t f = 0; f < FLOW_FEATURES; f++) {
				bins[f] =
				    (uint8_t)flow_bin(&m->bins, f, s.x[f]);
				leaves += m->points[f][bins[f]];
			}
			for (size_t t = 0; t < m->n_trees; t++)
				leaves += flow_tree_value(&m->trees[t], bins);
			assert_true(fabs(leaves - flow_model_score(
						      m, s.x, NULL)) < 1e-9);
		}
		(void)flow_learner_free(l);
	}
}

#define ROOM  20
#define MAILS 100
#define TIMES 2000

static void
prop_every_mail_of_a_class_has_the_same_chance(void **state)
{
	struct flow_kept kept[2][ROOM];
	size_t count[2][MAILS] = {{0}};
	uint64_t chance = draw(UINT64_MAX);
	double chi2;

	(void)state;
	for (int i = 0; i < TIMES; i++) {
		struct flow_reservoir of[2] = {
		    {kept[0], 0, 0}, {kept[1], 0, 0}};
		const struct flow_kept none = {.number = 0};

		/* Nine spams to a ham: neither drowns the other. */
		for (size_t k = 0; k < MAILS; k++) {
			struct flow_kept one = none;

			one.number = k;
			flow_reservoir_add(&of[1], ROOM, &one, &chance);
			if (k % 9 == 0)
				flow_reservoir_add(&of[0], ROOM, &one, &chance);
		}
		assert_int_equal(of[1].n, ROOM);
		assert_int_equal(of[0].n, 12);
		assert_int_equal(of[1].seen, MAILS);
		for (size_t k = 0; k < ROOM; k++)
			count[1][kept[1][k].number]++;
	}
	chi2 = 0;
	for (size_t k = 0; k < MAILS; k++) {
		const double expected = (double)TIMES * ROOM / MAILS;
		const double off = (double)count[1][k] - expected;

		chi2 += off * off / (expected * (1 - (double)ROOM / MAILS));
	}
	/* Sampling without replacement: chi2 has 99 degrees of freedom after
	 * this; beyond 180 is chance once in 10^6 runs. */
	if (chi2 > 180)
		fail_msg("chi2 %f", chi2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prop_what_was_on_disk_says_the_same_bit_for_bit),
	    cmocka_unit_test(prop_a_score_is_the_sum_of_what_is_shown),
	    cmocka_unit_test(prop_the_leaf_is_the_sum_of_its_path),
	    cmocka_unit_test(prop_every_mail_of_a_class_has_the_same_chance),
	};

	draw_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
