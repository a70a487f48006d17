/*
 * worker/ledger_files.h - which message had which file, by hash and time: the
 * part of the ledger that says how files spread.
 *
 * Filled by ledger_import() from the evidence of each judgement
 * (worker/evidence_parts.h), so a rebuild makes it anew.
 */
#ifndef SLUICE_WORKER_LEDGER_FILES_H
#define SLUICE_WORKER_LEDGER_FILES_H

#include "common/clock.h"
#include "common/digest.h"
#include "worker/ledger.h"

/*
 * Files of judgements older than that, by the clock, are neither taken nor
 * kept: ledger_import() removes some with each of its transactions.  0, which
 * ledger_open() sets: for ever.
 */
void ledger_keep_files(struct ledger *ledger, uint64_t keep_usec);

/* One file of one message.  Strings: "" when unknown. */
struct ledger_file {
	struct digest digest;
	struct wall t; /* of the judgement */
	uint64_t bytes;
	const char *id, *name;
	const char *verdict, *engine; /* of the file: struct evidence_part */
	const char *sender, *rcpt;    /* of its message, rcpt blank-separated */
	const char *place;            /* where that is, by the journals */
};

/* Non-zero ends the walk and is returned. */
typedef int ledger_file_seen_fn(void *arg, const struct ledger_file *file);

struct ledger_files_query {
	struct digest from, to; /* both included */
	struct wall since;      /* of the newest judgement */
};

/*
 * Call fn for each message of each file between from and to that was judged
 * at or after since, its older messages too; all of one file one after the
 * other.  0, what fn returned, or -errno.  Blocks on the disk.
 */
int ledger_files(struct ledger *ledger, const struct ledger_files_query *query,
    ledger_file_seen_fn *fn, void *arg);

/* When the oldest judgement is from of whose files we know; now if none.
 * 0 or -errno. */
int ledger_files_begin(struct ledger *ledger, uint64_t *ret_usec);

/* Time and id of each message with a file that was judged at or after since,
 * once for each of its files, oldest first; sender and rcpt are "". */
int ledger_file_times(
    struct ledger *ledger, struct wall since, ledger_message_fn *fn, void *arg);

/* Sender and rcpt of each message that was accepted, or judged with a file, at
 * or after since, and nothing else of it. */
int ledger_people(
    struct ledger *ledger, struct wall since, ledger_message_fn *fn, void *arg);

#endif
