/*
 * One asker: its runs, and what it is told.
 */
#include "vmm/holder_priv.h"

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "common/metrics.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uthash.h>

#define READS_AT_A_TIME 16
/* Of one asker, so that it can't fill the line of those who wait. */
#define RUNS_MAX 256

struct conn_run {
	UT_hash_handle hh; /* by number */
	struct conn *conn;
	uint64_t number; /* the asker's */
	struct pool_run *run;
	bool is_blocked; /* the pool was told to wait */
	char reference[ASK_REFERENCE_MAX];
	uint64_t bytes;
};

/* Not at once: we may be in the middle of its runs, or of the pool. */
static void
give_up(struct conn *c)
{
	c->is_dead = true;
	event_active(c->holder->reaper, EV_TIMEOUT, 0);
}

static void
tell(struct conn *c, uint32_t type, const void *body, size_t len)
{
	int r;

	if (c->is_dead)
		return;
	r = outbox_send(&c->outbox, c->fd, type, body, len);
	if (r < 0)
		give_up(c);
	else if (r > 0)
		(void)event_add(c->writable, NULL);
}

static void
on_begun(void *arg, const struct ask_begun *given)
{
	const struct conn_run *run = arg;
	struct ask_begun begun = *given;

	begun.run = run->number;
	tell(run->conn, ASK_BEGUN, &begun, sizeof(begun));
}

/* Octets wait where they are, in the clone's memory, not in ours. */
static int
on_chunk(void *arg, uint32_t from, const void *octets, uint32_t n)
{
	struct conn_run *run = arg;
	struct conn *c = run->conn;
	struct holder *h = c->holder;
	int r = -EAGAIN;

	if (c->is_dead)
		return -EPIPE;
	h->chunk.head =
	    (struct ask_chunk){.run = run->number, .from = from, .n = n};
	memcpy(h->chunk.octets, octets, n);
	if (c->outbox.bytes == 0)
		r = ipc_send(c->fd, ASK_CHUNK, &h->chunk,
		    sizeof(h->chunk.head) + n, NULL, 0);
	if (r == -EAGAIN) {
		run->is_blocked = true;
		(void)event_add(c->writable, NULL);
	} else if (r < 0) {
		give_up(c);
	}
	return r;
}

static void
run_free(struct conn_run *run)
{
	HASH_DEL(run->conn->runs, run);
	free(run);
}

static const char *
end_name(uint32_t end)
{
	static const char *const names[ASK_ENDS] = {"program", "deadline",
	    "stopped", "died", "silent", "refused", "no-backend"};

	return end < ASK_ENDS ? names[end] : "?";
}

static void
on_done(void *arg, const struct ask_done *given)
{
	struct conn_run *run = arg;
	struct ask_done done = *given;

	done.run = run->number;
	log_info("run peer=%d reference=%s bytes=%" PRIu64 " end=%s "
		 "report_bytes=%" PRIu64 " queue_usec=%" PRIu64
		 " take_usec=%" PRIu64 " run_usec=%" PRIu64
		 " collect_usec=%" PRIu64 "%s%s%s",
	    (int)run->conn->pid, run->reference, run->bytes, end_name(done.end),
	    done.report_bytes, done.times.queue, done.times.take,
	    done.times.run, done.times.collect, done.text[0] ? " text=\"" : "",
	    done.text, done.text[0] ? "\"" : "");
	tell(run->conn, ASK_DONE, &done, sizeof(done));
	run_free(run);
}

static const struct pool_run_ops run_ops = {on_begun, on_chunk, on_done};

static struct conn_run *
find_run(struct conn *c, uint64_t number)
{
	struct conn_run *run;

	HASH_FIND(hh, c->runs, &number, sizeof(number), run);
	return run;
}

static void
refuse(struct conn *c, uint64_t number, const char *text)
{
	struct ask_done done = {.run = number, .end = ASK_END_REFUSED};

	(void)snprintf(done.text, sizeof(done.text), "%s", text);
	tell(c, ASK_DONE, &done, sizeof(done));
}

