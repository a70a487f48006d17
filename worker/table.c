#include "worker/table.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/ipc_outbox.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <uthash.h>

#define RETRY_FIRST_USEC (50 * USEC_PER_MSEC)
#define RETRY_LAST_USEC  (2 * USEC_PER_SEC)
/* Messages taken at one wake-up: the loop serves others too. */
#define READS_AT_A_TIME 32

/* A job that is still owed answers. */
struct pending {
	uint64_t job;
	uint32_t n, open; /* open: keys without their last answer */
	bool is_asked;    /* of the book that is there now */
	UT_hash_handle hh;
	bool is_final[];
};

struct table {
	struct event_base *base;
	char *path;
	table_fn *fn;
	void *arg;
	int fd; /* -1: no book */
	struct event *readable, *writable, *retry, *alone;
	uint64_t retry_usec;
	struct outbox outbox;
	struct pending *pending; /* by job */
	struct ipc_msg msg;
	struct table_answer answer; /* what we answer ourselves */
	struct table_lookup lookup;
};

static void connect_now(struct table *t);

static void
forget(struct table *t, struct pending *p)
{
	HASH_DEL(t->pending, p);
	free(p);
}

/* No book to ask: everything that is open is the asker's own to judge. */
static void
answer_alone(struct table *t, struct pending *p)
{
	struct table_answer *a = &t->answer;
	uint64_t job = p->job;
	uint32_t i = 0, n = p->n;
	CLEANUP(free_ptr) bool *is_final = xcalloc(n, sizeof(bool));

	memcpy(is_final, p->is_final, n * sizeof(bool));
	forget(t, p); /* fn may ask again for the same number */
	while (i < n) {
		a->n = 0;
		for (; i < n && a->n < TABLE_ANSWERS_MAX; i++) {
			if (is_final[i])
				continue;
			a->entries[a->n++] = (struct table_entry){
			    .index = i, .state = TABLE_YOURS};
		}
		if (a->n > 0)
			t->fn(t->arg, job, a->entries, a->n);
	}
}

static struct pending *
first_unasked(const struct table *t)
{
	struct pending *p;

	for (p = t->pending; p && p->is_asked; p = p->hh.next)
		;
	return p;
}

/* Those that no book will answer, even if there is one again by now; only as
 * many as wait: what fn asks meanwhile has its own turn. */
static void
on_alone(evutil_socket_t fd, short what, void *arg)
{
	struct table *t = arg;
	size_t n = HASH_COUNT(t->pending);
	struct pending *p;

	(void)fd;
	(void)what;
	while (n-- > 0 && (p = first_unasked(t)))
		answer_alone(t, p);
	if (first_unasked(t))
		event_active(t->alone, EV_TIMEOUT, 0);
}

static void
wait_for_retry(struct table *t)
{
	struct timeval tv = span_timeval(t->retry_usec);

	(void)event_add(t->retry, &tv);
	t->retry_usec *= 2;
	if (t->retry_usec > RETRY_LAST_USEC)
		t->retry_usec = RETRY_LAST_USEC;
}

/* May be called from inside table_lookup(): answers come from the loop. */
static void
hang_up(struct table *t)
{
	(void)event_del(t->readable);
	(void)event_del(t->writable);
	(void)close(t->fd);
	t->fd = -1;
	outbox_done(&t->outbox);
	for (struct pending *p = t->pending; p; p = p->hh.next)
		p->is_asked = false;
	wait_for_retry(t);
	event_active(t->alone, EV_TIMEOUT, 0);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	connect_now(arg);
}

