#include "worker/book_rows.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

/* Entries in memory, some 400 octets each. */
#define CACHE_MAX 2048
/* Rows that one flush may prune beyond the bound. */
#define PRUNE_ROWS 1000

static const char schema[] =
    "CREATE TABLE verdict("
    " sha256 BLOB NOT NULL, engine TEXT NOT NULL, context TEXT NOT NULL,"
    " verdict INTEGER NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL,"
    " first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
    " count INTEGER NOT NULL, PRIMARY KEY(sha256, engine)) WITHOUT ROWID;"
    "CREATE INDEX verdict_by_age ON verdict(last_seen);"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "INSERT INTO meta VALUES('rows', 0);";
#define SCHEMA_VERSION 1

/* What SQLite's row is found by. */
struct row_key {
	struct digest digest;
	char engine[TABLE_ENGINE_MAX];
};

enum row_state {
	ROW_SAVED,
	ROW_SEEN,    /* last_seen and count wait to be written */
	ROW_CHANGED, /* all of it waits to be written */
};

struct row {
	struct row_key key;
	char context[TABLE_CONTEXT_MAX];
	char *name;
	enum table_verdict verdict;
	enum row_state state;
	bool on_disk; /* a row of this key exists there */
	uint64_t bytes, count;
	struct wall first_seen, last_seen;
	UT_hash_handle hh;
};

struct rows {
	struct store *store;
	struct store_stmt *get, *put, *touch, *prune, *get_rows, *set_rows;
	struct row *cache; /* least recently used first */
	size_t changed, seen;
	uint64_t on_disk, max_rows;
	bool is_reading; /* a read transaction is open, until the flush */
	char error[160]; /* of the last flush that failed */
};

static int
open_store(const char *path, struct rows *rows, char *err, size_t err_size)
{
	return store_open(
	    path, schema, SCHEMA_VERSION, false, &rows->store, err, err_size);
}

static int
prepare(struct rows *r)
{
	r->get = store_prepare(r->store,
	    "SELECT context, verdict, name, bytes, first_seen, last_seen, "
	    "count FROM verdict WHERE sha256=? AND engine=?");
	r->put = store_prepare(r->store,
	    "INSERT OR REPLACE INTO verdict VALUES(?,?,?,?,?,?,?,?,?)");
	r->touch = store_prepare(r->store,
	    "UPDATE verdict SET last_seen=?, count=? WHERE sha256=? AND "
	    "engine=?");
	r->prune = store_prepare(r->store,
	    "DELETE FROM verdict WHERE (sha256, engine) IN (SELECT sha256, "
	    "engine FROM verdict ORDER BY last_seen LIMIT ?)");
	r->get_rows =
	    store_prepare(r->store, "SELECT value FROM meta WHERE name='rows'");
	r->set_rows = store_prepare(
	    r->store, "UPDATE meta SET value=? WHERE name='rows'");
	if (!r->get || !r->put || !r->touch || !r->prune || !r->get_rows ||
	    !r->set_rows)
		return -EBADMSG; /* the tables aren't ours */
	if (store_step(r->get_rows) == 1)
		r->on_disk = (uint64_t)store_int(r->get_rows, 0);
	store_reset(r->get_rows);
	return 0;
}

static void
rows_freep(struct rows **rows)
{
	if (!*rows)
		return;
	(void)store_close((*rows)->store);
	free(*rows);
}

int
rows_open(const char *path, uint64_t max_rows, struct rows **ret_rows,
    char *err, size_t err_size)
{
	CLEANUP(rows_freep) struct rows *rows = xcalloc(1, sizeof(*rows));
	int r;

	rows->max_rows = max_rows;
	r = open_store(path, rows, err, err_size);
	if (r == -EBADMSG && store_set_aside(path) == 0)
		r = open_store(path, rows, err, err_size);
	if (r == 0)
		r = prepare(rows);
	if (r < 0)
		return r;
	*ret_rows = TAKE_PTR(rows);
	return 0;
}

static void
count_state(struct rows *rows, const struct row *row, size_t step)
{
	if (row->state == ROW_CHANGED)
		rows->changed += step;
	else if (row->state == ROW_SEEN)
		rows->seen += step;
}

static void
set_state(struct rows *rows, struct row *row, enum row_state state)
{
	count_state(rows, row, (size_t)-1);
	row->state = state;
	count_state(rows, row, 1);
}