static void
begin(struct conn *c, struct ipc_msg *msg, const struct ask_run *what)
{
	struct conn_run *run = xcalloc(1, sizeof(*run));
	struct pool_run *made;
	int fd = msg->fds[0];

	run->conn = c;
	run->number = what->run;
	run->bytes = what->bytes;
	memcpy(run->reference, what->reference, sizeof(run->reference));
	HASH_ADD(hh, c->runs, number, sizeof(run->number), run);
	msg->n_fds = 0; /* the pool has it */
	/* Refused: on_done() has freed run. */
	made =
	    pool_ask(c->holder->pool, c, what, fd, &run_ops, run, mono_now());
	if (made)
		run->run = made;
}

/* Only of a memfd is it known that reading it can't block, and that all see
 * the same octets. */
static int
take_run(struct conn *c, struct ipc_msg *msg, const struct ask_run *what)
{
	if (find_run(c, what->run))
		return -EBADMSG;
	if (!memfd_is_sealed(msg->fds[0]))
		refuse(c, what->run, "the file is not a sealed memfd");
	else if (HASH_COUNT(c->runs) >= RUNS_MAX)
		refuse(c, what->run, "too many runs of one asker");
	else
		begin(c, msg, what);
	return 0;
}

static void
take_stop(struct conn *c, const struct ask_stop *stop)
{
	struct conn_run *run = find_run(c, stop->run);

	if (run) /* else it has ended by itself meanwhile */
		pool_stop(c->holder->pool, run->run, mono_now());
}

static int
take_message(struct conn *c, struct ipc_msg *msg)
{
	const struct ask_run *run;
	const struct ask_stop *stop;
	int r = 0;

	if (ask_read_run(msg, &run) == 0)
		r = take_run(c, msg, run);
	else if (ask_read_stop(msg, &stop) == 0)
		take_stop(c, stop);
	else if (ask_read_list(msg) == 0)
		conn_list(c, true);
	else
		r = -EBADMSG;
	return r;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	struct holder *h = c->holder;

	(void)what;
	for (int i = 0; i < READS_AT_A_TIME && !c->is_dead; i++) {
		int r = ipc_recv(fd, &h->msg);

		if (r == -EAGAIN)
			break;
		if (r == 0) {
			r = take_message(c, &h->msg);
			ipc_drop_fds(&h->msg);
		}
		if (r == -EBADMSG)
			log_error("asker peer=%d: a malformed message, closing",
			    (int)c->pid);
		if (r < 0)
			give_up(c);
	}
	pool_loop_poke(h->loop);
}

static void
resume_all(struct conn *c)
{
	for (struct conn_run *run = c->runs; run; run = run->hh.next) {
		if (!run->is_blocked)
			continue;
		run->is_blocked = false;
		pool_resume(c->holder->pool, run->run);
	}
	pool_loop_poke(c->holder->loop);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	int r = outbox_flush(&c->outbox, fd);

	(void)what;
	if (r < 0) {
		give_up(c);
	} else if (r == 0) {
		(void)event_del(c->writable);
		resume_all(c);
	}
}

void
conn_list(struct conn *conn, bool rows)
{
	struct holder *h = conn->holder;
	size_t n = pool_list(h->pool, mono_now(), &h->list.head, h->list.rows,
	    rows ? ASK_CLONES_MAX : 0);

	for (size_t i = 0; i < n && !conn->is_root; i++)
		memset(h->list.rows[i].name, 0, sizeof(h->list.rows[i].name));
	holder_tell_refs(h, &h->list.head);
	tell(conn, ASK_CLONES, &h->list,
	    sizeof(h->list.head) + n * sizeof(h->list.rows[0]));
}

void
conn_new(struct holder *holder, int fd, const struct ucred *peer)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->holder = holder;
	c->fd = fd;
	c->pid = peer->pid;
	c->is_root = peer->uid == 0;
	outbox_init(&c->outbox);
	c->readable =
	    event_new(holder->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable =
	    event_new(holder->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	assert(c->readable && c->writable);
	(void)event_add(c->readable, NULL);
	TAILQ_INSERT_TAIL(&holder->conns, c, link);
	holder->n_conns++;
}

void
conn_free(struct conn *conn)
{
	struct holder *h = conn->holder;

	while (conn->runs) {
		struct conn_run *run = conn->runs;
		struct pool_run *made = run->run;

		run_free(run);
		pool_abandon(h->pool, made, mono_now());
	}
	TAILQ_REMOVE(&h->conns, conn, link);
	h->n_conns--;
	event_free(conn->readable);
	event_free(conn->writable);
	(void)close(conn->fd);
	outbox_done(&conn->outbox);
	free(conn);
}
