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

#define SPREAD 0.03 /* C of the regression that spreads */
#define KEPT   80u  /* names */

static const double few[] = {0.05, 0.1, 0.2}; /* C of those that keep few */

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

/* Add a share of a regression's weights. */
static void
add(struct fit *fit, const struct problem *rows, int solver, double c,
    double share)
{
	struct parameter parameter = {
	    .solver_type = solver, .C = c, .eps = TOLERANCE};
	struct model *model;
	double sign;

	srand(1); /* liblinear shuffles by rand(3) */
	model = train(rows, &parameter);
	/* Its scores are for the label that it met first. */
	sign = model->label[0] == 1 ? share : -share;
	for (int i = 0; i < rows->n - 1; i++)
		fit->weights[i] += sign * model->w[i];
	fit->bias += sign * model->w[rows->n - 1] * CONSTANT;
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
keep(struct fit *fit, const struct table *table, const bool *use)
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
		if (KEPT < table->n_names && matters[i] <= sorted[KEPT]) {
			fit->bias += fit->weights[i] * share[i];
			fit->weights[i] = 0;
		}
		fit->weights[i] = thousandths(fit->weights[i]);
	}
	fit->bias = thousandths(fit->bias);
}

static void
fit_make(struct fit *fit, const struct table *table, const bool *use)
{
	struct problem rows = {.l = 0};
	struct feature_node *nodes = rows_of(table, use, &rows);

	set_print_string_function(say_nothing);
	memset(fit, 0, sizeof(*fit));
	for (size_t i = 0; i < ARRAY_SIZE(few); i++)
		add(fit, &rows, L1R_LR, few[i], 0.5 / ARRAY_SIZE(few));
	add(fit, &rows, L2R_LR, SPREAD, 0.5);
	keep(fit, table, use);
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
held_out(const struct table *table, const bool *use, double *scores)
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
			fit_make(&fit, table, seen);
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

void
fit_learn(const struct table *table, const bool *use, struct fit *ret)
{
	CLEANUP(free_ptr)
	double *scores = xcalloc(REPEATS * table->n, sizeof(*scores));

	held_out(table, use, scores);
	fit_make(ret, table, use);
	ret->threshold = threshold_of(table, use, scores);
}
