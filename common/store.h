/*
 * common/store.h - SQLite, wrapped.  Its result codes become -errno here.
 */
#ifndef SLUICE_COMMON_STORE_H
#define SLUICE_COMMON_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct store_stmt;

/*
 * Open (and create, unless read_only) a database in WAL mode with
 * synchronous=NORMAL; schema is run when the file is new and its
 * user_version is set to version.  path ":memory:" works.
 * Returns 0; -EBADMSG: not a database, damaged, or another user_version;
 * -EAGAIN: busy for longer than 5 s; -ENOSPC, -EACCES, -EIO, ...; err says
 * what in words.  Blocks on the disk.
 */
int store_open(const char *path, const char *schema, int version,
    bool read_only, struct store **ret_store, char *err, size_t err_size);

/*
 * Move a damaged database, with what belongs to it, to PATH.bad, so that it
 * can be made anew.  0 or -errno.
 */
int store_set_aside(const char *path);

/* Commits nothing: an open transaction is rolled back.  NULL is allowed. */
struct store *store_close(struct store *store);
void store_closep(struct store **store);

/* Run SQL without parameters or rows.  0 or -errno, see store_error(). */
int store_exec(struct store *store, const char *sql);

/* The words of the last error; valid until the next call. */
const char *store_error(struct store *store);

/*
 * Prepared statement; sql must stay valid.  Freed by store_close().
 * Returns NULL on an error of ours in the SQL after asserting in debug.
 */
struct store_stmt *store_prepare(struct store *store, const char *sql);

/*
 * Bind by format, one character a parameter: 'i' int64_t, 't' const char *
 * (NULL gives SQL NULL), 'b' const void * + size_t, 'd' double.  The data is
 * borrowed until the next store_reset().
 */
void store_bind(struct store_stmt *stmt, const char *format, ...);

/* 1: a row is ready; 0: done; -errno.  Call store_reset() when through. */
int store_step(struct store_stmt *stmt);
void store_reset(struct store_stmt *stmt);

/* Bind, step to the end, reset.  0 or -errno. */
int store_run(struct store_stmt *stmt, const char *format, ...);

/* Columns of the current row, from 0; valid until the next step or reset. */
int64_t store_int(struct store_stmt *stmt, int column);
double store_double(struct store_stmt *stmt, int column);
const char *store_text(struct store_stmt *stmt, int column); /* NULL for NULL */
const void *store_blob(struct store_stmt *stmt, int column, size_t *ret_len);

#endif
