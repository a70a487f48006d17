/*
 * The deliver role: takes each message of its feed queue, has it judged, and
 * moves it.  It holds the spools and the locks and never parses a body.
 */
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "queues/event.h"
#include "queues/journal.h"
#include "queues/lane.h"
#include "queues/message.h"
#include "queues/qf.h"
#include "worker/deliver_priv.h"
#include "worker/judge.h"
#include "worker/roles.h"
#include "worker/warning.h"
#include "worker/wire.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

/* Its directory is read whole this often, in case an event was lost. */
#define SCAN_TICKS 100

/* See gathers(): for each that is being judged, and at most. */
#define GATHER_EACH_USEC (6 * USEC_PER_MSEC)
#define GATHER_MOST_USEC (100 * USEC_PER_MSEC)

/* Ticks look after deadlines and pauses. */
#define TICK_USEC (100 * USEC_PER_MSEC)

/* A name seen by IN_MOVED_TO is usually still locked by the feed, whose
 * closing it is announced by IN_CLOSE_WRITE. */
#define FRESH_USEC (20 * USEC_PER_MSEC)

/* The engines role has a deadline for everything; beyond their sum and this
 * it hangs. */
#define ENGINES_SLACK_USEC (60 * USEC_PER_SEC)

void
deliver_end(struct deliver *d, int result)
{
	d->result = result;
	(void)event_base_loopbreak(d->base);
}

void
deliver_wake(struct deliver *d)
{
	event_active(d->work, 0, 0);
}

static void
publish(struct deliver *d)
{
	const struct mono now = mono_now();
	uint64_t n = d->lot.n_judged, served_usec = 0;
	const struct item *item;

	lot_clock(&d->lot, now);
	TAILQ_FOREACH (item, &d->lot.judged, link)
		served_usec += d->lot.share - item->share_begun;
	/* Those that only clones are busy with had all of their service; beside
	 * none that has a place they don't make the lane a busy one. */
	TAILQ_FOREACH (item, &d->lot.lengthy, link)
		served_usec += item->service_usec;
	lane_set(d->lane, n ? n + d->lot.n_long : 0,
	    (struct mono){now.usec - served_usec});
	metrics_set(d->metrics, METRIC_deliver_in_flight, n);
	metrics_set(d->metrics, METRIC_deliver_long, d->lot.n_long);
	metrics_set(d->metrics, METRIC_deliver_waiting, d->lot.n_waiting);
	/* With nothing left that asks, nobody knows; the next message will. */
	metrics_set(d->metrics, METRIC_deliver_outage,
	    d->outage.usec && n + d->lot.n_waiting > 0
		? mono_span(d->outage, now) / USEC_PER_SEC + 1
		: 0);
}

/* The more share the worker, the longer each takes anyway: what a batch waits
 * is a part of that, and next to nothing while there are few. */
static void
gather(struct deliver *d)
{
	uint64_t usec = d->lot.n_judged * GATHER_EACH_USEC;
	struct timeval tv;

	if (usec > GATHER_MOST_USEC)
		usec = GATHER_MOST_USEC;
	tv = span_timeval(usec);
	d->is_gathering = event_add(d->gathered, &tv) == 0;
}

/*
 * Should a batch wait for company?  While more are being judged than are
 * decided some of them will be decided soon, and a batch costs two disk
 * commits, whatever its size.
 */
static bool
gathers(struct deliver *d)
{
	if (d->lot.n_done == 0 || d->lot.n_done >= d->lot.n_judged ||
	    (d->is_gathering && !evtimer_pending(d->gathered, NULL))) {
		(void)event_del(d->gathered);
		d->is_gathering = false;
		return false;
	}
	if (!d->is_gathering)
		gather(d);
	return d->is_gathering;
}

static void
on_gathered(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	deliver_wake(arg);
}

/* Everything that was heard is in: move what is decided, begin what fits. */
static void
on_work(evutil_socket_t fd, short what, void *arg)
{
	struct deliver *d = arg;
	bool is_gathering = gathers(d);

	(void)fd;
	(void)what;
	if (!is_gathering)
		deliver_move(d);
	deliver_begin(d);
	if (d->lot.n_done > 0 && !is_gathering) /* more than a batch */
		deliver_wake(d);
	publish(d);
	if (d->is_draining && d->lot.n_judged == 0 && d->lot.n_done == 0)
		deliver_end(d, 0);
}

