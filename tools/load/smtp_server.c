/* tools/load/smtp_server.c - sessions of the sink. */
#include "smtp_server.h"

#include "store.h"
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <unistd.h>

#define COMMAND_BYTES_MAX 4096
#define RCPT_BYTES_MAX    2000 /* of the list that is logged */
#define BACKLOG           1024 /* a burst of dials isn't worth a lost SYN */
#define READ_BYTES_MAX    (64 * 1024)
#define IDLE_SECONDS      900

struct session {
	LIST_ENTRY(session) link;
	struct smtp_server *server;
	struct bufferevent *bev;
	struct wire_in wire;
	struct store store;
	char *from; /* NULL: no MAIL yet */
	struct buf rcpt;
	bool in_data;
	bool is_unread; /* nothing heard since the last message's 250 */
	char *last_id;
};

struct smtp_server {
	struct event_base *base;
	struct evconnlistener *listener;
	const struct smtp_server_events *events;
	void *arg;
	int store_dirfd;
	uint64_t messages;
	LIST_HEAD(, session) sessions;
};

static void
store_run(void *arg, const char *data, size_t len)
{
	store_add(arg, data, len);
}

static void
session_free(struct session *s)
{
	LIST_REMOVE(s, link);
	bufferevent_free(s->bev);
	wire_in_done(&s->wire);
	store_done(&s->store);
	buf_done(&s->rcpt);
	free(s->from);
	free(s->last_id);
	free(s);
}

static void
reply(struct session *s, const char *text)
{
	if (evbuffer_add_printf(
		bufferevent_get_output(s->bev), "%s\r\n", text) < 0)
		die(EXIT_SYSTEM, "out of memory");
}

static void
forget_envelope(struct session *s)
{
	free(s->from);
	s->from = NULL;
	buf_clear(&s->rcpt);
}

/*
 * sendmail as a client writes body and dot separately and leaves Nagle's
 * algorithm on: its dot waits for our ACK of the body, which the kernel would
 * hold back 40 ms.  The option isn't sticky, so it is set after every read.
 */
static void
ack_now(const struct session *s)
{
	const int one = 1;

	(void)setsockopt(bufferevent_getfd(s->bev), IPPROTO_TCP, TCP_QUICKACK,
	    &one, sizeof(one));
}

/* What stands between < and >. */
static char *
path_of(const char *line)
{
	const char *open = strchr(line, '<');
	const char *close = open ? strchr(open, '>') : NULL;

	return close ? strndup(open + 1, (size_t)(close - open - 1)) : NULL;
}

static bool
fails_now(struct session *s)
{
	if (!s->server->events->tempfail(s->server->arg))
		return false;
	reply(s, "451 4.3.0 Not now");
	return true;
}

static void
got_mail(struct session *s, const char *line)
{
	if (s->from) {
		reply(s, "503 5.5.1 Sender already given");
		return;
	}
	if (fails_now(s))
		return;
	s->from = path_of(line);
	reply(s, s->from ? "250 2.1.0 Ok" : "501 5.5.4 MAIL FROM:<address>");
}

static void
got_rcpt(struct session *s, const char *line)
{
	char *rcpt;

	if (!s->from) {
		reply(s, "503 5.5.1 MAIL first");
		return;
	}
	rcpt = path_of(line);
	if (!rcpt) {
		reply(s, "501 5.5.4 RCPT TO:<address>");
		return;
	}
	if (!fails_now(s)) {
		if (s->rcpt.len < RCPT_BYTES_MAX)
			buf_addf(
			    &s->rcpt, "%s%s", s->rcpt.len ? "," : "", rcpt);
		reply(s, "250 2.1.5 Ok");
	}
	free(rcpt);
}

static void
got_data(struct session *s)
{
	if (!s->from || s->rcpt.len == 0) {
		reply(s, "503 5.5.1 MAIL and RCPT first");
		return;
	}
	wire_in_reset(&s->wire);
	store_begin(&s->store, ++s->server->messages);
	s->in_data = true;
	reply(s, "354 Go ahead");
}

