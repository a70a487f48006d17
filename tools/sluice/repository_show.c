/*
 * tools/sluice/repository_show.c - `sluice model repository show`: what helps
 * to say what a file is.
 */
#include "tools/sluice/repository.h"

#include "common/io.h"
#include "tools/sluice/model_reader.h"
#include "tools/sluice/repository_look.h"
#include "worker/mef/model.h"

#include <errno.h>
#include <string.h>

#define STRINGS_SHOWN 60u

struct show_options {
	struct repository_options repository; /* first */
	const char *sample;
	size_t strings;
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct show_options *o = state->input;
	char *end;

	switch (key) {
	case 's':
		o->strings = strtoul(arg, &end, 10);
		if (*end || end == arg)
			argp_error(state, "%s: write a number", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (o->sample)
			argp_error(state, "%s: one file at a time", arg);
		o->sample = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->sample)
			argp_error(state, "which file?");
		return 0;
	default:
		return repository_option(key, arg, &o->repository);
	}
}

static const struct argp argp = {
    .options = (const struct argp_option[]){OPTION_DIRECTORY, OPTION_JSON,
	{"strings", 's', "N", 0, "show N strings (60); 0: all", 0}, {0}},
    .parser = parse,
    .args_doc = "SHA256",
    .doc = "Show what helps to label a file: who sent it, under which names, "
	   "how it spread there, what models say, its imports and strings.\v"
	   "The file is read by a process that has nothing else, and never "
	   "run.  The beginning of a SHA-256 is enough."};

/* What the master says now. */
static json_t *
score(const struct repository *repository, const char *path)
{
	CLEANUP(free_ptr)
	char *master_path = repository_path(repository, "master");
	CLEANUP(mef_model_freep) struct mef_model *master = NULL;
	CLEANUP(model_reader_freep) struct model_reader *reader = NULL;
	CLEANUP(mef_bag_freep) struct mef_bag *bag = NULL;
	struct digest digest;
	struct mef_score s;
	char err[500] = "";
	uint64_t bytes;
	json_t *o;

	if (mef_model_open(master_path, &master, err, sizeof(err)) == 0)
		reader = model_reader_new(
		    (enum mef_set)mef_model_head(master)->set, false);
	if (!reader || model_reader_read(reader, path, &bag, &digest, &bytes,
			   err, sizeof(err)) < 0) {
		(void)util_fail(0, repository->command, "%s", err);
		return json_null();
	}
	mef_model_solve(master);
	mef_model_score(master, bag, NULL, &s);
	o = json_pack("{sf ss}", "p_malicious", s.p_malicious, "kind",
	    mef_kind_names[bag->kind]);
	for (int f = 0; f < MEF_FAMILIES; f++)
		if (mef_model_cells(master, (enum mef_family)f))
			(void)json_object_set_new(
			    o, mef_family_names[f], json_real(s.family[f]));
	return o;
}

static json_t *
texts(const struct look *look, enum look_kind kind, size_t most)
{
	json_t *array = json_array();

	for (size_t i = 0; i < look->n[kind] && (most == 0 || i < most); i++)
		(void)json_array_append_new(
		    array, json_string(look->at[kind][i]));
	return array;
}

static json_t *
collect(const struct repository *repository, const struct show_options *o,
    const struct sample *sample)
{
	char hex[DIGEST_HEX];
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/samples/%s", repository->path,
	    digest_hex(&sample->digest, hex));
	struct look look = {.n = {0}};
	const int r = look_read(path, &look);
	json_t *all;

	if (r < 0)
		(void)util_fail(0, repository->command, "%s: %s", path,
		    r == -EPROTO ? "its reader died" : strerror(-r));
	all = json_pack("{ss sI ss ss* ss* sO so so so so sI}", "sha256", hex,
	    "bytes", (json_int_t)util_json_number(sample->about, "bytes"),
	    "label", sample_label_names[sample->label], "by", sample->label_by,
	    "note", sample->note, "reports",
	    json_object_get(sample->about, "reports"), "master",
	    score(repository, path), "facts", texts(&look, LOOK_FACT, 0),
	    "imports", texts(&look, LOOK_IMPORT, 0), "strings",
	    texts(&look, LOOK_STRING, o->strings), "strings_all",
	    (json_int_t)look.n[LOOK_STRING]);
	if (json_object_get(sample->about, "more"))
		(void)json_object_set(
		    all, "more", json_object_get(sample->about, "more"));
	look_done(&look);
	return all;
}

