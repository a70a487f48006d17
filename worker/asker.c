#include "worker/asker.h"

#include "common/clock.h"
#include "common/io.h"
#include "common/ipc.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

struct asker_question {
	struct asker *asker;
	asker_done *done; /* NULL: nobody waits for it any more */
	void *arg;
	struct event *event; /* its deadline, or its end */
	int error;
	bool is_sent; /* an answer to it is still to come */
	TAILQ_ENTRY(asker_question) entry;
};

struct asker {
	struct event_base *base;
	char *path;
	int fd; /* -1: not connected */
	struct event *readable;
	size_t n;
	TAILQ_HEAD(, asker_question) questions; /* as they were asked */
};

static void
drop(struct asker_question *q)
{
	TAILQ_REMOVE(&q->asker->questions, q, entry);
	q->asker->n--;
	event_free(q->event);
	free(q);
}

/* The end of one that has no answer.  What was sent is answered once, and
 * keeps its place until then. */
static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct asker_question *q = arg;
	asker_done *done = q->done;
	void *done_arg = q->arg;
	const int error = q->error;

	(void)fd;
	(void)what;
	q->done = NULL;
	if (!q->is_sent)
		drop(q);
	if (done)
		done(done_arg, error, NULL);
}

static void
fail(struct asker_question *q, int error)
{
	q->is_sent = false;
	q->error = error;
	event_active(q->event, EV_TIMEOUT, 0);
}

static void
hang_up(struct asker *a, int error)
{
	struct asker_question *q;

	event_free(a->readable);
	a->readable = NULL;
	(void)close(a->fd);
	a->fd = -1;
	TAILQ_FOREACH (q, &a->questions, entry)
		if (q->is_sent)
			fail(q, error);
}

static struct asker_question *
first_sent(const struct asker *a)
{
	struct asker_question *q;

	TAILQ_FOREACH (q, &a->questions, entry)
		if (q->is_sent)
			return q;
	return NULL;
}

/* One at a wake-up: the loop serves others too. */
static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct asker *a = arg;
	char text[ASKER_TEXT_MAX + 2];
	const ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	struct asker_question *q = first_sent(a);
	asker_done *done;
	void *done_arg;

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || n > ASKER_TEXT_MAX || !q || memchr(text, '\0', n)) {
		hang_up(a, n > 0 ? -EBADMSG : -EPIPE);
		return;
	}
	text[n] = '\0';
	done = q->done;
	done_arg = q->arg;
	drop(q);
	if (done)
		done(done_arg, 0, text);
}

static int
connect_now(struct asker *a)
{
	if (a->fd >= 0)
		return 0;
	a->fd = ipc_connect(a->path);
	if (a->fd < 0) {
		const int r = a->fd;

		a->fd = -1;
		return r;
	}
	a->readable =
	    event_new(a->base, a->fd, EV_READ | EV_PERSIST, on_readable, a);
	assert(a->readable);
	(void)event_add(a->readable, NULL);
	return 0;
}

static int
send_text(struct asker *a, const char *text)
{
	const size_t n = strlen(text);
	int r = n > ASKER_TEXT_MAX ? -EMSGSIZE : connect_now(a);

	if (r < 0)
		return r;
	if (send(a->fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

/* A daemon that was started anew is found at the second attempt: the first
 * one finds the old one's end. */
static int
send_twice(struct asker *a, const char *text)
{
	int r = send_text(a, text);

	if (r == -EPIPE || r == -ECONNRESET) {
		hang_up(a, -EPIPE);
		r = send_text(a, text);
	}
	return r;
}

struct asker_question *
asker_ask(struct asker *a, const char *text, uint64_t timeout_usec,
    asker_done *done, void *arg)
{
	const struct timeval tv = span_timeval(timeout_usec);
	struct asker_question *q = xcalloc(1, sizeof(*q));
	int r = a->n < ASKER_OPEN_MAX ? send_twice(a, text) : -EAGAIN;

	q->asker = a;
	q->done = done;
	q->arg = arg;
	q->event = event_new(a->base, -1, 0, on_event, q);
	assert(q->event);
	TAILQ_INSERT_TAIL(&a->questions, q, entry);
	a->n++;
	q->is_sent = true;
	q->error = -ETIMEDOUT;
	if (r < 0)
		fail(q, r);
	else if (done)
		(void)event_add(q->event, &tv);
	return done ? q : NULL;
}

void
asker_forget(struct asker_question *q)
{
	if (!q)
		return;
	q->done = NULL;
	if (q->is_sent)
		(void)event_del(q->event);
}

struct asker *
asker_new(struct event_base *base, const char *path)
{
	struct asker *a = xcalloc(1, sizeof(*a));

	a->base = base;
	a->path = xstrdup(path);
	a->fd = -1;
	TAILQ_INIT(&a->questions);
	return a;
}

struct asker *
asker_free(struct asker *a)
{
	if (!a)
		return NULL;
	while (!TAILQ_EMPTY(&a->questions))
		drop(TAILQ_FIRST(&a->questions));
	if (a->readable)
		event_free(a->readable);
	if (a->fd >= 0)
		(void)close(a->fd);
	free(a->path);
	free(a);
	return NULL;
}
