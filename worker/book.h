/*
 * worker/book.h - the server of the scanned table and writer of the ledger.
 */
#ifndef SLUICE_WORKER_BOOK_H
#define SLUICE_WORKER_BOOK_H

#include <stddef.h>
#include <sys/types.h>

struct book;
struct event_base;
struct metrics;
struct rows;
struct ledger;
struct spool;

struct book_parts {
	int listen_fd;             /* taken over */
	struct rows *rows;         /* taken over */
	struct ledger *ledger;     /* taken over; NULL: no ledger */
	const struct spool *spool; /* borrowed; NULL only without a ledger */
	struct metrics *metrics;   /* borrowed; may be NULL */
	/* Whose verdicts are believed, besides root's.  Connections of
	 * anybody else are closed. */
	uid_t engines_uid;
};

/* Serve from base's loop on.  Logs what fails. */
struct book *book_new(struct event_base *base, const struct book_parts *parts);
/* Closes connections, writes what waits. */
struct book *book_free(struct book *book);

#endif
