#include "tools/sluice/outbox.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/spool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#define uthash_fatal(msg) abort()
#include <uthash.h>

/* A look at a message this young was too early: the mover held the lock. */
#define EARLY_USEC   (100 * USEC_PER_MSEC)
#define EARLY_AGAINS 2
/* Pauses before a message that was left lying is fresh again. */
#define PAUSE_MIN_USEC (250 * USEC_PER_MSEC)
#define PAUSE_MAX_USEC (60 * USEC_PER_SEC)
/* No sign of sendmail for so long after an order: order again. */
#define SILENCE_USEC (5 * USEC_PER_SEC)

enum state {
	STATE_ANNOUNCED,
	STATE_FRESH,
	STATE_ORDERED,
	STATE_SEEN,
	STATE_DEFERRED,
	STATE_COUNT
};

struct item {
	char id[QUEUE_ID_MAX + 1];
	enum state state;
	struct mono arrived, changed;
	unsigned int agains;
	UT_hash_handle hh;
};

struct outbox {
	char *path;
	int fd;
	bool gone;
	struct item *items;
	size_t count[STATE_COUNT];
};

static void
set_state(
    struct outbox *o, struct item *item, enum state state, struct mono now)
{
	o->count[item->state]--;
	o->count[state]++;
	item->state = state;
	item->changed = now;
}

static struct item *
find(struct outbox *o, const char *id)
{
	struct item *item = NULL;

	HASH_FIND_STR(o->items, id, item);
	return item;
}

static void
add(struct outbox *o, const char *id, enum state state, struct mono now)
{
	struct item *item = xcalloc(1, sizeof(*item));

	(void)snprintf(item->id, sizeof(item->id), "%s", id);
	item->state = state;
	item->arrived = item->changed = now;
	o->count[state]++;
	HASH_ADD_STR(o->items, id, item);
}

static void
drop(struct outbox *o, struct item *item)
{
	o->count[item->state]--;
	HASH_DEL(o->items, item);
	free(item);
}

static void
scan(struct outbox *o, struct mono now)
{
	DIR *dir = opendir(o->path);
	struct dirent *e;

	if (!dir) {
		o->gone = true;
		return;
	}
	while ((e = readdir(dir))) {
		const char *id = spool_id_of(e->d_name, "qf");

		if (id && !find(o, id))
			add(o, id, STATE_FRESH, now);
	}
	(void)closedir(dir);
}

/* After lost events nothing that we believe is certain. */
static void
rescan(struct outbox *o, struct mono now)
{
	struct item *item, *next;

	HASH_ITER (hh, o->items, item, next)
		drop(o, item);
	scan(o, now);
}

int
outbox_open(const char *path, struct outbox **ret_outbox)
{
	struct outbox *o = xcalloc(1, sizeof(*o));
	int r;

	o->path = xstrdup(path);
	o->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/* EXCL_UNLINK: a message that left is not heard of again. */
	if (o->fd < 0 ||
	    inotify_add_watch(o->fd, path,
		IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE |
		    IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
		    IN_EXCL_UNLINK) < 0) {
		r = -errno;
		(void)outbox_close(o);
		return r;
	}
	scan(o, mono_now());
	if (o->gone) {
		(void)outbox_close(o);
		return -ENOENT;
	}
	*ret_outbox = o;
	return 0;
}

struct outbox *
outbox_close(struct outbox *o)
{
	struct item *item, *next;

	if (!o)
		return NULL;
	HASH_ITER (hh, o->items, item, next)
		drop(o, item);
	close_fd(&o->fd);
	free(o->path);
	free(o);
	return NULL;
}

int
outbox_fd(const struct outbox *o)
{
	return o->fd;
}

/* The file was closed by somebody who could write: its mover or sendmail. */
static void
closed(struct outbox *o, struct item *item, struct mono now)
{
	switch (item->state) {
	case STATE_ANNOUNCED:
		set_state(o, item, STATE_FRESH, now);
		break;
	case STATE_ORDERED:
		if (mono_span(item->arrived, now) < EARLY_USEC &&
		    item->agains < EARLY_AGAINS) {
			item->agains++;
			set_state(o, item, STATE_FRESH, now);
		} else {
			set_state(o, item, STATE_SEEN, now);
		}
		break;
	case STATE_FRESH:
	case STATE_SEEN:
	case STATE_DEFERRED:
	case STATE_COUNT:
		break;
	}
}

static void
take_event(struct outbox *o, const struct inotify_event *e, struct mono now)
{
	const char *id = e->len > 0 ? spool_id_of(e->name, "qf") : NULL;
	struct item *item = id ? find(o, id) : NULL;

	if (e->mask & IN_Q_OVERFLOW)
		rescan(o, now);
	else if (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED))
		o->gone = true;
	if (!id)
		return;
	if (e->mask & (IN_MOVED_FROM | IN_DELETE)) {
		if (item)
			drop(o, item);
	} else if (!item) {
		add(o, id,
		    e->mask & IN_MOVED_TO ? STATE_ANNOUNCED : STATE_FRESH, now);
	} else if (e->mask & IN_MOVED_TO) {
		set_state(o, item, STATE_DEFERRED, now);
	} else {
		closed(o, item, now);
	}
}

int
outbox_read(struct outbox *o, struct mono now)
{
	char buf[16384] __attribute__((aligned(8)));

	for (int i = 0; i < 64; i++) { /* bounded work per wake-up */
		ssize_t n = read(o->fd, buf, sizeof(buf));

		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e =
			    (const void *)(buf + at);

			take_event(o, e, now);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
	return o->gone ? -ENOENT : 0;
}

static uint64_t
pause_of(const struct item *item)
{
	uint64_t usec = PAUSE_MIN_USEC;

	for (unsigned int i = 0; i < item->agains; i++)
		if (usec < PAUSE_MAX_USEC)
			usec *= 2;
	if (item->state == STATE_ORDERED && usec < SILENCE_USEC)
		usec = SILENCE_USEC;
	return usec;
}

void
outbox_tick(struct outbox *o, struct mono now)
{
	struct item *item, *next;

	if (o->count[STATE_ANNOUNCED] + o->count[STATE_ORDERED] +
		o->count[STATE_SEEN] ==
	    0)
		return;
	HASH_ITER (hh, o->items, item, next) {
		if (item->state == STATE_FRESH ||
		    item->state == STATE_DEFERRED ||
		    mono_span(item->changed, now) < pause_of(item))
			continue;
		if (item->state != STATE_ANNOUNCED)
			item->agains++;
		set_state(o, item, STATE_FRESH, now);
	}
}

static void
change_all(struct outbox *o, enum state from, enum state to, struct mono now)
{
	struct item *item, *next;

	if (o->count[from] == 0)
		return;
	HASH_ITER (hh, o->items, item, next)
		if (item->state == from)
			set_state(o, item, to, now);
}

void
outbox_ordered(struct outbox *o, struct mono now)
{
	change_all(o, STATE_FRESH, STATE_ORDERED, now);
}

void
outbox_refused(struct outbox *o)
{
	change_all(o, STATE_ORDERED, STATE_FRESH, mono_now());
}

size_t
outbox_fresh(const struct outbox *o)
{
	return o->count[STATE_FRESH];
}

size_t
outbox_outstanding(const struct outbox *o)
{
	return o->count[STATE_ORDERED];
}

size_t
outbox_deferred(const struct outbox *o)
{
	return o->count[STATE_DEFERRED];
}
