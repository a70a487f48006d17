#include "tools/sluice/gate_clients.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/proc.h"
#include "tools/sluice/gate_wire.h"

#include <errno.h>
#include <event2/event.h>
#include <pwd.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* sendmail's connect(2) waits, without its time-out, for a place here. */
#define BACKLOG 4096
/* Bounded work for each time that the loop comes round. */
#define ACCEPTS 64
/* Between the first octet of a question and its last: so long sendmail waits
 * for the answer (etc/in.mc). */
#define QUESTION_USEC (2 * USEC_PER_SEC)
/* When there is no descriptor for a new client. */
#define PAUSE_USEC (100 * USEC_PER_MSEC)

struct client {
	struct gate_clients *all;
	LIST_ENTRY(client) link;
	struct event *event;
	int fd;
	size_t len;
	char buf[2 * GATE_QUESTION_MAX];
};

struct gate_clients {
	struct event_base *base;
	struct event *accepts, *again;
	struct gate_host host;
	LIST_HEAD(, client) list;
	size_t n, max;
};

static int
bind_path(const char *path)
{
	CLEANUP(close_fd)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int r;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path); /* checked above */
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address));
	r = r < 0 ? -errno : 0;
	(void)umask(mask);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	return r < 0 ? r : TAKE_FD(fd);
}

int
gate_listen(const char *path, const char *user)
{
	const struct passwd *pw;
	struct proc_bond bond;
	int r, back;

	if (!user || geteuid() != 0)
		return bind_path(path);
	pw = getpwnam(user);
	if (!pw)
		return -ENOENT;
	/* The directory is that user's: root has no business with names that
	 * somebody else may exchange.  And the socket is to be theirs. */
	proc_bond_take(&bond);
	if (seteuid(pw->pw_uid) < 0)
		return -errno;
	r = bind_path(path);
	back = seteuid(0) < 0 ? -errno : 0;
	if (back == 0) /* else a gate would outlive its sluice run */
		back = proc_bond_renew(&bond);
	if (back < 0 && r >= 0)
		(void)close(r);
	return back < 0 ? back : r;
}

static void
client_free(struct client *c)
{
	LIST_REMOVE(c, link);
	c->all->n--;
	event_free(c->event);
	(void)close(c->fd);
	free(c);
}

/* More is to come; not for long in the middle of a question. */
static void
client_wait(struct client *c)
{
	struct timeval tv = span_timeval(QUESTION_USEC);

	if (c->len > 0)
		(void)event_add(c->event, &tv);
	else
		(void)event_remove_timer(c->event);
}

/* Answer what is there.  false: this client is to be closed. */
static bool
client_answer(struct client *c)
{
	const struct gate_host *host = &c->all->host;
	uint64_t bytes;
	int taken;

	while ((taken = gate_question(c->buf, c->len, &bytes)) > 0) {
		const char *reply = gate_reply(host->ask(host->arg, bytes));
		size_t n = strlen(reply);

		c->len -= (size_t)taken;
		(void)memmove(c->buf, c->buf + taken, c->len);
		/* A buffer that is full of answers belongs to nobody who
		 * reads them. */
		if (send(c->fd, reply, n, MSG_NOSIGNAL) != (ssize_t)n)
			return false;
	}
	if (taken == -EAGAIN)
		return true;
	host->closed(host->arg, GATE_BAD_QUESTION);
	return false;
}

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	ssize_t n;

	if (what & EV_TIMEOUT) {
		c->all->host.closed(c->all->host.arg, GATE_BAD_QUESTION);
		client_free(c);
		return;
	}
	n = read(fd, c->buf + c->len, sizeof(c->buf) - c->len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->len += (size_t)n;
	if (n > 0 && client_answer(c))
		client_wait(c);
	else
		client_free(c);
}

static void
client_new(struct gate_clients *all, int fd)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->all = all;
	c->fd = fd;
	c->event = event_new(all->base, fd, EV_READ | EV_PERSIST, on_client, c);
	if (!c->event || event_add(c->event, NULL) < 0)
		abort();
	LIST_INSERT_HEAD(&all->list, c, link);
	all->n++;
}

static void
on_accepts(evutil_socket_t fd, short what, void *arg)
{
	struct gate_clients *all = arg;

	(void)what;
	for (int i = 0; i < ACCEPTS; i++) {
		int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (one >= 0 && all->n < all->max) {
			client_new(all, one);
		} else if (one >= 0) {
			(void)close(one);
			all->host.closed(all->host.arg, GATE_TOO_MANY);
		} else if (errno == EMFILE || errno == ENFILE) {
			struct timeval tv = span_timeval(PAUSE_USEC);

			(void)event_del(all->accepts);
			(void)event_add(all->again, &tv);
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct gate_clients *all = arg;

	(void)fd;
	(void)what;
	(void)event_add(all->accepts, NULL);
}

struct gate_clients *
gate_clients_new(struct event_base *base, int listen_fd, size_t max,
    const struct gate_host *host)
{
	struct gate_clients *all = xcalloc(1, sizeof(*all));

	all->base = base;
	all->max = max;
	all->host = *host;
	LIST_INIT(&all->list);
	all->accepts =
	    event_new(base, listen_fd, EV_READ | EV_PERSIST, on_accepts, all);
	all->again = evtimer_new(base, on_again, all);
	if (!all->accepts || !all->again || event_add(all->accepts, NULL) < 0)
		abort();
	return all;
}

struct gate_clients *
gate_clients_free(struct gate_clients *clients)
{
	if (!clients)
		return NULL;
	while (!LIST_EMPTY(&clients->list))
		client_free(LIST_FIRST(&clients->list));
	event_free(clients->accepts);
	event_free(clients->again);
	free(clients);
	return NULL;
}

size_t
gate_clients_count(const struct gate_clients *clients)
{
	return clients->n;
}
