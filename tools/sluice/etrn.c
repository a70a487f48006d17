#include "tools/sluice/etrn.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PAUSE_MIN_USEC (50 * USEC_PER_MSEC)
#define PAUSE_MAX_USEC USEC_PER_SEC
/* Greeting and replies come in milliseconds, or something is wrong. */
#define REPLY_USEC (2 * USEC_PER_SEC)

enum phase { PHASE_CLOSED, PHASE_GREETING, PHASE_READY, PHASE_ORDERED };

struct etrn {
	struct event_base *base;
	const char *path, *group;
	etrn_fn *fn;
	void *arg;
	enum phase phase;
	int fd;
	struct event *io, *timer;
	unsigned int orders;
	uint64_t pause_usec;
	char buf[1024];
	size_t len;
};

static void
set_timer(struct etrn *e, uint64_t usec)
{
	struct timeval tv = span_timeval(usec);

	(void)event_add(e->timer, &tv);
}

static void
hang_up(struct etrn *e)
{
	if (e->io)
		event_free(e->io);
	e->io = NULL;
	close_fd(&e->fd);
	e->fd = -1;
	e->len = 0;
	e->orders = 0;
	e->phase = PHASE_CLOSED;
}

static void
lose(struct etrn *e, const char *why)
{
	hang_up(e);
	set_timer(e, e->pause_usec);
	e->pause_usec *= 2;
	if (e->pause_usec > PAUSE_MAX_USEC)
		e->pause_usec = PAUSE_MAX_USEC;
	e->fn(e->arg, ETRN_LOST, why);
}

static void connect_now(struct etrn *e);

static bool
send_line(struct etrn *e, const char *line)
{
	size_t len = strlen(line);

	/* A line of 30 octets into an idle socket: all of it or a fault. */
	return send(e->fd, line, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* A whole reply of one line; replies of several lines aren't expected. */
static void
take_reply(struct etrn *e, const char *line)
{
	switch (e->phase) {
	case PHASE_GREETING:
		if (strncmp(line, "220", 3) != 0) {
			lose(e, line);
			return;
		}
		(void)event_del(e->timer);
		e->pause_usec = PAUSE_MIN_USEC;
		e->phase = PHASE_READY;
		e->fn(e->arg, ETRN_READY, line);
		break;
	case PHASE_ORDERED:
		if (line[0] != '2') {
			lose(e, line);
			return;
		}
		(void)event_del(e->timer);
		e->phase = PHASE_READY;
		if (++e->orders == ETRN_PER_SESSION) {
			(void)send_line(e, "QUIT\r\n");
			hang_up(e);
			connect_now(e);
		}
		e->fn(e->arg, ETRN_ORDERED, line);
		break;
	case PHASE_CLOSED:
	case PHASE_READY:
		/* "421 closing" of an idle session, a shutdown. */
		lose(e, line);
		break;
	}
}

static void
take_lines(struct etrn *e)
{
	char *end;

	while (
	    e->phase != PHASE_CLOSED && (end = memchr(e->buf, '\n', e->len))) {
		char line[sizeof(e->buf)];
		size_t n = (size_t)(end - e->buf);

		memcpy(line, e->buf, n);
		while (n > 0 && line[n - 1] == '\r')
			n--;
		line[n] = '\0';
		e->len -= (size_t)(end + 1 - e->buf);
		memmove(e->buf, end + 1, e->len);
		take_reply(e, line);
	}
}

static void
on_io(evutil_socket_t fd, short what, void *arg)
{
	struct etrn *e = arg;
	ssize_t n = recv(fd, e->buf + e->len, sizeof(e->buf) - 1 - e->len, 0);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || e->len + (size_t)n >= sizeof(e->buf) - 1) {
		lose(e, n < 0    ? strerror(errno)
			: n == 0 ? "closed"
				 : "reply too long");
		return;
	}
	e->len += (size_t)n;
	take_lines(e);
}

static int
open_socket(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	CLEANUP(close_fd) int fd = -1;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static void
connect_now(struct etrn *e)
{
	int fd = open_socket(e->path);

	if (fd < 0) {
		lose(e, strerror(-fd));
		return;
	}
	e->fd = fd;
	e->phase = PHASE_GREETING;
	e->io = event_new(e->base, fd, EV_READ | EV_PERSIST, on_io, e);
	if (!e->io || event_add(e->io, NULL) < 0) {
		lose(e, "no memory");
		return;
	}
	set_timer(e, REPLY_USEC);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct etrn *e = arg;

	(void)fd;
	(void)what;
	if (e->phase == PHASE_CLOSED)
		connect_now(e);
	else
		lose(e, "no reply");
}

struct etrn *
etrn_new(struct event_base *base, const char *socket_path, const char *group,
    etrn_fn *fn, void *arg)
{
	struct etrn *e = xcalloc(1, sizeof(*e));

	e->base = base;
	e->path = socket_path;
	e->group = group;
	e->fn = fn;
	e->arg = arg;
	e->fd = -1;
	e->pause_usec = PAUSE_MIN_USEC;
	e->timer = evtimer_new(base, on_timer, e);
	if (!e->timer)
		abort();
	set_timer(e, 0); /* fn is never called before etrn_new() returns */
	return e;
}

struct etrn *
etrn_free(struct etrn *e)
{
	if (!e)
		return NULL;
	hang_up(e);
	event_free(e->timer);
	free(e);
	return NULL;
}

bool
etrn_is_ready(const struct etrn *e)
{
	return e->phase == PHASE_READY;
}

void
etrn_order(struct etrn *e)
{
	char line[128];

	assert(e->phase == PHASE_READY);
	(void)snprintf(line, sizeof(line), "ETRN #%s\r\n", e->group);
	e->phase = PHASE_ORDERED;
	if (send_line(e, line))
		set_timer(e, REPLY_USEC);
	else
		lose(e, strerror(errno));
}
