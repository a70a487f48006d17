/*
 * tests/support/fake_book.h - the scanned table as the engines role sees it:
 * keeps what it is told, answers what a test says.
 */
#ifndef SLUICE_TESTS_FAKE_BOOK_H
#define SLUICE_TESTS_FAKE_BOOK_H

#include "common/ipc.h"
#include "worker/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FAKE_BOOK_KEPT 16

struct fake_book {
	int listener, fd;
	struct table_lookup lookups[FAKE_BOOK_KEPT];
	struct table_result results[FAKE_BOOK_KEPT];
	uint64_t drops[FAKE_BOOK_KEPT];
	size_t n_lookups, n_results, n_drops;
	struct ipc_msg msg;
};

static inline void
fake_book_open(struct fake_book *b, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	b->fd = -1;
	b->listener =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (b->listener < 0 ||
	    bind(b->listener, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(b->listener, 5) < 0)
		abort();
}

/* The book dies. */
static inline void
fake_book_close(struct fake_book *b)
{
	if (b->listener >= 0)
		(void)close(b->listener);
	if (b->fd >= 0)
		(void)close(b->fd);
	b->listener = b->fd = -1;
}

static inline void
fake_book_take(struct fake_book *b)
{
	const struct table_lookup *lookup;
	const struct table_result *result;
	const struct table_drop *drop;

	if (table_read_lookup(&b->msg, &lookup) == 0)
		(void)memcpy(&b->lookups[b->n_lookups++], lookup, b->msg.len);
	else if (table_read_result(&b->msg, &result) == 0)
		b->results[b->n_results++] = *result;
	else if (table_read_drop(&b->msg, &drop) == 0)
		b->drops[b->n_drops++] = drop->job;
	else
		abort();
	if (b->n_lookups == FAKE_BOOK_KEPT || b->n_results == FAKE_BOOK_KEPT ||
	    b->n_drops == FAKE_BOOK_KEPT)
		abort();
}

/* Take what has come, without waiting. */
static inline void
fake_book_serve(struct fake_book *b)
{
	if (b->listener < 0)
		return;
	if (b->fd < 0)
		b->fd = accept4(
		    b->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (b->fd >= 0 && ipc_recv(b->fd, &b->msg) == 0)
		fake_book_take(b);
}

/* One answer about key number index of a lookup. */
static inline void
fake_book_answer(struct fake_book *b, uint64_t job, uint32_t index,
    enum table_state state, enum table_verdict verdict, const char *name)
{
	struct table_answer a = {.job = job, .n = 1};
	struct table_entry *e = &a.entries[0];

	*e = (struct table_entry){
	    .index = index, .state = state, .verdict = verdict};
	(void)snprintf(e->name, sizeof(e->name), "%s", name);
	if (ipc_send(b->fd, TABLE_MSG_ANSWER, &a,
		offsetof(struct table_answer, entries) + sizeof(*e), NULL,
		0) < 0)
		abort();
}

#endif