static void
remove_row(struct rows *rows, struct row *row)
{
	set_state(rows, row, ROW_SAVED);
	HASH_DEL(rows->cache, row);
	free(row->name);
	free(row);
}

struct rows *
rows_close(struct rows *rows)
{
	if (!rows)
		return NULL;
	(void)rows_flush(rows, true);
	while (rows->cache)
		remove_row(rows, rows->cache);
	(void)store_close(rows->store);
	free(rows);
	return NULL;
}

/* Move to the end: it was used last. */
static void
use(struct rows *rows, struct row *row)
{
	HASH_DEL(rows->cache, row);
	HASH_ADD(hh, rows->cache, key, sizeof(row->key), row);
}

/*
 * Forget the least recently used.  Unwritten ones are passed over, unless
 * nothing else is left: then the disk doesn't take them, and memory is short.
 */
static void
make_room(struct rows *rows)
{
	struct row *row = rows->cache;

	if (HASH_COUNT(rows->cache) < CACHE_MAX)
		return;
	for (int i = 0; row && i < 64 && row->state != ROW_SAVED; i++)
		row = row->hh.next;
	remove_row(rows, row && row->state == ROW_SAVED ? row : rows->cache);
}

static struct row_key
row_key_of(const struct book_key *key)
{
	struct row_key k = {.digest = key->digest};

	memcpy(k.engine, key->engine, sizeof(k.engine));
	return k;
}

static struct row *
add_row(struct rows *rows, const struct row_key *key)
{
	struct row *row;

	make_room(rows);
	row = xcalloc(1, sizeof(*row));
	row->key = *key;
	HASH_ADD(hh, rows->cache, key, sizeof(row->key), row);
	return row;
}

static void
bind_key(struct store_stmt *stmt, const struct row_key *key)
{
	store_bind(
	    stmt, "bt", key->digest.bytes, (size_t)DIGEST_BYTES, key->engine);
}

/* One lock for all reads until the next flush. */
static void
begin_reading(struct rows *rows)
{
	if (!rows->is_reading)
		rows->is_reading = store_exec(rows->store, "BEGIN") == 0;
}

static void
end_reading(struct rows *rows)
{
	if (rows->is_reading)
		(void)store_exec(rows->store, "COMMIT");
	rows->is_reading = false;
}

static void
fill_row(struct row *row, struct store_stmt *get)
{
	(void)snprintf(
	    row->context, sizeof(row->context), "%s", store_text(get, 0));
	row->verdict = (enum table_verdict)store_int(get, 1);
	row->name = xstrdup(store_text(get, 2));
	row->bytes = (uint64_t)store_int(get, 3);
	row->first_seen.usec = (uint64_t)store_int(get, 4);
	row->last_seen.usec = (uint64_t)store_int(get, 5);
	row->count = (uint64_t)store_int(get, 6);
	row->on_disk = true;
}

/* A copy of the row on disk; or an empty one, which says that none is. */
static struct row *
load(struct rows *rows, const struct row_key *key)
{
	struct row *row = add_row(rows, key);

	begin_reading(rows);
	bind_key(rows->get, key);
	if (store_step(rows->get) == 1)
		fill_row(row, rows->get);
	store_reset(rows->get);
	return row;
}

static struct row *
find(struct rows *rows, const struct row_key *key)
{
	struct row *row;

	HASH_FIND(hh, rows->cache, key, sizeof(*key), row);
	if (!row)
		return load(rows, key);
	use(rows, row);
	return row;
}

int
rows_find(struct rows *rows, const struct book_key *key, struct wall now,
    struct rows_verdict *ret_verdict)
{
	const struct row_key k = row_key_of(key);
	struct row *row = find(rows, &k);

	if (row->count == 0 ||
	    strncmp(row->context, key->context, TABLE_CONTEXT_MAX) != 0)
		return 0;
	if (row->verdict != TABLE_CLEAN && row->verdict != TABLE_HIT)
		return 0; /* not written by us */
	row->last_seen = now;
	row->count++;
	if (row->state == ROW_SAVED)
		set_state(rows, row, ROW_SEEN);
	*ret_verdict =
	    (struct rows_verdict){row->verdict, row->name, row->first_seen};
	return 1;
}

