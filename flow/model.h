/*
 * flow/model.h - how much a connection looks like one that carries spam.
 *
 * Five kinds of model, all over features cut into bins (flow/bins.h), all
 * with one meaning: a score is log-odds of spam among as many ham as spam, and
 * it is the model's constant plus one contribution for each feature.  Pure.
 */
#ifndef SLUICE_FLOW_MODEL_H
#define SLUICE_FLOW_MODEL_H

#include "flow/sample.h"

enum flow_kind {
	FLOW_BAYES,   /* Naive Bayes over bins */
	FLOW_LINEAR,  /* logistic regression over bins, by liblinear */
	FLOW_TREE,    /* one tree, grown and pruned as C4.5 does */
	FLOW_FOREST,  /* random forest */
	FLOW_BOOSTED, /* boosted trees */
	FLOW_KINDS
};

/* How to train; what a kind doesn't know is passed over. */
struct flow_params {
	unsigned int cuts;   /* of a feature, 1 to FLOW_CUTS */
	unsigned int trees;  /* forest and boosted: how many, 1 to 1000 */
	unsigned int depth;  /* of a tree: branches down to a leaf, 1 to 12 */
	unsigned int least;  /* samples in each leaf at least, from 1 */
	unsigned int subset; /* forest: features tried at a branch, from 1 */
	double rate;         /* boosted: share of each tree, 0 to 1 */
	double ridge;        /* boosted: added to each second derivative */
	double cost;         /* linear: liblinear's C */
	double prior;        /* bayes: added to each count */
};

struct flow_model;

/* "bayes", "linear", "tree", "forest", "boosted". */
const char *flow_kind_name(enum flow_kind kind);

/* What is used unless something else is asked for. */
struct flow_params flow_params_default(enum flow_kind kind);

/*
 * Learn from n samples, of both classes; the classes weigh the same however
 * many there are of each.  The same samples in the same order and the same
 * seed give the same model.  params may be NULL: the default.
 *
 * Returns the model, which the caller frees.  Takes processor time only: with
 * 4000 samples 0.4 s for the longest of the defaults
 * (docs/notes/flow-models.md).
 */
struct flow_model *flow_model_train(enum flow_kind kind,
    const struct flow_params *params, const struct flow_sample *const *samples,
    size_t n, uint64_t seed);

/* NULL is allowed.  Returns NULL. */
struct flow_model *flow_model_free(struct flow_model *model);

enum flow_kind flow_model_kind(const struct flow_model *model);
/* Its constant. */
double flow_model_bias(const struct flow_model *model);

/*
 * The score of features x[FLOW_FEATURES]: the bias, then the contributions
 * added in the order of the features.  These are written to
 * ret_contributions[FLOW_FEATURES] unless that is NULL.
 */
double flow_model_score(
    const struct flow_model *model, const double *x, double *ret_contributions);

/* Probability of spam for a score, were there as many ham as spam. */
double flow_probability(double score);

/*
 * As a new JSON object, and back: the same scores, bit for bit.  Every number
 * of it is checked.
 *
 * name  of the file, for err
 *
 * Returns 0, or -EBADMSG with what is wrong in err, *ret untouched.
 */
struct json_t *flow_model_json(const struct flow_model *model);
int flow_model_of(const char *name, const struct json_t *object,
    struct flow_model **ret, char *err, size_t err_size);

#endif
