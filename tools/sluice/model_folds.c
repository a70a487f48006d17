/*
 * tools/sluice/model_folds.c - scores by models that have not seen the
 * document's fold: it is taken out of the model, judged, and put back.
 */
#include "tools/sluice/model.h"

#include "tools/sluice/model_progress.h"

#include <string.h>

/* Learn (or forget) all documents of a fold that are in; a status. */
static int
move_fold(struct corpus *corpus, struct mef_model *model, uint32_t fold,
    const bool *is_in, bool is_back)
{
	CLEANUP(mef_bag_freep) struct mef_bag *spare = NULL;

	for (size_t i = 0; i < corpus->n; i++) {
		struct document *d = &corpus->at[i];
		const struct mef_bag *bag;
		int r;

		if (d->fold != fold || !is_in[i])
			continue;
		bag = corpus_bag(corpus, d, &spare);
		if (!bag)
			return STATUS_SYSTEM;
		r = is_back
			? mef_model_add(model, bag, &d->digest, d->class)
			: mef_model_remove(model, bag, &d->digest, d->class);
		if (r < 0)
			return util_fail(STATUS_SYSTEM, corpus->command,
			    "%s: %s", d->path, strerror(-r));
	}
	return STATUS_FINE;
}

static int
score_fold(struct corpus *corpus, struct mef_model *model, uint32_t fold,
    const bool *is_in, struct scores *ret_scores)
{
	CLEANUP(mef_bag_freep) struct mef_bag *spare = NULL;

	mef_model_solve(model);
	for (size_t i = 0; i < corpus->n; i++) {
		struct document *d = &corpus->at[i];
		const struct mef_bag *bag;
		struct mef_score score;

		if (d->fold != fold || !is_in[i])
			continue;
		bag = corpus_bag(corpus, d, &spare);
		if (!bag)
			return STATUS_SYSTEM;
		mef_model_score(model, bag, NULL, &score);
		scores_add(ret_scores, score.total, d->class);
	}
	return STATUS_FINE;
}

int
corpus_cross_score(struct corpus *corpus, struct mef_model *model,
    unsigned int folds, const bool *is_in, struct scores *ret_scores)
{
	int status = STATUS_FINE;

	for (uint32_t k = 0; status == STATUS_FINE && k < folds; k++) {
		bool has_any = false;

		for (size_t i = 0; i < corpus->n; i++)
			has_any |= corpus->at[i].fold == k && is_in[i];
		if (!has_any)
			continue;
		status = move_fold(corpus, model, k, is_in, false);
		if (status == STATUS_FINE)
			status =
			    score_fold(corpus, model, k, is_in, ret_scores);
		if (status == STATUS_FINE)
			status = move_fold(corpus, model, k, is_in, true);
		progress("setting the threshold", k + 1, folds);
	}
	return status;
}
