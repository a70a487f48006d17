/*
 * tools/sluice/repository_samples.c - what came in and what experts say of it.
 */
#include "tools/sluice/repository.h"

#include "common/io.h"
#include "tools/sluice/repository_labels.h"
#include "tools/sluice/sample_meta.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of samples/SHA256.json: SAMPLE_REPORTS times metadata. */
#define ABOUT_MAX ((size_t)1 << 20)

/* Of a digest's beginning that names a sample. */
#define DIGITS_LEAST 4u

const char *const sample_label_names[SAMPLE_LABELS] = {
    "none", "benign", "malicious", "unsure"};

static struct sample *
add(struct samples *samples, const struct digest *digest)
{
	if (samples->n == samples->room) {
		samples->room = 2 * samples->room + 64;
		samples->at =
		    realloc(samples->at, samples->room * sizeof(*samples->at));
		if (!samples->at)
			abort();
	}
	samples->at[samples->n] = (struct sample){.digest = *digest};
	return &samples->at[samples->n++];
}

static int
by_digest(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return memcmp(&x->digest, &y->digest, sizeof(x->digest));
}

struct sample *
samples_find(const struct samples *samples, const struct digest *digest)
{
	const struct sample key = {.digest = *digest};

	return samples->n == 0 ? NULL
			       : bsearch(&key, samples->at, samples->n,
				     sizeof(key), by_digest);
}

static int
read_about(const struct repository *repository, struct samples *samples,
    const char *name)
{
	struct digest digest;
	json_t *about;
	char *text;
	size_t n;
	int r;

	if (!sample_json_name(name, &digest))
		return STATUS_FINE;
	r = read_file(repository->samples, name, ABOUT_MAX, &text, &n);
	if (r < 0)
		return util_fail(STATUS_SYSTEM, repository->command,
		    "%s/samples/%s: %s", repository->path, name, strerror(-r));
	about = json_loadb(text, n, 0, NULL);
	free(text);
	if (!json_is_array(json_object_get(about, "reports"))) {
		json_decref(about);
		return util_fail(STATUS_SYSTEM, repository->command,
		    "%s/samples/%s: no JSON of ours; restore it, or remove it "
		    "and receive its parcel again",
		    repository->path, name);
	}
	add(samples, &digest)->about = about;
	return STATUS_FINE;
}

/* In its place. */
static struct sample *
insert(struct samples *samples, const struct digest *digest)
{
	const struct sample sample = *add(samples, digest);
	size_t place = samples->n - 1;

	while (place > 0 && by_digest(&sample, &samples->at[place - 1]) < 0)
		place--;
	memmove(&samples->at[place + 1], &samples->at[place],
	    (samples->n - 1 - place) * sizeof(sample));
	samples->at[place] = sample;
	return &samples->at[place];
}

static void
take_label(void *arg, const struct label_line *line)
{
	struct samples *samples = arg;
	struct sample *sample = samples_find(samples, &line->digest);

	if (!sample)
		sample = insert(samples, &line->digest);
	sample->label = line->label;
	sample->is_decided = true;
	free(sample->label_by);
	free(sample->note);
	sample->label_by = xstrdup(line->by);
	sample->note = xstrdup(line->note);
}

int
samples_read(const struct repository *repository, struct samples *ret)
{
	CLEANUP(free_ptr) char *path = repository_path(repository, "samples");
	int status = STATUS_FINE;
	struct dirent *entry;
	DIR *dir = opendir(path);

	*ret = (struct samples){NULL, 0, 0};
	if (!dir)
		return util_fail(STATUS_SYSTEM, repository->command, "%s: %s",
		    path, strerror(errno));
	while (status == STATUS_FINE && (entry = readdir(dir)) != NULL)
		status = read_about(repository, ret, entry->d_name);
	(void)closedir(dir);
	if (ret->n > 0)
		qsort(ret->at, ret->n, sizeof(*ret->at), by_digest);
	return status == STATUS_FINE ? labels_read(repository, take_label, ret)
				     : status;
}

void
samples_done(struct samples *samples)
{
	for (size_t i = 0; i < samples->n; i++) {
		json_decref(samples->at[i].about);
		free(samples->at[i].label_by);
		free(samples->at[i].note);
	}
	free(samples->at);
}

struct sample *
samples_named(const struct repository *repository,
    const struct samples *samples, const char *text)
{
	struct sample *found = NULL;
	char hex[DIGEST_HEX];

	for (size_t i = 0; i < samples->n; i++) {
		if (!samples->at[i].about ||
		    strncmp(digest_hex(&samples->at[i].digest, hex), text,
			strlen(text)) != 0)
			continue;
		if (found || strlen(text) < DIGITS_LEAST) {
			(void)util_fail(0, repository->command,
			    "%s: write more digits, it must be one file's",
			    text);
			return NULL;
		}
		found = &samples->at[i];
	}
	if (!found)
		(void)util_fail(0, repository->command,
		    "%s: no such file; `sluice model repository list` has them",
		    text);
	return found;
}

static const json_t *
newest_meta(const struct sample *sample)
{
	const json_t *reports = json_object_get(sample->about, "reports");

	return json_object_get(
	    json_array_get(reports, json_array_size(reports) - 1), "meta");
}

const char *
sample_name(const struct sample *sample)
{
	const char *name = json_string_value(
	    json_array_get(json_object_get(newest_meta(sample), "names"), 0));

	return name ? name : "";
}

double
sample_p(const struct sample *sample)
{
	const json_t *p = json_object_get(newest_meta(sample), "p_malicious");

	return json_is_number(p) ? json_number_value(p) : NAN;
}
