#include "flow/rpc/http.h"

#include "flow/rpc/call.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENERS_MAX 2
/* libmicrohttpd's for one connection: its header and what is read ahead. */
#define MEMORY_BYTES ((size_t)16384)
/* Where MHD_run() ends the connections that were cut, it needs one run to see
 * it and one to clean up. */
#define RUNS 2

struct connection {
	TAILQ_ENTRY(connection) entry; /* oldest first */
	struct rpc_http *http;
	struct mono since;
	int fd;
	bool is_cut; /* it is told so already */
};

struct request {
	size_t n;
	char body[RPC_XML_MAX];
};

struct rpc_http {
	struct event_base *base;
	const struct rpc_site *site;
	struct MHD_Daemon *daemon;
	struct event *run, *timer;
	struct event *listeners[LISTENERS_MAX];
	TAILQ_HEAD(, connection) connections;
	size_t n;
};

int
rpc_listen(bool is_v6, uint16_t port)
{
	const struct sockaddr_in v4 = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
	    .sin6_port = htons(port),
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const int on = 1;
	CLEANUP(close_fd)
	int fd = socket(is_v6 ? AF_INET6 : AF_INET,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (is_v6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0))
		return -errno;
	if (bind(fd,
		is_v6 ? (const struct sockaddr *)&v6
		      : (const struct sockaddr *)&v4,
		is_v6 ? sizeof(v6) : sizeof(v4)) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static enum MHD_Result
reply(struct MHD_Connection *c, unsigned int status, char *text, size_t n)
{
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result r;

	if (!response) {
		free(text);
		return MHD_NO;
	}
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
	    status == MHD_HTTP_OK ? "text/xml" : "text/plain");
	(void)MHD_add_response_header(
	    response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(
		    response, MHD_HTTP_HEADER_ALLOW, "POST");
	r = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result
refuse(struct MHD_Connection *c, unsigned int status, const char *why)
{
	return reply(c, status, xasprintf("%s\n", why), strlen(why) + 1);
}

static bool
is_xml(const char *type)
{
	static const char xml[] = "text/xml";

	return type && strncasecmp(type, xml, sizeof(xml) - 1) == 0 &&
	       strchr("; \t", type[sizeof(xml) - 1]);
}

/* 0, or the status that refuses it before its body is read.  Pages that a
 * browser shows can neither send this type to a foreign place unasked nor
 * hide where they are from. */
static unsigned int
judge_header(struct MHD_Connection *c, const char *method, const char **why)
{
	const char *length = MHD_lookup_connection_value(
	    c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
		*why = "XML-RPC is asked by POST";
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	}
	if (MHD_lookup_connection_value(
		c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ORIGIN)) {
		*why = "not for pages of browsers";
		return MHD_HTTP_FORBIDDEN;
	}
	if (!is_xml(MHD_lookup_connection_value(
		c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE))) {
		*why = "the type of a call is text/xml";
		return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
	}
	if (length && strtoull(length, NULL, 10) > RPC_XML_MAX) {
		*why = "too long";
		return MHD_HTTP_CONTENT_TOO_LARGE;
	}
	return 0;
}

/* Of a length that wasn't said: beyond the limit the connection ends. */
static enum MHD_Result
take_body(struct request *r, const char *data, size_t *n)
{
	if (*n > sizeof(r->body) - r->n)
		return MHD_NO;
	memcpy(r->body + r->n, data, *n);
	r->n += *n;
	*n = 0;
	return MHD_YES;
}

/* Called with the header, then with each piece of the body, then once more. */
static enum MHD_Result
on_request(void *arg, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **request)
{
	const struct rpc_http *http = arg;
	struct request *r = *request;
	const char *why;
	unsigned int status;
	size_t length;
	char *text;

	(void)url;
	(void)version;
	if (!r) {
		status = judge_header(c, method, &why);
		if (status)
			return refuse(c, status, why);
		*request = xcalloc(1, sizeof(*r));
		return MHD_YES;
	}
	if (*n > 0)
		return take_body(r, data, n);
	text = rpc_answer(http->site, r->body, r->n, &length);
	return reply(c, MHD_HTTP_OK, text, length);
}

static void
on_completed(void *arg, struct MHD_Connection *c, void **request,
    enum MHD_RequestTerminationCode why)
{
	(void)arg;
	(void)c;
	(void)why;
	free(*request);
	*request = NULL;
}

static void
on_connection(void *arg, struct MHD_Connection *c, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	struct rpc_http *http = arg;
	struct connection *mine = *context;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		assert(mine && http->n > 0);
		TAILQ_REMOVE(&http->connections, mine, entry);
		http->n--;
		free(mine);
		return;
	}
	mine = xcalloc(1, sizeof(*mine));
	mine->http = http;
	mine->since = mono_now();
	mine->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)
		       ->connect_fd;
	TAILQ_INSERT_TAIL(&http->connections, mine, entry);
	http->n++;
	*context = mine;
}

/* Cut those whose time is up, and in any case `more` others.  When the next
 * one's is, in microseconds. */
static uint64_t
cut(struct rpc_http *http, size_t more)
{
	const struct mono now = mono_now();
	struct connection *c;

	TAILQ_FOREACH (c, &http->connections, entry) {
		const uint64_t age = mono_span(c->since, now);

		if (c->is_cut)
			continue;
		if (age < RPC_PATIENCE_USEC && more == 0)
			return RPC_PATIENCE_USEC - age;
		if (age < RPC_PATIENCE_USEC)
			more--;
		(void)shutdown(c->fd, SHUT_RDWR);
		c->is_cut = true;
	}
	return RPC_PATIENCE_USEC;
}

static void
run(struct rpc_http *http)
{
	MHD_UNSIGNED_LONG_LONG soon_msec;
	uint64_t usec;
	struct timeval wait;

	for (int i = 0; i < RUNS; i++)
		(void)MHD_run(http->daemon);
	usec = cut(http, 0);
	if (MHD_get_timeout(http->daemon, &soon_msec) == MHD_YES &&
	    soon_msec * USEC_PER_MSEC < usec)
		usec = soon_msec * USEC_PER_MSEC;
	wait = span_timeval(usec);
	(void)event_add(http->timer, &wait);
}

static void
on_run(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run(arg);
}

void
rpc_http_take(struct rpc_http *http, int fd)
{
	/* What is its address is of no use to anybody here. */
	const struct sockaddr_in from = {.sin_family = AF_INET};

	if (http->n >= RPC_CONNECTIONS_MAX) {
		(void)cut(http, 1);
		run(http);
	}
	if (http->n >= RPC_CONNECTIONS_MAX)
		(void)close(fd);
	else
		(void)MHD_add_connection(http->daemon, fd,
		    (const struct sockaddr *)&from, sizeof(from));
	run(http);
}

/* One a wake-up. */
static void
on_client(evutil_socket_t listen_fd, short what, void *arg)
{
	const int fd =
	    accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd >= 0)
		rpc_http_take(arg, fd);
}

