/*
 * tools/sluice/model_score.c - `sluice model score`: what a model says.
 */
#include "tools/sluice/model.h"

#include "common/cleanup.h"
#include "tools/sluice/model_reader.h"

#include <string.h>

struct score_options {
	struct common_options common;
	const char *model;
	bool is_list;
	double band;
	char **files;
	int n_files;
};

enum { KEY_INPUT = 256, KEY_BAND };

static const struct argp_option rows[] = {OPTION_JSON,
    {"model", 'm', "MODEL", 0, "judge by this model", 0},
    {"input", KEY_INPUT, "files|features", 0,
	"files are programs, or texts of one feature a line", 0},
    {"borderline", KEY_BAND, "PERCENT", 0,
	"|P(malicious) - P(benign)| up to this is borderline (2.5)", 0},
    {0}};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct score_options *o = state->input;
	char *end;

	switch (key) {
	case 'm':
		o->model = arg;
		return 0;
	case KEY_INPUT:
		o->is_list = strcmp(arg, "features") == 0;
		if (!o->is_list && strcmp(arg, "files") != 0)
			argp_error(state, "%s: write files or features", arg);
		return 0;
	case KEY_BAND:
		o->band = strtod(arg, &end) / 100;
		if (end == arg || *end || !(o->band >= 0 && o->band <= 1))
			argp_error(
			    state, "%s: write a number from 0 to 100", arg);
		return 0;
	case ARGP_KEY_ARGS:
		o->files = state->argv + state->next;
		o->n_files = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!o->model)
			argp_error(state, "by what? give -m MODEL");
		if (o->n_files == 0)
			argp_error(state, "which files?");
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

static const struct argp argp = {.options = rows,
    .parser = parse,
    .args_doc = "-m MODEL FILE...",
    .doc = "Say of each file how likely it is malicious.\v"
	   "Exit status 1: at least one is malicious or borderline."};

static json_t *
families_json(const struct mef_model *model, const struct mef_score *score)
{
	json_t *families = json_object();

	for (int f = 0; f < MEF_FAMILIES; f++)
		if (mef_model_cells(model, (enum mef_family)f))
			(void)json_object_set_new(families, mef_family_names[f],
			    json_real(score->family[f]));
	return families;
}

static void
tell(const struct score_options *o, const struct mef_model *model,
    const char *file, const struct mef_bag *bag, const struct mef_score *score,
    enum mef_label label)
{
	if (o->common.json) {
		util_json_line(stdout,
		    json_pack("{so sf sf ss so sf ss sb}", "file",
			util_json_text(file), "p_malicious", score->p_malicious,
			"p_benign", 1 - score->p_malicious, "label",
			mef_label_names[label], "features",
			families_json(model, score), "score", score->total,
			"kind", mef_kind_names[bag->kind], "known",
			score->is_known));
		return;
	}
	(void)printf("%-10s %6.2f %%  %s%s\n", mef_label_names[label],
	    100 * score->p_malicious, file, score->is_known ? " (known)" : "");
}

static int
score_file(const struct score_options *o, struct model_reader *reader,
    const struct mef_model *model, const char *file, const char *command)
{
	CLEANUP(mef_bag_freep) struct mef_bag *bag = NULL;
	struct mef_score score;
	struct digest digest;
	enum mef_label label;
	char err[500] = "";
	uint64_t bytes;

	if (model_reader_read(
		reader, file, &bag, &digest, &bytes, err, sizeof(err)) < 0)
		return util_fail(STATUS_UNKNOWN, command, "%s", err);
	mef_model_score(model, bag, &digest, &score);
	label = mef_label_of(&score, o->band);
	tell(o, model, file, bag, &score, label);
	return label == MEF_IS_BENIGN ? STATUS_FINE : STATUS_BAD;
}

int
model_score(int argc, char **argv)
{
	struct score_options o = {.band = MEF_BAND_DEFAULT};
	CLEANUP(mef_model_freep) struct mef_model *model = NULL;
	CLEANUP(model_reader_freep) struct model_reader *reader = NULL;
	int status = STATUS_FINE;
	char err[500] = "";

	util_parse(&argp, argc, argv, &o);
	/* Only mapped yet, so that forks have little to copy. */
	if (mef_model_open(o.model, &model, err, sizeof(err)) < 0)
		return util_fail(STATUS_SYSTEM, argv[0], "%s", err);
	reader = model_reader_new(
	    (enum mef_set)mef_model_head(model)->set, o.is_list);
	mef_model_solve(model);
	for (int i = 0; i < o.n_files; i++) {
		const int one =
		    score_file(&o, reader, model, o.files[i], argv[0]);

		if (one > status)
			status = one;
	}
	return status;
}
