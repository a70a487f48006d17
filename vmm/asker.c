#include "vmm/asker.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/ipc_outbox.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#define RETRY_FIRST_USEC (50 * USEC_PER_MSEC)
#define RETRY_LAST_USEC  (2 * USEC_PER_SEC)
/* Messages taken at one wake-up: the loop serves others too. */
#define READS_AT_A_TIME 16
#define ATTEMPTS        2

struct asker_run {
	UT_hash_handle hh;           /* by number, once it was sent */
	TAILQ_ENTRY(asker_run) link; /* as long as it wasn't */
	struct asker *asker;
	struct ask_run what;
	int fd;
	unsigned int attempt;
	uint64_t offset; /* of the report, what is next */
	bool is_sent, is_stopped, is_dropped;
	const struct asker_run_ops *ops;
	void *arg;
};

struct asker {
	struct event_base *base;
	char *path;
	void (*state)(void *arg);
	void *arg;
	int fd; /* -1: no holder */
	struct event *readable, *writable, *retry, *lost;
	uint64_t retry_usec, last_number;
	struct outbox outbox;
	struct asker_run *sent; /* by number */
	TAILQ_HEAD(, asker_run) unsent;
	struct ask_clones *clones; /* NULL: nothing was told */
	struct ask_clone *rows;
	struct ipc_msg msg;
};

static void
run_free(struct asker_run *run)
{
	struct asker *a = run->asker;

	if (run->is_sent)
		HASH_DEL(a->sent, run);
	else
		TAILQ_REMOVE(&a->unsent, run, link);
	close_fd(&run->fd);
	free(run);
}

/* Its last word; the run is gone. */
static void
end_run(struct asker_run *run, const struct ask_done *done)
{
	const struct asker_run_ops *ops = run->ops;
	bool is_dropped = run->is_dropped;
	void *arg = run->arg;

	run_free(run);
	if (!is_dropped)
		ops->done(arg, done);
}

static void
forget_state(struct asker *a)
{
	bool was = a->clones != NULL;

	free(a->clones);
	free(a->rows);
	a->clones = NULL;
	a->rows = NULL;
	if (was && a->state)
		a->state(a->arg);
}

static struct asker_run *
any_run(const struct asker *a)
{
	return a->sent ? a->sent : TAILQ_FIRST(&a->unsent);
}

static void
refuse(struct asker_run *run)
{
	struct ask_done done = {.end = ASK_END_REFUSED};

	(void)snprintf(done.text, sizeof(done.text), "sluice-vmm is gone");
	end_run(run, &done);
}

/* From the loop, so that no call of ours ends a run from within. */
static void
on_lost(evutil_socket_t fd, short what, void *arg)
{
	struct asker *a = arg;
	struct asker_run *run;

	(void)fd;
	(void)what;
	while (a->fd < 0 && (run = any_run(a)))
		refuse(run);
	if (a->fd < 0)
		forget_state(a);
}

static void
wait_for_retry(struct asker *a)
{
	struct timeval tv = span_timeval(a->retry_usec);

	(void)event_add(a->retry, &tv);
	a->retry_usec *= 2;
	if (a->retry_usec > RETRY_LAST_USEC)
		a->retry_usec = RETRY_LAST_USEC;
}

static void
hang_up(struct asker *a)
{
	(void)event_del(a->readable);
	(void)event_del(a->writable);
	(void)close(a->fd);
	a->fd = -1;
	outbox_done(&a->outbox);
	/* Before the retry, which waits longer: those runs are lost. */
	event_active(a->lost, EV_TIMEOUT, 0);
	wait_for_retry(a);
}

static void
send_small(struct asker *a, uint32_t type, const void *body, size_t len)
{
	int r = a->fd < 0 ? 0 : outbox_send(&a->outbox, a->fd, type, body, len);

	if (r < 0)
		hang_up(a);
	else if (r > 0)
		(void)event_add(a->writable, NULL);
}

