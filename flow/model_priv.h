/*
 * flow/model_priv.h - what a model is made of, for those who make one.
 */
#ifndef SLUICE_FLOW_MODEL_PRIV_H
#define SLUICE_FLOW_MODEL_PRIV_H

#include "flow/bins.h"
#include "flow/model.h"

#define FLOW_TREES_MAX 1000
#define FLOW_DEPTH_MAX 12
#define FLOW_NODES_MAX (1u << (FLOW_DEPTH_MAX + 1))

/* Goes left when its feature's bin is at most bin, null as it says. */
struct flow_node {
	double value;         /* of a sample that gets here */
	uint16_t left, right; /* both above the node's own; left 0: a leaf */
	uint8_t feature, bin;
	bool null_left;
};

struct flow_tree {
	struct flow_node *nodes;
	size_t n;
};

/* Either points (bayes, linear) or trees; the other is zero. */
struct flow_model {
	enum flow_kind kind;
	struct flow_bins bins;
	double bias; /* holds the values of all roots */
	double points[FLOW_FEATURES][FLOW_BINS];
	struct flow_tree *trees;
	size_t n_trees;
};

/* Samples as all trainers see them. */
struct flow_rows {
	size_t n;
	uint8_t (*bins)[FLOW_FEATURES];
	bool *is_spam;
	double weight[2]; /* of a ham, of a spam: classes weigh n / 2 each */
};

/* What a set of rows comes to. */
struct flow_sums {
	double g, h;
	size_t n;
};

/*
 * How to grow a tree.  Each row has a g and an h; gain says what parting rows
 * into two is worth (0 and less: nothing), value what a node of such sums
 * says.
 */
struct flow_grower {
	const struct flow_rows *rows;
	const struct flow_bins *cuts;
	const double *g, *h;
	unsigned int depth, least;
	unsigned int subset; /* features tried at a branch; 0: all */
	uint64_t *seed;
	double (*gain)(const struct flow_grower *, const struct flow_sums *all,
	    const struct flow_sums *left, const struct flow_sums *right);
	double (*value)(const struct flow_grower *, const struct flow_sums *);
	double ridge, scale;
	bool is_pruned;
};

/* Grow over the rows in index[0 .. n-1], which is left in another order. */
struct flow_tree flow_tree_grow(
    const struct flow_grower *grower, uint32_t *index, size_t n);

/* The value of the leaf that a row of bins comes to. */
double flow_tree_value(const struct flow_tree *tree, const uint8_t *bins);

/* Put a tree at the model's end and its root's value into the bias. */
void flow_model_add(struct flow_model *model, struct flow_tree tree);

void flow_train_bayes(struct flow_model *model, const struct flow_rows *rows,
    const struct flow_params *params);
void flow_train_linear(struct flow_model *model, const struct flow_rows *rows,
    const struct flow_params *params);
void flow_train_tree(struct flow_model *model, const struct flow_rows *rows,
    const struct flow_params *params);
void flow_train_forest(struct flow_model *model, const struct flow_rows *rows,
    const struct flow_params *params, uint64_t seed);
void flow_train_boosted(struct flow_model *model, const struct flow_rows *rows,
    const struct flow_params *params, uint64_t seed);

#endif