/* Text that came from somewhere, as printable ASCII. */
static void
print_text(const char *text)
{
	for (const char *c = text; *c; c++)
		(void)putchar(*c >= ' ' && *c <= '~' ? *c : '?');
}

static void
print_numbers(const char *title, const json_t *object)
{
	const char *key, *separator = "";
	json_t *value;

	if (json_object_size(object) == 0)
		return;
	(void)printf("  %-11s ", title);
	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		if (!json_is_number(value))
			continue;
		(void)printf(
		    "%s%s %.6g", separator, key, json_number_value(value));
		separator = ", ";
	}
	(void)putchar('\n');
}

static void
print_report(const json_t *report)
{
	const json_t *meta = json_object_get(report, "meta"), *name;
	char when[64];
	size_t i;

	(void)printf("from %s, received %s\n", util_json_get(report, "sender"),
	    util_time(util_json_number(report, "usec"), when, sizeof(when)));
	(void)printf("  %-11s %.2f %%, %s by release %ju, model %.12s\n",
	    "malicious",
	    100 * json_number_value(json_object_get(meta, "p_malicious")),
	    util_json_get(meta, "label"),
	    (uintmax_t)util_json_number(meta, "release"),
	    util_json_get(meta, "model"));
	json_array_foreach (json_object_get(meta, "names"), i, name) {
		(void)printf("  %-11s ", i == 0 ? "names" : "");
		print_text(json_string_value(name));
		(void)putchar('\n');
	}
	print_numbers("families", json_object_get(meta, "families"));
	print_numbers("spread", json_object_get(meta, "spread"));
}

static void
print_list(const char *title, const json_t *list, size_t all)
{
	const json_t *text;
	size_t i;

	(void)printf("%s: %zu", title, json_array_size(list));
	if (all > json_array_size(list))
		(void)printf(" of %zu; --strings 0 shows all", all);
	(void)putchar('\n');
	json_array_foreach (list, i, text)
		(void)printf("  %s\n", json_string_value(text));
}

static void
print_all(const json_t *all)
{
	const json_t *report;
	char bytes[32];
	size_t i;

	(void)printf("%s\n  %-11s %s\n", util_json_get(all, "sha256"), "size",
	    util_bytes(util_json_number(all, "bytes"), bytes, sizeof(bytes)));
	(void)printf("  %-11s %s %s ", "label", util_json_get(all, "label"),
	    util_json_get(all, "by"));
	print_text(util_json_get(all, "note"));
	(void)putchar('\n');
	print_numbers("master", json_object_get(all, "master"));
	json_array_foreach (json_object_get(all, "reports"), i, report)
		print_report(report);
	if (util_json_number(all, "more") > 0)
		(void)printf("and %ju parcels more\n",
		    (uintmax_t)util_json_number(all, "more"));
	print_list("header", json_object_get(all, "facts"), 0);
	print_list("imports", json_object_get(all, "imports"), 0);
	print_list("strings", json_object_get(all, "strings"),
	    (size_t)util_json_number(all, "strings_all"));
}

static int
show(const struct repository *repository, const struct show_options *o)
{
	const struct sample *sample;
	struct samples samples;
	json_t *all;
	int status = samples_read(repository, &samples);

	if (status != STATUS_FINE) {
		samples_done(&samples);
		return status;
	}
	sample = samples_named(repository, &samples, o->sample);
	if (sample) {
		all = collect(repository, o, sample);
		if (o->repository.common.json)
			util_json_line(stdout, json_incref(all));
		else
			print_all(all);
		json_decref(all);
	}
	samples_done(&samples);
	return sample ? STATUS_FINE : STATUS_USAGE;
}

int
repository_show(int argc, char **argv)
{
	struct show_options o = {.strings = STRINGS_SHOWN};
	struct repository repository;
	int status;

	util_parse(&argp, argc, argv, &o);
	status = repository_open(&o.repository, false, argv[0], &repository);
	if (status == STATUS_FINE)
		status = show(&repository, &o);
	repository_done(&repository);
	return status;
}
