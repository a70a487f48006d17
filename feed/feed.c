#include "feed/feed.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "common/metrics.h"
#include "feed/feed_priv.h"
#include "feed/late.h"
#include "feed/tuner.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#define TICK_USEC    USEC_PER_SEC
#define TICK_RETRIES 32 /* parked ones: a reader's lock raises no event */
/* The kernel tells of a close before it takes the lock away with it. */
#define GLANCE_USEC      (2 * USEC_PER_MSEC)
#define BACKOFF_MIN_USEC (100 * USEC_PER_MSEC)
#define BACKOFF_MAX_USEC (30 * USEC_PER_SEC)
#define COMPLAIN_USEC    (60 * USEC_PER_SEC)
/* Mail that would only wait in its lane may as well wait here for company: a
 * batch costs two disk commits, whatever its size. */
#define GATHER_USEC     (5 * USEC_PER_MSEC)
#define GATHER_MESSAGES 16
#define EVENT_BYTES     16384 /* of inotify, read at one wake-up */

static struct feed *
feed_from_arg(void *arg)
{
	struct feed *feed = arg;

	assert(feed && feed->magic == FEED_MAGIC);
	return feed;
}

static void
arm(struct event *event, uint64_t usec)
{
	const struct timeval tv = span_timeval(usec);

	(void)event_add(event, &tv);
}

void
feed_complain(struct feed *feed, const char *what, int error)
{
	int at = -error < FEED_MAX_ERR ? -error : 0;
	struct mono now = mono_now();

	if (feed->logged[at].usec > 0 &&
	    mono_span(feed->logged[at], now) < COMPLAIN_USEC) {
		feed->unlogged[at]++;
		return;
	}
	log_error("%s error=\"%s\" again=%" PRIu64, what, strerror(-error),
	    feed->unlogged[at]);
	feed->logged[at] = now;
	feed->unlogged[at] = 0;
}

void
feed_back_off(struct feed *feed)
{
	if (evtimer_pending(feed->ev_retry, NULL))
		return;
	feed->backoff_usec *= 2;
	if (feed->backoff_usec < BACKOFF_MIN_USEC)
		feed->backoff_usec = BACKOFF_MIN_USEC;
	if (feed->backoff_usec > BACKOFF_MAX_USEC)
		feed->backoff_usec = BACKOFF_MAX_USEC;
	arm(feed->ev_retry, feed->backoff_usec);
}

void
feed_want_round(struct feed *feed)
{
	feed->round.wanted = true; /* also while one is running */
	if (!feed->round.running)
		arm(feed->ev_round, round_wait_usec(feed));
}

/* Is even the emptiest lane busy for longer than we would wait? */
static bool
lanes_are_busy(const struct feed *feed)
{
	uint64_t empty_usec[FEED_MAX_LANES];

	lanes_empty_usec(feed, empty_usec);
	for (size_t i = 0; i < feed->limits.lanes; i++)
		if (empty_usec[i] <= GATHER_USEC)
			return false;
	return true;
}

/* Should a batch be put off for a moment?  Nobody waits longer for it. */
static bool
gathers(struct feed *feed)
{
	/* The timer, not a clock of our own, says that its time is over: it
	 * may come a little sooner than that, and comes only once. */
	if (index_count(feed->index).ready >= GATHER_MESSAGES ||
	    !lanes_are_busy(feed) ||
	    (feed->is_gathering && !evtimer_pending(feed->ev_again, NULL))) {
		feed->is_gathering = false;
		return false;
	}
	if (!feed->is_gathering)
		arm(feed->ev_again, GATHER_USEC);
	feed->is_gathering = true;
	return true;
}

/* By the policy: what is new, and what lanes that run empty may take.
 * false: it is put off, and ev_again comes. */
static bool
place(struct feed *feed)
{
	uint64_t look_usec = UINT64_MAX;

	if (feed->policy == FEED_SMALL_FIRST) {
		if (late_has_work(feed))
			place_batch(feed);
		if (!feed->paused)
			look_usec = late_wait_usec(feed);
	} else if (index_has_work(feed->index)) {
		if (gathers(feed))
			return false;
		place_batch(feed);
	}
	if (feed->policy == FEED_STEAL)
		look_usec = steal_some(feed);
	if (look_usec < UINT64_MAX)
		arm(feed->ev_look, look_usec);
	return true;
}

