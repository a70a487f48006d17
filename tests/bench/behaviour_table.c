#include "tests/bench/behaviour_table.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 5

/* The number of a word in a list that grows; *n is max: no room. */
static size_t
number_of(char **list, size_t *n, size_t max, const char *word)
{
	size_t i = 0;

	while (i < *n && strcmp(list[i], word) != 0)
		i++;
	if (i == *n && i < max)
		list[(*n)++] = xstrdup(word);
	return i;
}

static int
compare(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static int
read_calls(struct table *table, struct table_row *row, char *text)
{
	uint16_t calls[TABLE_CALLS];
	char *name;
	size_t n = 0;

	while ((name = strsep(&text, " "))) {
		size_t i;

		if (!*name)
			continue;
		i = number_of(table->names, &table->n_names, TABLE_NAMES, name);
		if (i == TABLE_NAMES || n == TABLE_CALLS)
			return -EBADMSG;
		calls[n++] = (uint16_t)i;
	}
	qsort(calls, n, sizeof(calls[0]), compare);
	row->calls = xcalloc(n + 1, sizeof(calls[0]));
	for (size_t i = 0; i < n; i++)
		if (i == 0 || calls[i] != calls[i - 1])
			row->calls[row->n++] = calls[i];
	return 0;
}

static int
read_row(struct table *table, char *line)
{
	struct table_row *row = &table->rows[table->n];
	char *column[COLUMNS];

	if (table->n == TABLE_ROWS)
		return -EBADMSG;
	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < COLUMNS; i++)
		if (!(column[i] = strsep(&line, "\t")))
			return -EBADMSG;
	row->is_malicious = strcmp(column[1], "malware") == 0;
	row->cluster = (unsigned int)number_of(
	    table->clusters, &table->n_clusters, TABLE_ROWS, column[2]);
	row->fold = (unsigned int)strtoul(column[3], NULL, 10);
	table->n++;
	return row->fold < TABLE_FOLDS ? read_calls(table, row, column[4])
				       : -EBADMSG;
}

int
table_load(const char *path, struct table **ret)
{
	FILE *f = fopen(path, "re");
	struct table *table;
	CLEANUP(free_ptr) char *line = NULL;
	size_t room = 0;
	int r = 0;

	if (!f)
		return -errno;
	table = xcalloc(1, sizeof(*table));
	table->names = xcalloc(TABLE_NAMES, sizeof(*table->names));
	table->clusters = xcalloc(TABLE_ROWS, sizeof(*table->clusters));
	table->rows = xcalloc(TABLE_ROWS, sizeof(*table->rows));
	if (getline(&line, &room, f) < 0) /* the columns' names */
		r = -EBADMSG;
	while (r == 0 && getline(&line, &room, f) > 0)
		r = read_row(table, line);
	(void)fclose(f);
	if (r == 0 && table->n > 0)
		*ret = table;
	else
		(void)table_free(table);
	return r;
}

struct table *
table_free(struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free(table->rows[i].calls);
	for (size_t i = 0; i < table->n_names; i++)
		free(table->names[i]);
	for (size_t i = 0; i < table->n_clusters; i++)
		free(table->clusters[i]);
	free(table->rows);
	free(table->names);
	free(table->clusters);
	free(table);
	return NULL;
}

static uint64_t
draw(uint64_t *seed, uint64_t below)
{
	*seed ^= *seed << 13; /* xorshift64 */
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % below;
}

void
table_deal(const struct table *table, const bool *use, uint64_t *seed,
    unsigned int *fold)
{
	const size_t n = table->n_clusters;
	CLEANUP(free_ptr) size_t *order = xcalloc(n, sizeof(*order));
	CLEANUP(free_ptr) size_t *size = xcalloc(n, sizeof(*size));
	CLEANUP(free_ptr) unsigned int *of = xcalloc(n, sizeof(*of));
	size_t load[TABLE_FOLDS] = {0};

	for (size_t i = 0; i < table->n; i++)
		size[table->rows[i].cluster] += use[i];
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i-- > 1;) {
		const size_t j = draw(seed, i + 1), was = order[i];

		order[i] = order[j];
		order[j] = was;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned int least = 0;

		for (unsigned int k = 1; k < TABLE_FOLDS; k++)
			if (load[k] < load[least])
				least = k;
		of[order[i]] = least;
		load[least] += size[order[i]];
	}
	for (size_t i = 0; i < table->n; i++)
		fold[i] = of[table->rows[i].cluster];
}
