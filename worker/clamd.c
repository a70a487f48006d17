/*
 * worker/clamd.c - requests, and which connection carries which.
 *
 * The protocol of one connection is in clamd_conn.c.
 */
#include "worker/clamd.h"

#include "worker/clamd_conn.h"

#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>

#define CLAMD_MAGIC UINT32_C(0x434c4d44)

/* clamd's listening queue is short: try again soon while it is full. */
#define FULL_RETRY_USEC (20 * USEC_PER_MSEC)

/*
 * How long a session's proof is good for.  Its settings can't change, but
 * the probe fails as well when clamd's temporary directory is lost, and then
 * clamd calls mail clean of which it could unpack nothing (measured): this
 * bounds how long that stays unseen.  A probe costs 0.5 ms.
 */
#define PROOF_USEC (10 * USEC_PER_SEC)

/* How often the signature directory is looked at, at most. */
#define LOOK_USEC (100 * USEC_PER_MSEC)

struct clamd {
	uint32_t magic;
	struct clamd_options options;
	uint64_t proof_usec;
	struct event_base *base;
	struct event *pump; /* also its timer while clamd's queue is full */
	struct clamd_conns idle, busy;
	unsigned int n_conns;
	struct clamd_scans waiting;
	char version[CLAMD_VERSION_MAX]; /* "" until known */
	struct clamd_files files;
	struct mono looked; /* when; {0}: never */
	uint64_t look_usec;
	bool is_settled;
};

static void pump(evutil_socket_t fd, short what, void *arg);

struct clamd *
clamd_new(struct event_base *base, const struct clamd_options *options)
{
	struct clamd *c = xcalloc(1, sizeof(*c));

	assert(options->connections > 0);
	c->magic = CLAMD_MAGIC;
	c->options = *options;
	c->proof_usec = PROOF_USEC;
	c->look_usec = LOOK_USEC;
	c->base = base;
	c->pump = event_new(base, -1, 0, pump, c);
	assert(c->pump);
	TAILQ_INIT(&c->idle);
	TAILQ_INIT(&c->busy);
	TAILQ_INIT(&c->waiting);
	return c;
}

void
clamd_look_every(struct clamd *c, uint64_t usec)
{
	c->look_usec = usec;
}

void
clamd_prove_every(struct clamd *c, uint64_t usec)
{
	c->proof_usec = usec;
}

static unsigned int
conns_free(struct clamd_conns *list)
{
	struct clamd_conn *conn;
	unsigned int n = 0;

	for (; (conn = TAILQ_FIRST(list)); n++) {
		TAILQ_REMOVE(list, conn, entry);
		free(clamd_conn_scan(conn));
		clamd_conn_free(conn);
	}
	return n;
}

struct clamd *
clamd_free(struct clamd *c)
{
	struct clamd_scan *scan;

	if (!c)
		return NULL;
	(void)conns_free(&c->idle);
	(void)conns_free(&c->busy);
	while ((scan = TAILQ_FIRST(&c->waiting))) {
		TAILQ_REMOVE(&c->waiting, scan, entry);
		free(scan);
	}
	event_free(c->pump);
	free(c);
	return NULL;
}

static void
kick(struct clamd *c)
{
	if (!TAILQ_EMPTY(&c->waiting))
		event_active(c->pump, EV_TIMEOUT, 1);
}

struct clamd_scan *
clamd_scan(struct clamd *c, int fd, clamd_done *done, void *arg)
{
	struct clamd_scan *scan = xcalloc(1, sizeof(*scan));

	scan->clamd = c;
	scan->fd = fd;
	scan->done = done;
	scan->arg = arg;
	TAILQ_INSERT_TAIL(&c->waiting, scan, entry);
	kick(c);
	return scan;
}

/* A request that is with clamd already can't be called back: its connection
 * waits for the answer alone, so that clamd has no more to do at a time than
 * options.connections allows. */
void
clamd_cancel(struct clamd_scan *scan)
{
	if (scan->conn)
		clamd_conn_forget(scan->conn);
	else
		TAILQ_REMOVE(&scan->clamd->waiting, scan, entry);
	free(scan);
}

static void
finish(struct clamd_scan *scan, struct engine_answer *answer)
{
	if (scan->started.usec)
		answer->usec = mono_span(scan->started, mono_now());
	scan->done(scan->arg, answer);
	free(scan);
}

/* clamd calls a file clean that it has no right to read (measured), so a
 * descriptor that can't be read must never get there. */
static const char *
unfit(int fd)
{
	struct stat st;
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fstat(fd, &st) < 0)
		return "the descriptor is not open";
	if ((flags & O_PATH) || (flags & O_ACCMODE) == O_WRONLY)
		return "the descriptor is not readable";
	return S_ISREG(st.st_mode) ? NULL : "not a regular file";
}

