#include "tests/bench/mef_rows.h"

#include "common/io.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define FOLDS_MOST 50u

/* While they are read: hashes, one number for family and hash. */
struct hashes {
	uint64_t *at;
	size_t n;
};

static int
by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static struct hashes
read_list(const char *path)
{
	CLEANUP(mef_bag_freep) struct mef_bag *bag = mef_bag_new();
	CLEANUP(free_ptr) char *text = NULL;
	struct hashes hashes = {NULL, 0};
	size_t length, all = 0;

	if (read_file(AT_FDCWD, path, MEF_DOCUMENT_MAX, &text, &length) < 0)
		errx(111, "%s: can't be read", path);
	mef_extract_list(bag, MEF_SET_FULL, text, length);
	for (int f = 0; f < MEF_FAMILIES; f++)
		all += bag->family[f].n;
	hashes.at = xcalloc(all + 1, sizeof(*hashes.at));
	for (uint64_t f = 0; f < MEF_FAMILIES; f++)
		for (uint32_t i = 0; i < bag->family[f].n; i++)
			hashes.at[hashes.n++] =
			    bag->family[f].at[i] ^
			    f * UINT64_C(0x9e3779b97f4a7c15);
	qsort(hashes.at, hashes.n, sizeof(*hashes.at), by_value);
	return hashes;
}

/* Those of two documents and more: their places are their numbers. */
static struct hashes
find_common(const struct hashes *lists, size_t n_lists)
{
	struct hashes common = {NULL, 0};
	size_t all = 0, at = 0;

	for (size_t i = 0; i < n_lists; i++)
		all += lists[i].n;
	common.at = xcalloc(all + 1, sizeof(*common.at));
	for (size_t i = 0; i < n_lists; i++) {
		memcpy(common.at + at, lists[i].at,
		    lists[i].n * sizeof(*common.at));
		at += lists[i].n;
	}
	qsort(common.at, all, sizeof(*common.at), by_value);
	for (size_t i = 1; i < all; i++)
		if (common.at[i] == common.at[i - 1] &&
		    (common.n == 0 || common.at[common.n - 1] != common.at[i]))
			common.at[common.n++] = common.at[i];
	return common;
}

static void
number(struct mef_row *row, const struct hashes *list, struct hashes common)
{
	row->features = xcalloc(list->n + 1, sizeof(*row->features));
	row->n_all = list->n;
	for (size_t i = 0; i < list->n; i++) {
		const uint64_t *place = bsearch(&list->at[i], common.at,
		    common.n, sizeof(*common.at), by_value);

		if (place)
			row->features[row->n++] = (uint32_t)(place - common.at);
	}
}

static const char *
parse(char *line, struct mef_row *ret_row)
{
	const char *path = strtok(line, "\t"), *class = strtok(NULL, "\t");
	const char *fold = strtok(NULL, "\t\n");

	if (!path || !class || !fold || strtoul(fold, NULL, 10) >= FOLDS_MOST)
		errx(100, "write lines PATH<TAB>malicious|benign<TAB>FOLD");
	*ret_row = (struct mef_row){.class = strcmp(class, "malicious") == 0
						 ? MEF_MALICIOUS
						 : MEF_BENIGN,
	    .fold = (unsigned int)strtoul(fold, NULL, 10)};
	return path;
}

void
mef_rows_read(struct mef_rows *ret_rows)
{
	CLEANUP(free_ptr) char *line = NULL;
	CLEANUP(free_ptr) struct hashes *lists = NULL;
	struct mef_rows rows = {NULL, 0, 0, 0};
	struct hashes common;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		const size_t i = rows.n++;

		rows.at = realloc(rows.at, rows.n * sizeof(*rows.at));
		lists = realloc(lists, rows.n * sizeof(*lists));
		if (!rows.at || !lists)
			abort();
		lists[i] = read_list(parse(line, &rows.at[i]));
		if (rows.at[i].fold >= rows.folds)
			rows.folds = rows.at[i].fold + 1;
	}
	common = find_common(lists, rows.n);
	rows.n_features = common.n;
	for (size_t i = 0; i < rows.n; i++) {
		number(&rows.at[i], &lists[i], common);
		free(lists[i].at);
	}
	free(common.at);
	*ret_rows = rows;
}

void
mef_rows_done(struct mef_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(rows->at[i].features);
	free(rows->at);
}
