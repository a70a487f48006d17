/*
 * null_mover CONF [--clamd | --shape] - what Sluice is measured against:
 * everything that lies in in/ goes to out/, by the same claims, the same
 * journal and the same order of fsyncs, in batches, in one process.
 *
 *   --clamd   the ceiling: one scan of each raw message by clamd, which is
 *             asked for as many at a time as Sluice's workers ask together
 *   --shape   the floor of Sluice's shape: what its rules leave no choice
 *             about, and nothing else.  Two moves (in/, feed1/, out/), the raw
 *             message and each part of it scanned by clamd (large ones when
 *             clamd knows the message), a parse with SHA-256, and a process
 *             for each message, which does nothing.  No roles, no messages
 *             between them, no policy, no other readings, no scanned table, no
 *             ledger, no sandbox.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/digest.h"
#include "common/io.h"
#include "common/log.h"
#include "queues/event.h"
#include "queues/journal.h"
#include "queues/message.h"
#include "queues/move.h"
#include "tests/bench/gmime_parts.h"
#include "worker/clamd.h"
#include "worker/lot.h"

#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <gmime/gmime.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#define BATCH     64
#define PARTS_MAX 64

struct mover {
	const struct conf *conf;
	struct event_base *base;
	struct event *work;
	struct spool *spool;
	struct journal *journal;
	struct clamd *clamd;
	int cells_fd; /* of empty_cell; -1: without --shape */
	struct lot lot;
};

/* A message that clamd has. */
struct scan {
	struct mover *m;
	struct item *item;
	int fds[1 + PARTS_MAX]; /* the message, its parts */
	size_t n, pending;
	enum answer worst;
	unsigned int mix; /* so that no digest is left out as unused */
};

static char *
line_of(const struct item *item, enum spool_dir from, enum spool_dir to)
{
	struct event event = {
	    .kind = EVENT_MOVE, .t = wall_now(), .from = from, .to = to};

	(void)strcpy(event.id, item->id);
	return event_format(&event);
}

static void
decided(struct mover *m, struct item *item, enum spool_dir to)
{
	item->to = to;
	item->line = line_of(item, item->claim.dir, to);
	lot_put(&m->lot, item, ITEM_DONE);
}

static void
on_scanned(void *arg, const struct engine_answer *answer)
{
	struct scan *scan = arg;

	scan->worst = answer_worse(scan->worst, answer->answer);
	if (--scan->pending > 0)
		return;
	for (size_t i = 0; i < scan->n; i++)
		close_fd(&scan->fds[i]);
	decided(scan->m, scan->item,
	    scan->worst == ANSWER_CLEAN ? SPOOL_OUT : SPOOL_VIRUS);
	event_active(scan->m->work, 0, 0);
	free(scan);
}

static void
keep_part(void *arg, const void *octets, size_t len)
{
	struct scan *scan = arg;
	int fd;

	scan->mix += digest_memory(octets, len).bytes[0];
	if (len == 0 || scan->n == ARRAY_SIZE(scan->fds))
		return;
	fd = memfd_new("part");
	if (fd < 0 || write_all(fd, octets, len) < 0)
		abort();
	scan->fds[scan->n++] = fd;
}

/* By now clamd knows what is in it: decision 0005. */
static void
on_raw_scanned(void *arg, const struct engine_answer *answer)
{
	struct scan *scan = arg;

	for (size_t i = 1; i < scan->n; i++) {
		scan->pending++;
		(void)clamd_scan(
		    scan->m->clamd, scan->fds[i], on_scanned, scan);
	}
	on_scanned(scan, answer);
}

static void
read_message(struct scan *scan)
{
	const int copy = reopen_ro(scan->fds[0]);

	if (copy < 0 || write(scan->m->cells_fd, "", 1) != 1)
		abort();
	gmime_parts(copy, keep_part, scan);
}

static int
ask_clamd(struct mover *m, struct item *item)
{
	struct scan *scan = xcalloc(1, sizeof(*scan));
	const bool is_whole = m->cells_fd >= 0;
	const char *reason;
	uint64_t bytes;
	int r =
	    message_build(m->spool, &item->claim, m->conf->budget.message_bytes,
		&scan->fds[0], &bytes, &item->qf, &reason);

	if (r < 0) {
		free(scan);
		return r;
	}
	scan->m = m;
	scan->item = item;
	scan->n = scan->pending = 1;
	lot_put(&m->lot, item, ITEM_JUDGED);
	if (is_whole)
		read_message(scan);
	(void)clamd_scan(m->clamd, scan->fds[0],
	    is_whole ? on_raw_scanned : on_scanned, scan);
	return 0;
}

/* Move them all, as it stands in each; the locks stay. */
static void
move_items(struct mover *m, struct item **items, size_t n)
{
	struct move moves[BATCH];

	for (size_t i = 0; i < n; i++)
		moves[i] = (struct move){.claim = &items[i]->claim,
		    .to = items[i]->to,
		    .line = items[i]->line};
	if (n > 0 && move_batch(m->spool, m->journal, moves, n) < 0) {
		log_error("null_mover: a move failed");
		exit(111);
	}
}

/* The feed's part of the way. */
static void
place(struct mover *m, struct item **items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		items[i]->to = SPOOL_FEED1;
		items[i]->line = line_of(items[i], SPOOL_IN, SPOOL_FEED1);
	}
	move_items(m, items, n);
	for (size_t i = 0; i < n; i++) {
		free(items[i]->line);
		items[i]->line = NULL;
		items[i]->claim.dir = SPOOL_FEED1;
	}
}

