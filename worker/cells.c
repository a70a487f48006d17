#include "worker/cells.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/proc.h"
#include "worker/cell.h"
#include "worker/reading.h"
#include "worker/wire.h"
#include "worker/yield.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* How long a used cell's successor is put off, while others are ready. */
#define REPLACE_USEC (5 * USEC_PER_MSEC)

struct cell {
	TAILQ_ENTRY(cell) link;
	struct cells *cells;
	uint64_t number;
	int sock, arena;
	struct event *ended; /* the socket's end of file */
	struct event *deadline;
	struct cell_run *run; /* NULL: waiting for work, or leaving */
	bool is_late;         /* we have had it killed */
};

struct cell_run {
	TAILQ_ENTRY(cell_run) link; /* while it waits for a cell */
	int fd;
	uint64_t bytes;
	enum task_what what;
	cells_done *done; /* of a message */
	cells_extracted *extracted;
	void *arg;
};

TAILQ_HEAD(cell_list, cell);

struct cells {
	struct event_base *base;
	const struct conf *conf;
	int scan_fd;
	struct event *heard;
	struct cell_list ready; /* may be on its way: its socket waits */
	struct cell_list busy;
	struct cell_list leaving; /* all said, but not yet seen to end */
	uint64_t n, last;         /* in these lists; the last one's number */
	uint64_t owed;            /* used, and not yet asked to be replaced */
	struct event *replace;    /* when they are */
	TAILQ_HEAD(, cell_run) waiting;
	cells_lost *lost;
	void *lost_arg;
	struct ipc_msg msg;
};

static void on_ended(evutil_socket_t fd, short what, void *arg);
static void on_deadline(evutil_socket_t fd, short what, void *arg);

static void
cell_free(struct cell *cell)
{
	cell->cells->n--;
	event_free(cell->ended);
	event_free(cell->deadline);
	close_fd(&cell->sock);
	close_fd(&cell->arena);
	free(cell);
}

static struct cell *
find(struct cell_list *list, uint64_t number)
{
	struct cell *cell;

	TAILQ_FOREACH (cell, list, link)
		if (cell->number == number)
			return cell;
	return NULL;
}

static void
end_late(struct cell *cell)
{
	struct wire_cell body = {.number = cell->number};

	cell->is_late = true;
	/* A full buffer cannot be: the scan role reads at once.  If it has
	 * died, its end of file is on the way. */
	(void)ipc_send(
	    cell->cells->scan_fd, WIRE_CELL_KILL, &body, sizeof(body), NULL, 0);
}

static struct cell *
cell_new(struct cells *cells, int sock, int arena)
{
	struct cell *cell = xcalloc(1, sizeof(*cell));

	cell->cells = cells;
	cell->number = cells->last;
	cell->sock = sock;
	cell->arena = arena;
	cell->ended =
	    event_new(cells->base, sock, EV_READ | EV_PERSIST, on_ended, cell);
	cell->deadline = evtimer_new(cells->base, on_deadline, cell);
	(void)event_add(cell->ended, NULL);
	cells->n++;
	return cell;
}

/*
 * Ask for one more cell.  Its socket and its arena are made here, so that
 * neither the scan role nor a cell, which has the same system calls, needs to
 * be able to make any; and a task may be in the socket before the cell is.
 */
static int
want(struct cells *cells)
{
	const struct wire_cell body = {.number = ++cells->last};
	int pair[2], fds[2], r;
	struct cell *cell;

	/* Blocking, for the cell; here nothing is read, and one message sent.
	 */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	fds[0] = pair[1];
	fds[1] = memfd_new("reading");
	r = fds[1] < 0 ? fds[1]
		       : ipc_send(cells->scan_fd, WIRE_CELL_WANT, &body,
			     sizeof(body), fds, 2);
	(void)close(pair[1]);
	if (r < 0) {
		close_fd(&fds[1]);
		(void)close(pair[0]);
		return r;
	}
	cell = cell_new(cells, pair[0], fds[1]);
	TAILQ_INSERT_TAIL(&cells->ready, cell, link);
	return 0;
}

static void
lose(struct cells *cells, int r)
{
	log_error("scan role lost: %s", strerror(-r));
	(void)event_del(cells->heard);
	cells->lost(cells->lost_arg);
}