static void
take_answer(struct table *t, const struct table_answer *a)
{
	struct pending *p;
	uint32_t n = 0;

	HASH_FIND(hh, t->pending, &a->job, sizeof(a->job), p);
	if (!p)
		return; /* dropped; the book passes its claims on */
	for (uint32_t i = 0; i < a->n; i++) {
		const struct table_entry *e = &a->entries[i];

		if (e->index >= p->n || p->is_final[e->index])
			continue; /* not what was asked: a broken book */
		t->answer.entries[n++] = *e;
		if (e->state == TABLE_LATER)
			continue;
		p->is_final[e->index] = true;
		p->open--;
	}
	if (p->open == 0)
		forget(t, p);
	if (n > 0)
		t->fn(t->arg, a->job, t->answer.entries, n);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct table *t = arg;

	(void)what;
	for (int i = 0; i < READS_AT_A_TIME && t->fd == fd; i++) {
		const struct table_answer *a;
		int r = ipc_recv(fd, &t->msg);

		if (r == -EAGAIN)
			return;
		if (r == 0)
			r = table_read_answer(&t->msg, &a);
		if (r < 0) {
			hang_up(t);
			return;
		}
		take_answer(t, a);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct table *t = arg;
	int r = outbox_flush(&t->outbox, fd);

	(void)what;
	if (r < 0)
		hang_up(t);
	else if (r == 0)
		(void)event_del(t->writable);
}

static void
connect_now(struct table *t)
{
	int fd = ipc_connect(t->path);

	if (fd < 0) {
		wait_for_retry(t);
		return;
	}
	t->fd = fd;
	t->retry_usec = RETRY_FIRST_USEC;
	(void)event_assign(
	    t->readable, t->base, fd, EV_READ | EV_PERSIST, on_readable, t);
	(void)event_assign(
	    t->writable, t->base, fd, EV_WRITE | EV_PERSIST, on_writable, t);
	(void)event_add(t->readable, NULL);
}

struct table *
table_open(struct event_base *base, const char *path, table_fn *fn, void *arg)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->base = base;
	t->path = xstrdup(path);
	t->fn = fn;
	t->arg = arg;
	t->fd = -1;
	t->retry_usec = RETRY_FIRST_USEC;
	outbox_init(&t->outbox);
	t->readable = event_new(base, -1, EV_READ, on_readable, t);
	t->writable = event_new(base, -1, EV_WRITE, on_writable, t);
	t->retry = event_new(base, -1, 0, on_retry, t);
	t->alone = event_new(base, -1, 0, on_alone, t);
	assert(t->readable && t->writable && t->retry && t->alone);
	connect_now(t);
	return t;
}

struct table *
table_close(struct table *table)
{
	if (!table)
		return NULL;
	event_free(table->readable);
	event_free(table->writable);
	event_free(table->retry);
	event_free(table->alone);
	close_fd(&table->fd);
	outbox_done(&table->outbox);
	while (table->pending)
		forget(table, table->pending);
	free(table->path);
	free(table);
	return NULL;
}

bool
table_is_up(const struct table *table)
{
	return table->fd >= 0;
}

static void
send_out(struct table *t, uint32_t type, const void *body, size_t len)
{
	int r = outbox_send(&t->outbox, t->fd, type, body, len);

	if (r < 0)
		hang_up(t);
	else if (r > 0)
		(void)event_add(t->writable, NULL);
}

static void
cut(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	memset(to + n, 0, size - n); /* keys are compared whole */
}

void
table_lookup(struct table *table, uint64_t job, const char *engine,
    const char *context, const struct digest *keys, size_t n)
{
	struct table_lookup *l = &table->lookup;
	struct pending *p;

	assert(job != 0 && n > 0 && n <= TABLE_KEYS_MAX);
	HASH_FIND(hh, table->pending, &job, sizeof(job), p);
	assert(!p);
	p = xcalloc(1, sizeof(*p) + n * sizeof(p->is_final[0]));
	p->job = job;
	p->n = p->open = (uint32_t)n;
	HASH_ADD(hh, table->pending, job, sizeof(p->job), p);
	if (table->fd < 0) {
		event_active(table->alone, EV_TIMEOUT, 0);
		return;
	}
	p->is_asked = true; /* before it may turn out to be gone */
	l->job = job;
	l->n = (uint32_t)n;
	cut(l->engine, sizeof(l->engine), engine);
	cut(l->context, sizeof(l->context), context);
	memcpy(l->keys, keys, n * sizeof(keys[0]));
	send_out(table, TABLE_MSG_LOOKUP, l,
	    offsetof(struct table_lookup, keys) + n * sizeof(keys[0]));
}

void
table_result(struct table *table, const struct digest *key, const char *engine,
    const char *context, enum table_verdict verdict, const char *name,
    uint64_t bytes)
{
	struct table_result r = {
	    .key = *key, .verdict = verdict, .bytes = bytes};

	if (table->fd < 0)
		return;
	cut(r.engine, sizeof(r.engine), engine);
	cut(r.context, sizeof(r.context), context);
	cut(r.name, sizeof(r.name), name ? name : "");
	send_out(table, TABLE_MSG_RESULT, &r, sizeof(r));
}

void
table_drop(struct table *table, uint64_t job)
{
	const struct table_drop d = {job};
	struct pending *p;

	HASH_FIND(hh, table->pending, &job, sizeof(job), p);
	if (p)
		forget(table, p);
	if (table->fd >= 0)
		send_out(table, TABLE_MSG_DROP, &d, sizeof(d));
}