/* One wake-up: a batch and a piece of the round; then look for events. */
static void
work(struct feed *feed)
{
	if (!feed->paused && !place(feed))
		return;
	if (feed->round.running) {
		round_step(feed);
		if (!feed->round.running)
			arm(feed->ev_round, round_wait_usec(feed));
	}
	feed_show(feed);
	if (feed->glance && !evtimer_pending(feed->ev_glance, NULL))
		arm(feed->ev_glance, GLANCE_USEC);
	feed->glance = false;
	if (feed->round.running ||
	    (!feed->paused && index_has_work(feed->index)))
		arm(feed->ev_again, 0);
}

static void
end(struct feed *feed, int result)
{
	feed->result = result;
	(void)event_base_loopbreak(feed->base);
}

static void
take_event(struct feed *feed, const struct inotify_event *event)
{
	const char *id;

	if (event->mask & IN_Q_OVERFLOW) {
		log_warn("overflow: events were lost, reading in/ whole");
		feed_want_round(feed);
	} else if (event->mask & (IN_IGNORED | IN_UNMOUNT)) {
		log_error("in/ is gone");
		end(feed, -ENOENT);
	} else if (event->len > 0) {
		id = spool_id_of(event->name, "qf");
		if (id)
			index_wake(feed->index, id);
	}
}

/* Returns 0 when something was read, or -errno. */
static int
read_events(struct feed *feed)
{
	char buf[EVENT_BYTES]
	    __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(feed->inotify_fd, buf, sizeof(buf));

	if (n < 0)
		return -errno;
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *event = (const void *)(buf + at);

		take_event(feed, event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	return 0;
}

static void
on_inotify(evutil_socket_t fd, short what, void *arg)
{
	struct feed *feed = feed_from_arg(arg);
	int r = read_events(feed);

	(void)fd;
	(void)what;
	if (r < 0 && r != -EAGAIN && r != -EINTR)
		end(feed, r);
	else if (index_has_work(feed->index))
		work(feed);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	work(feed_from_arg(arg));
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct feed *feed = feed_from_arg(arg);

	(void)fd;
	(void)what;
	lanes_read(feed);
	work(feed);
}

static void
on_glance(evutil_socket_t fd, short what, void *arg)
{
	struct feed *feed = feed_from_arg(arg);

	(void)fd;
	(void)what;
	index_retry_last(feed->index, TICK_RETRIES);
	work(feed);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct feed *feed = feed_from_arg(arg);

	(void)fd;
	(void)what;
	lanes_refresh(feed);
	lanes_read(feed);
	tuner_tick(feed);
	index_retry_last(feed->index, TICK_RETRIES);
	work(feed);
	arm(feed->ev_tick, TICK_USEC);
}

static void
on_round(evutil_socket_t fd, short what, void *arg)
{
	struct feed *feed = feed_from_arg(arg);
	uint64_t wait_usec = round_wait_usec(feed);

	(void)fd;
	(void)what;
	/* Its retries have cost more meanwhile than when this was set. */
	if (wait_usec > 0) {
		arm(feed->ev_round, wait_usec);
		return;
	}
	round_begin(feed);
	work(feed);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct feed *feed = feed_from_arg(arg);

	(void)fd;
	(void)what;
	feed->paused = false;
	index_release(feed->index);
	work(feed);
}

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(feed_from_arg(arg), 0);
}

static void
on_hup(evutil_socket_t fd, short what, void *arg)
{
	struct feed *feed = feed_from_arg(arg);
	struct conf *conf;
	char err[512];

	(void)fd;
	(void)what;
	if (conf_load(feed->conf_path, &conf, err, sizeof(err)) < 0) {
		log_error("reload: kept the old configuration: %s", err);
		return;
	}
	feed_reload(feed, conf);
	conf_free(conf);
	work(feed);
}

static int
watch(struct feed *feed)
{
	CLEANUP(free_ptr) char *path = NULL;

	feed->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (feed->inotify_fd < 0)
		return -errno;
	path = xasprintf("%s/%s", feed->spool->path, spool_dir_name(SPOOL_IN));
	if (inotify_add_watch(feed->inotify_fd, path,
		IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR) < 0)
		return -errno;
	return 0;
}

static struct event *
new_event(struct feed *feed, int fd, short what, event_callback_fn fn)
{
	struct event *event = event_new(feed->base, fd, what, fn, feed);

	assert(event);
	return event;
}

