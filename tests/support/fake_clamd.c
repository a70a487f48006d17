#include "tests/support/fake_clamd.h"

#include "common/clock.h"
#include "common/io.h"

#include <assert.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct session {
	struct fake_clamd *fake;
	int sock, fd; /* fd: received, not used yet */
	struct event *readable, *timer;
	bool probed, pending, slow;
	unsigned int id;
	size_t len;
	char in[200];
	LIST_ENTRY(session) entry;
};

struct fake_clamd {
	struct event_base *base;
	struct fake_clamd_options options;
	char path[108];
	int listener;
	struct event *acceptable;
	int connections, probes, files, pending, at_once;
	LIST_HEAD(, session) sessions;
};

static void
session_free(struct session *s)
{
	LIST_REMOVE(s, entry);
	s->fake->pending -= s->pending;
	event_free(s->readable);
	event_free(s->timer);
	(void)close(s->sock);
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s);
}

static void
say(struct session *s, const char *buf, size_t len)
{
	(void)send(s->sock, buf, len, MSG_NOSIGNAL);
}

static void
say_numbered(struct session *s, const char *prefix, const char *text)
{
	char line[400];
	const int n =
	    snprintf(line, sizeof(line), "%u: %s%s", s->id, prefix, text);

	assert(n > 0 && n < (int)sizeof(line));
	say(s, line, (size_t)n + 1);
}

static void
pending(struct session *s, bool now)
{
	s->fake->pending += now - s->pending;
	s->pending = now;
	if (s->fake->pending > s->fake->at_once)
		s->fake->at_once = s->fake->pending;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval tick = {0, 20000};
	struct session *s = arg;

	(void)fd;
	(void)what;
	if (s->slow) {
		say(s, "3", 1);
		(void)event_add(s->timer, &tick);
		return;
	}
	pending(s, false);
	say_numbered(s, "fd[9]: ", "OK");
}

static void
answer_later(struct session *s, bool slow)
{
	static const struct timeval later = {0, 100000}, soon = {0, 20000};

	s->slow = slow;
	pending(s, true);
	(void)event_add(s->timer, slow ? &soon : &later);
}

/* False: the session was ended. */
static bool
obey(struct session *s, const char *order)
{
	static char endless[10000];

	if (strcmp(order, "!close") == 0) {
		session_free(s);
		return false;
	}
	if (strcmp(order, "!cut") == 0) {
		say(s, "3: fd[", 6);
		session_free(s);
		return false;
	}
	if (strcmp(order, "!hang") == 0) {
		pending(s, true);
	} else if (strcmp(order, "!slow") == 0) {
		answer_later(s, true);
	} else if (strcmp(order, "!later") == 0) {
		answer_later(s, false);
	} else if (strncmp(order, "!raw", 4) == 0) {
		say(s, order + 4, strlen(order + 4) + 1);
	} else if (strcmp(order, "!twice") == 0) {
		say(s, "3: fd[9]: OK\0003: fd[9]: OK", 26);
	} else if (strcmp(order, "!endless") == 0) {
		memset(endless, 'x', sizeof(endless));
		say(s, endless, sizeof(endless));
	} else {
		say_numbered(s, "fd[9]: ", order);
	}
	return true;
}

static bool
on_file(struct session *s)
{
	char order[200] = "";
	ssize_t n;

	assert(s->fd >= 0);
	n = pread(s->fd, order, sizeof(order) - 1, 0);
	assert(n >= 0);
	(void)close(s->fd);
	s->fd = -1;
	if (strncmp(order, "Received:", 9) == 0) {
		s->probed = true;
		s->fake->probes++;
		return obey(s, s->fake->options.probe_answer);
	}
	assert(s->probed); /* nobody may ask before the proof */
	s->fake->files++;
	return obey(s, order);
}

static bool
on_command(struct session *s, const char *command)
{
	if (strcmp(command, "zIDSESSION") == 0)
		return true;
	s->id++;
	if (strcmp(command, "zVERSION") == 0) {
		say_numbered(s, "", s->fake->options.version_answer);
		return true;
	}
	assert(strcmp(command, "zFILDES") == 0);
	return on_file(s);
}

static ssize_t
receive(struct session *s)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {s->in + s->len, sizeof(s->in) - s->len};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof(control)};
	const ssize_t n = recvmsg(s->sock, &msg, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&s->fd, CMSG_DATA(c), sizeof(s->fd));
	return n;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	const ssize_t n = receive(s);

	(void)fd;
	(void)what;
	if (n <= 0) {
		session_free(s);
		return;
	}
	s->len += (size_t)n;
	for (char *nul; (nul = memchr(s->in, '\0', s->len));) {
		char command[sizeof(s->in)];
		const size_t used = (size_t)(nul - s->in) + 1;

		memcpy(command, s->in, used);
		s->len -= used;
		memmove(s->in, s->in + used, s->len);
		/* An empty one is the octet that carried a descriptor. */
		if (command[0] && !on_command(s, command))
			return;
	}
}

static void
on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct fake_clamd *fake = arg;
	struct session *s = xcalloc(1, sizeof(*s));

	(void)what;
	s->fake = fake;
	s->fd = -1;
	s->sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert(s->sock >= 0);
	s->readable = event_new(
	    fake->base, s->sock, EV_READ | EV_PERSIST, on_readable, s);
	s->timer = event_new(fake->base, -1, 0, on_timer, s);
	(void)event_add(s->readable, NULL);
	fake->connections++;
	LIST_INSERT_HEAD(&fake->sessions, s, entry);
}

struct fake_clamd *
fake_clamd_new(struct event_base *base, const char *path,
    const struct fake_clamd_options *options)
{
	struct fake_clamd *fake = xcalloc(1, sizeof(*fake));
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	fake->base = base;
	fake->options = *options;
	(void)snprintf(fake->path, sizeof(fake->path), "%s", path);
	(void)strcpy(addr.sun_path, fake->path);
	fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)unlink(path);
	if (bind(fake->listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(fake->listener, 10) < 0)
		abort();
	fake->acceptable = event_new(
	    base, fake->listener, EV_READ | EV_PERSIST, on_acceptable, fake);
	(void)event_add(fake->acceptable, NULL);
	return fake;
}

struct fake_clamd *
fake_clamd_free(struct fake_clamd *fake)
{
	struct session *s;

	if (!fake)
		return NULL;
	while ((s = LIST_FIRST(&fake->sessions)))
		session_free(s);
	event_free(fake->acceptable);
	(void)close(fake->listener);
	(void)unlink(fake->path);
	free(fake);
	return NULL;
}

int
fake_clamd_connections(const struct fake_clamd *fake)
{
	return fake->connections;
}

int
fake_clamd_probes(const struct fake_clamd *fake)
{
	return fake->probes;
}

int
fake_clamd_files(const struct fake_clamd *fake)
{
	return fake->files;
}

int
fake_clamd_at_once(const struct fake_clamd *fake)
{
	return fake->at_once;
}

void
fake_clamd_set_probe_answer(struct fake_clamd *fake, const char *text)
{
	fake->options.probe_answer = text;
}
