/*
 * tools/sluice/model_info.c - `sluice model info` and `sluice model prune`.
 */
#include "tools/sluice/model.h"

#include "common/cleanup.h"
#include "tools/sluice/model_update.h"

#include <string.h>

struct info_options {
	struct common_options common;
	const char *model, *output;
	uint32_t floor;
	uint64_t release; /* 0: that of the model */
};

uint32_t
model_floor(struct argp_state *state, const char *arg)
{
	char *end;
	const unsigned long floor = strtoul(arg, &end, 10);

	if (*end || (uint32_t)floor < 2)
		argp_error(state, "%s: write a number from 2 on", arg);
	return (uint32_t)floor;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct info_options *o = state->input;
	char *end;

	switch (key) {
	case 'o':
		o->output = arg;
		return 0;
	case 'f':
		o->floor = model_floor(state, arg);
		return 0;
	case 'r':
		o->release = strtoull(arg, &end, 10);
		if (*end || o->release == 0 || o->release > INT64_MAX)
			argp_error(state, "%s: write a number from 1 on", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (o->model)
			argp_error(state, "%s: one model at a time", arg);
		o->model = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->model)
			argp_error(state, "which model?");
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

static const struct argp info_argp = {
    .options = (const struct argp_option[]){OPTION_JSON, {0}},
    .parser = parse,
    .args_doc = "MODEL|UPDATE",
    .doc = "Check a model file, or an update, and say what it holds."};

static const struct argp prune_argp = {
    .options = (const struct argp_option[]){{"output", 'o', "VIEW", 0,
						"write the view to this file",
						0},
	{"floor", 'f', "N", 0, "keep features of at least N documents (2)", 0},
	{"release", 'r', "N", 0, "number it as release N, for updates", 0},
	{0}},
    .parser = parse,
    .args_doc = "-o VIEW MODEL",
    .doc = "Make a view of a master for publication: without rare features "
	   "and digests of benign documents.\vIt judges, but can't learn."};

static double
filled(const struct mef_model *model, enum mef_family family)
{
	const struct mef_cell *cells = mef_model_cells(model, family);
	const uint64_t n = UINT64_C(1)
			   << mef_model_head(model)->tables[family].log_cells;
	uint64_t used = 0;

	for (uint64_t i = 0; i < n; i++)
		used += (cells[i].n[0] | cells[i].n[1]) != 0;
	return (double)used / (double)n;
}

static json_t *
families_json(const struct mef_model *model)
{
	json_t *families = json_object();

	for (int f = 0; f < MEF_FAMILIES; f++) {
		const struct mef_table *t = &mef_model_head(model)->tables[f];

		if (t->log_cells > 0)
			(void)json_object_set_new(families, mef_family_names[f],
			    json_pack("{si sI sI sf}", "log_cells",
				(int)t->log_cells, "malicious",
				(json_int_t)t->n[MEF_MALICIOUS], "benign",
				(json_int_t)t->n[MEF_BENIGN], "filled",
				filled(model, (enum mef_family)f)));
	}
	return families;
}

static json_t *
info_json(const char *path, const struct mef_model *model)
{
	const struct mef_head *head = mef_model_head(model);
	char counts[DIGEST_HEX], base[DIGEST_HEX];

	return json_pack("{ss si ss sI sI sI sI sb sI sf sf ss ss so}", "model",
	    path, "format", (int)head->format, "features",
	    head->set == MEF_SET_2001 ? "2001" : "full", "release",
	    (json_int_t)head->release, "file_bytes",
	    (json_int_t)head->file_bytes, "malicious",
	    (json_int_t)head->n_documents[MEF_MALICIOUS], "benign",
	    (json_int_t)head->n_documents[MEF_BENIGN], "pruned",
	    (head->flags & MEF_PRUNED) != 0, "known", (json_int_t)head->n_known,
	    "threshold", (double)head->point.threshold / 1e6, "slope",
	    (double)head->point.slope / 1e6, "counts",
	    digest_hex(&head->counts, counts), "base",
	    digest_hex(&head->base, base), "families", families_json(model));
}

static void
print_info(json_t *info)
{
	const char *key;
	json_t *value;

	json_object_foreach (info, key, value) {
		char *text =
		    json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

		if (!json_is_object(value))
			(void)printf("%-11s %s\n", key, text);
		free(text);
	}
	json_object_foreach (json_object_get(info, "families"), key, value)
		(void)printf("  %-8s 2^%lld cells, %.2f %% filled, %lld "
			     "malicious, %lld benign documents\n",
		    key,
		    json_integer_value(json_object_get(value, "log_cells")),
		    100 * json_real_value(json_object_get(value, "filled")),
		    json_integer_value(json_object_get(value, "malicious")),
		    json_integer_value(json_object_get(value, "benign")));
}

/* What the update says of itself, whoever signed it. */
static int
update_info(const char *command, const char *path, bool json)
{
	CLEANUP(mef_update_freep) struct mef_update *update = NULL;
	int status = STATUS_FINE;

	update = update_read(command, path, &status);
	if (update)
		update_print(path, update, json);
	return status;
}

int
model_info(int argc, char **argv)
{
	CLEANUP(mef_model_freep) struct mef_model *model = NULL;
	struct info_options o = {.model = NULL};
	char err[500] = "";
	json_t *info;

	util_parse(&info_argp, argc, argv, &o);
	if (update_is_one(o.model))
		return update_info(argv[0], o.model, o.common.json);
	if (mef_model_open(o.model, &model, err, sizeof(err)) < 0)
		return util_fail(STATUS_SYSTEM, argv[0], "%s", err);
	info = info_json(o.model, model);
	if (o.common.json) {
		util_json_line(stdout, info);
		return STATUS_FINE;
	}
	print_info(info);
	json_decref(info);
	return STATUS_FINE;
}

int
model_prune(int argc, char **argv)
{
	CLEANUP(mef_model_freep) struct mef_model *model = NULL;
	struct info_options o = {.floor = 2};
	char err[500] = "";
	int r;

	util_parse(&prune_argp, argc, argv, &o);
	if (!o.output)
		return util_fail(
		    STATUS_USAGE, argv[0], "where to? give -o VIEW");
	if (mef_model_open(o.model, &model, err, sizeof(err)) < 0)
		return util_fail(STATUS_SYSTEM, argv[0], "%s", err);
	r = mef_model_prune(model, o.floor);
	if (r == -EROFS)
		return util_fail(STATUS_USAGE, argv[0],
		    "%s: it is a view already: give its master", o.model);
	if (r == 0 && o.release > 0)
		mef_model_set_release(
		    model, o.release, &(const struct digest){{0}});
	if (r == 0)
		r = mef_model_save(model, o.output);
	return r == 0 ? STATUS_FINE
		      : util_fail(STATUS_SYSTEM, argv[0], "%s: %s", o.output,
			    strerror(-r));
}
