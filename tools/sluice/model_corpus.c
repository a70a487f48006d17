/*
 * tools/sluice/model_corpus.c - the documents that train and eval are given.
 */
#include "tools/sluice/model.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sluice/model_progress.h"
#include "tools/sluice/model_reader.h"

#include <errno.h>
#include <fts.h>
#include <math.h>
#include <string.h>

/* Features in kept bags: as much memory as a model of the default size. */
#define KEPT_MOST (UINT64_C(16) << 20)

enum {
	KEY_MALICIOUS = 256,
	KEY_BENIGN,
	KEY_FEATURES,
	KEY_INPUT,
	KEY_GROUPS,
	KEY_TIMES,
	KEY_FOLDS,
	KEY_FALSE_POSITIVES
};

static const struct argp_option rows[] = {OPTION_JSON,
    {"malicious", KEY_MALICIOUS, "DIR", 0,
	"malicious documents, below DIR or DIR itself; may be repeated", 0},
    {"benign", KEY_BENIGN, "DIR", 0, "benign documents, likewise", 0},
    {"features", KEY_FEATURES, "2001|full", 0,
	"16 aligned octets as in MEF, or all families (default: full)", 0},
    {"input", KEY_INPUT, "files|features", 0,
	"documents are programs, or texts of one feature a line", 0},
    {"groups", KEY_GROUPS, "FILE", 0,
	"lines NAME<TAB>GROUP: documents of a group stay on one side "
	"(default: those whose features are half the same)",
	0},
    {"folds", KEY_FOLDS, "K", 0, "parts of the documents, 2 to 50 (5)", 0},
    {"false-positives", KEY_FALSE_POSITIVES, "SHARE", 0,
	"of benign documents, which the threshold is set for (0.02)", 0},
    {"times", KEY_TIMES, "FILE", 0,
	"lines NAME<TAB>NUMBER: learn what is earlier, judge what is later", 0},
    {0}};

static void
append(char ***list, char *text)
{
	size_t n = 0;

	while (*list && (*list)[n])
		n++;
	*list = realloc(*list, (n + 2) * sizeof(**list));
	if (!*list)
		abort();
	(*list)[n] = text;
	(*list)[n + 1] = NULL;
}

static void
parse_number(struct argp_state *state, const char *arg, double least,
    double most, double *ret)
{
	char *end;

	errno = 0;
	*ret = strtod(arg, &end);
	if (errno != 0 || end == arg || *end ||
	    !(*ret >= least && *ret <= most))
		argp_error(state, "%s: write a number from %g to %g", arg,
		    least, most);
}

