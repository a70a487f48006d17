#include "flow/model_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static const struct {
	const char *name;
	struct flow_params params;
} kinds[FLOW_KINDS] = {
    [FLOW_BAYES] = {"bayes", {.cuts = 9, .prior = 1}},
    [FLOW_LINEAR] = {"linear", {.cuts = 15, .cost = 0.1}},
    [FLOW_TREE] = {"tree", {.cuts = 31, .depth = 8, .least = 5}},
    [FLOW_FOREST] = {"forest",
	{.cuts = 31, .trees = 100, .depth = 10, .least = 5, .subset = 4}},
    [FLOW_BOOSTED] = {"boosted", {.cuts = 31,
				     .trees = 150,
				     .depth = 4,
				     .least = 10,
				     .rate = 0.1,
				     .ridge = 1}},
};

const char *
flow_kind_name(enum flow_kind kind)
{
	return kinds[kind].name;
}

struct flow_params
flow_params_default(enum flow_kind kind)
{
	return kinds[kind].params;
}

static struct flow_rows
rows_new(const struct flow_bins *bins, const struct flow_sample *const *samples,
    size_t n)
{
	struct flow_rows rows = {.n = n};
	size_t spam = 0;

	rows.bins = xcalloc(n, sizeof(*rows.bins));
	rows.is_spam = xcalloc(n, sizeof(*rows.is_spam));
	for (size_t i = 0; i < n; i++) {
		rows.is_spam[i] = samples[i]->is_spam;
		spam += rows.is_spam[i];
		for (size_t f = 0; f < FLOW_FEATURES; f++)
			rows.bins[i][f] =
			    (uint8_t)flow_bin(bins, f, samples[i]->x[f]);
	}
	assert(spam > 0 && spam < n);
	rows.weight[0] = (double)n / (2 * (double)(n - spam));
	rows.weight[1] = (double)n / (2 * (double)spam);
	return rows;
}

struct flow_model *
flow_model_train(enum flow_kind kind, const struct flow_params *params,
    const struct flow_sample *const *samples, size_t n, uint64_t seed)
{
	struct flow_model *model = xcalloc(1, sizeof(*model));
	struct flow_rows rows;

	if (!params)
		params = &kinds[kind].params;
	model->kind = kind;
	flow_bins_make(samples, n, params->cuts, &model->bins);
	rows = rows_new(&model->bins, samples, n);
	switch (kind) {
	case FLOW_BAYES:
		flow_train_bayes(model, &rows, params);
		break;
	case FLOW_LINEAR:
		flow_train_linear(model, &rows, params);
		break;
	case FLOW_TREE:
		flow_train_tree(model, &rows, params);
		break;
	case FLOW_FOREST:
		flow_train_forest(model, &rows, params, seed);
		break;
	case FLOW_BOOSTED:
		flow_train_boosted(model, &rows, params, seed);
		break;
	case FLOW_KINDS:
		assert(kind < FLOW_KINDS);
	}
	free(rows.bins);
	free(rows.is_spam);
	return model;
}

struct flow_model *
flow_model_free(struct flow_model *model)
{
	if (!model)
		return NULL;
	for (size_t i = 0; i < model->n_trees; i++)
		free(model->trees[i].nodes);
	free(model->trees);
	free(model);
	return NULL;
}

void
flow_model_add(struct flow_model *model, struct flow_tree tree)
{
	if (!model->trees)
		model->trees = xcalloc(FLOW_TREES_MAX, sizeof(tree));
	assert(model->n_trees < FLOW_TREES_MAX);
	model->bias += tree.nodes[0].value;
	model->trees[model->n_trees++] = tree;
}

enum flow_kind
flow_model_kind(const struct flow_model *model)
{
	return model->kind;
}

double
flow_model_bias(const struct flow_model *model)
{
	return model->bias;
}

static const struct flow_node *
next(const struct flow_tree *tree, const struct flow_node *node,
    const uint8_t *bins)
{
	const unsigned int bin = bins[node->feature];
	const bool is_left = bin ? bin <= node->bin : node->null_left;

	return &tree->nodes[is_left ? node->left : node->right];
}

double
flow_tree_value(const struct flow_tree *tree, const uint8_t *bins)
{
	const struct flow_node *node = tree->nodes;

	while (node->left)
		node = next(tree, node, bins);
	return node->value;
}

/* What each branch that a sample passes changes is its feature's doing. */
static void
walk(const struct flow_tree *tree, const uint8_t *bins, double *contributions)
{
	const struct flow_node *node = tree->nodes;

	while (node->left) {
		const struct flow_node *then = next(tree, node, bins);

		contributions[node->feature] += then->value - node->value;
		node = then;
	}
}

double
flow_model_score(
    const struct flow_model *model, const double *x, double *ret_contributions)
{
	double own[FLOW_FEATURES], score = model->bias;
	double *contributions = ret_contributions ? ret_contributions : own;
	uint8_t bins[FLOW_FEATURES];

	for (size_t f = 0; f < FLOW_FEATURES; f++) {
		bins[f] = (uint8_t)flow_bin(&model->bins, f, x[f]);
		contributions[f] = model->points[f][bins[f]];
	}
	for (size_t i = 0; i < model->n_trees; i++)
		walk(&model->trees[i], bins, contributions);
	for (size_t f = 0; f < FLOW_FEATURES; f++)
		score += contributions[f];
	return score;
}

double
flow_probability(double score)
{
	return 1 / (1 + exp(-score));
}