static void
begin(struct mover *m)
{
	struct mono now = mono_now(), next;
	struct item *items[BATCH], *item;
	const char *reason;
	size_t n = 0;

	while (m->lot.n_judged + m->lot.n_done + n < BATCH &&
	       (item = lot_next(&m->lot, now, &next))) {
		if (claim_take(m->spool, SPOOL_IN, item->id, &item->claim,
			&reason) < 0) {
			lot_forget(&m->lot, item);
			continue;
		}
		lot_put(&m->lot, item, ITEM_JUDGED);
		items[n++] = item;
	}
	if (m->cells_fd >= 0)
		place(m, items, n);
	for (size_t i = 0; i < n; i++) {
		if (!m->clamd)
			decided(m, items[i], SPOOL_OUT);
		else if (ask_clamd(m, items[i]) < 0)
			lot_forget(&m->lot, items[i]);
	}
}

static void
move(struct mover *m)
{
	struct item *items[BATCH], *item;
	size_t n = 0;

	TAILQ_FOREACH (item, &m->lot.done, link) {
		items[n++] = item;
		if (n == BATCH)
			break;
	}
	move_items(m, items, n);
	for (size_t i = 0; i < n; i++)
		lot_forget(&m->lot, items[i]);
}

static void
on_work(evutil_socket_t fd, short what, void *arg)
{
	struct mover *m = arg;

	(void)fd;
	(void)what;
	begin(m);
	move(m);
	if (m->lot.n_done > 0 || (m->lot.n_waiting > 0 && !m->lot.n_judged))
		event_active(m->work, 0, 0);
}

static void
see(struct mover *m, const char *name)
{
	const char *id = spool_id_of(name, "qf");

	if (id)
		(void)lot_see(&m->lot, id);
}

static void
on_names(evutil_socket_t fd, short what, void *arg)
{
	struct mover *m = arg;
	char buf[65536] __attribute__((aligned(8)));
	ssize_t n = read(fd, buf, sizeof(buf));

	(void)what;
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const void *)(buf + at);

		if (e->len > 0)
			see(m, e->name);
		at += (ssize_t)(sizeof(*e) + e->len);
	}
	event_active(m->work, 0, 0);
}

static void
first_look(struct mover *m, const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);

	while (dir && (entry = readdir(dir)))
		see(m, entry->d_name);
	if (dir)
		(void)closedir(dir);
	event_active(m->work, 0, 0);
}

static int
run(struct mover *m)
{
	CLEANUP(free_ptr) char *in = xasprintf("%s/in", m->conf->site.spool);
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct event *names;

	if (fd < 0 ||
	    inotify_add_watch(fd, in, IN_MOVED_TO | IN_CLOSE_WRITE) < 0)
		return 111;
	m->work = event_new(m->base, -1, 0, on_work, m);
	names = event_new(m->base, fd, EV_READ | EV_PERSIST, on_names, m);
	if (!m->work || !names || event_add(names, NULL) < 0)
		return 111;
	(void)event_priority_set(m->work, 1);
	first_look(m, in);
	(void)event_base_dispatch(m->base);
	return 0;
}

static struct clamd *
open_clamd(const struct mover *m)
{
	const struct conf *conf = m->conf;

	return clamd_new(m->base,
	    &(struct clamd_options){.socket = conf->clamd.socket,
		.database = conf->clamd.database,
		.connections =
		    (unsigned int)(conf->clamd.connections * conf->feed.queues),
		.timeout_usec = conf->clamd.timeout_usec,
		.settle_usec = conf->clamd.settle_usec});
}

/* The program beside this one; its standard input, or -1. */
static int
start_cells(const char *self)
{
	const char *slash = strrchr(self, '/');
	CLEANUP(free_ptr)
	char *path = xasprintf("%.*s/empty_cell",
	    slash ? (int)(slash - self) : 1, slash ? self : ".");
	char *args[] = {path, NULL};
	posix_spawn_file_actions_t files;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0 ||
	    posix_spawn_file_actions_init(&files) != 0 ||
	    posix_spawn_file_actions_adddup2(&files, ends[0], STDIN_FILENO) !=
		0 ||
	    posix_spawn(&pid, path, &files, NULL, args, NULL) != 0)
		return -1;
	(void)close(ends[0]);
	return ends[1];
}

int
main(int argc, char **argv)
{
	const char *option = argc > 2 ? argv[2] : "";
	struct mover m = {.cells_fd = -1};
	struct conf *conf = NULL;
	char err[512];

	if (argc < 2 || conf_load(argv[1], &conf, err, sizeof(err)) < 0) {
		(void)fprintf(stderr,
		    "null_mover CONF [--clamd | --shape]: %s\n",
		    argc < 2 ? "no CONF" : err);
		return 100;
	}
	m.conf = conf;
	m.base = event_base_new();
	(void)event_base_priority_init(m.base, 2);
	lot_init(&m.lot);
	/* As the feed and deliver: their user, their umask. */
	if (spool_open(conf->site.spool, conf->feed.queues, &m.spool, err,
		sizeof(err)) < 0 ||
	    journal_open(m.spool, "null-mover", &m.journal) < 0) {
		(void)fprintf(stderr, "null_mover: %s\n", err);
		return 111;
	}
	if (*option)
		m.clamd = open_clamd(&m);
	if (strcmp(option, "--shape") == 0) {
		g_mime_init();
		m.cells_fd = start_cells(argv[0]);
		if (m.cells_fd < 0) {
			perror("null_mover: empty_cell");
			return 111;
		}
	}
	return run(&m);
}
