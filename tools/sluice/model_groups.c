/*
 * tools/sluice/model_groups.c - which documents must stay on one side, and
 * folds of such groups.
 */
#include "tools/sluice/model.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <uthash.h>

#define TABLE_MAX (UINT64_C(256) << 20)

/* Bands of 3: of two that share half of their features 99.6 % meet in one. */
#define BAND  3u
#define BANDS (MODEL_SKETCH / BAND)

#define NEAR 0.5 /* Jaccard's index */

static uint32_t
root_of(struct document *at, uint32_t i)
{
	while (at[i].group != i) {
		at[i].group = at[at[i].group].group;
		i = at[i].group;
	}
	return i;
}

static void
join(struct document *at, uint32_t a, uint32_t b)
{
	a = root_of(at, a);
	b = root_of(at, b);
	/* The lower one: the same whatever the order of joining. */
	if (a < b)
		at[b].group = a;
	else
		at[a].group = b;
}

static bool
are_near(const struct document *a, const struct document *b)
{
	size_t same = 0, all = 0;

	for (size_t i = 0; i < MODEL_SKETCH; i++) {
		if (a->sketch[i] == UINT64_MAX && b->sketch[i] == UINT64_MAX)
			continue;
		all++;
		same += a->sketch[i] == b->sketch[i];
	}
	return all > 0 && (double)same >= NEAR * (double)all;
}

struct band {
	uint64_t key;
	uint32_t document;
};

static int
by_key(const void *a, const void *b)
{
	const struct band *x = a, *y = b;

	return x->key != y->key
		   ? (x->key > y->key) - (x->key < y->key)
		   : (x->document > y->document) - (x->document < y->document);
}

static void
join_near(struct corpus *corpus)
{
	CLEANUP(free_ptr)
	struct band *bands = xcalloc(corpus->n, sizeof(*bands));

	for (size_t k = 0; k < BANDS; k++) {
		for (size_t i = 0; i < corpus->n; i++)
			bands[i] = (struct band){
			    mef_hash(corpus->at[i].sketch + k * BAND,
				BAND * sizeof(uint64_t)),
			    (uint32_t)i};
		qsort(bands, corpus->n, sizeof(*bands), by_key);
		for (size_t i = 1; i < corpus->n; i++) {
			const uint32_t a = bands[i - 1].document;
			const uint32_t b = bands[i].document;

			if (bands[i].key == bands[i - 1].key &&
			    are_near(&corpus->at[a], &corpus->at[b]))
				join(corpus->at, a, b);
		}
	}
}

/* A line of a table; keys are borrowed from its text. */
struct entry {
	const char *name, *value;
	uint32_t first; /* document of this value, for tables of groups */
	UT_hash_handle hh;
};

struct entries {
	char *text;
	struct entry *by_name;
	struct entry *all;
};

static void
entries_done(struct entries *e)
{
	HASH_CLEAR(hh, e->by_name);
	free(e->all);
	free(e->text);
}

static int
wrong_line(
    const struct corpus *corpus, const char *path, size_t line, const char *why)
{
	return util_fail(
	    STATUS_USAGE, corpus->command, "%s:%zu: %s", path, line, why);
}

static int
read_entries(const struct corpus *corpus, const char *path, struct entries *ret)
{
	size_t length, n = 0, line = 0;
	char *at, *next;
	int r;

	*ret = (struct entries){NULL, NULL, NULL};
	r = read_file(AT_FDCWD, path, TABLE_MAX, &ret->text, &length);
	if (r < 0)
		return util_fail(STATUS_SYSTEM, corpus->command, "%s: %s", path,
		    strerror(-r));
	for (at = ret->text; (at = strchr(at, '\n')); at++)
		n++;
	ret->all = xcalloc(n + 1, sizeof(*ret->all));
	for (at = ret->text; *at; at = next) {
		char *end = strchrnul(at, '\n'), *tab;
		struct entry *e = &ret->all[line++], *old;

		next = *end ? end + 1 : end;
		*end = '\0';
		tab = strchr(at, '\t');
		if (!tab)
			return wrong_line(corpus, path, line,
			    "write a name, a tab and its value");
		*tab = '\0';
		*e = (struct entry){.name = at, .value = tab + 1};
		HASH_FIND_STR(ret->by_name, e->name, old);
		if (old)
			return wrong_line(
			    corpus, path, line, "that name is there already");
		HASH_ADD_KEYPTR(hh, ret->by_name, e->name, strlen(e->name), e);
	}
	return STATUS_FINE;
}