static int
take_judgement(struct deliver *d)
{
	const struct wire_judgement *judgement;
	const char *evidence;
	struct item *item;
	int r = wire_judgement(&d->msg, &judgement, &evidence);

	if (r < 0)
		return r;
	item = lot_find_job(&d->lot, judgement->job);
	if (item)
		deliver_decide(d, item, judgement, evidence);
	return 0;
}

static int
take_long(struct deliver *d)
{
	const struct wire_long *msg;
	struct item *item;
	int r = wire_long(&d->msg, &msg);

	if (r < 0)
		return r;
	item = lot_find_job(&d->lot, msg->job);
	if (item && item->list == ITEM_JUDGED)
		deliver_make_long(d, item);
	return 0;
}

static void
on_engines(evutil_socket_t fd, short what, void *arg)
{
	struct deliver *d = arg;
	int r;

	(void)what;
	for (;;) {
		r = ipc_recv(fd, &d->msg);
		if (r == -EAGAIN)
			break;
		if (r == 0)
			r = d->msg.type == WIRE_LONG ? take_long(d)
						     : take_judgement(d);
		if (r < 0) {
			ipc_drop_fds(&d->msg);
			deliver_suspect_long(d);
			deliver_end(d, r);
			return;
		}
	}
	deliver_wake(d);
}

/* A name in our directory; unlocked: closed by whoever had it locked. */
static void
see(struct deliver *d, const char *name, bool is_unlocked)
{
	const char *id = spool_id_of(name, "qf");
	struct item *item;
	bool is_new;

	if (!id)
		return;
	is_new = lot_find(&d->lot, id) == NULL;
	item = lot_see(&d->lot, id);
	if (item->list != ITEM_WAITING)
		return;
	if (is_unlocked && item->is_fresh)
		item->not_before = (struct mono){0};
	else if (is_new)
		item->not_before.usec = mono_now().usec + FRESH_USEC;
}

static int
scan(struct deliver *d)
{
	int fd = openat(
	    d->spool->fds[d->dir], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return -errno;
	}
	while ((entry = readdir(dir)))
		see(d, entry->d_name, true);
	(void)closedir(dir);
	return 0;
}

static void
on_names(evutil_socket_t fd, short what, void *arg)
{
	struct deliver *d = arg;
	char buf[16384]
	    __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(fd, buf, sizeof(buf));

	(void)what;
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const void *)(buf + at);

		if (e->mask & IN_Q_OVERFLOW)
			(void)scan(d);
		else if (e->len > 0)
			see(d, e->name, (e->mask & IN_CLOSE_WRITE) != 0);
		at += (ssize_t)(sizeof(*e) + e->len);
	}
	deliver_wake(d);
}

/* Has the engines role held a message for longer than it ever may? */
static bool
engines_hang(const struct deliver *d, struct mono now)
{
	const struct conf *conf = d->conf;
	const struct item *item = TAILQ_FIRST(&d->lot.judged);
	const struct item *lengthy = TAILQ_FIRST(&d->lot.lengthy);
	uint64_t n = conf->worker.in_flight;
	uint64_t patience = conf->budget.wall_usec +
			    n * (JUDGE_CLAMD_MOST * conf->clamd.timeout_usec +
				    conf->spam.timeout_usec) +
			    ENGINES_SLACK_USEC;

	if (item && mono_span(item->begun, now) > patience)
		return true;
	patience += 2 * (conf->detonate.patience_usec + conf->vm.deadline_usec);
	if (conf->links.enabled) /* each file behind one is like a mail */
		patience += conf->links.timeout_usec +
			    conf->links.per_message * patience;
	return lengthy && mono_span(lengthy->begun, now) > patience;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	static unsigned int ticks;
	struct deliver *d = arg;

	(void)fd;
	(void)what;
	if (engines_hang(d, mono_now())) {
		log_error("engines role hangs: starting anew");
		deliver_end(d, -ETIMEDOUT);
		return;
	}
	if (++ticks % SCAN_TICKS == 0)
		(void)scan(d);
	if (d->lot.n_waiting > 0 || d->is_draining)
		deliver_wake(d);
}

