/*
 * tools/sluice/repository_train.c - `sluice model repository train`: makes the
 * master what the labels say.
 *
 * The master knows each document that it has learned, and as what.  So there
 * is no list of what is still to be done, and nothing to be lost in a crash:
 * what the labels want is compared with what the master knows.
 */
#include "tools/sluice/repository.h"

#include "common/io.h"
#include "tools/sluice/model_progress.h"
#include "tools/sluice/model_reader.h"
#include "worker/mef/model.h"

#include <errno.h>
#include <string.h>

struct train_options {
	struct repository_options repository; /* first */
	bool is_dry;
};

struct training {
	const struct repository *repository;
	const struct train_options *options;
	struct mef_model *master;
	struct model_reader *reader;
	size_t learned[MEF_CLASSES], forgotten[MEF_CLASSES];
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct train_options *o = state->input;

	switch (key) {
	case 'n':
		o->is_dry = true;
		return 0;
	default:
		return repository_option(key, arg, &o->repository);
	}
}

static const struct argp argp = {
    .options = (const struct argp_option[]){OPTION_DIRECTORY, OPTION_JSON,
	{"dry-run", 'n', NULL, 0, "only say what is to be done", 0}, {0}},
    .parser = parse,
    .doc = "Let the master learn what is labelled, and forget what a label has "
	   "left.\v"
	   "It may be run again at any time: what is learned is not learned "
	   "twice.  The threshold stays as it is in the master."};

