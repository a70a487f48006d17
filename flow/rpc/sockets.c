#include "flow/rpc/sockets.h"

#include "common/clock.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/metrics.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Counters of sluice-flow have this before their names, and no other has. */
#define PREFIX "flow_"

struct place {
	char *path;
	int fd; /* -1: nobody was there, or is gone */
	/* Of the socket when it was connected; 0: there was none. */
	ino_t inode;
	struct timespec changed;
	unsigned int owed; /* answers that came too late so far */
	bool is_paused;    /* had no answer */
	struct mono since; /* then */
};

struct rpc_sockets {
	const char *runtime;
	struct place places[RPC_WHOMS];
	struct metrics_values values;
};

/* Looked at first: one that comes in between is new. */
static void
connect_to(struct place *p)
{
	struct stat st;

	p->fd = -1;
	if (stat(p->path, &st) < 0)
		return;
	p->inode = st.st_ino;
	p->changed = st.st_ctim;
	p->fd = ipc_connect(p->path);
}

struct rpc_sockets *
rpc_sockets_new(const char *runtime)
{
	static const char *const names[RPC_WHOMS] = {
	    [RPC_FLOW] = "flow.sock", [RPC_LEARN] = "learn.sock"};
	struct rpc_sockets *s = xcalloc(1, sizeof(*s));

	s->runtime = runtime;
	for (size_t i = 0; i < RPC_WHOMS; i++) {
		s->places[i].path = xasprintf("%s/flow/%s", runtime, names[i]);
		connect_to(&s->places[i]);
	}
	return s;
}

bool
rpc_sockets_are_old(const struct rpc_sockets *s)
{
	for (size_t i = 0; i < RPC_WHOMS; i++) {
		const struct place *p = &s->places[i];
		struct stat st;

		if (stat(p->path, &st) == 0 &&
		    (st.st_ino != p->inode ||
			st.st_ctim.tv_sec != p->changed.tv_sec ||
			st.st_ctim.tv_nsec != p->changed.tv_nsec))
			return true;
	}
	return false;
}

struct rpc_sockets *
rpc_sockets_free(struct rpc_sockets *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < RPC_WHOMS; i++) {
		if (s->places[i].fd >= 0)
			(void)close(s->places[i].fd);
		free(s->places[i].path);
	}
	free(s);
	return NULL;
}

static int
wait_for(int fd)
{
	const struct mono since = mono_now();
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint64_t gone = 0;

	do {
		const int r =
		    poll(&p, 1, (int)((RPC_ASK_USEC - gone) / USEC_PER_MSEC));

		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
		gone = mono_span(since, mono_now());
	} while (gone < RPC_ASK_USEC);
	return -ETIMEDOUT;
}

/* 0, or -errno; -EPIPE: nobody there any more. */
static int
receive(struct place *p, char *answer)
{
	const ssize_t n = recv(p->fd, answer, RPC_ANSWER_MAX - 1, MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	answer[n] = '\0';
	return n == 0 ? -EPIPE : 0;
}

static int
ask_now(struct place *p, const char *question, char *answer)
{
	int r = 0;

	/* Each question has one answer, in their order. */
	for (; p->owed > 0 && r == 0; p->owed -= r == 0)
		r = receive(p, answer);
	if (r < 0)
		return r == -EAGAIN ? -ETIMEDOUT : r;
	if (send(p->fd, question, strlen(question), MSG_NOSIGNAL) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	r = wait_for(p->fd);
	if (r == 0)
		r = receive(p, answer);
	else if (r == -ETIMEDOUT)
		p->owed++;
	return r;
}

int
rpc_sockets_ask(
    void *arg, enum rpc_whom whom, const char *question, char *answer)
{
	struct rpc_sockets *s = arg;
	struct place *p = &s->places[whom];
	int r;

	if (p->fd < 0)
		return -ENOTCONN;
	if (p->is_paused && mono_span(p->since, mono_now()) < RPC_PAUSE_USEC)
		return -ETIMEDOUT;
	r = ask_now(p, question, answer);
	p->is_paused = r == -ETIMEDOUT;
	p->since = mono_now();
	if (r < 0 && r != -ETIMEDOUT) {
		(void)close(p->fd);
		p->fd = -1;
		r = -ENOTCONN;
	}
	return r;
}

bool
rpc_sockets_counter(
    void *arg, size_t i, const char **ret_name, uint64_t *ret_value)
{
	struct rpc_sockets *s = arg;

	if (i == 0 && metrics_read(s->runtime, "flow", &s->values) < 0)
		return false;
	for (size_t m = 0; m < METRIC_COUNT; m++) {
		const char *name = metric_info((enum metric)m)->name;

		if (strncmp(name, PREFIX, sizeof(PREFIX) - 1) != 0 || i-- > 0)
			continue;
		*ret_name = name + sizeof(PREFIX) - 1;
		*ret_value = s->values.values[m];
		return true;
	}
	return false;
}