static struct entry *
entry_of(const struct corpus *corpus, const struct entries *entries,
    const char *path, const struct document *d, int *status)
{
	struct entry *e;

	HASH_FIND_STR(entries->by_name, d->name, e);
	if (!e)
		*status = util_fail(STATUS_USAGE, corpus->command,
		    "%s: no line for %s", path, d->name);
	return e;
}

static int
join_by_table(struct corpus *corpus, const char *path)
{
	struct entry *by_value = NULL, *copies, *old;
	struct entries entries;
	int status = read_entries(corpus, path, &entries);

	copies = xcalloc(corpus->n, sizeof(*copies));
	for (size_t i = 0; status == STATUS_FINE && i < corpus->n; i++) {
		struct entry *e =
		    entry_of(corpus, &entries, path, &corpus->at[i], &status);

		if (!e)
			break;
		HASH_FIND_STR(by_value, e->value, old);
		if (old) {
			join(corpus->at, old->first, (uint32_t)i);
			continue;
		}
		copies[i] =
		    (struct entry){.value = e->value, .first = (uint32_t)i};
		HASH_ADD_KEYPTR(
		    hh, by_value, e->value, strlen(e->value), &copies[i]);
	}
	HASH_CLEAR(hh, by_value);
	free(copies);
	entries_done(&entries);
	return status;
}

static int
read_times(struct corpus *corpus, const char *path)
{
	struct entries entries;
	int status = read_entries(corpus, path, &entries);

	for (size_t i = 0; status == STATUS_FINE && i < corpus->n; i++) {
		const struct entry *e =
		    entry_of(corpus, &entries, path, &corpus->at[i], &status);
		char *end;

		if (!e)
			break;
		/* 2013-01-02 is a number, too, once its signs are gone. */
		for (const char *c = e->value; *c; c++)
			if (*c >= '0' && *c <= '9')
				corpus->at[i].time = 10 * corpus->at[i].time +
						     (uint64_t)(*c - '0');
		(void)strtoull(e->value, &end, 10);
		if (end == e->value)
			status = util_fail(STATUS_USAGE, corpus->command,
			    "%s: %s: write a number or a day", path, e->name);
	}
	corpus->has_times = status == STATUS_FINE;
	entries_done(&entries);
	return status;
}

struct group {
	uint32_t root, size;
	uint64_t order;
};

static int
by_size(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->size != y->size)
		return (x->size < y->size) - (x->size > y->size);
	return (x->order > y->order) - (x->order < y->order);
}

/* The largest group first, each into the fold that has least of its class. */
static void
assign_folds(struct corpus *corpus, unsigned int folds)
{
	CLEANUP(free_ptr)
	struct group *groups = xcalloc(corpus->n, sizeof(*groups));
	CLEANUP(free_ptr) uint64_t *sizes = xcalloc(2 * folds, sizeof(*sizes));
	CLEANUP(free_ptr)
	uint32_t *fold_of = xcalloc(corpus->n, sizeof(*fold_of));

	for (uint32_t i = 0; i < corpus->n; i++) {
		const uint32_t root = root_of(corpus->at, i);

		groups[root].root = root;
		groups[root].size++;
		if (root == i)
			memcpy(&groups[root].order, &corpus->at[i].digest,
			    sizeof(groups[root].order));
	}
	qsort(groups, corpus->n, sizeof(*groups), by_size);
	for (size_t i = 0; i < corpus->n && groups[i].size > 0; i++) {
		const enum mef_class class = corpus->at[groups[i].root].class;
		uint64_t *mine = sizes + class * folds;
		unsigned int least = 0;

		for (unsigned int k = 1; k < folds; k++)
			if (mine[k] < mine[least])
				least = k;
		fold_of[groups[i].root] = least;
		mine[least] += groups[i].size;
	}
	for (uint32_t i = 0; i < corpus->n; i++)
		corpus->at[i].fold = fold_of[root_of(corpus->at, i)];
}

int
corpus_group(struct corpus *corpus, const struct corpus_options *options)
{
	int status = STATUS_FINE;

	for (uint32_t i = 0; i < corpus->n; i++)
		corpus->at[i].group = i;
	if (options->groups)
		status = join_by_table(corpus, options->groups);
	else
		join_near(corpus);
	if (status == STATUS_FINE && options->times)
		status = read_times(corpus, options->times);
	if (status == STATUS_FINE)
		assign_folds(corpus, options->folds);
	return status;
}
