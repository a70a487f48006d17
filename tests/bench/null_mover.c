/*
 * null_mover CONF [--clamd] - the ceiling that Sluice is measured against:
 * everything that lies in in/ goes to out/, by the same claims, the same
 * journal and the same order of fsyncs, in batches, in one process.  No
 * judgement; with --clamd one scan of each raw message by clamd, which is
 * asked for as many at a time as Sluice's workers ask together.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "queues/event.h"
#include "queues/journal.h"
#include "queues/message.h"
#include "queues/move.h"
#include "worker/clamd.h"
#include "worker/lot.h"

#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#define BATCH 64

struct mover {
	const struct conf *conf;
	struct event_base *base;
	struct event *work;
	struct spool *spool;
	struct journal *journal;
	struct clamd *clamd;
	struct lot lot;
};

struct scan {
	struct mover *m;
	struct item *item;
	int fd;
};

static void
decided(struct mover *m, struct item *item, enum spool_dir to)
{
	struct event event = {
	    .kind = EVENT_MOVE, .t = wall_now(), .from = SPOOL_IN, .to = to};

	(void)strcpy(event.id, item->id);
	item->to = to;
	item->line = event_format(&event);
	lot_put(&m->lot, item, ITEM_DONE);
}

static void
on_scanned(void *arg, const struct engine_answer *answer)
{
	struct scan *scan = arg;

	close_fd(&scan->fd);
	decided(scan->m, scan->item,
	    answer->answer == ANSWER_CLEAN ? SPOOL_OUT : SPOOL_VIRUS);
	event_active(scan->m->work, 0, 0);
	free(scan);
}

static int
ask_clamd(struct mover *m, struct item *item)
{
	struct scan *scan = xcalloc(1, sizeof(*scan));
	const char *reason;
	uint64_t bytes;
	int r =
	    message_build(m->spool, &item->claim, m->conf->budget.message_bytes,
		&scan->fd, &bytes, &item->qf, &reason);

	if (r < 0) {
		free(scan);
		return r;
	}
	scan->m = m;
	scan->item = item;
	lot_put(&m->lot, item, ITEM_JUDGED);
	(void)clamd_scan(m->clamd, scan->fd, on_scanned, scan);
	return 0;
}

static void
begin(struct mover *m)
{
	struct mono now = mono_now(), next;
	struct item *item;
	const char *reason;

	while (m->lot.n_judged + m->lot.n_done < BATCH &&
	       (item = lot_next(&m->lot, now, &next))) {
		int r = claim_take(
		    m->spool, SPOOL_IN, item->id, &item->claim, &reason);

		if (r == 0 && m->clamd)
			r = ask_clamd(m, item);
		else if (r == 0)
			decided(m, item, SPOOL_OUT);
		if (r < 0)
			lot_forget(&m->lot, item);
	}
}

static void
move(struct mover *m)
{
	struct move moves[BATCH];
	struct item *items[BATCH], *item;
	size_t n = 0;

	TAILQ_FOREACH (item, &m->lot.done, link) {
		items[n] = item;
		moves[n] = (struct move){
		    .claim = &item->claim, .to = item->to, .line = item->line};
		if (++n == BATCH)
			break;
	}
	if (n > 0 && move_batch(m->spool, m->journal, moves, n) < 0)
		log_error("null_mover: a move failed");
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

int
main(int argc, char **argv)
{
	struct mover m = {0};
	struct conf *conf = NULL;
	char err[512];

	if (argc < 2 || conf_load(argv[1], &conf, err, sizeof(err)) < 0) {
		(void)fprintf(stderr, "null_mover CONF [--clamd]: %s\n",
		    argc < 2 ? "no CONF" : err);
		return 100;
	}
	m.conf = conf;
	m.base = event_base_new();
	(void)event_base_priority_init(m.base, 2);
	lot_init(&m.lot);
	if (spool_open(conf->site.spool, conf->feed.queues, &m.spool, err,
		sizeof(err)) < 0 ||
	    journal_open(m.spool, "null-mover", &m.journal) < 0) {
		(void)fprintf(stderr, "null_mover: %s\n", err);
		return 111;
	}
	if (argc > 2 && strcmp(argv[2], "--clamd") == 0)
		m.clamd = clamd_new(m.base,
		    &(struct clamd_options){.socket = conf->clamd.socket,
			.database = conf->clamd.database,
			.connections = (unsigned int)(conf->clamd.connections *
						      conf->feed.queues),
			.timeout_usec = conf->clamd.timeout_usec,
			.settle_usec = conf->clamd.settle_usec});
	/* As the feed and deliver: their user, their umask. */
	return run(&m);
}