static void
on_term(evutil_socket_t fd, short what, void *arg)
{
	struct deliver *d = arg;

	(void)fd;
	(void)what;
	d->is_draining = true;
	deliver_wake(d);
}

static int
open_files(struct deliver *d, char *err, size_t err_size)
{
	const struct conf *conf = d->conf;
	char name[32];
	int r;

	(void)snprintf(name, sizeof(name), "worker-%u", d->k);
	r = warning_load(conf->wrap.text, &d->warning, err, err_size);
	if (r < 0)
		return r;
	r = spool_open(
	    conf->site.spool, conf->feed.queues, &d->spool, err, err_size);
	if (r < 0)
		return r;
	r = journal_open(d->spool, name, &d->journal);
	if (r < 0) {
		(void)snprintf(err, err_size, "journal/%s: %s", name,
		    r == -EBUSY ? "another worker of that number runs"
				: strerror(-r));
		return r;
	}
	r = lane_create(conf->site.runtime, d->k, &d->lane);
	if (r == 0)
		r = metrics_open(conf->site.runtime, name, &d->metrics);
	if (r < 0)
		(void)snprintf(
		    err, err_size, "%s: %s", conf->site.runtime, strerror(-r));
	return r;
}

static int
watch(struct deliver *d)
{
	char path[64];

	d->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (d->inotify_fd < 0)
		return -errno;
	(void)snprintf(
	    path, sizeof(path), "/proc/self/fd/%d", d->spool->fds[d->dir]);
	if (inotify_add_watch(d->inotify_fd, path,
		IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR) < 0)
		return -errno;
	return scan(d);
}

static int
add_event(struct deliver *d, int fd, short what, event_callback_fn fn,
    const struct timeval *every)
{
	struct event *ev = event_new(d->base, fd, what | EV_PERSIST, fn, d);

	/* Before on_work: all that can be heard is heard first, so that a
	 * batch is as large as it can be. */
	return ev && event_priority_set(ev, 0) == 0 && event_add(ev, every) == 0
		   ? 0
		   : -ENOMEM;
}

static int
open_loop(struct deliver *d)
{
	struct timeval tick = span_timeval(TICK_USEC);
	int r;

	d->base = event_base_new();
	if (!d->base || event_base_priority_init(d->base, 2) < 0)
		return -ENOMEM;
	d->work = event_new(d->base, -1, 0, on_work, d);
	d->gathered = evtimer_new(d->base, on_gathered, d);
	if (!d->work || !d->gathered)
		return -ENOMEM;
	(void)event_priority_set(d->work, 1);
	r = add_event(d, DELIVER_ENGINES_FD, EV_READ, on_engines, NULL);
	if (r == 0)
		r = add_event(d, d->inotify_fd, EV_READ, on_names, NULL);
	if (r == 0)
		r = add_event(d, SIGTERM, EV_SIGNAL, on_term, NULL);
	if (r == 0)
		r = add_event(d, -1, 0, on_tick, &tick);
	return r;
}

static void
note_start(struct deliver *d)
{
	CLEANUP(free_ptr) char *line = NULL;
	struct event event = {.kind = EVENT_START,
	    .t = wall_now(),
	    .from = d->dir,
	    .reason = "worker"};

	line = event_format(&event);
	(void)journal_append(d->journal, line);
}

int
deliver_role(const struct conf *conf, unsigned int k)
{
	/* Its message buffer is too large for the stack; lives to the end. */
	struct deliver *d = xcalloc(1, sizeof(*d));
	char err[512] = "";
	int r;

	d->conf = conf;
	d->k = k;
	d->dir = (enum spool_dir)(SPOOL_FEED1 + (int)k - 1);
	lot_init(&d->lot);
	r = open_files(d, err, sizeof(err));
	if (r == 0)
		r = watch(d);
	if (r == 0)
		r = open_loop(d);
	if (r == 0)
		r = sandbox_enter(ROLE_DELIVER, conf, err, sizeof(err));
	if (r < 0) {
		log_error("worker %u: start failed: %s", k,
		    *err ? err : strerror(-r));
		free(d);
		return r == -EBUSY || r == -ENOENT || r == -EINVAL ? 100 : 111;
	}
	note_start(d);
	deliver_wake(d);
	(void)event_base_dispatch(d->base);
	/* Nothing to give back: locks and claims go with the process. */
	return d->result < 0 ? 111 : 0;
}
