#include "flow/model_priv.h"

#include "common/io.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT  "sluice-flow-model"
#define VERSION 1

/* Points and values beyond it are of no model: log-odds of 10^6. */
#define VALUE_MAX 1e6

static json_t *
names_json(void)
{
	json_t *names = json_array();

	for (size_t f = 0; f < FLOW_FEATURES; f++)
		(void)json_array_append_new(
		    names, json_string(flow_feature_name(f)));
	return names;
}

static json_t *
numbers_json(const double *numbers, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(array, json_real(numbers[i]));
	return array;
}

/* A leaf is [value], a branch [value, feature, bin, null_left, left, right]. */
static json_t *
tree_json(const struct flow_tree *tree)
{
	json_t *nodes = json_array();

	for (size_t i = 0; i < tree->n; i++) {
		const struct flow_node *n = &tree->nodes[i];

		(void)json_array_append_new(nodes,
		    n->left ? json_pack("[f i i i i i]", n->value, n->feature,
				  n->bin, (int)n->null_left, n->left, n->right)
			    : json_pack("[f]", n->value));
	}
	return nodes;
}

json_t *
flow_model_json(const struct flow_model *model)
{
	json_t *cuts = json_array(), *points = json_array();
	json_t *trees = json_array();

	for (size_t f = 0; f < FLOW_FEATURES; f++) {
		(void)json_array_append_new(
		    cuts, numbers_json(model->bins.cuts[f], model->bins.n[f]));
		(void)json_array_append_new(points,
		    numbers_json(model->points[f], model->bins.n[f] + 2u));
	}
	for (size_t i = 0; i < model->n_trees; i++)
		(void)json_array_append_new(trees, tree_json(&model->trees[i]));
	return json_pack("{ss si ss sf so so so so}", "format", FORMAT,
	    "version", VERSION, "kind", flow_kind_name(model->kind), "bias",
	    model->bias, "features", names_json(), "cuts", cuts, "points",
	    points, "trees", trees);
}

/* Where reading is, and what is wrong there. */
struct reader {
	const char *name;
	char *err;
	size_t err_size;
};

static int __attribute__((format(printf, 2, 3)))
wrong(const struct reader *r, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	(void)snprintf(r->err, r->err_size,
	    "%s: %s; remove the file, and a model is learned again", r->name,
	    what);
	return -EBADMSG;
}

static bool
is_value(const json_t *number)
{
	return json_is_number(number) &&
	       fabs(json_number_value(number)) <= VALUE_MAX;
}

static int
read_kind(const struct reader *r, const json_t *object, enum flow_kind *ret)
{
	const char *format =
	    json_string_value(json_object_get(object, "format"));
	const char *name = json_string_value(json_object_get(object, "kind"));

	if (!format || strcmp(format, FORMAT) != 0)
		return wrong(r, "no model of connections");
	if (json_integer_value(json_object_get(object, "version")) != VERSION)
		return wrong(r, "a model of another version than %d", VERSION);
	for (unsigned int k = 0; name && k < FLOW_KINDS; k++)
		if (strcmp(name, flow_kind_name((enum flow_kind)k)) == 0) {
			*ret = (enum flow_kind)k;
			return 0;
		}
	return wrong(r, "kind: \"%.20s\" is none", name ? name : "");
}

static int
read_numbers(const struct reader *r, const char *key, const json_t *array,
    size_t n, double *ret)
{
	if (json_array_size(array) != n)
		return wrong(r, "%s: %zu numbers in place of %zu", key,
		    json_array_size(array), n);
	for (size_t i = 0; i < n; i++) {
		const json_t *number = json_array_get(array, i);

		if (!json_is_number(number))
			return wrong(r, "%s: a member is no number", key);
		ret[i] = json_number_value(number);
	}
	return 0;
}

static int
read_cuts(const struct reader *r, const json_t *array, size_t f,
    struct flow_bins *bins)
{
	const size_t n = json_array_size(array);

	if (!json_is_array(array) || n > FLOW_CUTS)
		return wrong(r, "cuts of %s: not up to %d numbers",
		    flow_feature_name(f), FLOW_CUTS);
	bins->n[f] = (uint8_t)n;
	if (read_numbers(r, "cuts", array, n, bins->cuts[f]) < 0)
		return -EBADMSG;
	for (size_t i = 1; i < n; i++)
		if (!(bins->cuts[f][i] > bins->cuts[f][i - 1]))
			return wrong(r, "cuts of %s: not ascending",
			    flow_feature_name(f));
	return 0;
}

