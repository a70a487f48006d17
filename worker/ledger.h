/*
 * worker/ledger.h - every message's path, in SQLite, made from the journals.
 *
 * The journals and the spool are the truth; the ledger can be thrown away and
 * made anew.  sluice-book writes it; the operator's command reads it and may
 * rebuild it beside a living book: how far each journal was read is stored
 * in the same transaction as the rows.
 */
#ifndef SLUICE_WORKER_LEDGER_H
#define SLUICE_WORKER_LEDGER_H

#include "queues/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the file; one of another format is set aside and made anew. */
#define LEDGER_FORMAT 2

struct ledger;

/*
 * Open (and create, unless read_only).  When root makes the file it gets the
 * owner of its directory.  A damaged file gives -EBADMSG: remove it and
 * rebuild.  patience_msec: how long a lock of another process is waited for.
 * Other errors as store_open().
 */
int ledger_open(const char *path, bool read_only, unsigned int patience_msec,
    struct ledger **ret_ledger, char *err, size_t err_size);
struct ledger *ledger_close(struct ledger *ledger);
void ledger_closep(struct ledger **ledger);

/* The words of the last error. */
const char *ledger_error(const struct ledger *ledger);

/*
 * Take up to max_lines new lines of all journals, in one transaction.  A
 * journal that shrank or was replaced is read from its beginning; a line
 * that comes twice changes nothing.  Lines that are no events are counted
 * and skipped.  Without news it costs one stat a journal.
 * Returns the number of lines; -EAGAIN: somebody else writes now; or -errno
 * with nothing taken.
 */
int ledger_import(
    struct ledger *ledger, const struct spool *spool, int max_lines);

/* Empty it and take everything again.  Returns lines or -errno. */
int64_t ledger_rebuild(struct ledger *ledger, const struct spool *spool);

/* Look at every journal again with the next import, whatever its size. */
void ledger_forget_sizes(struct ledger *ledger);

/* Lines that were no events, since ledger_open(). */
uint64_t ledger_skipped(const struct ledger *ledger);

/* One message as its latest lines tell it.  Strings: "" when unknown. */
struct ledger_message {
	const char *id;
	struct wall accepted, t; /* t: of the last move; 0: unknown */
	uint64_t bytes, wait_usec, service_usec;
	const char *sender, *rcpt, *place, *verdict, *reason, *evidence;
};

/* One line of a message's path, oldest first. */
struct ledger_event {
	struct wall t;
	const char *kind, *from, *to, *reason;
};

/* Non-zero ends the walk and is returned. */
typedef int ledger_message_fn(void *arg, const struct ledger_message *message);
typedef int ledger_event_fn(void *arg, const struct ledger_event *event);

/* message_fn once, then event_fn for each line.  0; -ENOENT: no such id; or
 * -errno.  Either function may be NULL. */
int ledger_trace(struct ledger *ledger, const char *id,
    ledger_message_fn *message_fn, ledger_event_fn *event_fn, void *arg);

struct ledger_query {
	const char *sender;       /* NULL: any */
	struct wall since, until; /* of acceptance; until 0: now */
	unsigned int limit;       /* newest first */
};

int ledger_list(struct ledger *ledger, const struct ledger_query *query,
    ledger_message_fn *fn, void *arg);

/* Messages by place, as the journals say it. */
struct ledger_counts {
	uint64_t messages, events;
	uint64_t by_place[SPOOL_MAX];
};

int ledger_counts(struct ledger *ledger, struct ledger_counts *ret_counts);

/* Where the ledger says that id is.  0, -ENOENT, or -errno. */
int ledger_place(
    struct ledger *ledger, const char *id, enum spool_dir *ret_place);

#endif
