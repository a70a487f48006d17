/*
 * tests/bench/mef_linear.c - what logistic regression (liblinear) makes of the
 * features that models of worker/mef/ count: a yardstick that can't be merged.
 *
 * Reads lines PATH, class (malicious or benign) and fold, parted by
 * tabulators, of lists of features.  A feature is 1 / root of their number;
 * those of one document alone are left out.  Of each fold what the others
 * teach is asked; strength and threshold are chosen within those others, fold
 * by fold as well.  Prints accuracy, detection, false positives and AUC.
 */
#include "tests/bench/mef_rows.h"
#include "tools/sluice/model.h"

#include "common/io.h"

#include <linear.h>
#include <math.h>

#define FALSE_POSITIVES 0.02
#define TOLERANCE       1e-2 /* liblinear's own */

static const double costs[] = {1, 10, 100};

/* The rows, and their vectors with a constant. */
struct set {
	struct mef_rows rows;
	struct feature_node **x;
	int dims;
};

static struct feature_node *
vector_of(const struct mef_row *row, int constant)
{
	struct feature_node *x = xcalloc(row->n + 2, sizeof(*x));

	for (size_t i = 0; i < row->n; i++)
		x[i] = (struct feature_node){
		    (int)row->features[i] + 1, 1 / sqrt((double)row->n)};
	x[row->n] = (struct feature_node){constant, 1};
	x[row->n + 1] = (struct feature_node){-1, 0};
	return x;
}

static void
say_nothing(const char *text)
{
	(void)text;
}

/* Of the documents that are in neither fold. */
static struct model *
learn(const struct set *set, unsigned int a, unsigned int b, double cost)
{
	CLEANUP(free_ptr) double *y = xcalloc(set->rows.n, sizeof(*y));
	CLEANUP(free_ptr)
	struct feature_node **x = xcalloc(set->rows.n, sizeof(*x));
	struct problem problem = {.n = set->dims, .y = y, .x = x, .bias = 1};
	const struct parameter parameter = {
	    .solver_type = L2R_LR, .C = cost, .eps = TOLERANCE};

	for (size_t i = 0; i < set->rows.n; i++) {
		if (set->rows.at[i].fold == a || set->rows.at[i].fold == b)
			continue;
		y[problem.l] = set->rows.at[i].class == MEF_MALICIOUS ? 1 : -1;
		x[problem.l++] = set->x[i];
	}
	return train(&problem, &parameter);
}

static void
judge(const struct set *set, const struct model *model, unsigned int fold,
    struct scores *ret_scores)
{
	for (size_t i = 0; i < set->rows.n; i++) {
		double score;

		if (set->rows.at[i].fold != fold)
			continue;
		(void)predict_values(model, set->x[i], &score);
		scores_add(ret_scores, model->label[0] == 1 ? score : -score,
		    set->rows.at[i].class);
	}
}

/* Scores of all folds but one, each by what the rest of them teaches. */
static void
judge_others(const struct set *set, unsigned int fold, double cost,
    struct scores *ret_scores)
{
	for (unsigned int k = 0; k < set->rows.folds; k++) {
		struct model *model;

		if (k == fold)
			continue;
		model = learn(set, fold, k, cost);
		judge(set, model, k, ret_scores);
		free_and_destroy_model(&model);
	}
}

static double
choose(const struct set *set, unsigned int fold, double *ret_threshold)
{
	double best = -1, cost = costs[0];

	for (size_t i = 0; i < ARRAY_SIZE(costs); i++) {
		struct scores inner = {NULL, 0, 0};
		double auc;

		judge_others(set, fold, costs[i], &inner);
		auc = scores_auc(&inner);
		if (auc > best) {
			best = auc;
			cost = costs[i];
			*ret_threshold =
			    (double)scores_point(&inner, FALSE_POSITIVES)
				.threshold /
			    1e6;
		}
		scores_free(&inner);
	}
	return cost;
}

static void
tell(struct scores *all)
{
	double called[MEF_CLASSES] = {0}, n[MEF_CLASSES] = {0};

	for (size_t i = 0; i < all->n; i++) {
		n[all->at[i].class]++;
		called[all->at[i].class] += all->at[i].score > 0;
	}
	(void)printf("accuracy %.2f %%, detection %.2f %% at %.2f %% false "
		     "positives, AUC %.4f\n",
	    100 * (called[MEF_MALICIOUS] + n[MEF_BENIGN] - called[MEF_BENIGN]) /
		(n[0] + n[1]),
	    100 * called[MEF_MALICIOUS] / n[MEF_MALICIOUS],
	    100 * called[MEF_BENIGN] / n[MEF_BENIGN], scores_auc(all));
}

int
main(void)
{
	struct scores all = {NULL, 0, 0};
	struct set set;

	set_print_string_function(say_nothing);
	mef_rows_read(&set.rows);
	set.dims = (int)set.rows.n_features + 1;
	set.x = xcalloc(set.rows.n + 1, sizeof(*set.x));
	for (size_t i = 0; i < set.rows.n; i++)
		set.x[i] = vector_of(&set.rows.at[i], set.dims);
	for (unsigned int k = 0; k < set.rows.folds; k++) {
		double threshold = 0;
		const double cost = choose(&set, k, &threshold);
		struct model *model = learn(&set, k, k, cost);
		const size_t before = all.n;

		judge(&set, model, k, &all);
		for (size_t i = before; i < all.n; i++)
			all.at[i].score -= threshold;
		free_and_destroy_model(&model);
	}
	tell(&all);
	for (size_t i = 0; i < set.rows.n; i++)
		free(set.x[i]);
	free(set.x);
	mef_rows_done(&set.rows);
	scores_free(&all);
	return 0;
}
