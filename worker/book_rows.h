/*
 * worker/book_rows.h - the scanned table's rows: SQLite behind a small cache
 * that takes the writes and hands them on in batches.
 *
 * When the disk fails the cache goes on alone, bounded; what is forgotten is
 * judged again.
 */
#ifndef SLUICE_WORKER_BOOK_ROWS_H
#define SLUICE_WORKER_BOOK_ROWS_H

#include "common/clock.h"
#include "worker/book_claims.h"

/* Rows kept; about 250 octets each on disk. */
#define BOOK_ROWS_MAX UINT64_C(5000000)

struct rows;

/* One verdict as asked for. */
struct rows_verdict {
	enum table_verdict verdict; /* TABLE_CLEAN or TABLE_HIT */
	const char *name;           /* valid until the next call */
	struct wall first_seen;
};

/*
 * Open (create) the file.  A file that is damaged or of another version is
 * moved to PATH.bad and made anew: all of it can be judged again.
 * Returns 0, or -errno with err set.
 */
int rows_open(const char *path, uint64_t max_rows, struct rows **ret_rows,
    char *err, size_t err_size);
/* Writes what waits. */
struct rows *rows_close(struct rows *rows);

/* 1: found, counted as seen at now; 0: not known, or in another context. */
int rows_find(struct rows *rows, const struct book_key *key, struct wall now,
    struct rows_verdict *ret_verdict);

void rows_put(struct rows *rows, const struct book_key *key,
    enum table_verdict verdict, const char *name, uint64_t bytes,
    struct wall now);

/* Results that wait for a flush; above ROWS_BATCH it is time for one. */
#define ROWS_BATCH 1000
size_t rows_waiting(const struct rows *rows);

/*
 * One transaction with everything that waits (mere sightings only when all
 * is set, or when many wait).  0 or -errno: it all waits on.
 */
int rows_flush(struct rows *rows, bool all);
const char *rows_error(const struct rows *rows);

/* The file may have so many pages of 4 KiB and no more: -ENOSPC then.  For
 * tests, since a full disk is hard to come by. */
int rows_limit_pages(struct rows *rows, unsigned int pages);

/* Rows on disk, about. */
uint64_t rows_count(const struct rows *rows);

#endif
