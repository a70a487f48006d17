/*
 * tests/unit/test_rpc_http.c - XML-RPC over HTTP: what is refused before it
 * is read, and what slow, many and broken clients cost the others.
 */
#include "flow/rpc/http.h"

#include "flow/rpc/call.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define BODY \
	"<methodCall><methodName>system.listMethods</methodName>" \
	"</methodCall>"
#define TYPE "Content-Type: text/xml\r\n"

struct world {
	struct event_base *base;
	struct rpc_http *http;
	struct rpc_site site;
};

static int
ask(void *arg, enum rpc_whom whom, const char *question, char *answer)
{
	(void)arg;
	(void)whom;
	(void)question;
	(void)strcpy(answer, "none reason=unknown");
	return 0;
}

static int
start(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	(void)signal(SIGPIPE, SIG_IGN);
	w->site.ask = ask;
	w->base = event_base_new();
	w->http = rpc_http_new(w->base, &w->site);
	assert_non_null(w->http);
	*state = w;
	return 0;
}

static int
stop(void **state)
{
	struct world *w = *state;

	(void)rpc_http_free(w->http);
	event_base_free(w->base);
	free(w);
	return 0;
}

/* A client; its end of the connection. */
static int
client(struct world *w)
{
	int fds[2];

	assert_int_equal(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
	    0);
	rpc_http_take(w->http, fds[1]);
	return fds[0];
}

static void
say(int fd, const char *text)
{
	assert_int_equal(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void
step(struct world *w)
{
	const struct timeval soon = {0, 2000};

	(void)event_base_loopexit(w->base, &soon);
	(void)event_base_dispatch(w->base);
}

/* All that comes until the server closes, for usec at most.  Closes fd.
 * false: it didn't close. */
static bool
hear(struct world *w, int fd, uint64_t usec, char *buf, size_t size)
{
	const struct mono since = mono_now();
	size_t n = 0;
	ssize_t r;

	do {
		step(w);
		r = recv(fd, buf + n, size - 1 - n, 0);
		if (r > 0)
			n += (size_t)r;
	} while ((r > 0 || (r < 0 && errno == EAGAIN)) &&
		 mono_span(since, mono_now()) < usec);
	buf[n] = '\0';
	(void)close(fd);
	return r == 0 || errno != EAGAIN;
}

/* What is answered to a request, whose whole text is given. */
static const char *
request(struct world *w, const char *text)
{
	static char buf[65536];
	const int fd = client(w);

	say(fd, text);
	if (!hear(w, fd, USEC_PER_SEC, buf, sizeof(buf)))
		fail_msg("%s: it isn't closed", text);
	return buf;
}

static char *
post(const char *header, const char *body)
{
	return xasprintf("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\n%s"
			 "Content-Length: %zu\r\n\r\n%s",
	    header, strlen(body), body);
}

static void
a_call_is_answered_and_its_connection_closed(void **state)
{
	CLEANUP(free_ptr) char *text = post(TYPE, BODY);
	const char *answer = request(*state, text);

	assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
	assert_non_null(strstr(answer, "Content-Type: text/xml"));
	assert_non_null(strstr(answer, "Connection: close"));
	assert_non_null(strstr(answer, "<string>spamflow.query</string>"));
	assert_int_equal(
	    rpc_http_connections(((struct world *)*state)->http), 0);
}

static void
a_call_in_pieces_is_one(void **state)
{
	struct world *w = *state;
	CLEANUP(free_ptr) char *text = post(TYPE, BODY);
	const int fd = client(w);
	char buf[65536];

	for (const char *c = text; *c; c++) {
		assert_int_equal(send(fd, c, 1, MSG_NOSIGNAL), 1);
		step(w);
	}
	assert_true(hear(w, fd, USEC_PER_SEC, buf, sizeof(buf)));
	assert_memory_equal(buf, "HTTP/1.1 200 ", 13);
	assert_memory_equal(
	    request(w,
		"POST / HTTP/1.1\r\nHost: a\r\n" TYPE
		"Transfer-Encoding: chunked\r\n\r\n5\r\n<?xml\r\n0\r\n\r\n"),
	    "HTTP/1.1 200 ", 13);
}

static void
what_is_no_call_is_refused_unread(void **state)
{
	static const struct {
		const char *text, *status;
	} cases[] = {
	    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "405"},
	    {"PUT / HTTP/1.1\r\nHost: a\r\n" TYPE "\r\n", "405"},
	    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "415"},
	    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n\r\n",
		"415"},
	    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/xmlish\r\n\r\n",
		"415"},
	    {"POST / HTTP/1.1\r\nHost: a\r\n" TYPE "Origin: null\r\n\r\n",
		"403"},
	    {"POST / HTTP/1.1\r\nHost: a\r\n" TYPE
	     "Content-Length: 16385\r\n\r\n",
		"413"},
	    {"POST / HTTP/1.1\r\nHost: a\r\n" TYPE
	     "Content-Length: 18446744073709551615\r\n\r\n",
		"413"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *answer = request(*state, cases[i].text);

		if (strncmp(answer, "HTTP/1.1 ", 9) != 0 ||
		    strncmp(answer + 9, cases[i].status, 3) != 0)
			fail_msg("%s: %s", cases[i].text, answer);
	}
}