/* As many of those owed as there may be. */
static void
replace(struct cells *cells)
{
	int r = 0;

	while (r == 0 && cells->owed > 0 &&
	       cells->n < cells->conf->worker.cells_max) {
		cells->owed--;
		r = want(cells);
	}
	if (r < 0 && r != -EPIPE) /* its end of file is on the way */
		lose(cells, r);
}

static void
on_replace(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	replace(arg);
}

/*
 * Have the cells that were used replaced: at once when none waits any more,
 * else in a moment, since a fork competes for the processor with what else the
 * message that used one waits for, as its scan by clamd.
 */
static void
replace_soon(struct cells *cells)
{
	static const struct timeval moment = {0, REPLACE_USEC};

	if (TAILQ_EMPTY(&cells->ready))
		replace(cells);
	else if (cells->owed > 0 && !evtimer_pending(cells->replace, NULL))
		(void)event_add(cells->replace, &moment);
}

/* Give a cell its task.  -errno: it died while it waited. */
static int
start(struct cell *cell, const struct cell_run *run)
{
	const struct conf *conf = cell->cells->conf;
	const struct timeval wall = span_timeval(conf->budget.wall_usec);
	const struct wire_task task = {.what = run->what,
	    .limits = {.message_bytes = run->bytes,
		.output_bytes = conf->budget.output_bytes,
		.memory_bytes = conf->budget.memory_bytes,
		.cpu_usec = conf->budget.cpu_usec,
		.parts = (uint32_t)conf->budget.parts,
		.depth = (uint32_t)conf->budget.depth,
		.headers = (uint32_t)conf->budget.headers,
		.links = conf->links.enabled ? (uint32_t)conf->links.per_message
					     : 0}};

	(void)event_add(cell->deadline, &wall);
	return ipc_send(
	    cell->sock, WIRE_TASK, &task, sizeof(task), &run->fd, 1);
}

/* Start the oldest waiting runs on the oldest waiting cells. */
static void
match(struct cells *cells)
{
	struct cell_run *run;
	struct cell *cell;

	while ((run = TAILQ_FIRST(&cells->waiting)) &&
	       (cell = TAILQ_FIRST(&cells->ready))) {
		TAILQ_REMOVE(&cells->ready, cell, link);
		cells->owed++;
		if (start(cell, run) < 0) {
			cell_free(cell);
		} else {
			TAILQ_REMOVE(&cells->waiting, run, link);
			cell->run = run;
			TAILQ_INSERT_TAIL(&cells->busy, cell, link);
		}
		replace_soon(cells);
	}
}

static const char *
engine_of(const struct cell_run *run)
{
	return run->what == TASK_MESSAGE ? "reading" : "mef";
}

/* The cell will say no more: hand over what it left; why: it is nothing. */
static void
hand_over(struct cell_run *run, const struct yield *yield,
    const struct engine_answer *why)
{
	if (run->what == TASK_MESSAGE)
		run->done(run->arg, yield->reading, why);
	else
		run->extracted(run->arg, yield->bag, why);
	free(run);
}

/*
 * It has closed its socket, which need not be its end: until the scan role
 * has seen that, its deadline stays.
 */
static void
leave(struct cell *cell)
{
	(void)event_del(cell->ended);
	TAILQ_REMOVE(&cell->cells->busy, cell, link);
	TAILQ_INSERT_TAIL(&cell->cells->leaving, cell, link);
	close_fd(&cell->sock);
	close_fd(&cell->arena);
	cell->sock = cell->arena = -1;
	cell->run = NULL;
}

static void
on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct cell *cell = arg;
	struct cell_run *run = cell->run;
	struct engine_answer why;
	struct yield yield;
	int r;

	(void)fd;
	(void)what;
	if (!run) { /* died while it waited: WIRE_CELL_GONE follows */
		(void)event_del(cell->ended);
		return;
	}
	r = yield_open(cell->arena, run->what, &yield);
	if (r == 0) {
		leave(cell);
		hand_over(run, &yield, NULL);
	} else if (r == -ENODATA) {
		(void)event_del(cell->ended); /* its status tells why */
	} else {
		answer_set(&why, engine_of(run), ANSWER_UNKNOWN_MESSAGE,
		    "its cell left a malformed %s: %s",
		    run->what == TASK_MESSAGE ? "reading" : "bag of features",
		    strerror(-r));
		leave(cell);
		hand_over(run, &yield, &why);
	}
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct cell *cell = arg;

	(void)fd;
	(void)what;
	end_late(cell);
}

