#include "worker/book.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/metrics.h"
#include "worker/book_priv.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Engines of one host: one a worker, and those that restart. */
#define MAX_CONNECTIONS 256
#define READS_AT_A_TIME 16

static void
conn_free(struct book *b, struct book_conn *c)
{
	TAILQ_REMOVE(&b->conns, c, link);
	b->n_conns--;
	metrics_set(b->metrics, METRIC_book_connections, b->n_conns);
	claims_leave(b->claims, c->asker);
	event_free(c->readable);
	event_free(c->writable);
	(void)close(c->fd);
	outbox_done(&c->outbox);
	free(c);
}

/* Not at once: we may be in the middle of a walk over its seats. */
static void
conn_give_up(struct book_conn *c)
{
	c->is_dead = true;
	event_active(c->book->reaper, EV_TIMEOUT, 0);
}

static void
on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct book *b = arg;
	struct book_conn *c, *next;

	(void)fd;
	(void)what;
	for (c = TAILQ_FIRST(&b->conns); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->is_dead)
			conn_free(b, c);
	}
}

static void
send_answer(struct book_conn *c, const struct table_answer *a)
{
	int r;

	if (c->is_dead)
		return;
	r = outbox_send(&c->outbox, c->fd, TABLE_MSG_ANSWER, a,
	    offsetof(struct table_answer, entries) +
		a->n * sizeof(a->entries[0]));
	if (r < 0)
		conn_give_up(c);
	else if (r > 0)
		(void)event_add(c->writable, NULL);
}

static void
send_entry(struct book *b, struct book_conn *c, uint64_t job,
    const struct table_entry *entry)
{
	struct table_answer *a = &b->single;

	a->job = job;
	a->n = 1;
	a->entries[0] = *entry;
	send_answer(c, a);
}

/* claims_pass_fn */
static void
pass_claim(void *arg, void *asker_arg, uint64_t job, uint32_t index)
{
	const struct table_entry e = {.index = index, .state = TABLE_YOURS};
	struct book *b = arg;

	metrics_add(b->metrics, METRIC_book_passed, 1);
	send_entry(b, asker_arg, job, &e);
}

/* claims_tell_fn */
static void
tell_verdict(
    void *arg, void *asker_arg, uint64_t job, uint32_t index, void *verdict)
{
	const struct table_result *r = verdict;
	struct table_entry e = {
	    .index = index, .state = TABLE_KNOWN, .verdict = r->verdict};

	memcpy(e.name, r->name, sizeof(e.name));
	send_entry(arg, asker_arg, job, &e);
}

static void
answer_one(struct book_conn *c, const struct book_key *key,
    const struct table_lookup *l, struct wall now, struct table_entry *e)
{
	struct book *b = c->book;
	struct rows_verdict v;

	if (rows_find(b->rows, key, now, &v)) {
		e->state = TABLE_KNOWN;
		e->verdict = v.verdict;
		e->age_usec = now.usec > v.first_seen.usec
				  ? now.usec - v.first_seen.usec
				  : 0;
		(void)strncpy(e->name, v.name, sizeof(e->name) - 1);
		metrics_add(b->metrics, METRIC_book_known, 1);
		return;
	}
	if (claims_ask(b->claims, c->asker, l->job, e->index, key)) {
		e->state = TABLE_YOURS;
		metrics_add(b->metrics, METRIC_book_claims, 1);
	} else {
		e->state = TABLE_LATER;
		metrics_add(b->metrics, METRIC_book_waits, 1);
	}
}

/* Text behind its end must not make two keys of one. */
static void
pad_copy(char *to, const char *from, size_t size)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	memset(to + n, 0, size - n);
}

static void
take_lookup(struct book_conn *c, const struct table_lookup *l)
{
	struct book *b = c->book;
	struct table_answer *a = &b->answer;
	struct wall now = wall_now();
	struct book_key key;

	pad_copy(key.engine, l->engine, sizeof(key.engine));
	pad_copy(key.context, l->context, sizeof(key.context));
	a->job = l->job;
	a->n = 0;
	for (uint32_t i = 0; i < l->n; i++) {
		struct table_entry *e = &a->entries[a->n++];

		memset(e, 0, sizeof(*e));
		e->index = i;
		key.digest = l->keys[i];
		answer_one(c, &key, l, now, e);
		if (a->n == TABLE_ANSWERS_MAX || i + 1 == l->n) {
			send_answer(c, a);
			a->n = 0;
		}
	}
	metrics_add(b->metrics, METRIC_book_lookups, l->n);
}