static bool
is_command(const char *line, const char *verb)
{
	const size_t len = strlen(verb);

	return strncasecmp(line, verb, len) == 0 &&
	       (line[len] == '\0' || line[len] == ' ');
}

static void
got_hello(struct session *s, bool is_extended)
{
	forget_envelope(s);
	if (!is_extended) {
		reply(s, "250 sink.traffic.test");
		return;
	}
	reply(s, "250-sink.traffic.test");
	reply(s, "250-PIPELINING");
	reply(s, "250-8BITMIME");
	reply(s, "250-ENHANCEDSTATUSCODES");
	reply(s, "250 SIZE 0");
}

/* Returns false when the session is over. */
static bool
got_command(struct session *s, const char *line)
{
	s->is_unread = false;
	if (is_command(line, "EHLO") || is_command(line, "HELO")) {
		got_hello(s, is_command(line, "EHLO"));
	} else if (is_command(line, "MAIL")) {
		got_mail(s, line);
	} else if (is_command(line, "RCPT")) {
		got_rcpt(s, line);
	} else if (is_command(line, "DATA")) {
		got_data(s);
	} else if (is_command(line, "RSET")) {
		forget_envelope(s);
		reply(s, "250 2.0.0 Ok");
	} else if (is_command(line, "NOOP")) {
		reply(s, "250 2.0.0 Ok");
	} else if (is_command(line, "QUIT")) {
		reply(s, "221 2.0.0 Bye");
		return false;
	} else {
		reply(s, "502 5.5.2 Unknown command");
	}
	return true;
}

/* The final dot has come: log, keep, and only then say so.  Returns false
 * when the session is over. */
static bool
got_message(struct session *s)
{
	char sha256[BODYHASH_HEX_BYTES];
	struct received m = {
	    .from = s->from,
	    .rcpt = s->rcpt.data,
	    .headers = s->wire.headers.data,
	    .headers_len = s->wire.headers.len,
	    .sha256 = sha256,
	    .bytes = s->wire.bytes,
	    .store = &s->store,
	};
	int r = -EAGAIN;

	s->in_data = false;
	bodyhash_hex(s->wire.hash, sha256);
	if (!fails_now(s)) {
		r = s->server->events->message(s->server->arg, &m);
		free(s->last_id);
		s->last_id = m.id;
		s->is_unread = r == 0 || r == -ECONNABORTED;
		if (r != -ECONNABORTED)
			reply(s, r == 0 ? "250 2.0.0 Ok"
					: "451 4.3.0 Can't keep it");
	}
	store_abort(&s->store); /* unless it was committed */
	forget_envelope(s);
	return r != -ECONNABORTED;
}

/* The chunk at the front of the input.  Returns 1, or -1 when the session is
 * over. */
static int
take_data(struct session *s, struct evbuffer *in)
{
	const size_t len = evbuffer_get_contiguous_space(in);
	const char *chunk = (const char *)evbuffer_pullup(in, (ev_ssize_t)len);
	bool is_end;
	const size_t used = wire_in_take(&s->wire, chunk, len, &is_end);

	(void)evbuffer_drain(in, used);
	return is_end && !got_message(s) ? -1 : 1;
}

/* Returns 1 when a command was taken, 0 when there is no whole one, or -1
 * when the session is over. */
static int
take_command(struct session *s, struct evbuffer *in)
{
	char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF);
	bool goes_on = true;

	if (!line && evbuffer_get_length(in) <= COMMAND_BYTES_MAX)
		return 0;
	if (line)
		goes_on = got_command(s, line);
	else
		reply(s, "500 5.5.2 Line too long");
	free(line);
	return line && goes_on ? 1 : -1;
}

static void
on_gone(struct bufferevent *bev, void *arg)
{
	(void)bev;
	session_free(arg); /* the last reply is out */
}

static void on_event(struct bufferevent *bev, short what, void *arg);