/* A busy cell has gone: with its reading complete, or without. */
static void
busy_gone(struct cell *cell, const struct wire_cell_gone *gone)
{
	struct cell_run *run = cell->run;
	struct engine_answer why;
	struct yield yield;
	int r = yield_open(cell->arena, run->what, &yield);

	if (r < 0)
		yield_explain(cell->cells->conf, engine_of(cell->run),
		    cell->is_late, gone, &why);
	TAILQ_REMOVE(&cell->cells->busy, cell, link);
	cell_free(cell);
	hand_over(run, &yield, r < 0 ? &why : NULL);
}

static int
cell_gone(struct cells *cells, const struct ipc_msg *msg)
{
	const struct wire_cell_gone *gone;
	struct cell *cell;

	if (wire_cell_gone(msg, &gone) < 0)
		return -EBADMSG;
	if ((cell = find(&cells->leaving, gone->number))) {
		TAILQ_REMOVE(&cells->leaving, cell, link);
		cell_free(cell);
	} else if ((cell = find(&cells->busy, gone->number))) {
		busy_gone(cell, gone);
	} else if ((cell = find(&cells->ready, gone->number))) {
		TAILQ_REMOVE(&cells->ready, cell, link);
		cell_free(cell);
		cells->owed++;
	}
	replace_soon(cells);
	match(cells);
	return 0;
}

static void
on_heard(evutil_socket_t fd, short what, void *arg)
{
	struct cells *cells = arg;
	int r;

	(void)what;
	r = ipc_recv(fd, &cells->msg);
	if (r == -EAGAIN)
		return;
	if (r == 0)
		r = cell_gone(cells, &cells->msg);
	ipc_drop_fds(&cells->msg);
	if (r < 0)
		lose(cells, r);
}

struct cells *
cells_new(struct event_base *base, int scan_fd, const struct conf *conf,
    cells_lost *lost, void *arg)
{
	struct cells *cells = xcalloc(1, sizeof(*cells));

	cells->base = base;
	cells->conf = conf;
	cells->scan_fd = scan_fd;
	cells->lost = lost;
	cells->lost_arg = arg;
	TAILQ_INIT(&cells->ready);
	TAILQ_INIT(&cells->busy);
	TAILQ_INIT(&cells->leaving);
	TAILQ_INIT(&cells->waiting);
	cells->replace = evtimer_new(base, on_replace, cells);
	cells->heard =
	    event_new(base, scan_fd, EV_READ | EV_PERSIST, on_heard, cells);
	(void)event_add(cells->heard, NULL);
	cells->owed = conf->worker.cells;
	replace(cells);
	return cells;
}

static void
free_list(struct cell_list *list)
{
	struct cell *cell;

	while ((cell = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, cell, link);
		free(cell->run);
		cell_free(cell);
	}
}

struct cells *
cells_free(struct cells *cells)
{
	struct cell_run *run;

	if (!cells)
		return NULL;
	free_list(&cells->ready);
	free_list(&cells->busy);
	free_list(&cells->leaving);
	while ((run = TAILQ_FIRST(&cells->waiting))) {
		TAILQ_REMOVE(&cells->waiting, run, link);
		free(run);
	}
	event_free(cells->heard);
	event_free(cells->replace);
	free(cells);
	return NULL;
}

static struct cell_run *
run_new(struct cells *cells, const struct cell_run *like)
{
	struct cell_run *run = xcalloc(1, sizeof(*run));

	*run = *like;
	TAILQ_INSERT_TAIL(&cells->waiting, run, link);
	match(cells);
	return run;
}

struct cell_run *
cells_read(struct cells *cells, int message_fd, uint64_t bytes,
    cells_done *done, void *arg)
{
	return run_new(cells, &(struct cell_run){.fd = message_fd,
				  .bytes = bytes,
				  .what = TASK_MESSAGE,
				  .done = done,
				  .arg = arg});
}

struct cell_run *
cells_extract(struct cells *cells, int fd, uint64_t bytes, bool is_2001,
    cells_extracted *done, void *arg)
{
	return run_new(
	    cells, &(struct cell_run){.fd = fd,
		       .bytes = bytes,
		       .what = is_2001 ? TASK_PROGRAM_2001 : TASK_PROGRAM,
		       .extracted = done,
		       .arg = arg});
}