static void
parse_choice(struct argp_state *state, const char *arg, const char *first,
    const char *second, bool *ret_is_second)
{
	*ret_is_second = strcmp(arg, second) == 0;
	if (!*ret_is_second && strcmp(arg, first) != 0)
		argp_error(state, "%s: write %s or %s", arg, first, second);
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct corpus_options *o = state->input;
	double number;
	bool is_2001;

	switch (key) {
	case ARGP_KEY_INIT:
		o->folds = 5;
		o->false_positives = 0.02;
		return 0;
	case KEY_MALICIOUS:
		append(&o->malicious, arg);
		return 0;
	case KEY_BENIGN:
		append(&o->benign, arg);
		return 0;
	case KEY_FEATURES:
		parse_choice(state, arg, "full", "2001", &is_2001);
		o->set = is_2001 ? MEF_SET_2001 : MEF_SET_FULL;
		return 0;
	case KEY_INPUT:
		parse_choice(state, arg, "files", "features", &o->is_list);
		return 0;
	case KEY_GROUPS:
		o->groups = arg;
		return 0;
	case KEY_TIMES:
		o->times = arg;
		return 0;
	case KEY_FOLDS:
		parse_number(state, arg, 2, 50, &number);
		o->folds = (unsigned int)number;
		return 0;
	case KEY_FALSE_POSITIVES:
		parse_number(state, arg, 0.000001, 0.5, &o->false_positives);
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

const struct argp corpus_argp = {.options = rows, .parser = parse};

static struct document *
add_document(struct corpus *corpus, const FTSENT *entry, enum mef_class class)
{
	struct document *d;

	if (corpus->n == corpus->room) {
		corpus->room = 2 * corpus->room + 64;
		corpus->at =
		    realloc(corpus->at, corpus->room * sizeof(*corpus->at));
		if (!corpus->at)
			abort();
	}
	d = &corpus->at[corpus->n++];
	*d = (struct document){.class = class};
	d->path = xstrdup(entry->fts_path);
	d->name = d->path + (entry->fts_pathlen - entry->fts_namelen);
	return d;
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int
find_below(struct corpus *corpus, char **dirs, enum mef_class class)
{
	FTS *tree =
	    fts_open(dirs, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	int status = STATUS_FINE;
	FTSENT *entry;

	if (!tree)
		return util_fail(STATUS_SYSTEM, corpus->command, "%s: %s",
		    dirs[0], strerror(errno));
	while (status == STATUS_FINE && (entry = fts_read(tree)))
		if (entry->fts_info == FTS_F)
			(void)add_document(corpus, entry, class);
		else if (entry->fts_info == FTS_ERR ||
			 entry->fts_info == FTS_DNR ||
			 entry->fts_info == FTS_NS)
			status =
			    util_fail(STATUS_SYSTEM, corpus->command, "%s: %s",
				entry->fts_path, strerror(entry->fts_errno));
	(void)fts_close(tree);
	return status;
}

/* One permutation, many bins: the least hash of each (Li, Owen, Zhang 2012). */
static void
sketch(const struct mef_bag *bag, uint64_t ret[MODEL_SKETCH])
{
	for (size_t i = 0; i < MODEL_SKETCH; i++)
		ret[i] = UINT64_MAX;
	for (int f = 0; f < MEF_FAMILIES; f++)
		for (uint32_t i = 0; i < bag->family[f].n; i++) {
			const uint64_t hash =
			    bag->family[f].at[i] ^ (uint64_t)f;
			uint64_t *bin =
			    &ret[(hash >> 16 & 0xffff) % MODEL_SKETCH];

			if (hash < *bin)
				*bin = hash;
		}
}

static uint64_t
features_of(const struct mef_bag *bag)
{
	uint64_t n = 0;

	for (int f = 0; f < MEF_FAMILIES; f++)
		n += bag->family[f].n;
	return n;
}

static int
read_document(struct corpus *corpus, struct document *d)
{
	CLEANUP(mef_bag_freep) struct mef_bag *bag = NULL;
	char err[500] = "";

	if (model_reader_read(corpus->reader, d->path, &bag, &d->digest,
		&d->bytes, err, sizeof(err)) < 0)
		return util_fail(STATUS_SYSTEM, corpus->command, "%s", err);
	corpus->bytes += d->bytes;
	sketch(bag, d->sketch);
	if (corpus->kept + features_of(bag) <= KEPT_MOST) {
		corpus->kept += features_of(bag);
		d->bag = TAKE_PTR(bag);
	}
	return STATUS_FINE;
}

int
corpus_read(struct corpus *corpus, const struct corpus_options *options,
    const char *command)
{
	int status = STATUS_FINE;

	*corpus = (struct corpus){.command = command};
	corpus->reader = model_reader_new(options->set, options->is_list);
	if (options->malicious)
		status = find_below(corpus, options->malicious, MEF_MALICIOUS);
	if (status == STATUS_FINE && options->benign)
		status = find_below(corpus, options->benign, MEF_BENIGN);
	if (status == STATUS_FINE && corpus->n == 0)
		status = util_fail(STATUS_USAGE, command,
		    "no documents: name directories that have some by "
		    "--malicious and --benign");
	for (size_t i = 0; status == STATUS_FINE && i < corpus->n; i++) {
		status = read_document(corpus, &corpus->at[i]);
		progress("reading", i + 1, corpus->n);
	}
	return status;
}

void
corpus_done(struct corpus *corpus)
{
	for (size_t i = 0; i < corpus->n; i++) {
		free(corpus->at[i].path);
		(void)mef_bag_free(corpus->at[i].bag);
	}
	free(corpus->at);
	(void)model_reader_free(corpus->reader);
}

const struct mef_bag *
corpus_bag(
    struct corpus *corpus, struct document *document, struct mef_bag **spare)
{
	struct digest digest;
	char err[500] = "";
	uint64_t bytes;

	if (document->bag)
		return document->bag;
	*spare = mef_bag_free(*spare);
	if (model_reader_read(corpus->reader, document->path, spare, &digest,
		&bytes, err, sizeof(err)) < 0)
		(void)util_fail(STATUS_SYSTEM, corpus->command, "%s", err);
	else if (memcmp(&digest, &document->digest, sizeof(digest)) != 0)
		(void)util_fail(STATUS_SYSTEM, corpus->command,
		    "%s: it has changed while we learned it", document->path);
	else
		return *spare;
	return NULL;
}
