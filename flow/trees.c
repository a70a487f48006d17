#include "flow/model_priv.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "flow/draw.h"

#include <math.h>
#include <stdlib.h>

#define ROWS_OF_EACH 0.5 /* boosted: share of the rows that a tree sees */

/*
 * For a tree and a forest a row's h is its weight and its g is that if it is
 * spam: a node's share of spam is g / h.
 */
static void
weigh(const struct flow_rows *rows, double *g, double *h)
{
	for (size_t i = 0; i < rows->n; i++) {
		h[i] = rows->weight[rows->is_spam[i]];
		g[i] = rows->is_spam[i] ? h[i] : 0;
	}
}

static double
entropy(double share)
{
	return share <= 0 || share >= 1
		   ? 0
		   : -share * log2(share) - (1 - share) * log2(1 - share);
}

/*
 * C4.5's gain ratio (Quinlan: Improved use of continuous attributes in C4.5,
 * 1996): the information gained, less what it costs to name one of the cuts
 * that could have been made, by what the split itself says.
 */
static double
gain_ratio(const struct flow_grower *how, const struct flow_sums *all,
    const struct flow_sums *left, const struct flow_sums *right)
{
	const double share = left->h / all->h;
	const double told = entropy(all->g / all->h) -
			    share * entropy(left->g / left->h) -
			    (1 - share) * entropy(right->g / right->h);
	const double cost = log2(FLOW_CUTS) / (double)all->n;

	(void)how;
	return told > cost ? (told - cost) / entropy(share) : 0;
}

/* Gini's impurity, what of it a split takes away, by weight. */
static double
gini_gain(const struct flow_grower *how, const struct flow_sums *all,
    const struct flow_sums *left, const struct flow_sums *right)
{
	(void)how;
	return left->g * left->g / left->h + right->g * right->g / right->h -
	       all->g * all->g / all->h - 1e-9 * all->h;
}

/* Log-odds with one more of each class (Laplace). */
static double
log_odds(const struct flow_grower *how, const struct flow_sums *sums)
{
	(void)how;
	return log((sums->g + 1) / (sums->h - sums->g + 1));
}

/*
 * A forest's trees vote with their share of spam, from -2 for none to 2 for
 * all: about log-odds in the middle, where 4 is the logistic function's
 * inverse slope.
 */
static double
vote(const struct flow_grower *how, const struct flow_sums *sums)
{
	(void)how;
	return 4 * (sums->g / sums->h - 0.5);
}

/* Friedman: Greedy function approximation, 2001, with Newton's step as in
 * Chen, Guestrin: XGBoost, 2016, equations 5 and 7. */
static double
newton_gain(const struct flow_grower *how, const struct flow_sums *all,
    const struct flow_sums *left, const struct flow_sums *right)
{
	return left->g * left->g / (left->h + how->ridge) +
	       right->g * right->g / (right->h + how->ridge) -
	       all->g * all->g / (all->h + how->ridge) - 1e-9;
}

static double
newton_step(const struct flow_grower *how, const struct flow_sums *sums)
{
	return sums->g / (sums->h + how->ridge);
}

static uint32_t *
all_rows(const struct flow_rows *rows)
{
	uint32_t *index = xcalloc(rows->n, sizeof(*index));

	for (size_t i = 0; i < rows->n; i++)
		index[i] = (uint32_t)i;
	return index;
}

void
flow_train_tree(struct flow_model *model, const struct flow_rows *rows,
    const struct flow_params *params)
{
	CLEANUP(free_ptr) double *g = xcalloc(rows->n, sizeof(*g));
	CLEANUP(free_ptr) double *h = xcalloc(rows->n, sizeof(*h));
	CLEANUP(free_ptr) uint32_t *index = all_rows(rows);
	const struct flow_grower how = {.rows = rows,
	    .cuts = &model->bins,
	    .g = g,
	    .h = h,
	    .depth = params->depth,
	    .least = params->least,
	    .gain = gain_ratio,
	    .value = log_odds,
	    .scale = 1,
	    .is_pruned = true};

	weigh(rows, g, h);
	flow_model_add(model, flow_tree_grow(&how, index, rows->n));
}

/* Breiman: Random forests, 2001: as many rows as there are, drawn with
 * repetition, for each tree. */
void
flow_train_forest(struct flow_model *model, const struct flow_rows *rows,
    const struct flow_params *params, uint64_t seed)
{
	CLEANUP(free_ptr) double *g = xcalloc(rows->n, sizeof(*g));
	CLEANUP(free_ptr) double *h = xcalloc(rows->n, sizeof(*h));
	CLEANUP(free_ptr) uint32_t *index = all_rows(rows);
	const struct flow_grower how = {.rows = rows,
	    .cuts = &model->bins,
	    .g = g,
	    .h = h,
	    .depth = params->depth,
	    .least = params->least,
	    .subset = params->subset,
	    .seed = &seed,
	    .gain = gini_gain,
	    .value = vote,
	    .scale = 1 / (double)params->trees};

	weigh(rows, g, h);
	for (unsigned int t = 0; t < params->trees; t++) {
		for (size_t i = 0; i < rows->n; i++)
			index[i] = (uint32_t)flow_draw(&seed, rows->n);
		flow_model_add(model, flow_tree_grow(&how, index, rows->n));
	}
}

/* So many rows, all different, come to the front of the index. */
static void
shuffle(uint32_t *index, size_t n, size_t front, uint64_t *seed)
{
	for (size_t i = 0; i < front; i++) {
		const size_t k = i + flow_draw(seed, n - i);
		const uint32_t row = index[k];

		index[k] = index[i];
		index[i] = row;
	}
}

void
flow_train_boosted(struct flow_model *model, const struct flow_rows *rows,
    const struct flow_params *params, uint64_t seed)
{
	CLEANUP(free_ptr) double *g = xcalloc(rows->n, sizeof(*g));
	CLEANUP(free_ptr) double *h = xcalloc(rows->n, sizeof(*h));
	CLEANUP(free_ptr) double *score = xcalloc(rows->n, sizeof(*score));
	CLEANUP(free_ptr) uint32_t *index = all_rows(rows);
	const size_t front = (size_t)(ROWS_OF_EACH * (double)rows->n) + 1;
	const struct flow_grower how = {.rows = rows,
	    .cuts = &model->bins,
	    .g = g,
	    .h = h,
	    .depth = params->depth,
	    .least = params->least,
	    .seed = &seed,
	    .gain = newton_gain,
	    .value = newton_step,
	    .ridge = params->ridge,
	    .scale = params->rate};

	for (unsigned int t = 0; t < params->trees; t++) {
		for (size_t i = 0; i < rows->n; i++) {
			const double p = flow_probability(score[i]);
			const double w = rows->weight[rows->is_spam[i]];

			g[i] = w * (rows->is_spam[i] - p);
			h[i] = w * p * (1 - p);
		}
		shuffle(index, rows->n, front, &seed);
		flow_model_add(model, flow_tree_grow(&how, index, front));
		for (size_t i = 0; i < rows->n; i++)
			score[i] += flow_tree_value(
			    &model->trees[model->n_trees - 1], rows->bins[i]);
	}
}
