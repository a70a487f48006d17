/*
 * tools/sluice/model_eval_priv.h - the parts of `sluice model eval`.
 */
#ifndef SLUICE_TOOLS_MODEL_EVAL_PRIV_H
#define SLUICE_TOOLS_MODEL_EVAL_PRIV_H

#include "tools/sluice/model.h"

struct fold {
	unsigned int number;
	struct mef_point point; /* set inside what was learned */
	struct scores scores;   /* logits: 0 is the threshold */
	size_t judged[MEF_CLASSES], called[MEF_CLASSES], borderline;
	size_t signatures[MEF_CLASSES]; /* called malicious by the baseline */
};

struct eval {
	struct corpus_options options; /* first: argp's child has it */
	const char *plot, *table, *verdicts_path;
	FILE *verdicts;
	struct corpus corpus;
	struct mef_model *model; /* borrowed */
	struct fold *folds;
	struct scores scores; /* of all folds */
};

/*
 * The baseline: a malicious document's signature is all of its features that
 * no benign document has; who has all of one is called malicious.  Learns the
 * same documents as the model.  Documents whose bags are not kept are passed
 * over on both sides.
 */
void eval_signatures(struct eval *eval, struct fold *fold,
    const bool *is_learned, const bool *is_test);

/* JSON or table, picture and files, as the options say.  A status. */
int eval_show(struct eval *eval);

#endif
