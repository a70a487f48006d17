#include "tests/support/fake_spam.h"

#include "common/io.h"

#include <arpa/inet.h>
#include <assert.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX (8 * 1024 * 1024)

struct talk {
	struct fake_spam *fake;
	int sock;
	struct event *readable, *timer;
	size_t len;
	char *in;
	LIST_ENTRY(talk) entry;
};

struct fake_spam {
	struct event_base *base;
	bool http;
	char address[32];
	const char *reply;
	int listener, requests, open, at_once;
	struct event *acceptable;
	size_t last_len;
	char *last;
	LIST_HEAD(, talk) talks;
};

static void
talk_free(struct talk *t)
{
	LIST_REMOVE(t, entry);
	t->fake->open--;
	event_free(t->readable);
	event_free(t->timer);
	(void)close(t->sock);
	free(t->in);
	free(t);
}

static bool
is_whole(const struct talk *t)
{
	const char *head_end = strstr(t->in, "\r\n\r\n");
	const char *length = strcasestr(t->in, "\r\nContent-Length:");

	return t->fake->http && head_end &&
	       t->len >= (size_t)(head_end + 4 - t->in) +
			     (length ? strtoul(length + 17, NULL, 10) : 0);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct talk *t = arg;
	const char *reply = t->fake->reply;

	(void)fd;
	(void)what;
	if (!reply)
		return;
	(void)send(t->sock, reply, strlen(reply), MSG_NOSIGNAL);
	talk_free(t);
}

/* After 30 ms, so that several are seen at one time. */
static void
answer(struct talk *t)
{
	static const struct timeval soon = {0, 30000};
	struct fake_spam *fake = t->fake;

	fake->requests++;
	free(fake->last);
	fake->last = t->in;
	fake->last_len = t->len;
	t->in = NULL;
	event_del(t->readable);
	(void)event_add(t->timer, &soon);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct talk *t = arg;
	const ssize_t n = read(fd, t->in + t->len, REQUEST_MAX - 1 - t->len);

	(void)what;
	if (n < 0 || (n == 0 && t->fake->http)) {
		talk_free(t);
		return;
	}
	t->len += (size_t)n;
	t->in[t->len] = '\0';
	if (n == 0 || is_whole(t))
		answer(t);
}

static void
on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct fake_spam *fake = arg;
	struct talk *t = xcalloc(1, sizeof(*t));

	(void)what;
	t->fake = fake;
	t->in = xcalloc(1, REQUEST_MAX);
	t->sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert(t->sock >= 0);
	t->readable = event_new(
	    fake->base, t->sock, EV_READ | EV_PERSIST, on_readable, t);
	t->timer = event_new(fake->base, -1, 0, on_timer, t);
	(void)event_add(t->readable, NULL);
	LIST_INSERT_HEAD(&fake->talks, t, entry);
	if (++fake->open > fake->at_once)
		fake->at_once = fake->open;
}

struct fake_spam *
fake_spam_new(struct event_base *base, bool http)
{
	struct fake_spam *fake = xcalloc(1, sizeof(*fake));
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);

	fake->base = base;
	fake->http = http;
	fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fake->listener, (struct sockaddr *)&addr, len) < 0 ||
	    listen(fake->listener, 10) < 0 ||
	    getsockname(fake->listener, (struct sockaddr *)&addr, &len) < 0)
		abort();
	(void)snprintf(fake->address, sizeof(fake->address), "127.0.0.1:%u",
	    (unsigned int)ntohs(addr.sin_port));
	fake->acceptable = event_new(
	    base, fake->listener, EV_READ | EV_PERSIST, on_acceptable, fake);
	(void)event_add(fake->acceptable, NULL);
	return fake;
}

struct fake_spam *
fake_spam_free(struct fake_spam *fake)
{
	struct talk *t;

	if (!fake)
		return NULL;
	while ((t = LIST_FIRST(&fake->talks)))
		talk_free(t);
	event_free(fake->acceptable);
	(void)close(fake->listener);
	free(fake->last);
	free(fake);
	return NULL;
}

const char *
fake_spam_address(const struct fake_spam *fake)
{
	return fake->address;
}

void
fake_spam_reply(struct fake_spam *fake, const char *reply)
{
	fake->reply = reply;
}

const char *
fake_spam_request(const struct fake_spam *fake, size_t *ret_len)
{
	*ret_len = fake->last_len;
	return fake->last;
}

int
fake_spam_requests(const struct fake_spam *fake)
{
	return fake->requests;
}

int
fake_spam_at_once(const struct fake_spam *fake)
{
	return fake->at_once;
}
