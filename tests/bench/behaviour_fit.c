#include "tests/bench/behaviour_fit.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <linear.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CONSTANT    5.0 /* a large feature, so that the bias costs little */
#define TOLERANCE   1e-4
#define INNER_FALSE 0.04 /* of the benign rows held out */
#define REPEATS     4u
#define SEED        UINT64_C(0x51c3)

const struct recipe fit_recipes[] = {
    {0.05, 0.03, 80},
    {0.1, 0.03, 80},
    {0.2, 0.03, 80},
    {0.05, 0.03, 160},
    {0.1, 0.03, 160},
    {0.2, 0.03, 160},
};
const size_t fit_n_recipes = ARRAY_SIZE(fit_recipes);

static void
say_nothing(const char *text)
{
	(void)text;
}

static double
thousandths(double value)
{
	return round(value * 1000) / 1000;
}

/* The rows in use as liblinear takes them; one block of nodes. */
static struct feature_node *
rows_of(const struct table *table, const bool *use, struct problem *ret)
{
	struct feature_node *nodes, *at;
	size_t room = 0;

	for (size_t i = 0; i < table->n; i++)
		room += use[i] ? table->rows[i].n + 2 : 0;
	nodes = at = xcalloc(room + 1, sizeof(*nodes));
	ret->y = xcalloc(table->n, sizeof(*ret->y));
	ret->x = xcalloc(table->n, sizeof(*ret->x));
	ret->n = (int)table->n_names + 1;
	ret->bias = CONSTANT;
	for (size_t i = 0; i < table->n; i++) {
		const struct table_row *row = &table->rows[i];

		if (!use[i])
			continue;
		ret->y[ret->l] = row->is_malicious;
		ret->x[ret->l++] = at;
		for (size_t k = 0; k < row->n; k++)
			*at++ = (struct feature_node){row->calls[k] + 1, 1};
		*at++ = (struct feature_node){ret->n, CONSTANT};
		*at++ = (struct feature_node){-1, 0};
	}
	return nodes;
}

/* Add half of a regression's weights. */
static void
add_half(struct fit *fit, const struct problem *rows, int solver, double c)
{
	struct parameter parameter = {
	    .solver_type = solver, .C = c, .eps = TOLERANCE};
	struct model *model;
	double half;

	srand(1); /* liblinear shuffles by rand(3) */
	model = train(rows, &parameter);
	/* Its scores are for the label that it met first. */
	half = model->label[0] == 1 ? 0.5 : -0.5;
	for (int i = 0; i < rows->n - 1; i++)
		fit->weights[i] += half * model->w[i];
	fit->bias += half * model->w[rows->n - 1] * CONSTANT;
	free_and_destroy_model(&model);
}

static int
downwards(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

/* Keep the names whose weight makes the most difference; what the others
 * added on average goes to the bias. */
static void
keep(struct fit *fit, const struct table *table, const bool *use, size_t kept)
{
	double share[TABLE_NAMES] = {0}, matters[TABLE_NAMES];
	double sorted[TABLE_NAMES];
	size_t n = 0;

	for (size_t i = 0; i < table->n; i++) {
		n += use[i];
		for (size_t k = 0; use[i] && k < table->rows[i].n; k++)
			share[table->rows[i].calls[k]]++;
	}
	for (size_t i = 0; i < table->n_names; i++) {
		share[i] /= (double)n;
		sorted[i] = matters[i] =
		    fabs(fit->weights[i]) * sqrt(share[i] * (1 - share[i]));
	}
	qsort(sorted, table->n_names, sizeof(sorted[0]), downwards);
	for (size_t i = 0; i < table->n_names; i++) {
		if (kept < table->n_names && matters[i] <= sorted[kept]) {
			fit->bias += fit->weights[i] * share[i];
			fit->weights[i] = 0;
		}
		fit->weights[i] = thousandths(fit->weights[i]);
	}
	fit->bias = thousandths(fit->bias);
}

static void
fit_make(struct fit *fit, const struct table *table, const bool *use,
    const struct recipe *recipe)
{
	struct problem rows = {.l = 0};
	struct feature_node *nodes = rows_of(table, use, &rows);

	set_print_string_function(say_nothing);
	memset(fit, 0, sizeof(*fit));
	add_half(fit, &rows, L1R_LR, recipe->few);
	add_half(fit, &rows, L2R_LR, recipe->spread);
	keep(fit, table, use, recipe->kept);
	free(rows.x);
	free(rows.y);
	free(nodes);
}

double
fit_score(const struct fit *fit, const struct table_row *row)
{
	double score = fit->bias;

	for (size_t i = 0; i < row->n; i++)
		score += fit->weights[row->calls[i]];
	return score;
}

/* Scores of rows in use by fits that saw nothing of their clusters, REPEATS
 * times over. */
static void
held_out(const struct table *table, const bool *use,
    const struct recipe *recipe, double *scores)
{
	CLEANUP(free_ptr) unsigned int *fold = xcalloc(table->n, sizeof(*fold));
	CLEANUP(free_ptr) bool *seen = xcalloc(table->n, sizeof(*seen));
	uint64_t seed = SEED;
	struct fit fit;

	for (size_t r = 0; r < REPEATS; r++, scores += table->n) {
		table_deal(table, use, &seed, fold);
		for (unsigned int k = 0; k < TABLE_FOLDS; k++) {
			for (size_t i = 0; i < table->n; i++)
				seen[i] = use[i] && fold[i] != k;
			fit_make(&fit, table, seen, recipe);
			for (size_t i = 0; i < table->n; i++)
				if (use[i] && fold[i] == k)
					scores[i] =
					    fit_score(&fit, &table->rows[i]);
		}
	}
}

/* The threshold for scores that were held out. */
static double
threshold_of(const struct table *table, const bool *use, const double *scores)
{
	CLEANUP(free_ptr)
	double *benign = xcalloc(REPEATS * table->n + 1, sizeof(*benign));
	size_t n = 0;

	for (size_t i = 0; i < REPEATS * table->n; i++)
		if (use[i % table->n] &&
		    !table->rows[i % table->n].is_malicious)
			benign[n++] = scores[i];
	qsort(benign, n, sizeof(*benign), downwards);
	/* Beyond it by less than a thousandth, so that it is no hit. */
	return fmax(
	    0, ceil(benign[(size_t)(INNER_FALSE * (double)n)] * 1000 + 1e-6) /
		   1000);
}

static size_t
right_of(const struct table *table, const bool *use, const double *scores,
    double threshold)
{
	size_t right = 0;

	for (size_t i = 0; i < REPEATS * table->n; i++)
		right += use[i % table->n] &&
			 (scores[i] >= threshold) ==
			     table->rows[i % table->n].is_malicious;
	return right;
}

size_t
fit_pick(const struct table *table, const bool *use, struct fit *ret)
{
	CLEANUP(free_ptr)
	double *scores = xcalloc(REPEATS * table->n, sizeof(*scores));
	size_t best = 0, best_right = 0;
	double best_threshold = 0;

	for (size_t i = 0; i < fit_n_recipes; i++) {
		double threshold;
		size_t right;

		held_out(table, use, &fit_recipes[i], scores);
		threshold = threshold_of(table, use, scores);
		right = right_of(table, use, scores, threshold);
		if (right > best_right) {
			best = i;
			best_right = right;
			best_threshold = threshold;
		}
	}
	fit_make(ret, table, use, &fit_recipes[best]);
	ret->threshold = best_threshold;
	return best;
}
