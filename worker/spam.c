/*
 * worker/spam.c - requests that wait, run, end and are late; the protocols
 * are in spamd.c and rspamd.c.
 */
#include "worker/spam_priv.h"

#include "common/io.h"

#include <assert.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define SPAM_MAGIC  UINT32_C(0x5350414d)
#define CHECK_MAGIC UINT32_C(0x53504348)

static const struct spam_ops *
ops(const struct spam *spam)
{
	return spam->options.backend == SPAM_RSPAMD ? &rspamd_ops : &spamd_ops;
}

/* evutil_parse_sockaddr_port() takes an address without a port as well. */
static bool
parse_address(struct spam *s, const char *text)
{
	char buf[64], *colon, *host = buf;
	size_t len;

	s->addr_len = sizeof(s->addr);
	if (strlen(text) >= sizeof(buf) ||
	    evutil_parse_sockaddr_port(
		text, (struct sockaddr *)&s->addr, &s->addr_len) < 0)
		return false;
	(void)strcpy(buf, text);
	colon = strrchr(buf, ':');
	if (!colon)
		return false;
	*colon = '\0';
	len = strlen(host);
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		host++;
	}
	(void)strcpy(s->host, host);
	s->port = ntohs(s->addr.ss_family == AF_INET6
			    ? ((struct sockaddr_in6 *)&s->addr)->sin6_port
			    : ((struct sockaddr_in *)&s->addr)->sin_port);
	return s->port != 0;
}

static void pump(evutil_socket_t fd, short what, void *arg);

struct spam *
spam_new(struct event_base *base, const struct spam_options *options)
{
	struct spam *s = xcalloc(1, sizeof(*s));

	assert(options->connections > 0);
	if (!parse_address(s, options->address)) {
		free(s);
		return NULL;
	}
	s->magic = SPAM_MAGIC;
	s->options = *options;
	s->base = base;
	s->pump = event_new(base, -1, 0, pump, s);
	assert(s->pump);
	TAILQ_INIT(&s->waiting);
	TAILQ_INIT(&s->running);
	return s;
}

static void
check_free(struct spam_check *check)
{
	struct spam *s = check->spam;

	if (check->running) {
		ops(s)->stop(check);
		s->active--;
		TAILQ_REMOVE(&s->running, check, entry);
		event_active(s->pump, EV_TIMEOUT, 1);
	} else {
		TAILQ_REMOVE(&s->waiting, check, entry);
	}
	event_free(check->event);
	free(check->id);
	free(check->sender);
	free(check->rcpt);
	free(check->client);
	check->magic = 0;
	free(check);
}

struct spam *
spam_free(struct spam *s)
{
	struct spam_check *check;

	if (!s)
		return NULL;
	while ((check = TAILQ_FIRST(&s->waiting)) ||
	       (check = TAILQ_FIRST(&s->running)))
		check_free(check);
	event_free(s->pump);
	free(s);
	return NULL;
}

void
spam_finish(struct spam_check *check, const struct engine_answer *answer)
{
	assert(check->magic == CHECK_MAGIC);
	if (check->finished)
		return;
	check->finished = true;
	check->answer = *answer;
	event_active(check->event, EV_TIMEOUT, 1);
}

void
spam_fail(struct spam_check *check, const char *why, const char *detail)
{
	struct engine_answer answer;

	answer_set(&answer, "spam", ANSWER_UNKNOWN_SYSTEM, "%s%s", why, detail);
	spam_finish(check, &answer);
}

/* The end of a check, or its deadline. */
static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct spam_check *check = arg;
	struct engine_answer answer;
	spam_done *done = check->done;
	void *done_arg = check->arg;

	(void)fd;
	(void)what;
	assert(check->magic == CHECK_MAGIC);
	if (!check->finished)
		answer_set(&check->answer, "spam", ANSWER_UNKNOWN_SYSTEM,
		    "no answer in time from %s", check->spam->options.address);
	answer = check->answer;
	answer.usec = mono_span(check->started, mono_now());
	check_free(check);
	done(done_arg, &answer);
}

static void
start(struct spam *s, struct spam_check *check)
{
	const struct timeval tv = span_timeval(s->options.timeout_usec);
	int r;

	TAILQ_REMOVE(&s->waiting, check, entry);
	TAILQ_INSERT_TAIL(&s->running, check, entry);
	check->running = true;
	s->active++;
	check->started = mono_now();
	(void)event_add(check->event, &tv);
	r = ops(s)->start(check);
	if (r < 0)
		spam_fail(check, "cannot ask: ", strerror(-r));
}

static void
pump(evutil_socket_t fd, short what, void *arg)
{
	struct spam *s = arg;

	(void)fd;
	(void)what;
	assert(s->magic == SPAM_MAGIC);
	while (s->active < s->options.connections && !TAILQ_EMPTY(&s->waiting))
		start(s, TAILQ_FIRST(&s->waiting));
}

struct spam_check *
spam_check(struct spam *s, int fd, uint64_t bytes,
    const struct spam_envelope *envelope, spam_done *done, void *arg)
{
	struct spam_check *check = xcalloc(1, sizeof(*check));

	check->magic = CHECK_MAGIC;
	check->spam = s;
	check->fd = fd;
	check->bytes = bytes;
	check->id = xstrdup(envelope->id);
	check->sender = xstrdup(envelope->sender);
	check->rcpt = xstrdup(envelope->rcpt);
	check->client = xstrdup(envelope->client);
	check->done = done;
	check->arg = arg;
	check->event = event_new(s->base, -1, 0, on_event, check);
	assert(check->event);
	TAILQ_INSERT_TAIL(&s->waiting, check, entry);
	event_active(s->pump, EV_TIMEOUT, 1);
	return check;
}

void
spam_cancel(struct spam_check *check)
{
	assert(check->magic == CHECK_MAGIC);
	check_free(check);
}
