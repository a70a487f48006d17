/*
 * worker/ledger_priv.h - what the files ledger*.c share.
 */
#ifndef SLUICE_WORKER_LEDGER_PRIV_H
#define SLUICE_WORKER_LEDGER_PRIV_H

#include "worker/ledger.h"

struct store;
struct store_stmt;
struct ledger_size; /* a journal that was read to its end */

struct ledger {
	struct store *store;
	struct store_stmt *get_message, *get_events, *list, *list_sender;
	struct store_stmt *count_places, *count_events, *get_place;
	struct store_stmt *put_accepted, *put_message, *put_event;
	struct store_stmt *get_offset, *set_offset;
	struct store_stmt *get_files, *get_file_times, *get_people;
	struct store_stmt *get_files_begin;
	struct store_stmt *put_file, *drop_files;
	struct ledger_size *sizes; /* by inode */
	uint64_t skipped;
	uint64_t keep_usec;   /* 0: for ever */
	uint64_t oldest_usec; /* file that this transaction keeps */
	char error[160];      /* of an import that was rolled back */
};

int ledger_prepare_import(struct ledger *ledger);
int ledger_prepare_files(struct ledger *ledger);
int ledger_prepare_put_files(struct ledger *ledger);

/* Of a transaction: look at the clock; take a judgement's files; then remove
 * some that are too old.  0 or -errno. */
void ledger_begin_files(struct ledger *ledger);
int ledger_put_files(struct ledger *ledger, const struct event *event);
int ledger_drop_files(struct ledger *ledger);

/*
 * Call fn for every file of the spool's directory journal/, until it returns
 * non-zero, which is returned.  0 or -errno otherwise.
 */
struct stat;
typedef int ledger_file_fn(void *arg, const char *name, const struct stat *st);
int ledger_each_journal(
    const struct spool *spool, ledger_file_fn *fn, void *arg);

#endif