static void
send_stop(struct asker_run *run)
{
	const struct ask_stop stop = {.run = run->what.run};

	send_small(run->asker, ASK_STOP, &stop, sizeof(stop));
}

/* Those that were not sent, as long as the socket takes them. */
static void
send_runs(struct asker *a)
{
	struct asker_run *run;
	int r = 0;

	while (a->fd >= 0 && r == 0 && (run = TAILQ_FIRST(&a->unsent))) {
		r = ipc_send(
		    a->fd, ASK_RUN, &run->what, sizeof(run->what), &run->fd, 1);
		if (r == 0) {
			TAILQ_REMOVE(&a->unsent, run, link);
			run->is_sent = true;
			HASH_ADD(
			    hh, a->sent, what.run, sizeof(run->what.run), run);
			if (run->is_stopped)
				send_stop(run);
		}
	}
	if (r == -EAGAIN)
		(void)event_add(a->writable, NULL);
	else if (r < 0)
		hang_up(a);
}

/* Once more, from the start. */
static bool
try_again(struct asker_run *run, const struct ask_done *done)
{
	struct asker *a = run->asker;

	if ((done->end != ASK_END_DIED && done->end != ASK_END_SILENT) ||
	    run->attempt >= ATTEMPTS || run->is_stopped || run->is_dropped)
		return false;
	HASH_DEL(a->sent, run);
	run->is_sent = false;
	run->attempt++;
	run->offset = 0;
	run->what.run = ++a->last_number;
	TAILQ_INSERT_TAIL(&a->unsent, run, link);
	send_runs(a);
	return true;
}

static struct asker_run *
find_run(const struct asker *a, uint64_t number)
{
	struct asker_run *run;

	HASH_FIND(hh, a->sent, &number, sizeof(number), run);
	return run;
}

static int
take_chunk(struct asker *a, const struct ask_chunk *c, const void *octets)
{
	struct asker_run *run = find_run(a, c->run);

	if (!run)
		return 0;
	if (c->from != run->offset)
		return -EBADMSG; /* a gap would hide what the guest did */
	run->offset += c->n;
	if (!run->is_stopped)
		run->ops->chunk(run->arg, octets, c->n);
	return 0;
}

static void
take_begun(struct asker *a, const struct ask_begun *b)
{
	struct asker_run *run = find_run(a, b->run);

	if (run && !run->is_stopped)
		run->ops->begun(run->arg, run->attempt, b);
}

static int
take_done(struct asker *a, const struct ask_done *d)
{
	struct asker_run *run = find_run(a, d->run);
	struct ask_done done = *d;

	if (!run)
		return 0;
	if (d->report_bytes != run->offset)
		return -EBADMSG; /* octets are missing */
	if (!try_again(run, d))
		end_run(run, &done);
	return 0;
}

static void
take_clones(
    struct asker *a, const struct ask_clones *c, const struct ask_clone *rows)
{
	free(a->clones);
	free(a->rows);
	a->clones = xcalloc(1, sizeof(*c));
	*a->clones = *c;
	a->rows = xcalloc(c->n + 1, sizeof(*rows));
	memcpy(a->rows, rows, c->n * sizeof(*rows));
	if (a->state)
		a->state(a->arg);
}

