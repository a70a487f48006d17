/*
 * tests/bench/behaviour_table.h - programs and the calls that they were seen
 * to make: a table of id, label, cluster, fold and names, with tabs between
 * and blanks between names.  Rows of one cluster are near-copies.
 */
#ifndef SLUICE_TESTS_BEHAVIOUR_TABLE_H
#define SLUICE_TESTS_BEHAVIOUR_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_ROWS  8192u
#define TABLE_NAMES 1024u
#define TABLE_CALLS 512u /* of one row */
#define TABLE_FOLDS 5u

struct table_row {
	bool is_malicious;
	unsigned int fold, cluster;
	size_t n;
	uint16_t *calls; /* numbers of names, ascending, each once */
};

struct table {
	size_t n, n_names, n_clusters;
	char **names;
	char **clusters;
	struct table_row *rows;
};

/*
 * Returns 0; -EBADMSG: not such a table, or over a limit above; or -errno as
 * fopen(3).  The caller frees it with table_free().
 */
int table_load(const char *path, struct table **ret);
struct table *table_free(struct table *table);

/* Deal whole clusters of the rows in use to folds, each to the fold that is
 * smallest so far, in an order that *seed (not 0) gives.  fold: one a row. */
void table_deal(const struct table *table, const bool *use, uint64_t *seed,
    unsigned int *fold);

#endif
