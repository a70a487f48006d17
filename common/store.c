#include "common/store.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Statements of one store; the modules that use it have a dozen. */
#define MAX_STMTS 40
/* How long a lock of another process is waited for. */
#define BUSY_MSEC 5000
/* Longest SQL that is made here. */
#define SQL_MAX 64

struct store_stmt {
	struct store *store;
	sqlite3_stmt *sql;
};

struct store {
	sqlite3 *db;
	struct store_stmt stmts[MAX_STMTS];
	size_t n_stmts;
};

/* SQLite's code, and the errno below it where there is one, as -errno. */
static int
translate(sqlite3 *db, int rc)
{
	int sys = db ? sqlite3_system_errno(db) : 0;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EAGAIN;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return sys > 0 ? -sys : -ENOENT;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_IOERR:
		return sys > 0 ? -sys : -EIO;
	default:
		return -EIO;
	}
}

int
store_exec(struct store *store, const char *sql)
{
	int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return translate(store->db, rc);
}

static int
read_version(struct store *store, int *ret_version)
{
	sqlite3_stmt *sql = NULL;
	int rc;

	rc = sqlite3_prepare_v2(
	    store->db, "PRAGMA user_version", -1, &sql, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(sql);
	if (rc == SQLITE_ROW)
		*ret_version = sqlite3_column_int(sql, 0);
	(void)sqlite3_finalize(sql);
	return translate(store->db, rc);
}

/*
 * The lock comes before the look, so that of two processes that meet a new
 * file only one makes the tables.
 */
static int
create_tables(struct store *store, const char *schema, int version)
{
	char set[SQL_MAX];
	int found = 0;
	int r = store_exec(store, "BEGIN IMMEDIATE");

	if (r < 0)
		return r;
	(void)snprintf(set, sizeof(set), "PRAGMA user_version=%d", version);
	r = read_version(store, &found);
	if (r == 0 && found == 0)
		r = store_exec(store, schema);
	if (r == 0 && found == 0)
		r = store_exec(store, set);
	if (r == 0)
		return store_exec(store, "COMMIT");
	(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

static int
check_version(struct store *store, const char *schema, int version,
    bool read_only, char *err, size_t err_size)
{
	int found = 0;
	int r = read_version(store, &found);

	if (r == 0 && found == 0 && !read_only) {
		r = create_tables(store, schema, version);
		if (r == 0)
			r = read_version(store, &found);
	}
	if (r == 0 && found != version) {
		(void)snprintf(err, err_size,
		    "its version is %d, this program needs %d: move the file "
		    "away, it will be made anew",
		    found, version);
		return -EBADMSG;
	}
	return r;
}

/* cache_size is in KiB when negative: a small cache keeps book small. */
static int
set_up(struct store *store, bool read_only)
{
	int r;

	(void)sqlite3_busy_timeout(store->db, BUSY_MSEC);
	(void)sqlite3_extended_result_codes(store->db, 1);
	r = store_exec(store, "PRAGMA cache_size=-1024;"
			      "PRAGMA mmap_size=0;"
			      "PRAGMA temp_store=MEMORY");
	if (r < 0 || read_only)
		return r;
	return store_exec(store, "PRAGMA journal_mode=WAL;"
				 "PRAGMA synchronous=NORMAL;"
				 "PRAGMA journal_size_limit=4194304");
}

int
store_open(const char *path, const char *schema, int version, bool read_only,
    struct store **ret_store, char *err, size_t err_size)
{
	CLEANUP(store_closep) struct store *store = xcalloc(1, sizeof(*store));
	int flags = read_only ? SQLITE_OPEN_READONLY
			      : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int r;

	assert(version > 0);
	err[0] = '\0';
	r = sqlite3_open_v2(
	    path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	r = translate(store->db, r);
	if (r == 0)
		r = set_up(store, read_only);
	if (r == 0)
		r = check_version(
		    store, schema, version, read_only, err, err_size);
	if (r < 0) {
		if (err[0] == '\0')
			(void)snprintf(err, err_size, "%s (%s)",
			    sqlite3_errmsg(store->db), strerror(-r));
		return r;
	}
	*ret_store = TAKE_PTR(store);
	return 0;
}

int
store_set_aside(const char *path)
{
	static const char *const tails[] = {"", "-wal", "-shm"};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		CLEANUP(free_ptr) char *from = NULL;
		CLEANUP(free_ptr) char *to = NULL;

		from = xasprintf("%s%s", path, tails[i]);
		to = xasprintf("%s.bad%s", path, tails[i]);
		if (rename(from, to) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r;
}

struct store *
store_close(struct store *store)
{
	if (!store)
		return NULL;
	for (size_t i = 0; i < store->n_stmts; i++)
		(void)sqlite3_finalize(store->stmts[i].sql);
	(void)sqlite3_close(store->db);
	free(store);
	return NULL;
}

void
store_closep(struct store **store)
{
	*store = store_close(*store);
}

const char *
store_error(struct store *store)
{
	return sqlite3_errmsg(store->db);
}

struct store_stmt *
store_prepare(struct store *store, const char *sql)
{
	struct store_stmt *stmt = &store->stmts[store->n_stmts];
	int rc;

	assert(store->n_stmts < MAX_STMTS);
	rc = sqlite3_prepare_v3(
	    store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt->sql, NULL);
	if (rc != SQLITE_OK)
		return NULL;
	stmt->store = store;
	store->n_stmts++;
	return stmt;
}

static void
bind_all(struct store_stmt *stmt, const char *format, va_list ap)
{
	int rc = SQLITE_OK;

	for (int i = 1; *format; i++, format++) {
		if (*format == 'i') {
			rc |= sqlite3_bind_int64(
			    stmt->sql, i, va_arg(ap, int64_t));
		} else if (*format == 'd') {
			rc |= sqlite3_bind_double(
			    stmt->sql, i, va_arg(ap, double));
		} else if (*format == 't') {
			rc |= sqlite3_bind_text(stmt->sql, i,
			    va_arg(ap, const char *), -1, SQLITE_STATIC);
		} else {
			const void *data = va_arg(ap, const void *);
			size_t len = va_arg(ap, size_t);

			assert(*format == 'b');
			rc |= sqlite3_bind_blob64(
			    stmt->sql, i, data, len, SQLITE_STATIC);
		}
	}
	assert(rc == SQLITE_OK); /* a wrong format, or not reset */
}

void
store_bind(struct store_stmt *stmt, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	bind_all(stmt, format, ap);
	va_end(ap);
}

int
store_step(struct store_stmt *stmt)
{
	int rc = sqlite3_step(stmt->sql);

	return rc == SQLITE_ROW ? 1 : translate(stmt->store->db, rc);
}

void
store_reset(struct store_stmt *stmt)
{
	(void)sqlite3_reset(stmt->sql);
	(void)sqlite3_clear_bindings(stmt->sql);
}

int
store_run(struct store_stmt *stmt, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	bind_all(stmt, format, ap);
	va_end(ap);
	do
		r = store_step(stmt);
	while (r > 0);
	store_reset(stmt);
	return r;
}

int64_t
store_int(struct store_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt->sql, column);
}

double
store_double(struct store_stmt *stmt, int column)
{
	return sqlite3_column_double(stmt->sql, column);
}

const char *
store_text(struct store_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt->sql, column);

	return (const char *)text;
}

const void *
store_blob(struct store_stmt *stmt, int column, size_t *ret_len)
{
	const void *data = sqlite3_column_blob(stmt->sql, column);

	*ret_len = (size_t)sqlite3_column_bytes(stmt->sql, column);
	return data;
}