static int
take_message(struct asker *a)
{
	const struct ask_clone *rows;
	const struct ask_clones *clones;
	const struct ask_begun *begun;
	const struct ask_chunk *chunk;
	const struct ask_done *done;
	const unsigned char *octets;

	if (ask_read_chunk(&a->msg, &chunk, &octets) == 0)
		return take_chunk(a, chunk, octets);
	if (ask_read_done(&a->msg, &done) == 0)
		return take_done(a, done);
	if (ask_read_begun(&a->msg, &begun) == 0)
		take_begun(a, begun);
	else if (ask_read_clones(&a->msg, &clones, &rows) == 0)
		take_clones(a, clones, rows);
	else
		return -EBADMSG;
	return 0;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct asker *a = arg;

	(void)what;
	for (int i = 0; i < READS_AT_A_TIME && a->fd == fd; i++) {
		int r = ipc_recv(fd, &a->msg);

		if (r == -EAGAIN)
			return;
		if (r == 0) {
			r = take_message(a);
			ipc_drop_fds(&a->msg);
		}
		if (r < 0 && a->fd == fd)
			hang_up(a);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct asker *a = arg;
	int r = outbox_flush(&a->outbox, fd);

	(void)what;
	if (r < 0) {
		hang_up(a);
	} else if (r == 0) {
		(void)event_del(a->writable);
		send_runs(a);
	}
}

static void
connect_now(struct asker *a)
{
	int fd = ipc_connect(a->path);

	if (fd < 0) {
		wait_for_retry(a);
		return;
	}
	a->fd = fd;
	a->retry_usec = RETRY_FIRST_USEC;
	(void)event_assign(
	    a->readable, a->base, fd, EV_READ | EV_PERSIST, on_readable, a);
	(void)event_assign(
	    a->writable, a->base, fd, EV_WRITE | EV_PERSIST, on_writable, a);
	(void)event_add(a->readable, NULL);
	send_small(a, ASK_LIST, NULL, 0);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	connect_now(arg);
}

struct asker *
asker_open(struct event_base *base, const char *path, void (*state)(void *arg),
    void *arg)
{
	struct asker *a = xcalloc(1, sizeof(*a));

	a->base = base;
	a->path = xstrdup(path);
	a->state = state;
	a->arg = arg;
	a->fd = -1;
	a->retry_usec = RETRY_FIRST_USEC;
	outbox_init(&a->outbox);
	TAILQ_INIT(&a->unsent);
	a->readable = event_new(base, -1, EV_READ, on_readable, a);
	a->writable = event_new(base, -1, EV_WRITE, on_writable, a);
	a->retry = event_new(base, -1, 0, on_retry, a);
	a->lost = event_new(base, -1, 0, on_lost, a);
	assert(a->readable && a->writable && a->retry && a->lost);
	connect_now(a);
	return a;
}

struct asker *
asker_close(struct asker *asker)
{
	struct asker_run *run;

	if (!asker)
		return NULL;
	while ((run = any_run(asker)))
		run_free(run);
	event_free(asker->readable);
	event_free(asker->writable);
	event_free(asker->retry);
	event_free(asker->lost);
	close_fd(&asker->fd);
	outbox_done(&asker->outbox);
	free(asker->clones);
	free(asker->rows);
	free(asker->path);
	free(asker);
	return NULL;
}

const struct ask_clones *
asker_state(const struct asker *asker, const struct ask_clone **ret_rows)
{
	if (ret_rows)
		*ret_rows = asker->rows;
	return asker->clones;
}

int
asker_list(struct asker *asker)
{
	if (asker->fd < 0)
		return -ENOTCONN;
	send_small(asker, ASK_LIST, NULL, 0);
	return 0;
}

int
asker_run(struct asker *asker, const struct ask_run *what, int fd,
    const struct asker_run_ops *ops, void *arg, struct asker_run **ret)
{
	CLEANUP(close_fd) int copy = -1;
	struct asker_run *run;

	if (asker->fd < 0)
		return -ENOTCONN;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	run = xcalloc(1, sizeof(*run));
	run->asker = asker;
	run->what = *what;
	run->what.run = ++asker->last_number;
	run->fd = TAKE_FD(copy);
	run->attempt = 1;
	run->ops = ops;
	run->arg = arg;
	TAILQ_INSERT_TAIL(&asker->unsent, run, link);
	*ret = run;
	send_runs(asker);
	return 0;
}

void
asker_stop(struct asker_run *run)
{
	if (run->is_stopped)
		return;
	run->is_stopped = true;
	if (run->is_sent)
		send_stop(run);
}

void
asker_drop(struct asker_run *run)
{
	run->is_dropped = true;
	if (!run->is_sent)
		run_free(run);
	else
		asker_stop(run);
}
