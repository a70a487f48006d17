/*
 * tools/sluice/model.h - the sub-commands of `sluice model`, one file each,
 * and what they share.
 */
#ifndef SLUICE_TOOLS_MODEL_H
#define SLUICE_TOOLS_MODEL_H

#include "tools/sluice/command.h"
#include "tools/sluice/util.h"
#include "worker/mef/model.h"

command_main model_train;
command_main model_score;
command_main model_eval;
command_main model_info;
command_main model_prune;
command_main model_diff;
command_main model_sign;
command_main model_verify;
command_main model_apply;
command_main model_revert;
command_main model_poll;
command_main model_submit;
command_main model_archive;

#define MODEL_SKETCH 126u /* 42 bands of 3, model_groups.c */

/* What --floor says; ends the process if that is no number from 2 on. */
uint32_t model_floor(struct argp_state *state, const char *arg);

struct document {
	char *path;
	const char *name; /* within path: what tables call it */
	enum mef_class class;
	struct digest digest;
	uint64_t bytes;
	uint64_t time; /* of --times, else 0 */
	uint32_t group, fold;
	uint64_t sketch[MODEL_SKETCH];
	struct mef_bag *bag; /* NULL: to be read again when it is needed */
};

struct model_reader;

/* What train and eval are given. */
struct corpus {
	struct document *at;
	size_t n, room;
	uint64_t bytes;
	uint64_t kept; /* features in bags that are kept in memory */
	struct model_reader *reader;
	const char *command; /* for messages */
	bool has_times;
};

/* Options of both; the first member of their own. */
struct corpus_options {
	struct common_options common;
	enum mef_set set;
	bool is_list;
	unsigned int folds;
	double false_positives; /* share of benign documents, above 0 */
	const char *groups, *times;
	char **benign, **malicious; /* NULL-terminated, own */
};

/* Their rows of an argp table, and their part of its parser. */
extern const struct argp corpus_argp;

/*
 * Read all documents: paths, digests, sketches, bags as far as memory goes.
 * Returns STATUS_FINE, or another status after saying why.
 */
int corpus_read(struct corpus *corpus, const struct corpus_options *options,
    const char *command);
void corpus_done(struct corpus *corpus);

/* The bag of a document, kept or read again into *spare. */
const struct mef_bag *corpus_bag(
    struct corpus *corpus, struct document *document, struct mef_bag **spare);

/*
 * Put documents that belong together into one group: of one name in the
 * table of groups, or, without a table, of near the same features (half of
 * them in common).  Then groups into folds of about the same size.
 * Returns a status.
 */
int corpus_group(struct corpus *corpus, const struct corpus_options *options);

/* A judged document. */
struct scored {
	double score;
	enum mef_class class;
};

struct scores {
	struct scored *at;
	size_t n, room;
};

void scores_add(struct scores *scores, double score, enum mef_class class);
void scores_free(struct scores *scores);

/* Area under the ROC curve, ties count half; 0.5 without both classes. */
double scores_auc(struct scores *scores);

/*
 * The operating point at which at most that share of benign scores is called
 * malicious, with the slope of greatest likelihood.
 */
struct mef_point scores_point(struct scores *scores, double false_positives);

/* "threshold false-positives detection" as a curve; sorts. */
typedef void roc_visit(void *arg, double threshold, double fp, double tp);
void scores_roc(struct scores *scores, roc_visit *visit, void *arg);

/*
 * Score, by models without their own fold, all documents for which is_in is
 * set; the model is changed and changed back, octet for octet.
 * Returns a status.
 */
int corpus_cross_score(struct corpus *corpus, struct mef_model *model,
    unsigned int folds, const bool *is_in, struct scores *ret_scores);

#endif