/* How often the master has learned it as what. */
static struct mef_known
known_of(const struct mef_model *master, const struct digest *digest)
{
	const struct mef_known *all = mef_model_known(master);
	size_t low = 0, high = (size_t)mef_model_head(master)->n_known;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order =
		    memcmp(&all[middle].digest, digest, sizeof(*digest));

		if (order == 0)
			return all[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return (struct mef_known){.digest = *digest};
}

/* How often a label wants it to be learned. */
static void
wanted_of(const struct sample *sample, const struct mef_known *known,
    uint32_t ret[MEF_CLASSES])
{
	const bool is_bad = sample->label == SAMPLE_MALICIOUS;

	ret[MEF_BENIGN] = ret[MEF_MALICIOUS] = 0;
	if (sample->label == SAMPLE_BENIGN || is_bad) {
		const enum mef_class class =
		    is_bad ? MEF_MALICIOUS : MEF_BENIGN;

		/* Twice, by its first master: that is not ours to mend. */
		ret[class] = known->n[class] > 0 ? known->n[class] : 1;
	}
}

static int
fail(const struct training *t, const struct digest *digest, int r)
{
	char hex[DIGEST_HEX];

	return util_fail(STATUS_SYSTEM, t->repository->command,
	    "%s/samples/%s: %s", t->repository->path, digest_hex(digest, hex),
	    r == -EINVAL ? "the master has learned other octets as this file"
			 : strerror(-r));
}

static int
read_sample(const struct training *t, const struct digest *digest,
    struct mef_bag **ret_bag)
{
	char hex[DIGEST_HEX], err[500] = "";
	CLEANUP(free_ptr)
	char *path = xasprintf(
	    "%s/samples/%s", t->repository->path, digest_hex(digest, hex));
	struct digest found;
	uint64_t bytes;

	if (model_reader_read(
		t->reader, path, ret_bag, &found, &bytes, err, sizeof(err)) < 0)
		return util_fail(
		    STATUS_SYSTEM, t->repository->command, "%s", err);
	if (memcmp(&found, digest, sizeof(found)) != 0)
		return util_fail(STATUS_SYSTEM, t->repository->command,
		    "%s: damaged; remove it and its .json, and receive it "
		    "again",
		    path);
	return STATUS_FINE;
}

static int
change(struct training *t, const struct digest *digest, enum mef_class class,
    uint32_t is, uint32_t wanted, const struct mef_bag *bag)
{
	int r = 0;

	for (; r == 0 && is > wanted; is--) {
		r = mef_model_remove(t->master, bag, digest, class);
		t->forgotten[class] += r == 0;
	}
	for (; r == 0 && is < wanted; is++) {
		r = mef_model_add(t->master, bag, digest, class);
		t->learned[class] += r == 0;
	}
	return r == 0 ? STATUS_FINE : fail(t, digest, r);
}

static int
reconcile(struct training *t, const struct sample *sample)
{
	const struct mef_known known = known_of(t->master, &sample->digest);
	CLEANUP(mef_bag_freep) struct mef_bag *bag = NULL;
	uint32_t wanted[MEF_CLASSES];
	int status;

	/* What nobody decided may be what the first master knew. */
	if (!sample->is_decided)
		return STATUS_FINE;
	wanted_of(sample, &known, wanted);
	if (memcmp(wanted, known.n, sizeof(wanted)) == 0)
		return STATUS_FINE;
	status = read_sample(t, &sample->digest, &bag);
	for (int c = 0; status == STATUS_FINE && c < MEF_CLASSES; c++)
		status = change(t, &sample->digest, (enum mef_class)c,
		    known.n[c], wanted[c], bag);
	return status;
}

static void
tell(const struct training *t)
{
	const struct mef_head *head = mef_model_head(t->master);

	if (t->options->repository.common.json)
		util_json_line(stdout,
		    json_pack("{s{sI sI} s{sI sI} sI sI}", "learned",
			"malicious", (json_int_t)t->learned[MEF_MALICIOUS],
			"benign", (json_int_t)t->learned[MEF_BENIGN],
			"forgotten", "malicious",
			(json_int_t)t->forgotten[MEF_MALICIOUS], "benign",
			(json_int_t)t->forgotten[MEF_BENIGN], "malicious",
			(json_int_t)head->n_documents[MEF_MALICIOUS], "benign",
			(json_int_t)head->n_documents[MEF_BENIGN]));
	else
		(void)printf(
		    "learned %zu malicious and %zu benign files, forgot %zu "
		    "and %zu; the master has %ju malicious and %ju benign\n",
		    t->learned[MEF_MALICIOUS], t->learned[MEF_BENIGN],
		    t->forgotten[MEF_MALICIOUS], t->forgotten[MEF_BENIGN],
		    (uintmax_t)head->n_documents[MEF_MALICIOUS],
		    (uintmax_t)head->n_documents[MEF_BENIGN]);
}

static int
train(struct training *t, const struct samples *samples)
{
	CLEANUP(free_ptr) char *path = repository_path(t->repository, "master");
	int r, status = STATUS_FINE;

	for (size_t i = 0; status == STATUS_FINE && i < samples->n; i++) {
		status = reconcile(t, &samples->at[i]);
		progress("learning", i + 1, samples->n);
	}
	if (status != STATUS_FINE)
		return status;
	if (!t->options->is_dry && (t->learned[0] | t->learned[1] |
				       t->forgotten[0] | t->forgotten[1])) {
		r = mef_model_save(t->master, path);
		if (r < 0)
			return util_fail(STATUS_SYSTEM, t->repository->command,
			    "%s: %s", path, strerror(-r));
	}
	tell(t);
	return STATUS_FINE;
}

static int
open_master(struct training *t)
{
	CLEANUP(free_ptr) char *path = repository_path(t->repository, "master");
	char err[400] = "";

	if (mef_model_open(path, &t->master, err, sizeof(err)) < 0)
		return util_fail(
		    STATUS_SYSTEM, t->repository->command, "%s", err);
	/* Only mapped yet, so that forks have little to copy. */
	t->reader = model_reader_new(
	    (enum mef_set)mef_model_head(t->master)->set, false);
	return STATUS_FINE;
}

int
repository_train(int argc, char **argv)
{
	struct train_options o = {.is_dry = false};
	struct repository repository;
	struct training t = {.repository = &repository, .options = &o};
	struct samples samples = {NULL, 0, 0};
	int status;

	util_parse(&argp, argc, argv, &o);
	status = repository_open(&o.repository, true, argv[0], &repository);
	if (status == STATUS_FINE)
		status = samples_read(&repository, &samples);
	if (status == STATUS_FINE)
		status = open_master(&t);
	if (status == STATUS_FINE)
		status = train(&t, &samples);
	(void)model_reader_free(t.reader);
	(void)mef_model_free(t.master);
	samples_done(&samples);
	repository_done(&repository);
	return status;
}
