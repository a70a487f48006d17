/*
 * tests/support/fake_scan.h - the scan role and its cells as the engines role
 * sees them: a socket, and for each cell the number, socket and arena that it
 * was wanted with.  No process is behind a number.
 */
#ifndef SLUICE_TESTS_FAKE_SCAN_H
#define SLUICE_TESTS_FAKE_SCAN_H

#include "common/io.h"
#include "common/ipc.h"
#include "worker/reading.h"
#include "worker/reading_write.h"
#include "worker/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAKE_SCAN_WANTS 16

struct fake_cell {
	uint64_t number;
	int sock, arena;
};

struct fake_scan {
	int engines_fd; /* for cells_new() or judge_new() */
	int fd;
	/* Heard and without a cell, the oldest first. */
	struct fake_cell wants[FAKE_SCAN_WANTS];
	int n_wants;
	struct ipc_msg msg; /* what was heard last */
};

static inline void
fake_scan_init(struct fake_scan *s)
{
	int fds[2];

	if (ipc_pair(fds) < 0)
		abort();
	s->engines_fd = fds[0];
	s->fd = fds[1];
	s->n_wants = 0;
}

/* Who wanted the cells has gone. */
static inline void
fake_scan_forget(struct fake_scan *s)
{
	while (ipc_recv(s->fd, &s->msg) == 0)
		ipc_drop_fds(&s->msg);
	for (; s->n_wants > 0; s->n_wants--) {
		(void)close(s->wants[s->n_wants - 1].sock);
		(void)close(s->wants[s->n_wants - 1].arena);
	}
}

static inline void
fake_scan_done(struct fake_scan *s)
{
	(void)close(s->engines_fd);
	fake_scan_forget(s);
	if (s->fd >= 0)
		(void)close(s->fd);
}

/* The role dies. */
static inline void
fake_scan_close(struct fake_scan *s)
{
	(void)close(s->fd);
	s->fd = -1;
}

static inline void
fake_scan_keep_want(struct fake_scan *s)
{
	const struct wire_cell *cell;

	if (wire_cell_want(&s->msg, &cell) < 0 ||
	    s->n_wants == FAKE_SCAN_WANTS ||
	    fcntl(s->msg.fds[0], F_SETFL, O_NONBLOCK) < 0)
		abort();
	s->wants[s->n_wants++] =
	    (struct fake_cell){cell->number, s->msg.fds[0], s->msg.fds[1]};
	s->msg.n_fds = 0;
}

/* The next message from engines: its type, kept in s->msg; 0: none. */
static inline uint32_t
fake_scan_hear(struct fake_scan *s)
{
	const int r = ipc_recv(s->fd, &s->msg);

	if (r == -EAGAIN)
		return 0;
	if (r < 0)
		abort();
	if (s->msg.type == WIRE_CELL_WANT)
		fake_scan_keep_want(s);
	return s->msg.type;
}

/* The cell of the oldest want; its socket is -1 when none is wanted. */
static inline struct fake_cell
fake_scan_fork(struct fake_scan *s)
{
	struct fake_cell cell = {.sock = -1, .arena = -1};

	if (s->n_wants == 0 && fake_scan_hear(s) != WIRE_CELL_WANT)
		return cell;
	cell = s->wants[0];
	(void)memmove(
	    s->wants, s->wants + 1, (size_t)--s->n_wants * sizeof(*s->wants));
	return cell;
}

/* What was sent to a cell, in s->msg.  Its descriptors stay there. */
static inline const struct wire_task *
fake_cell_task(struct fake_scan *s, const struct fake_cell *cell)
{
	const struct wire_task *task;

	if (ipc_recv(cell->sock, &s->msg) < 0 || wire_task(&s->msg, &task) < 0)
		return NULL;
	return task;
}

/* The cell's process ends: its descriptors go... */
static inline void
fake_cell_end(struct fake_cell *cell)
{
	(void)close(cell->sock);
	(void)close(cell->arena);
	cell->sock = cell->arena = -1;
}

/* ...and the role tells how, and what it cost. */
static inline void
fake_scan_gone_after(struct fake_scan *s, const struct fake_cell *cell,
    int status, uint64_t cpu_usec)
{
	const struct wire_cell_gone gone = {
	    .number = cell->number, .status = status, .cpu_usec = cpu_usec};

	if (ipc_send(s->fd, WIRE_CELL_GONE, &gone, sizeof(gone), NULL, 0) < 0)
		abort();
}

static inline void
fake_scan_gone(struct fake_scan *s, const struct fake_cell *cell, int status)
{
	fake_scan_gone_after(s, cell, status, 1000);
}

/* Add a part of these octets with one name ("": none) to a reading. */
static inline int32_t
fake_part(
    struct reading_writer *w, const void *octets, size_t len, const char *name)
{
	struct reading_part part = {.parent = -1,
	    .flags = PART_ATTACHMENT,
	    .n_names = *name ? 1 : 0,
	    .names = name,
	    .declared = "",
	    .type = "text/plain"};

	if (writer_append(w, octets, len) < 0)
		abort();
	writer_blob_end(w, &part.off, &part.bytes);
	return writer_part(w, &part);
}

#endif
