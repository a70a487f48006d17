/* tools/load/smtp_client.c - the client's side of RFC 5321. */
#include "smtp_client.h"

#include "message.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define REPLY_BYTES_MAX   4096 /* kept for the log; more is passed over */
#define OUTPUT_BYTES_HIGH (128 * 1024)
#define OUTPUT_BYTES_LOW  (32 * 1024)
#define QUIT_WAIT_USEC    (2 * USEC_PER_SEC)

enum state {
	DOWN,
	CONNECTING, /* until the greeting */
	EHLO,
	HELO,
	READY,
	MAIL,
	RCPT,
	DATA,
	BODY, /* the dot isn't in the output yet */
	DOT,  /* waits for the reply that counts */
	RSET,
	QUITTING,
};

struct smtp_client {
	struct event_base *base;
	const struct smtp_client_options *o;
	const struct smtp_client_events *events;
	void *arg;

	enum state state;
	struct bufferevent *bev;
	struct event *deadline;
	struct buf reply;
	bool was_up;
	bool has_8bitmime;
	unsigned sent; /* on this connection */

	struct message *message;
	uint64_t start_usec;
	uint64_t start_wall_usec;
};

static void on_deadline(evutil_socket_t fd, short what, void *arg);

struct smtp_client *
smtp_client_new(struct event_base *base, const struct smtp_client_options *o,
    const struct smtp_client_events *events, void *arg)
{
	struct smtp_client *c = xcalloc(1, sizeof(*c));

	c->base = base;
	c->o = o;
	c->events = events;
	c->arg = arg;
	c->deadline = evtimer_new(base, on_deadline, c);
	if (!c->deadline)
		die(EXIT_SYSTEM, "out of memory");
	return c;
}

struct smtp_client *
smtp_client_free(struct smtp_client *c)
{
	if (!c)
		return NULL;
	if (c->bev)
		bufferevent_free(c->bev);
	event_free(c->deadline);
	buf_done(&c->reply);
	(void)message_free(c->message);
	free(c);
	return NULL;
}

bool
smtp_client_is_down(const struct smtp_client *c)
{
	return c->state == DOWN;
}

bool
smtp_client_is_ready(const struct smtp_client *c)
{
	return c->state == READY;
}

bool
smtp_client_is_connecting(const struct smtp_client *c)
{
	return c->state == CONNECTING || c->state == EHLO || c->state == HELO;
}

static void
arm(struct smtp_client *c, uint64_t usec)
{
	const struct timeval tv = usec_to_timeval(usec);

	(void)evtimer_add(c->deadline, &tv);
}

/* In every state but READY and DOWN the server owes us something. */
static void
enter(struct smtp_client *c, enum state state)
{
	c->state = state;
	if (state == READY || state == DOWN)
		(void)evtimer_del(c->deadline);
	else
		arm(c, state == QUITTING ? QUIT_WAIT_USEC : c->o->timeout_usec);
}

static void
finish(struct smtp_client *c, enum outcome outcome, const char *reply)
{
	struct message *m = c->message;
	const struct result result = {
	    .outcome = outcome,
	    .reply = reply,
	    .start_usec = c->start_usec,
	    .end_usec = mono_usec(),
	    .start_wall_usec = c->start_wall_usec,
	    .end_wall_usec = wall_usec(),
	};

	c->message = NULL;
	c->events->result(c->arg, c, m, &result);
}

/* The connection is over, for whatever reason. */
static void
drop(struct smtp_client *c, const char *why)
{
	const bool dot_pending =
	    c->bev && evbuffer_get_length(bufferevent_get_output(c->bev)) > 0;
	const bool dot_sent = c->state == DOT && !dot_pending;

	if (c->bev)
		bufferevent_free(c->bev);
	c->bev = NULL;
	enter(c, DOWN);
	if (c->message)
		finish(c, dot_sent ? OUTCOME_BROKEN : OUTCOME_LOST, why);
	c->events->down(c->arg, c, c->was_up);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	drop(arg, "timed out");
}

static void __attribute__((format(printf, 3, 4)))
command(struct smtp_client *c, enum state next, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (evbuffer_add_vprintf(bufferevent_get_output(c->bev), fmt, ap) < 0)
		die(EXIT_SYSTEM, "out of memory");
	va_end(ap);
	enter(c, next);
}

/* Keep the socket's pipe full, but no more of the message than that. */
static void
fill(struct smtp_client *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	bool is_end = false;
	int r = 0;

	while (
	    r == 0 && !is_end && evbuffer_get_length(out) < OUTPUT_BYTES_HIGH)
		r = message_pull(c->message, out, &is_end);
	if (r < 0) {
		drop(c, strerror(-r)); /* no dot: nothing was accepted */
		return;
	}
	if (is_end)
		command(c, DOT, ".\r\n");
	else
		enter(c, BODY);
}

static void
go_idle(struct smtp_client *c)
{
	c->was_up = true;
	if (c->sent >= c->o->messages_max) {
		command(c, QUITTING, "QUIT\r\n");
		return;
	}
	enter(c, READY);
	c->events->ready(c->arg, c);
}

static bool
offers(const char *lines, const char *keyword)
{
	const size_t len = strlen(keyword);

	for (const char *p = lines; p && *p; p = strchr(p, '\n')) {
		if (*p == '\n')
			p++;
		if (strlen(p) >= 4 + len &&
		    strncasecmp(p + 4, keyword, len) == 0)
			return true;
	}
	return false;
}

