/*
 * tools/sluice/model_eval.c - `sluice model eval`: folds are learned and
 * judged, with thresholds set inside what is learned.
 */
#include "tools/sluice/model_eval_priv.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sim/plot.h"
#include "tools/sluice/model_progress.h"

#include <math.h>
#include <string.h>

enum { KEY_PLOT = 512, KEY_TABLE, KEY_VERDICTS };

static const struct argp_option rows[] = {
    {"plot", KEY_PLOT, "FILE", 0, "draw the ROC curve (.svg or .png)", 0},
    {"table", KEY_TABLE, "FILE", 0, "write the ROC curve as a table", 0},
    {"verdicts", KEY_VERDICTS, "FILE", 0,
	"write a line for each judged document", 0},
    {0}};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct eval *e = state->input;
	char err[200];

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &e->options;
		return 0;
	case KEY_PLOT:
		if (plot_check(arg, err, sizeof(err)) < 0)
			argp_error(state, "%s", err);
		e->plot = arg;
		return 0;
	case KEY_TABLE:
		e->table = arg;
		return 0;
	case KEY_VERDICTS:
		e->verdicts_path = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state,
		    "%s: name directories by --malicious and "
		    "--benign",
		    arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&corpus_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {.options = rows,
    .parser = parse,
    .children = children,
    .doc = "Learn all folds but one and judge that one, for each."};

/* Learn (1), forget (-1), for those where the flag has changed. */
static int
make_learned(struct eval *e, bool *is_in, const bool *wanted)
{
	CLEANUP(mef_bag_freep) struct mef_bag *spare = NULL;

	for (size_t i = 0; i < e->corpus.n; i++) {
		struct document *d = &e->corpus.at[i];
		const struct mef_bag *bag;
		int r;

		if (is_in[i] == wanted[i])
			continue;
		bag = corpus_bag(&e->corpus, d, &spare);
		if (!bag)
			return STATUS_SYSTEM;
		r = wanted[i]
			? mef_model_add(e->model, bag, &d->digest, d->class)
			: mef_model_remove(e->model, bag, &d->digest, d->class);
		if (r < 0)
			return util_fail(STATUS_SYSTEM, e->corpus.command,
			    "%s: %s", d->path, strerror(-r));
		is_in[i] = wanted[i];
	}
	return STATUS_FINE;
}

static void
judge(struct eval *e, struct fold *fold, const struct document *d,
    const struct mef_bag *bag)
{
	struct mef_score score;
	double logit;

	mef_model_score(e->model, bag, NULL, &score);
	logit = (score.total - (double)fold->point.threshold / 1e6) *
		(double)fold->point.slope / 1e6;
	scores_add(&fold->scores, logit, d->class);
	scores_add(&e->scores, logit, d->class);
	fold->judged[d->class]++;
	fold->called[d->class] += logit > 0;
	fold->borderline +=
	    mef_label_of(&score, MEF_BAND_DEFAULT) == MEF_IS_BORDERLINE;
	if (e->verdicts)
		(void)fprintf(e->verdicts, "%s\t%s\t%u\t%.6f\t%.6f\n", d->name,
		    mef_label_names[d->class], fold->number, logit,
		    score.p_malicious);
}

static int
judge_fold(struct eval *e, struct fold *fold, const bool *is_test)
{
	CLEANUP(mef_bag_freep) struct mef_bag *spare = NULL;

	mef_model_set_point(e->model, fold->point);
	mef_model_solve(e->model);
	for (size_t i = 0; i < e->corpus.n; i++) {
		const struct mef_bag *bag;

		if (!is_test[i])
			continue;
		bag = corpus_bag(&e->corpus, &e->corpus.at[i], &spare);
		if (!bag)
			return STATUS_SYSTEM;
		judge(e, fold, &e->corpus.at[i], bag);
	}
	return STATUS_FINE;
}