static int
read_features(
    const struct reader *r, const json_t *object, struct flow_model *model)
{
	const json_t *names = json_object_get(object, "features");
	const json_t *cuts = json_object_get(object, "cuts");
	const json_t *points = json_object_get(object, "points");

	for (size_t f = 0; f < FLOW_FEATURES; f++) {
		const char *name = json_string_value(json_array_get(names, f));

		if (!name || strcmp(name, flow_feature_name(f)) != 0)
			return wrong(r, "features: %zu isn't %s", f + 1,
			    flow_feature_name(f));
		if (read_cuts(r, json_array_get(cuts, f), f, &model->bins) <
			0 ||
		    read_numbers(r, "points", json_array_get(points, f),
			model->bins.n[f] + 2u, model->points[f]) < 0)
			return -EBADMSG;
		for (size_t b = 0; b < model->bins.n[f] + 2u; b++)
			if (fabs(model->points[f][b]) > VALUE_MAX)
				return wrong(r, "points of %s: beyond 10^6",
				    flow_feature_name(f));
	}
	if (json_array_size(names) != FLOW_FEATURES)
		return wrong(r, "features: more than %d", FLOW_FEATURES);
	return 0;
}

/* 0 to below; -1 for anything else. */
static long
small(const json_t *node, size_t i, size_t below)
{
	const json_t *number = json_array_get(node, i);
	const json_int_t value = json_integer_value(number);

	return json_is_integer(number) && value >= 0 &&
		       value < (json_int_t)below
		   ? (long)value
		   : -1;
}

/* Node i of n; what is below it lies behind it, so no walk goes round. */
static int
read_node(const struct reader *r, const json_t *json, size_t i, size_t n,
    struct flow_node *ret)
{
	const size_t members = json_array_size(json);
	const long feature = small(json, 1, FLOW_FEATURES);
	const long bin = small(json, 2, FLOW_BINS);
	const long null_left = small(json, 3, 2);
	const long left = small(json, 4, n), right = small(json, 5, n);

	if ((members != 1 && members != 6) ||
	    !is_value(json_array_get(json, 0)))
		return wrong(r, "trees: node %zu isn't a leaf or branch", i);
	ret->value = json_number_value(json_array_get(json, 0));
	if (members == 1)
		return 0;
	if (feature < 0 || bin < 1 || null_left < 0 || left <= (long)i ||
	    right <= (long)i)
		return wrong(r, "trees: branch %zu leads nowhere", i);
	ret->feature = (uint8_t)feature;
	ret->bin = (uint8_t)bin;
	ret->null_left = null_left == 1;
	ret->left = (uint16_t)left;
	ret->right = (uint16_t)right;
	return 0;
}

static int
read_tree(const struct reader *r, const json_t *json, struct flow_model *model)
{
	struct flow_tree *tree = &model->trees[model->n_trees];
	const size_t n = json_array_size(json);

	if (n == 0 || n > FLOW_NODES_MAX)
		return wrong(r, "trees: one of %zu nodes", n);
	tree->nodes = xcalloc(n, sizeof(*tree->nodes));
	tree->n = n;
	model->n_trees++;
	for (size_t i = 0; i < n; i++)
		if (read_node(
			r, json_array_get(json, i), i, n, &tree->nodes[i]) < 0)
			return -EBADMSG;
	return 0;
}

static int
read_model(
    const struct reader *r, const json_t *object, struct flow_model *model)
{
	const json_t *bias = json_object_get(object, "bias");
	const json_t *trees = json_object_get(object, "trees");
	const size_t n = json_array_size(trees);

	if (read_kind(r, object, &model->kind) < 0 ||
	    read_features(r, object, model) < 0)
		return -EBADMSG;
	if (!is_value(bias))
		return wrong(r, "bias: no number up to 10^6");
	model->bias = json_number_value(bias);
	if (!json_is_array(trees) || n > FLOW_TREES_MAX)
		return wrong(r, "trees: not up to %d", FLOW_TREES_MAX);
	model->trees = xcalloc(n + 1, sizeof(*model->trees));
	for (size_t i = 0; i < n; i++)
		if (read_tree(r, json_array_get(trees, i), model) < 0)
			return -EBADMSG;
	return 0;
}

int
flow_model_of(const char *name, const json_t *object, struct flow_model **ret,
    char *err, size_t err_size)
{
	const struct reader r = {name, err, err_size};
	struct flow_model *model = xcalloc(1, sizeof(*model));

	if (read_model(&r, object, model) < 0) {
		(void)flow_model_free(model);
		return -EBADMSG;
	}
	*ret = model;
	return 0;
}
