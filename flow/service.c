#include "flow/service.h"

#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
	struct flow_service *service;
	struct event *event;
	int fd; /* -1: free */
};

struct flow_service {
	struct event_base *base;
	struct event *event;
	uid_t uid;
	flow_service_fn *fn;
	void *arg;
	struct client clients[FLOW_CLIENTS_MAX];
};

static void
drop(struct client *c)
{
	event_free(c->event);
	(void)close(c->fd);
	c->fd = -1;
}

/* One question a wake-up: nobody who asks keeps packets waiting. */
static void
on_question(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	char text[FLOW_SERVICE_MAX + 1], answer[FLOW_SERVICE_ANSWER_MAX];
	ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	size_t length;

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	length = c->service->fn(c->service->arg, text, (size_t)n, answer);
	/* Who doesn't read his answers gets no more of them. */
	if (send(fd, answer, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		drop(c);
}

static struct client *
free_client(struct flow_service *s)
{
	for (size_t i = 0; i < FLOW_CLIENTS_MAX; i++)
		if (s->clients[i].fd < 0)
			return &s->clients[i];
	return NULL;
}

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	struct flow_service *s = arg;
	struct client *c = free_client(s);
	struct ucred peer;
	const int r = ipc_accept(fd, s->uid, &peer);

	(void)what;
	if (r == -EPERM)
		log_warn("flow uid=%u: may not ask here", peer.uid);
	if (r < 0)
		return;
	if (!c) {
		(void)close(r);
		return;
	}
	c->service = s;
	c->fd = r;
	c->event = event_new(s->base, r, EV_READ | EV_PERSIST, on_question, c);
	(void)event_add(c->event, NULL);
}

struct flow_service *
flow_service_new(struct event_base *base, int listen_fd, uid_t uid,
    flow_service_fn *fn, void *arg)
{
	struct flow_service *s = xcalloc(1, sizeof(*s));

	s->base = base;
	s->uid = uid;
	s->fn = fn;
	s->arg = arg;
	for (size_t i = 0; i < FLOW_CLIENTS_MAX; i++)
		s->clients[i].fd = -1;
	s->event =
	    event_new(base, listen_fd, EV_READ | EV_PERSIST, on_client, s);
	(void)event_add(s->event, NULL);
	return s;
}

struct flow_service *
flow_service_free(struct flow_service *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < FLOW_CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0)
			drop(&s->clients[i]);
	event_free(s->event);
	free(s);
	return NULL;
}