static int
by_time(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Times that part the documents into folds + 1 spans; the first is learned. */
static uint64_t *
time_bounds(const struct eval *e)
{
	const unsigned int spans = e->options.folds + 1;
	uint64_t *times = xcalloc(e->corpus.n, sizeof(*times));
	uint64_t *bounds = xcalloc(spans + 1, sizeof(*bounds));

	for (size_t i = 0; i < e->corpus.n; i++)
		times[i] = e->corpus.at[i].time;
	qsort(times, e->corpus.n, sizeof(*times), by_time);
	for (unsigned int k = 1; k < spans; k++)
		bounds[k] = times[k * e->corpus.n / spans];
	bounds[spans] = UINT64_MAX;
	free(times);
	return bounds;
}

static void
split(const struct eval *e, const uint64_t *bounds, unsigned int k,
    bool *is_learned, bool *is_test)
{
	for (size_t i = 0; i < e->corpus.n; i++) {
		const struct document *d = &e->corpus.at[i];

		is_learned[i] = bounds ? d->time < bounds[k + 1] : d->fold != k;
		is_test[i] =
		    bounds ? d->time >= bounds[k + 1] && d->time < bounds[k + 2]
			   : d->fold == k;
	}
}

static int
eval_fold(struct eval *e, struct fold *fold, bool *is_in, const bool *wanted,
    const bool *is_test)
{
	struct scores inner = {NULL, 0, 0};
	int status = make_learned(e, is_in, wanted);

	if (status == STATUS_FINE)
		status = corpus_cross_score(
		    &e->corpus, e->model, e->options.folds, is_in, &inner);
	if (status == STATUS_FINE) {
		fold->point = scores_point(&inner, e->options.false_positives);
		status = judge_fold(e, fold, is_test);
	}
	if (status == STATUS_FINE)
		eval_signatures(e, fold, is_in, is_test);
	scores_free(&inner);
	return status;
}

static int
eval_folds(struct eval *e)
{
	CLEANUP(free_ptr) bool *is_in = xcalloc(e->corpus.n, sizeof(bool));
	CLEANUP(free_ptr) bool *wanted = xcalloc(e->corpus.n, sizeof(bool));
	CLEANUP(free_ptr) bool *is_test = xcalloc(e->corpus.n, sizeof(bool));
	CLEANUP(free_ptr)
	uint64_t *bounds = e->corpus.has_times ? time_bounds(e) : NULL;
	int status = STATUS_FINE;

	e->folds = xcalloc(e->options.folds, sizeof(*e->folds));
	for (unsigned int k = 0; status == STATUS_FINE && k < e->options.folds;
	     k++) {
		e->folds[k].number = k;
		split(e, bounds, k, wanted, is_test);
		status = eval_fold(e, &e->folds[k], is_in, wanted, is_test);
		progress("fold", k + 1, e->options.folds);
	}
	return status;
}

static void
eval_done(struct eval *e)
{
	for (unsigned int k = 0; e->folds && k < e->options.folds; k++)
		scores_free(&e->folds[k].scores);
	free(e->folds);
	scores_free(&e->scores);
	corpus_done(&e->corpus);
	free(e->options.malicious);
	free(e->options.benign);
	if (e->verdicts)
		(void)fclose(e->verdicts);
}

static int
open_verdicts(struct eval *e)
{
	if (!e->verdicts_path)
		return STATUS_FINE;
	e->verdicts = fopen(e->verdicts_path, "we");
	return e->verdicts ? STATUS_FINE
			   : util_fail(STATUS_SYSTEM, e->corpus.command,
				 "%s: %m", e->verdicts_path);
}

int
model_eval(int argc, char **argv)
{
	struct eval e = {.options = {.set = MEF_SET_FULL}};
	int status;

	util_parse(&argp, argc, argv, &e);
	status = corpus_read(&e.corpus, &e.options, argv[0]);
	if (status == STATUS_FINE)
		status = corpus_group(&e.corpus, &e.options);
	if (status == STATUS_FINE)
		status = open_verdicts(&e);
	if (status == STATUS_FINE) {
		CLEANUP(mef_model_freep)
		struct mef_model *model = mef_model_new(e.options.set, 0);

		e.model = model;
		status = eval_folds(&e);
		if (status == STATUS_FINE)
			status = eval_show(&e);
	}
	eval_done(&e);
	return status;
}