static void
new_events(struct feed *feed)
{
	const short persist = EV_PERSIST;

	feed->ev_inotify =
	    new_event(feed, feed->inotify_fd, EV_READ | EV_PERSIST, on_inotify);
	feed->ev_again = new_event(feed, -1, 0, on_again);
	feed->ev_look = new_event(feed, -1, 0, on_look);
	feed->ev_tick = new_event(feed, -1, 0, on_tick);
	feed->ev_glance = new_event(feed, -1, 0, on_glance);
	feed->ev_round = new_event(feed, -1, 0, on_round);
	feed->ev_retry = new_event(feed, -1, 0, on_retry);
	feed->ev_term = new_event(feed, SIGTERM, EV_SIGNAL | persist, on_end);
	feed->ev_int = new_event(feed, SIGINT, EV_SIGNAL | persist, on_end);
	feed->ev_hup = new_event(feed, SIGHUP, EV_SIGNAL | persist, on_hup);
	(void)event_add(feed->ev_inotify, NULL);
	(void)event_add(feed->ev_term, NULL);
	(void)event_add(feed->ev_int, NULL);
	(void)event_add(feed->ev_hup, NULL);
}

static int
open_all(struct feed *feed, char *err, size_t err_size)
{
	const char *runtime = feed->conf->site.runtime;
	int r = watch(feed);

	if (r < 0) {
		(void)snprintf(err, err_size, "cannot watch %s/in: %s",
		    feed->spool->path, strerror(-r));
		return r;
	}
	feed->runtime_fd = open(runtime, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = feed->runtime_fd < 0 ? -errno : board_create(runtime, &feed->board);
	if (r < 0)
		(void)snprintf(err, err_size,
		    "cannot write to %s/feed (site.runtime): %s; sluice run "
		    "makes this directory",
		    runtime, strerror(-r));
	/* Counters are for people: mail goes on without them. */
	else if (metrics_open(runtime, "feed", &feed->metrics) < 0)
		log_warn("%s/metrics/feed: cannot count", runtime);
	return r;
}

int
feed_new(struct event_base *base, const struct conf *conf,
    const char *conf_path, const struct spool *spool, struct journal *journal,
    struct feed **ret_feed, char *err, size_t err_size)
{
	CLEANUP(feed_freep) struct feed *feed = xcalloc(1, sizeof(*feed));
	int r;

	feed->magic = FEED_MAGIC;
	feed->conf = conf;
	feed->conf_path = conf_path;
	feed->spool = spool;
	feed->journal = journal;
	feed->base = base;
	feed->inotify_fd = feed->runtime_fd = -1;
	feed->index = index_new();
	feed->load = load_new(spool->feeds, 1, LOAD_PRIOR);
	feed_configure(feed, conf);
	feed->counts.pid = (uint64_t)getpid();
	feed->counts.lanes = spool->feeds;
	r = open_all(feed, err, err_size);
	if (r < 0)
		return r;
	new_events(feed);
	*ret_feed = TAKE_PTR(feed);
	return 0;
}

static void
free_event(struct event *event)
{
	if (event)
		event_free(event);
}

struct feed *
feed_free(struct feed *feed)
{
	if (!feed)
		return NULL;
	free_event(feed->ev_inotify);
	free_event(feed->ev_again);
	free_event(feed->ev_glance);
	free_event(feed->ev_look);
	free_event(feed->ev_tick);
	free_event(feed->ev_round);
	free_event(feed->ev_retry);
	free_event(feed->ev_term);
	free_event(feed->ev_int);
	free_event(feed->ev_hup);
	round_done(feed);
	lanes_close(feed);
	(void)board_close(feed->board);
	(void)metrics_close(feed->metrics);
	(void)late_free(feed->late);
	(void)tuner_free(feed->tuner);
	(void)load_free(feed->load);
	(void)index_free(feed->index);
	close_fd(&feed->inotify_fd);
	close_fd(&feed->runtime_fd);
	feed->magic = 0;
	free(feed);
	return NULL;
}

void
feed_freep(struct feed **feed)
{
	*feed = feed_free(*feed);
}

int
feed_run(struct feed *feed)
{
	/* The queues first: placing needs to know what waits in them. */
	round_all(feed);
	lanes_refresh(feed);
	log_info("ready waiting=%zu scan_usec=%" PRIu64,
	    index_count(feed->index).ready, feed->round.walk_usec);
	arm(feed->ev_round, round_wait_usec(feed));
	arm(feed->ev_tick, TICK_USEC);
	work(feed);
	(void)event_base_dispatch(feed->base);
	feed_show(feed);
	return feed->result;
}
