/* tools/load/message.c - a job becomes bytes. */
#include "message.h"

#include "headers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK_BYTES (64 * 1024)

static void
set_identity(
    struct message *m, const struct message_options *o, const struct job *job)
{
	(void)snprintf(m->id, sizeof(m->id), "t%" PRIu64 "-%06" PRIu64, o->seed,
	    job->number);
	m->sender = xasprintf("%s@%s", m->id, o->domain);
	m->recipient = o->recipient
			   ? xstrdup(o->recipient)
			   : xasprintf("u%02u@%s",
				 (unsigned)(job->number % 100), o->domain);
	m->header = xasprintf(TRAFFIC_HEADER ": %s\r\n", m->id);
}

static void
compose_job(
    struct message *m, const struct message_options *o, const struct job *job)
{
	const struct stamp stamp = {
	    .id = m->id,
	    .sender = m->sender,
	    .recipient = m->recipient,
	    .domain = o->domain,
	};
	struct rng rng;

	/* The plan has streams 0 and 1; numbers begin at 1. */
	rng_init(&rng, o->seed, job->number + 1);
	compose(&m->composed, &rng, job->class, &o->sizes, &stamp);
}

int
message_open(const struct message_options *o, const struct job *job,
    struct message **ret_message)
{
	struct message *m;
	int fd = -1;

	if (job->file) {
		fd = open(job->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return -errno;
	}
	m = xcalloc(1, sizeof(*m));
	m->fd = fd;
	set_identity(m, o, job);
	wire_out_init(&m->wire, m->header);
	if (!job->file)
		compose_job(m, o, job);
	*ret_message = m;
	return 0;
}

static ssize_t
read_some(int fd, char *chunk)
{
	ssize_t n;

	do {
		n = read(fd, chunk, CHUNK_BYTES);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int
pull_file(struct message *m, struct evbuffer *out, bool *ret_end)
{
	static char chunk[CHUNK_BYTES]; /* one thread, used up at once */
	const ssize_t n = read_some(m->fd, chunk);

	if (n < 0)
		return (int)n;
	if (n > 0)
		wire_out_add(&m->wire, chunk, (size_t)n, out);
	*ret_end = n == 0;
	return 0;
}

static void
pull_composed(struct message *m, struct evbuffer *out, bool *ret_end)
{
	size_t n = m->composed.len - m->composed_sent;

	if (n > CHUNK_BYTES)
		n = CHUNK_BYTES;
	if (n > 0)
		wire_out_add(
		    &m->wire, m->composed.data + m->composed_sent, n, out);
	m->composed_sent += n;
	*ret_end = m->composed_sent == m->composed.len;
}

int
message_pull(struct message *m, struct evbuffer *out, bool *ret_end)
{
	int r = 0;

	if (m->fd >= 0)
		r = pull_file(m, out, ret_end);
	else
		pull_composed(m, out, ret_end);
	if (r == 0 && *ret_end)
		wire_out_end(&m->wire, out);
	m->is_whole = r == 0 && *ret_end;
	return r;
}

struct message *
message_free(struct message *m)
{
	if (!m)
		return NULL;
	wire_out_done(&m->wire);
	buf_done(&m->composed);
	if (m->fd >= 0)
		(void)close(m->fd);
	free(m->sender);
	free(m->recipient);
	free(m->header);
	free(m);
	return NULL;
}
