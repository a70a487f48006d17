/*
 * flow/trial.h - what a model is worth: judged samples, and the figures that
 * come of them.  Pure.
 */
#ifndef SLUICE_FLOW_TRIAL_H
#define SLUICE_FLOW_TRIAL_H

#include "flow/model.h"

/* A sample that was judged by a model which had not seen it. */
struct flow_judged {
	double score; /* log-odds; above 0 counts as called spam */
	bool is_spam;
};

struct flow_figures {
	size_t n_ham, n_spam;
	double accuracy, precision, recall; /* of calls of spam by score > 0 */
	double auc; /* chance that a spam scores above a ham; ties are half */
	double tpr_001, tpr_01; /* share of spam above a score that 0.1 % (1 %)
				   of the ham exceed, at most */
	double threshold_01;    /* that score for 1 % */
};

/*
 * Sorts judged.  Figures that don't exist (no sample of a class, no call of
 * spam) are NAN.
 */
struct flow_figures flow_figures_of(struct flow_judged *judged, size_t n);

/*
 * Judge each of n samples by a model trained without its peer: peers are
 * dealt over 5 folds, samples of no known peer one by one.  With `most` above
 * 0 each training set is so many samples at most, drawn from what there is.
 *
 * ret_judged  room for n, in the order of the samples
 *
 * Returns 0, or -ENODATA: with fewer than 5 samples of a class, or when all
 * of a class is of one peer, there is nothing to train with.  Takes as long
 * as 5 trainings.
 */
int flow_cross(enum flow_kind kind, const struct flow_params *params,
    const struct flow_sample *const *samples, size_t n, size_t most,
    uint64_t seed, struct flow_judged *ret_judged);

/*
 * Ends of the 95 % interval for a share, of which hits among n were seen
 * (Wilson: Probable inference, 1927, equation 2).  0 and 1 for n = 0.
 */
double flow_share_low(size_t hits, size_t n);
double flow_share_high(size_t hits, size_t n);

#endif