void
rpc_http_listen(struct rpc_http *http, int fd)
{
	size_t i = 0;

	while (i < LISTENERS_MAX && http->listeners[i])
		i++;
	assert(i < LISTENERS_MAX);
	http->listeners[i] =
	    event_new(http->base, fd, EV_READ | EV_PERSIST, on_client, http);
	(void)event_add(http->listeners[i], NULL);
}

struct rpc_http *
rpc_http_new(struct event_base *base, const struct rpc_site *site)
{
	struct rpc_http *http = xcalloc(1, sizeof(*http));

	http->base = base;
	http->site = site;
	TAILQ_INIT(&http->connections);
	http->daemon = MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request,
	    http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned int)RPC_CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_BYTES, MHD_OPTION_END);
	if (!http->daemon) {
		free(http);
		return NULL;
	}
	http->run = event_new(base,
	    MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)
		->epoll_fd,
	    EV_READ | EV_PERSIST, on_run, http);
	http->timer = event_new(base, -1, 0, on_run, http);
	(void)event_add(http->run, NULL);
	return http;
}

struct rpc_http *
rpc_http_free(struct rpc_http *http)
{
	if (!http)
		return NULL;
	event_free(http->run);
	event_free(http->timer);
	for (size_t i = 0; i < LISTENERS_MAX; i++)
		if (http->listeners[i])
			event_free(http->listeners[i]);
	MHD_stop_daemon(http->daemon);
	assert(TAILQ_EMPTY(&http->connections));
	free(http);
	return NULL;
}

size_t
rpc_http_connections(const struct rpc_http *http)
{
	return http->n;
}