static void
a_body_of_unsaid_length_ends_at_the_limit(void **state)
{
	struct world *w = *state;
	const int fd = client(w);
	char buf[65536];
	int pieces = 0;

	say(fd, "POST / HTTP/1.1\r\nHost: a\r\n" TYPE
		"Transfer-Encoding: chunked\r\n\r\n");
	memset(buf, 'x', sizeof(buf));
	memcpy(buf, "1000\r\n", 6);
	memcpy(buf + 6 + 4096, "\r\n", 2);
	while (pieces < 100 && send(fd, buf, 4096 + 8, MSG_NOSIGNAL) > 0) {
		pieces++;
		step(w);
	}
	assert_true(pieces < 10);
	(void)hear(w, fd, USEC_PER_SEC, buf, sizeof(buf));
	assert_null(strstr(buf, " 200 "));
	assert_int_equal(rpc_http_connections(w->http), 0);
}

/* An octet now and then keeps no connection alive. */
static void
a_slow_client_is_cut_off(void **state)
{
	struct world *w = *state;
	const struct mono since = mono_now();
	const int fd = client(w);
	ssize_t r;
	char c;

	say(fd, "POST / HTTP/1.1\r\n");
	do {
		const struct timeval pause = {0, 300000};

		(void)event_base_loopexit(w->base, &pause);
		(void)event_base_dispatch(w->base);
		(void)send(fd, "A", 1, MSG_NOSIGNAL);
		r = recv(fd, &c, 1, 0);
	} while (r < 0 && errno == EAGAIN &&
		 mono_span(since, mono_now()) < 4 * RPC_PATIENCE_USEC);
	assert_true(r == 0 || errno == ECONNRESET || errno == EPIPE);
	assert_true(mono_span(since, mono_now()) >= RPC_PATIENCE_USEC);
	assert_true(mono_span(since, mono_now()) < 2 * RPC_PATIENCE_USEC);
	(void)close(fd);
	step(w);
	assert_int_equal(rpc_http_connections(w->http), 0);
}

static void
many_idle_clients_keep_nobody_away(void **state)
{
	struct world *w = *state;
	CLEANUP(free_ptr) char *text = post(TYPE, BODY);
	int fds[4 * RPC_CONNECTIONS_MAX];
	char c;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = client(w);
		say(fds[i], "POST ");
		assert_true(
		    rpc_http_connections(w->http) <= RPC_CONNECTIONS_MAX);
	}
	assert_memory_equal(request(w, text), "HTTP/1.1 200 ", 13);
	/* The oldest had to go, the newest are still there. */
	assert_int_equal(recv(fds[0], &c, 1, 0), 0);
	assert_true(
	    recv(fds[ARRAY_SIZE(fds) - 1], &c, 1, 0) < 0 && errno == EAGAIN);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
	for (int i = 0; i < 20; i++)
		step(w);
	assert_int_equal(rpc_http_connections(w->http), 0);
}

static void
who_hangs_up_early_costs_nothing(void **state)
{
	struct world *w = *state;
	CLEANUP(free_ptr) char *text = post(TYPE, BODY);

	for (size_t n = 0; n <= strlen(text); n += 7) {
		const int fd = client(w);

		assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), n);
		(void)close(fd);
		step(w);
	}
	for (int i = 0; i < 5; i++)
		step(w);
	assert_int_equal(rpc_http_connections(w->http), 0);
	assert_memory_equal(request(w, text), "HTTP/1.1 200 ", 13);
}

static void
it_listens_on_loopback_alone(void **state)
{
	struct sockaddr_in address;
	socklen_t n = sizeof(address);
	CLEANUP(close_fd) int fd = rpc_listen(false, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
	assert_int_equal(address.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(
	    rpc_listen(false, ntohs(address.sin_port)), -EADDRINUSE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_call_is_answered_and_its_connection_closed),
	    TEST(a_call_in_pieces_is_one),
	    TEST(what_is_no_call_is_refused_unread),
	    TEST(a_body_of_unsaid_length_ends_at_the_limit),
	    TEST(a_slow_client_is_cut_off),
	    TEST(many_idle_clients_keep_nobody_away),
	    TEST(who_hangs_up_early_costs_nothing),
	    TEST(it_listens_on_loopback_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
