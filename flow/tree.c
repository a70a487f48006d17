#include "flow/model_priv.h"

#include "common/io.h"
#include "flow/draw.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * One-sided upper end of the interval in which C4.5 looks for the true share
 * of errors: confidence 25 % (Quinlan: C4.5, 1993, 4.2).
 */
#define PRUNE_Z 0.6744898

struct growth {
	const struct flow_grower *how;
	struct flow_tree tree;
	size_t room;
};

struct split {
	double gain;
	uint8_t feature, bin;
	bool null_left;
};

static void
add(struct flow_sums *to, const struct flow_sums *sums)
{
	to->g += sums->g;
	to->h += sums->h;
	to->n += sums->n;
}

static struct flow_sums
rest_of(const struct flow_sums *all, const struct flow_sums *part)
{
	return (struct flow_sums){
	    all->g - part->g, all->h - part->h, all->n - part->n};
}

static void
consider(const struct flow_grower *how, const struct flow_sums *all,
    const struct flow_sums *left, struct split split, struct split *best)
{
	const struct flow_sums right = rest_of(all, left);

	if (left->n < how->least || right.n < how->least)
		return;
	split.gain = how->gain(how, all, left, &right);
	if (split.gain > best->gain)
		*best = split;
}

/* Every place to cut a feature, with nulls on either side. */
static void
try_feature(const struct flow_grower *how, const uint32_t *index, size_t n,
    size_t f, const struct flow_sums *all, struct split *best)
{
	struct flow_sums bin[FLOW_BINS] = {{0}}, left = {0}, with_null;
	struct split split = {.feature = (uint8_t)f};

	for (size_t i = 0; i < n; i++) {
		const size_t row = index[i];

		add(&bin[how->rows->bins[row][f]],
		    &(struct flow_sums){how->g[row], how->h[row], 1});
	}
	for (unsigned int b = 1; b <= how->cuts->n[f] + 1u; b++) {
		if (bin[b].n == 0)
			continue;
		add(&left, &bin[b]);
		split.bin = (uint8_t)b;
		split.null_left = false;
		consider(how, all, &left, split, best);
		if (bin[0].n == 0)
			continue;
		with_null = left;
		add(&with_null, &bin[0]);
		split.null_left = true;
		consider(how, all, &with_null, split, best);
	}
}

/* Bring the rows that go left to the front; how many are they? */
static size_t
part(const struct flow_grower *how, uint32_t *index, size_t n,
    const struct split *split)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		const uint32_t row = index[i];
		const unsigned int bin = how->rows->bins[row][split->feature];

		if (bin ? bin > split->bin : !split->null_left)
			continue;
		index[i] = index[left];
		index[left++] = row;
	}
	return left;
}

static struct split
find_split(const struct flow_grower *how, const uint32_t *index, size_t n,
    const struct flow_sums *all)
{
	struct split best = {.gain = 0};
	uint8_t order[FLOW_FEATURES];
	size_t tried = how->subset ? how->subset : FLOW_FEATURES;

	for (size_t f = 0; f < FLOW_FEATURES; f++)
		order[f] = (uint8_t)f;
	/* So many different ones: the first steps of a shuffle. */
	for (size_t i = 0; i < FLOW_FEATURES && tried > 0; i++) {
		const size_t k =
		    how->subset ? i + flow_draw(how->seed, FLOW_FEATURES - i)
				: i;
		const uint8_t f = order[k];

		order[k] = order[i];
		try_feature(how, index, n, f, all, &best);
		tried--;
	}
	return best;
}

static uint16_t
new_node(struct growth *growth)
{
	struct flow_tree *tree = &growth->tree;

	if (tree->n == growth->room) {
		growth->room = growth->room ? 2 * growth->room : 64;
		tree->nodes = reallocarray(
		    tree->nodes, growth->room, sizeof(*tree->nodes));
		if (!tree->nodes)
			abort();
	}
	assert(tree->n < FLOW_NODES_MAX);
	memset(&tree->nodes[tree->n], 0, sizeof(*tree->nodes));
	return (uint16_t)tree->n++;
}

/* How many of its rows a leaf must be expected to get wrong. */
static double
errors_of(const struct flow_grower *how, const struct flow_sums *sums)
{
	const double n = (double)sums->n, z2 = PRUNE_Z * PRUNE_Z;
	const double share = sums->g / sums->h;
	const double wrong = share < 0.5 ? share : 1 - share;

	if (!how->is_pruned)
		return 0; /* nobody asks, and g / h is no share */
	/* Wilson's upper end. */
	return n *
	       (wrong + z2 / (2 * n) +
		   PRUNE_Z * sqrt(wrong * (1 - wrong) / n + z2 / (4 * n * n))) /
	       (1 + z2 / n);
}

/*
 * Grow a node and all below it.  Returns the errors that must be expected of
 * it.  What is below a node lies behind it, so a node is pruned by cutting
 * the array off behind it.
 */
static double
grow(struct growth *growth, uint32_t *index, size_t n, unsigned int depth)
{
	const struct flow_grower *how = growth->how;
	const uint16_t own = new_node(growth);
	struct flow_sums all = {0};
	struct split split;
	uint16_t right;
	size_t n_left;
	double below;

	for (size_t i = 0; i < n; i++)
		add(&all,
		    &(struct flow_sums){how->g[index[i]], how->h[index[i]], 1});
	growth->tree.nodes[own].value = how->scale * how->value(how, &all);
	if (depth == 0 || n < 2 * (size_t)how->least)
		return errors_of(how, &all);
	split = find_split(how, index, n, &all);
	if (split.gain <= 0)
		return errors_of(how, &all);
	n_left = part(how, index, n, &split);
	below = grow(growth, index, n_left, depth - 1);
	right = (uint16_t)growth->tree.n;
	below += grow(growth, index + n_left, n - n_left, depth - 1);
	if (how->is_pruned && errors_of(how, &all) <= below) {
		growth->tree.n = own + 1u;
		return errors_of(how, &all);
	}
	growth->tree.nodes[own].feature = split.feature;
	growth->tree.nodes[own].bin = split.bin;
	growth->tree.nodes[own].null_left = split.null_left;
	growth->tree.nodes[own].left = (uint16_t)(own + 1);
	growth->tree.nodes[own].right = right;
	return below;
}

struct flow_tree
flow_tree_grow(const struct flow_grower *grower, uint32_t *index, size_t n)
{
	struct growth growth = {.how = grower};

	assert(n > 0 && grower->depth <= FLOW_DEPTH_MAX && grower->least > 0);
	(void)grow(&growth, index, n, grower->depth);
	return growth.tree;
}
