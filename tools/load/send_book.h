/*
 * tools/load/send_book.h - what became of each message: the log, the sums,
 * the progress line.
 */
#ifndef LOAD_SEND_BOOK_H
#define LOAD_SEND_BOOK_H

#include "hist.h"
#include "message.h"
#include "smtp_client.h"

enum status {
	STATUS_ACCEPTED,
	STATUS_REJECTED,
	STATUS_DEFERRED,
	STATUS_BROKEN,
	STATUS_COUNT,
};

struct send_book {
	int log_fd; /* or -1 */
	const char *corpus_class;
	uint64_t start_usec;
	uint64_t by_status[STATUS_COUNT];
	uint64_t by_class[CLASS_COUNT]; /* accepted */
	uint64_t retries;
	uint64_t unreadable; /* files that could not be opened */
	uint64_t skipped;    /* files left out for a bare CR or NUL */
	uint64_t reconnects; /* connections that failed or were cut */
	struct hist latency; /* MAIL to the final 2xx */
	struct hist lag;     /* due time to MAIL */
};

/* Log and count the final status of a job.  Dies when the log can't be
 * written: a load without its log proves nothing. */
void send_book_enter(struct send_book *b, const struct job *job,
    const struct message *m, enum status status, const struct result *result);

/* All messages with a final status. */
uint64_t send_book_done(const struct send_book *b);

/* One line on standard error; total UINT64_MAX: not known. */
void send_book_progress(
    const struct send_book *b, uint64_t total, bool is_last);

/* The summary on standard output. */
void send_book_summary(const struct send_book *b, bool as_json);

#endif