void
rows_put(struct rows *rows, const struct book_key *key,
    enum table_verdict verdict, const char *name, uint64_t bytes,
    struct wall now)
{
	const struct row_key k = row_key_of(key);
	struct row *row = find(rows, &k);

	if (strncmp(row->context, key->context, TABLE_CONTEXT_MAX) != 0 ||
	    row->count == 0 || row->verdict != verdict) {
		row->first_seen = now;
		row->count = 0;
	}
	memcpy(row->context, key->context, TABLE_CONTEXT_MAX);
	free(row->name);
	row->name = xstrdup(name);
	row->verdict = verdict;
	row->bytes = bytes;
	row->last_seen = now;
	row->count++;
	set_state(rows, row, ROW_CHANGED);
}

size_t
rows_waiting(const struct rows *rows)
{
	return rows->changed;
}

static int
write_row(struct rows *rows, struct row *row)
{
	if (row->state == ROW_SEEN)
		return store_run(rows->touch, "iibt",
		    (int64_t)row->last_seen.usec, (int64_t)row->count,
		    row->key.digest.bytes, (size_t)DIGEST_BYTES,
		    row->key.engine);
	if (!row->on_disk)
		rows->on_disk++;
	return store_run(rows->put, "bttitiiii", row->key.digest.bytes,
	    (size_t)DIGEST_BYTES, row->key.engine, row->context,
	    (int64_t)row->verdict, row->name, (int64_t)row->bytes,
	    (int64_t)row->first_seen.usec, (int64_t)row->last_seen.usec,
	    (int64_t)row->count);
}

static int
write_all_rows(struct rows *rows, bool all)
{
	int r = 0;

	for (struct row *row = rows->cache; row && r == 0; row = row->hh.next)
		if (row->state == ROW_CHANGED ||
		    (all && row->state == ROW_SEEN))
			r = write_row(rows, row);
	return r;
}

static int
prune(struct rows *rows)
{
	uint64_t n = 0;
	int r;

	if (rows->on_disk > rows->max_rows)
		n = rows->on_disk - rows->max_rows;
	if (n == 0)
		return 0;
	if (n < PRUNE_ROWS && rows->max_rows > 2 * PRUNE_ROWS)
		n = PRUNE_ROWS; /* seldom and many, rather than always one */
	r = store_run(rows->prune, "i", (int64_t)n);
	if (r == 0)
		rows->on_disk -= n;
	return r;
}

/* Everything that was written now is as on disk. */
static void
mark_saved(struct rows *rows, bool all, bool pruned)
{
	struct row *row, *next;

	for (row = rows->cache; row; row = next) {
		next = row->hh.next;
		if (pruned && (all || row->state != ROW_SEEN)) {
			remove_row(rows, row); /* may be gone there */
			continue;
		}
		if (row->state == ROW_CHANGED)
			row->on_disk = true;
		if (row->state == ROW_CHANGED || all)
			set_state(rows, row, ROW_SAVED);
	}
}

int
rows_flush(struct rows *rows, bool all)
{
	const uint64_t before = rows->on_disk;
	bool pruned;
	int r;

	end_reading(rows);
	all = all || rows->seen > CACHE_MAX / 2;
	if (rows->changed == 0 && (!all || rows->seen == 0))
		return 0;
	r = store_exec(rows->store, "BEGIN IMMEDIATE");
	if (r == 0)
		r = write_all_rows(rows, all);
	pruned = rows->on_disk > rows->max_rows;
	if (r == 0)
		r = prune(rows);
	if (r == 0 && rows->on_disk != before)
		r = store_run(rows->set_rows, "i", (int64_t)rows->on_disk);
	if (r == 0)
		r = store_exec(rows->store, "COMMIT");
	if (r < 0) {
		(void)snprintf(rows->error, sizeof(rows->error), "%s",
		    store_error(rows->store));
		(void)store_exec(rows->store, "ROLLBACK");
		rows->on_disk = before;
		return r;
	}
	mark_saved(rows, all, pruned);
	return 0;
}

const char *
rows_error(const struct rows *rows)
{
	return rows->error;
}

int
rows_limit_pages(struct rows *rows, unsigned int pages)
{
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%u", pages);
	return store_exec(rows->store, sql);
}

uint64_t
rows_count(const struct rows *rows)
{
	return rows->on_disk;
}