static struct clamd_conn *
connection(struct clamd *c, int *ret_error)
{
	struct clamd_conn *conn = TAILQ_FIRST(&c->idle);

	*ret_error = 0;
	if (conn) {
		TAILQ_REMOVE(&c->idle, conn, entry);
	} else if (c->n_conns < c->options.connections) {
		*ret_error = clamd_conn_new(c, c->base, &c->options, &conn);
		c->n_conns += *ret_error == 0;
	}
	if (conn)
		TAILQ_INSERT_HEAD(&c->busy, conn, entry);
	return conn;
}

static void
refuse_first(struct clamd *c, const char *why, const char *detail)
{
	struct clamd_scan *scan = TAILQ_FIRST(&c->waiting);
	struct engine_answer answer;

	TAILQ_REMOVE(&c->waiting, scan, entry);
	answer_set(
	    &answer, "clamd", ANSWER_UNKNOWN_SYSTEM, "%s: %s", why, detail);
	finish(scan, &answer);
}

/* False: nothing more can be sent now. */
static bool
send_first(struct clamd *c)
{
	struct clamd_scan *scan = TAILQ_FIRST(&c->waiting);
	const char *why = unfit(scan->fd);
	const struct timeval soon = span_timeval(FULL_RETRY_USEC);
	struct clamd_conn *conn;
	int error;

	if (why) {
		refuse_first(c, "cannot scan", why);
		return true;
	}
	conn = connection(c, &error);
	if (error == -EAGAIN && c->options.timeout_usec > FULL_RETRY_USEC) {
		/* Its time runs from here on, lest it wait for ever. */
		if (!scan->started.usec)
			scan->started = mono_now();
		if (mono_span(scan->started, mono_now()) <
		    c->options.timeout_usec) {
			(void)event_add(c->pump, &soon);
			return false;
		}
	}
	if (error) {
		refuse_first(c, "cannot connect to clamd", strerror(-error));
		return true;
	}
	if (!conn)
		return false;
	TAILQ_REMOVE(&c->waiting, scan, entry);
	if (!scan->started.usec)
		scan->started = mono_now();
	scan->conn = conn;
	clamd_conn_send(conn, scan, c->proof_usec);
	return true;
}

static void
pump(evutil_socket_t fd, short what, void *arg)
{
	struct clamd *c = arg;

	(void)fd;
	(void)what;
	assert(c->magic == CLAMD_MAGIC);
	while (!TAILQ_EMPTY(&c->waiting) && send_first(c))
		;
}

void
clamd_on_answer(struct clamd *c, struct clamd_conn *conn,
    struct clamd_scan *scan, struct engine_answer *answer)
{
	TAILQ_REMOVE(&c->busy, conn, entry);
	/* The last used first: those that aren't needed run into their end. */
	TAILQ_INSERT_HEAD(&c->idle, conn, entry);
	kick(c);
	if (scan)
		finish(scan, answer);
}

void
clamd_on_end(struct clamd *c, struct clamd_conn *conn, bool was_idle,
    struct clamd_scan *scan, bool again, struct engine_answer *answer)
{
	TAILQ_REMOVE(was_idle ? &c->idle : &c->busy, conn, entry);
	c->n_conns--;
	if (scan && again) {
		/* The other sessions that wait are of the same clamd. */
		c->n_conns -= conns_free(&c->idle);
		scan->conn = NULL;
		scan->again = true;
		TAILQ_INSERT_HEAD(&c->waiting, scan, entry);
		scan = NULL;
	}
	kick(c);
	if (scan)
		finish(scan, answer);
}

void
clamd_on_version(struct clamd *c, const char *version)
{
	/* Behind the first '/' is the state of its signatures, which a
	 * reload changes without a word to us: the fingerprint has that. */
	(void)snprintf(c->version, sizeof(c->version), "%.*s",
	    (int)strcspn(version, "/"), version);
}

bool
clamd_context(struct clamd *c, char *buf, size_t size)
{
	const struct mono now = mono_now();
	int len;

	/* An entry that is taken so shortly after a change is what clamd
	 * itself would have said then. */
	if (c->looked.usec == 0 || mono_span(c->looked, now) >= c->look_usec) {
		c->looked = now;
		c->is_settled = clamd_files_settled(
		    &c->files, c->options.database, c->options.settle_usec);
	}
	if (!c->is_settled || !c->version[0])
		return false;
	len = snprintf(buf, size, "%s %016llx", c->version,
	    (unsigned long long)c->files.fingerprint);
	return len > 0 && (size_t)len < size;
}
