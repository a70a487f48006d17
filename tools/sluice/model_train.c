/*
 * tools/sluice/model_train.c - `sluice model train`: learns documents.
 */
#include "tools/sluice/model.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "tools/sluice/model_progress.h"

#include <string.h>

enum { KEY_BASE = 512, KEY_FORGET, KEY_KEEP_POINT, KEY_TABLE };

struct train_options {
	struct corpus_options corpus; /* first: argp's child has it */
	const char *output, *base;
	bool is_forgetting, keeps_point;
	unsigned int log_cells;
};

static const struct argp_option rows[] = {
    {"output", 'o', "MODEL", 0, "write the model to this file", 0},
    {"base", KEY_BASE, "MODEL", 0, "begin with what this model has learned", 0},
    {"forget", KEY_FORGET, NULL, 0,
	"take the documents out of the base instead", 0},
    {"keep-point", KEY_KEEP_POINT, NULL, 0,
	"leave the threshold as it is in the base, or at even odds: then the "
	"file is the same in whatever order its documents came",
	0},
    {"table-bits", KEY_TABLE, "N", 0,
	"2^N cells a table, 10 to 26, for a model that is new", 0},
    {0}};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct train_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->corpus;
		return 0;
	case 'o':
		o->output = arg;
		return 0;
	case KEY_BASE:
		o->base = arg;
		return 0;
	case KEY_FORGET:
		o->is_forgetting = true;
		return 0;
	case KEY_KEEP_POINT:
		o->keeps_point = true;
		return 0;
	case KEY_TABLE:
		o->log_cells = (unsigned int)atoi(arg);
		if (o->log_cells < 10 || o->log_cells > 26)
			argp_error(
			    state, "%s: write a number from 10 to 26", arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state,
		    "%s: name directories by --malicious and "
		    "--benign",
		    arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->output)
			argp_error(state, "where to? give -o MODEL");
		if (o->is_forgetting && !o->base)
			argp_error(state, "forget out of what? give --base");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&corpus_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {.options = rows,
    .parser = parse,
    .args_doc = "-o MODEL",
    .children = children,
    .doc = "Learn documents: programs, or lists of their features.\v"
	   "A model is a sum: documents can be learned in any order and be "
	   "taken out again, and its counts are the same octets."};

static int
learn(struct corpus *corpus, struct mef_model *model, bool is_forgetting)
{
	CLEANUP(mef_bag_freep) struct mef_bag *spare = NULL;

	for (size_t i = 0; i < corpus->n; i++) {
		struct document *d = &corpus->at[i];
		const struct mef_bag *bag = corpus_bag(corpus, d, &spare);
		int r;

		if (!bag)
			return STATUS_SYSTEM;
		r = is_forgetting
			? mef_model_remove(model, bag, &d->digest, d->class)
			: mef_model_add(model, bag, &d->digest, d->class);
		if (r == -ENOENT || r == -EINVAL)
			return util_fail(STATUS_USAGE, corpus->command,
			    "%s: the base has not learned it as %s", d->path,
			    mef_label_names[d->class]);
		if (r < 0)
			return util_fail(STATUS_SYSTEM, corpus->command,
			    "%s: %s", d->path, strerror(-r));
		progress("learning", i + 1, corpus->n);
	}
	return STATUS_FINE;
}

static int
begin(const struct train_options *o, const char *command,
    struct mef_model **ret_model)
{
	char err[500] = "";

	if (!o->base) {
		*ret_model = mef_model_new(o->corpus.set, o->log_cells);
		return STATUS_FINE;
	}
	if (mef_model_open(o->base, ret_model, err, sizeof(err)) < 0)
		return util_fail(STATUS_SYSTEM, command, "%s", err);
	if (mef_model_head(*ret_model)->set != o->corpus.set)
		return util_fail(STATUS_USAGE, command,
		    "%s: its features are others: give --features %s", o->base,
		    o->corpus.set == MEF_SET_FULL ? "2001" : "full");
	if (mef_model_head(*ret_model)->flags & MEF_PRUNED)
		return util_fail(STATUS_USAGE, command,
		    "%s: a pruned view can't learn: give its master", o->base);
	return STATUS_FINE;
}

/* Threshold and slope by what the model says of folds that it lacks. */
static int
set_point(struct corpus *corpus, struct mef_model *model,
    const struct corpus_options *options)
{
	CLEANUP(free_ptr) bool *is_in = xcalloc(corpus->n, sizeof(*is_in));
	struct scores scores = {NULL, 0, 0};
	int status;

	for (size_t i = 0; i < corpus->n; i++)
		is_in[i] = true;
	status = corpus_group(corpus, options);
	if (status == STATUS_FINE)
		status = corpus_cross_score(
		    corpus, model, options->folds, is_in, &scores);
	if (status == STATUS_FINE)
		mef_model_set_point(
		    model, scores_point(&scores, options->false_positives));
	scores_free(&scores);
	return status;
}

static void
tell(const struct train_options *o, const struct corpus *corpus,
    const struct mef_model *model, uint64_t usec)
{
	const struct mef_head *head = mef_model_head(model);
	const double rate = usec ? (double)corpus->bytes / (double)usec : 0;

	if (o->corpus.common.json) {
		util_json_line(stdout,
		    json_pack("{ss sI sI sI sf sI sf}", "model", o->output,
			"malicious",
			(json_int_t)head->n_documents[MEF_MALICIOUS], "benign",
			(json_int_t)head->n_documents[MEF_BENIGN], "bytes",
			(json_int_t)corpus->bytes, "mb_per_s", rate,
			"file_bytes", (json_int_t)head->file_bytes, "threshold",
			(double)head->point.threshold / 1e6));
		return;
	}
	(void)printf("%s: %llu malicious, %llu benign documents; "
		     "%.1f MB learned, %.0f MB/s\n",
	    o->output, (unsigned long long)head->n_documents[MEF_MALICIOUS],
	    (unsigned long long)head->n_documents[MEF_BENIGN],
	    (double)corpus->bytes / 1e6, rate);
}

int
model_train(int argc, char **argv)
{
	struct train_options o = {.corpus = {.set = MEF_SET_FULL}};
	CLEANUP(mef_model_freep) struct mef_model *model = NULL;
	const uint64_t began_usec = mono_now().usec;
	struct corpus corpus;
	uint64_t usec = 0;
	int status, r;

	util_parse(&argp, argc, argv, &o);
	status = corpus_read(&corpus, &o.corpus, argv[0]);
	if (status == STATUS_FINE)
		status = begin(&o, argv[0], &model);
	if (status == STATUS_FINE)
		status = learn(&corpus, model, o.is_forgetting);
	usec = mono_now().usec - began_usec;
	if (status == STATUS_FINE && !o.keeps_point && !o.is_forgetting)
		status = set_point(&corpus, model, &o.corpus);
	r = status == STATUS_FINE ? mef_model_save(model, o.output) : 0;
	if (r < 0)
		status = util_fail(
		    STATUS_SYSTEM, argv[0], "%s: %s", o.output, strerror(-r));
	if (status == STATUS_FINE)
		tell(&o, &corpus, model, usec);
	corpus_done(&corpus);
	free(o.corpus.malicious);
	free(o.corpus.benign);
	return status;
}