static void
take_result(struct book_conn *c, const struct table_result *r)
{
	struct book *b = c->book;
	struct table_result copy = *r;
	struct book_key key = {.digest = r->key};

	pad_copy(key.engine, r->engine, sizeof(key.engine));
	pad_copy(key.context, r->context, sizeof(key.context));
	metrics_add(b->metrics, METRIC_book_results, 1);
	if (r->verdict == TABLE_UNKNOWN) {
		claims_give_up(b->claims, c->asker, &key);
		return;
	}
	rows_put(b->rows, &key, (enum table_verdict)r->verdict, r->name,
	    r->bytes, wall_now());
	claims_settle(b->claims, c->asker, &key, &copy);
	if (rows_waiting(b->rows) >= ROWS_BATCH)
		book_flush(b, false);
}

static int
take_message(struct book_conn *c, const struct ipc_msg *msg)
{
	const struct table_lookup *lookup;
	const struct table_result *result;
	const struct table_drop *drop;

	if (table_read_lookup(msg, &lookup) == 0)
		take_lookup(c, lookup);
	else if (table_read_result(msg, &result) == 0)
		take_result(c, result);
	else if (table_read_drop(msg, &drop) == 0)
		claims_drop(c->book->claims, c->asker, drop->job);
	else
		return -EBADMSG;
	return 0;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct book_conn *c = arg;
	struct book *b = c->book;

	(void)what;
	for (int i = 0; i < READS_AT_A_TIME && !c->is_dead; i++) {
		int r = ipc_recv(fd, &b->msg);

		if (r == -EAGAIN)
			break;
		if (r == 0) {
			r = take_message(c, &b->msg);
			ipc_drop_fds(&b->msg);
		}
		if (r == -EBADMSG)
			log_error("table peer=%d: a malformed message, "
				  "closing",
			    (int)c->pid);
		if (r < 0)
			conn_give_up(c);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct book_conn *c = arg;
	int r = outbox_flush(&c->outbox, fd);

	(void)what;
	if (r < 0)
		conn_give_up(c);
	else if (r == 0)
		(void)event_del(c->writable);
}

static void
conn_new(struct book *b, int fd, pid_t pid)
{
	struct book_conn *c = xcalloc(1, sizeof(*c));

	c->book = b;
	c->fd = fd;
	c->pid = pid;
	outbox_init(&c->outbox);
	c->asker = claims_join(b->claims, c);
	c->readable =
	    event_new(b->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable =
	    event_new(b->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	assert(c->readable && c->writable);
	(void)event_add(c->readable, NULL);
	TAILQ_INSERT_TAIL(&b->conns, c, link);
	b->n_conns++;
	metrics_set(b->metrics, METRIC_book_connections, b->n_conns);
}

static void
on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	CLEANUP(close_fd) int fd = -1;
	struct book *b = arg;
	struct ucred peer;

	(void)what;
	fd = ipc_accept(listen_fd, b->engines_uid, &peer);
	if (fd == -EPERM)
		log_warn("table peer=%d uid=%u: not the engines, closing",
		    (int)peer.pid, peer.uid);
	if (fd >= 0 && b->n_conns < MAX_CONNECTIONS)
		conn_new(b, TAKE_FD(fd), peer.pid);
}

struct book *
book_new(struct event_base *base, const struct book_parts *parts)
{
	struct book *b = xcalloc(1, sizeof(*b));

	b->base = base;
	b->listen_fd = parts->listen_fd;
	b->rows = parts->rows;
	b->ledger = parts->ledger;
	b->spool = parts->spool;
	b->metrics = parts->metrics;
	b->engines_uid = parts->engines_uid;
	b->claims = claims_new(pass_claim, tell_verdict, b);
	TAILQ_INIT(&b->conns);
	b->reaper = event_new(base, -1, 0, on_reap, b);
	b->acceptor =
	    event_new(base, b->listen_fd, EV_READ | EV_PERSIST, on_accept, b);
	assert(b->reaper && b->acceptor);
	(void)event_add(b->acceptor, NULL);
	book_start_batches(b);
	return b;
}

struct book *
book_free(struct book *book)
{
	if (!book)
		return NULL;
	while (!TAILQ_EMPTY(&book->conns)) {
		TAILQ_FIRST(&book->conns)->is_dead = true;
		conn_free(book, TAILQ_FIRST(&book->conns));
	}
	book_stop_batches(book);
	event_free(book->reaper);
	event_free(book->acceptor);
	(void)close(book->listen_fd);
	(void)claims_free(book->claims);
	(void)rows_close(book->rows);
	(void)ledger_close(book->ledger);
	free(book);
	return NULL;
}