/* The server said no, at any stage of a message. */
static void
refused(struct smtp_client *c, int code)
{
	const bool is_final = c->state == DOT;
	const bool is_lost = c->state == BODY || code == 421;

	finish(c, code >= 500 ? OUTCOME_REJECTED : OUTCOME_DEFERRED,
	    c->reply.data);
	if (is_lost)
		drop(c, "server closed"); /* amid the body nothing can follow */
	else if (is_final)
		go_idle(c);
	else
		command(c, RSET, "RSET\r\n");
}

static void
got_ehlo(struct smtp_client *c, int code)
{
	if (code == 250) {
		c->has_8bitmime = offers(c->reply.data, "8BITMIME");
		go_idle(c);
	} else if (c->state == EHLO && code >= 500) {
		command(c, HELO, "HELO %s\r\n", c->o->helo);
	} else {
		drop(c, "greeting refused");
	}
}

static void
got_in_transaction(struct smtp_client *c, int code)
{
	const int class = code / 100;

	if (class == (c->state == DATA ? 3 : 2) && c->state != BODY) {
		if (c->state == MAIL) {
			command(
			    c, RCPT, "RCPT TO:<%s>\r\n", c->message->recipient);
		} else if (c->state == RCPT) {
			command(c, DATA, "DATA\r\n");
		} else if (c->state == DATA) {
			fill(c);
		} else {
			c->sent++;
			finish(c, OUTCOME_ACCEPTED, c->reply.data);
			go_idle(c);
		}
	} else if (class == 4 || class == 5) {
		refused(c, code);
	} else {
		drop(c, "protocol error");
	}
}

/* One whole reply is in c->reply. */
static void
got_reply(struct smtp_client *c, int code)
{
	switch (c->state) {
	case CONNECTING:
		if (code == 220)
			command(c, EHLO, "EHLO %s\r\n", c->o->helo);
		else
			drop(c, "greeted with a refusal");
		break;
	case EHLO:
	case HELO:
		got_ehlo(c, code);
		break;
	case MAIL:
	case RCPT:
	case DATA:
	case BODY:
	case DOT:
		got_in_transaction(c, code);
		break;
	case RSET:
		if (code == 250)
			go_idle(c);
		else
			drop(c, "RSET refused");
		break;
	case READY: /* 421: the server is closing an idle connection */
	case QUITTING:
		drop(c, "closed");
		break;
	case DOWN:
		break;
	}
}

/* Returns the code when the line ends a reply, 0 when more comes, or -1. */
static int
take_line(struct smtp_client *c, const char *line, size_t len)
{
	int code;

	if (len < 3 || strspn(line, "0123456789") < 3)
		return -1;
	if (c->reply.len + len < REPLY_BYTES_MAX) {
		if (c->reply.len > 0)
			buf_adds(&c->reply, "\n");
		buf_add(&c->reply, line, len);
	}
	if (len > 3 && line[3] == '-')
		return 0;
	code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
	return code >= 200 && code < 600 ? code : -1;
}

static void
take_replies(struct smtp_client *c)
{
	while (c->bev) {
		size_t len;
		char *line = evbuffer_readln(
		    bufferevent_get_input(c->bev), &len, EVBUFFER_EOL_CRLF);
		int code;

		if (!line)
			break;
		code = take_line(c, line, len);
		free(line);
		if (code == 0)
			continue;
		if (code < 0)
			drop(c, "no SMTP reply");
		else
			got_reply(c, code);
		buf_clear(&c->reply);
	}
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	take_replies(arg);
}

/* The output has drained to its low mark. */
static void
on_write(struct bufferevent *bev, void *arg)
{
	struct smtp_client *c = arg;

	(void)bev;
	if (c->state == BODY)
		fill(c);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct smtp_client *c = arg;
	const int error = EVUTIL_SOCKET_ERROR();
	const evutil_socket_t fd = bufferevent_getfd(bev);

	if (what & BEV_EVENT_CONNECTED)
		return;
	/* A server that refuses and closes at once may break our writing
	 * before we have read why. */
	if ((what & BEV_EVENT_WRITING) && c->state > CONNECTING && fd >= 0 &&
	    evbuffer_read(bufferevent_get_input(bev), fd, -1) > 0)
		take_replies(c);
	if (c->bev)
		drop(c, what & BEV_EVENT_ERROR
			    ? evutil_socket_error_to_string(error)
			    : "connection closed");
}

void
smtp_client_connect(struct smtp_client *c)
{
	const int fd = socket(c->o->to.ss.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int one = 1;

	assert(c->state == DOWN);
	if (fd < 0)
		die(EXIT_SYSTEM, "socket: %s", strerror(errno));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* Deferred: no callback from within bufferevent_socket_connect(). */
	c->bev = bufferevent_socket_new(
	    c->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!c->bev)
		die(EXIT_SYSTEM, "out of memory");
	c->was_up = false;
	c->has_8bitmime = false;
	c->sent = 0;
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_WRITE, OUTPUT_BYTES_LOW, 0);
	(void)bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	enter(c, CONNECTING);
	if (bufferevent_socket_connect(c->bev,
		(const struct sockaddr *)&c->o->to.ss, c->o->to.len) < 0 &&
	    c->bev)
		drop(c, "can't connect");
}

void
smtp_client_send(struct smtp_client *c, struct message *m)
{
	assert(c->state == READY && !c->message);
	c->message = m;
	c->start_usec = mono_usec();
	c->start_wall_usec = wall_usec();
	command(c, MAIL, "MAIL FROM:<%s>%s\r\n", m->sender,
	    c->has_8bitmime ? " BODY=8BITMIME" : "");
}

void
smtp_client_quit(struct smtp_client *c)
{
	assert(c->state == READY);
	command(c, QUITTING, "QUIT\r\n");
}

void
smtp_client_close(struct smtp_client *c)
{
	if (c->state != DOWN)
		drop(c, "stopped");
}
