#include "tools/sim/trace.h"

#include "common/cleanup.h"
#include "tools/sim/trace_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM_MIN 1024
/* 80 GiB of them: more is a mistake. */
#define MESSAGES_MAX ((size_t)1 << 31)

int
trace_add(struct trace_builder *b, const struct trace_message *m)
{
	struct trace *t = &b->trace;

	if (m->arrived_usec < b->from_usec || m->arrived_usec > b->to_usec)
		return 0;
	if (t->n == b->room) {
		size_t room = b->room ? 2 * b->room : ROOM_MIN;
		void *grown;

		if (room > MESSAGES_MAX)
			return -ENOMEM;
		grown = realloc(t->messages, room * sizeof(*t->messages));
		if (!grown)
			return -ENOMEM;
		t->messages = grown;
		b->room = room;
	}
	t->messages[t->n++] = *m;
	return 0;
}

static int
say(char *err, size_t err_size, const char *path, int r)
{
	(void)snprintf(err, err_size, "%s: %s", path, strerror(-r));
	return r;
}

/* SQLite's files begin with its name. */
static int
is_database(const char *path, bool *ret_is)
{
	static const char magic[] = "SQLite format 3";
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char head[sizeof(magic)];
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = pread(fd, head, sizeof(head), 0);
	if (n < 0 && errno != ESPIPE)
		return -errno;
	*ret_is = n == (ssize_t)sizeof(head) &&
		  memcmp(head, magic, sizeof(head)) == 0;
	return 0;
}

static int
by_arrival(const void *a, const void *b)
{
	const struct trace_message *x = a, *y = b;

	return (x->arrived_usec > y->arrived_usec) -
	       (x->arrived_usec < y->arrived_usec);
}

int
trace_read(const char *path, uint64_t from_usec, uint64_t to_usec,
    struct trace *ret_trace, char *err, size_t err_size)
{
	struct trace_builder b = {.from_usec = from_usec, .to_usec = to_usec};
	bool database = false;
	int r = is_database(path, &database);

	if (r < 0)
		return say(err, err_size, path, r);
	err[0] = '\0';
	r = database ? trace_read_ledger(path, &b, err, err_size)
		     : trace_read_text(path, &b, err, err_size);
	if (r == 0 && b.trace.n == 0) {
		bool all = from_usec == 0 && to_usec == UINT64_MAX;

		(void)snprintf(err, err_size, "%s: %s", path,
		    all ? "there is no message in it"
			: "no message in it arrived in that time: write "
			  "other times");
		r = -ENODATA;
	}
	if (r < 0) {
		trace_done(&b.trace);
		return err[0] ? r : say(err, err_size, path, r);
	}
	if (database)
		qsort(b.trace.messages, b.trace.n, sizeof(*b.trace.messages),
		    by_arrival);
	*ret_trace = b.trace;
	return 0;
}

void
trace_done(struct trace *trace)
{
	free(trace->messages);
	*trace = (struct trace){0};
}
