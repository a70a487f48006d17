#include "worker/fetcher.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "worker/wire.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

/* The fetch role keeps the deadline; this long after it it hangs. */
#define SLACK_USEC (5 * USEC_PER_SEC)

struct query {
	TAILQ_ENTRY(query) link;
	struct fetcher *fetcher;
	uint64_t number;
	struct event *late; /* or, when it could not be asked, at once */
	const char *why;    /* what its end by that event means */
	fetcher_done *done;
	void *arg;
};

struct fetcher {
	struct event_base *base;
	const struct conf *conf;
	int fd;
	struct event *heard;
	uint64_t last;
	unsigned int n;
	TAILQ_HEAD(, query) queries;
	fetcher_lost *lost;
	void *lost_arg;
	struct ipc_msg msg;
};

static void
query_free(struct query *q)
{
	TAILQ_REMOVE(&q->fetcher->queries, q, link);
	q->fetcher->n--;
	event_free(q->late);
	free(q);
}

static void
finish(struct query *q, const struct wire_fetched *fetched, int fd)
{
	fetcher_done *done = q->done;
	void *arg = q->arg;

	query_free(q);
	done(arg, fetched, fd);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct query *q = arg;
	struct wire_fetched none = {.got = 0};

	(void)fd;
	(void)what;
	(void)snprintf(none.text, sizeof(none.text), "%s", q->why);
	finish(q, &none, -1);
}

static struct query *
find(struct fetcher *fetcher, uint64_t number)
{
	struct query *q;

	TAILQ_FOREACH (q, &fetcher->queries, link) /* a few */
		if (q->number == number)
			return q;
	return NULL;
}

/* A file that nobody can change or cut any more, of the size that it says. */
static bool
is_sound(const struct fetcher *fetcher, const struct wire_fetched *f, int fd)
{
	struct stat st;

	return f->bytes <= fetcher->conf->links.file_bytes &&
	       memfd_is_sealed(fd) && fstat(fd, &st) == 0 &&
	       (uint64_t)st.st_size == f->bytes;
}

static int
take(struct fetcher *fetcher, struct ipc_msg *msg)
{
	const struct wire_fetched *f;
	struct query *q;
	int r = wire_fetched(msg, &f);

	if (r < 0)
		return r;
	if (f->got && !is_sound(fetcher, f, msg->fds[0]))
		return -EBADMSG;
	q = find(fetcher, f->number);
	if (q) /* else it came too late */
		finish(q, f, f->got ? TAKE_FD(msg->fds[0]) : -1);
	return 0;
}

static void
on_heard(evutil_socket_t fd, short what, void *arg)
{
	struct fetcher *fetcher = arg;
	int r = ipc_recv(fd, &fetcher->msg);

	(void)what;
	if (r == -EAGAIN)
		return;
	if (r == 0)
		r = take(fetcher, &fetcher->msg);
	ipc_drop_fds(&fetcher->msg);
	if (r < 0) {
		log_error("fetch role lost: %s", strerror(-r));
		(void)event_del(fetcher->heard);
		fetcher->lost(fetcher->lost_arg);
	}
}

struct fetcher *
fetcher_new(struct event_base *base, int fd, const struct conf *conf,
    fetcher_lost *lost, void *arg)
{
	struct fetcher *fetcher = xcalloc(1, sizeof(*fetcher));

	fetcher->base = base;
	fetcher->conf = conf;
	fetcher->fd = fd;
	fetcher->lost = lost;
	fetcher->lost_arg = arg;
	TAILQ_INIT(&fetcher->queries);
	fetcher->heard =
	    event_new(base, fd, EV_READ | EV_PERSIST, on_heard, fetcher);
	(void)event_add(fetcher->heard, NULL);
	return fetcher;
}

struct fetcher *
fetcher_free(struct fetcher *fetcher)
{
	if (!fetcher)
		return NULL;
	while (!TAILQ_EMPTY(&fetcher->queries))
		query_free(TAILQ_FIRST(&fetcher->queries));
	event_free(fetcher->heard);
	free(fetcher);
	return NULL;
}

/* NULL: it was sent; else why it could not be. */
static const char *
send_query(struct fetcher *fetcher, uint64_t number, const char *url)
{
	struct wire_fetch out = {.number = number};

	if (fetcher->n > FETCHER_MOST)
		return "too many links are fetched just now";
	(void)snprintf(out.url, sizeof(out.url), "%s", url);
	if (ipc_send(fetcher->fd, WIRE_FETCH, &out, sizeof(out), NULL, 0) < 0)
		return "the fetch role takes no more just now";
	return NULL;
}

void
fetcher_get(
    struct fetcher *fetcher, const char *url, fetcher_done *done, void *arg)
{
	const uint64_t patience =
	    fetcher->conf->links.timeout_usec + SLACK_USEC;
	struct query *q = xcalloc(1, sizeof(*q));
	struct timeval tv;

	q->fetcher = fetcher;
	q->number = ++fetcher->last;
	q->done = done;
	q->arg = arg;
	q->late = evtimer_new(fetcher->base, on_late, q);
	TAILQ_INSERT_TAIL(&fetcher->queries, q, link);
	fetcher->n++;
	q->why = send_query(fetcher, q->number, url);
	tv = span_timeval(q->why ? 0 : patience);
	if (!q->why)
		q->why = "the fetch role does not answer";
	(void)event_add(q->late, &tv);
}
