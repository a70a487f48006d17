/*
 * worker/mef/strongest.h - which features of a document spoke most.
 */
#ifndef SLUICE_WORKER_MEF_STRONGEST_H
#define SLUICE_WORKER_MEF_STRONGEST_H

#include "worker/mef/model.h"

struct mef_strong {
	enum mef_family family;
	uint64_t hash;           /* a model knows no names of features */
	uint32_t n[MEF_CLASSES]; /* documents that have it, as counted */
	double log_odds;         /* log P(it|malicious) / P(it|benign) */
};

/*
 * The features of a finished bag with the greatest log-odds either way, by
 * Laplace's rule as mef_model_score() takes it from the counts; the greatest
 * first.  What the linear judgement adds is no single feature's.  Pure; one
 * look at two cells a feature.
 *
 * Returns how many of room were found.
 */
size_t mef_model_strongest(const struct mef_model *model,
    const struct mef_bag *bag, struct mef_strong *ret, size_t room);

#endif
