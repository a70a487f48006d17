/*
 * worker/book_priv.h - what the files book*.c share.
 */
#ifndef SLUICE_WORKER_BOOK_PRIV_H
#define SLUICE_WORKER_BOOK_PRIV_H

#include "common/clock.h"
#include "common/ipc.h"
#include "common/ipc_outbox.h"
#include "worker/book.h"
#include "worker/book_claims.h"
#include "worker/book_rows.h"
#include "worker/ledger.h"
#include "worker/table.h"

#include <sys/queue.h>

struct event;

struct book_conn {
	TAILQ_ENTRY(book_conn) link;
	struct book *book;
	int fd;
	pid_t pid;
	bool is_dead; /* to be freed by the reaper */
	struct event *readable, *writable;
	struct outbox outbox;
	struct claims_asker *asker;
};

/* A writer that fails is tried again later, and spoken of once. */
struct book_writer {
	const char *name;
	bool is_failing;
	struct mono retry_at;
};

struct book {
	struct event_base *base;
	int listen_fd;
	uid_t engines_uid;
	struct event *acceptor, *reaper, *ticker;
	struct rows *rows;
	struct ledger *ledger;
	const struct spool *spool;
	struct metrics *metrics;
	struct claims *claims;
	TAILQ_HEAD(, book_conn) conns;
	size_t n_conns;
	struct book_writer table_writer, ledger_writer;
	uint64_t ticks, bad_lines;
	struct ipc_msg msg;
	struct table_answer answer, single;
};

/* Write the table's waiting rows; all: sightings too. */
void book_flush(struct book *book, bool all);
void book_start_batches(struct book *book);
void book_stop_batches(struct book *book);

#endif