/* No more input; close once the output is written. */
static void
say_goodbye(struct session *s)
{
	if (s->is_unread)
		s->server->events->cut(s->server->arg, s->last_id);
	(void)bufferevent_disable(s->bev, EV_READ);
	s->is_unread = false;
	bufferevent_setcb(s->bev, NULL, on_gone, on_event, s);
	if (evbuffer_get_length(bufferevent_get_output(s->bev)) == 0)
		session_free(s);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct session *s = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	int r = 1;

	ack_now(s);
	while (r > 0 && evbuffer_get_length(in) > 0) {
		if (s->in_data)
			r = take_data(s, in);
		else
			r = take_command(s, in);
	}
	if (r < 0)
		say_goodbye(s);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct session *s = arg;

	(void)bev;
	(void)what;
	if (s->is_unread)
		s->server->events->cut(s->server->arg, s->last_id);
	session_free(s);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *sa, int len, void *arg)
{
	const struct timeval idle = {.tv_sec = IDLE_SECONDS};
	struct smtp_server *server = arg;
	struct session *s = xcalloc(1, sizeof(*s));
	const int one = 1;

	(void)listener;
	(void)sa;
	(void)len;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	s->server = server;
	s->bev =
	    bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!s->bev)
		die(EXIT_SYSTEM, "out of memory");
	store_init(&s->store, server->store_dirfd);
	wire_in_init(
	    &s->wire, server->store_dirfd >= 0 ? store_run : NULL, &s->store);
	LIST_INSERT_HEAD(&server->sessions, s, link);
	(void)bufferevent_set_max_single_read(s->bev, READ_BYTES_MAX);
	bufferevent_set_timeouts(s->bev, &idle, &idle);
	bufferevent_setcb(s->bev, on_read, NULL, on_event, s);
	(void)bufferevent_enable(s->bev, EV_READ | EV_WRITE);
	reply(s, "220 sink.traffic.test ESMTP");
}

int
smtp_server_new(struct event_base *base, const struct address *a,
    int store_dirfd, const struct smtp_server_events *events, void *arg,
    struct smtp_server **ret_server)
{
	struct smtp_server *s = xcalloc(1, sizeof(*s));

	*s = (struct smtp_server){
	    .base = base,
	    .events = events,
	    .arg = arg,
	    .store_dirfd = store_dirfd,
	};
	LIST_INIT(&s->sessions);
	errno = 0;
	s->listener = evconnlistener_new_bind(base, on_accept, s,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
	    BACKLOG, (const struct sockaddr *)&a->ss, a->len);
	if (!s->listener) {
		const int r = errno ? -errno : -EINVAL;

		free(s);
		return r;
	}
	*ret_server = s;
	return 0;
}

void
smtp_server_address(const struct smtp_server *s, char *ret_text, size_t cap)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	char host[INET6_ADDRSTRLEN] = "?";
	const bool v6 = getsockname(evconnlistener_get_fd(s->listener),
			    (struct sockaddr *)&ss, &len) == 0 &&
			ss.ss_family == AF_INET6;
	const struct sockaddr_in *in = (const void *)&ss;
	const struct sockaddr_in6 *in6 = (const void *)&ss;

	(void)inet_ntop(ss.ss_family,
	    v6 ? (const void *)&in6->sin6_addr : (const void *)&in->sin_addr,
	    host, sizeof(host));
	(void)snprintf(ret_text, cap, v6 ? "[%s]:%u" : "%s:%u", host,
	    ntohs(v6 ? in6->sin6_port : in->sin_port));
}

struct smtp_server *
smtp_server_free(struct smtp_server *server)
{
	struct session *s;

	evconnlistener_free(server->listener);
	while ((s = LIST_FIRST(&server->sessions))) {
		const int fd = bufferevent_getfd(s->bev);

		/* A few octets into a socket that waits for them. */
		(void)evbuffer_write(bufferevent_get_output(s->bev), fd);
		(void)shutdown(fd, SHUT_WR);
		session_free(s);
	}
	free(server);
	return NULL;
}
