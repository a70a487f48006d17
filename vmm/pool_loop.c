#include "vmm/pool_loop.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/* The file is long and its numbers move slowly, against a clone's 20 MB. */
#define MEMINFO_AGE_USEC (20 * USEC_PER_MSEC)

struct watch {
	struct pool_loop *loop;
	uint32_t slot;
	struct event *event; /* NULL: nothing is watched */
};

struct pool_loop {
	struct event_base *base;
	struct pool *pool;
	struct event *timer;
	uint32_t slots;
	struct watch *watches;
	int meminfo;
	struct mono meminfo_at;
	uint64_t available;
	pool_said_fn *said;
	void *arg;
};

uint64_t
pool_loop_available(const char *meminfo)
{
	const char *at = strstr(meminfo, "MemAvailable:");

	return at ? strtoull(at + strlen("MemAvailable:"), NULL, 10) << 10 : 0;
}

static uint64_t
available(void *arg)
{
	struct pool_loop *l = arg;
	struct mono now = mono_now();
	char text[1024];
	ssize_t n;

	if (l->meminfo < 0)
		return 0;
	if (l->available && mono_span(l->meminfo_at, now) < MEMINFO_AGE_USEC)
		return l->available;
	n = pread(l->meminfo, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	l->available = pool_loop_available(text);
	l->meminfo_at = now;
	return l->available;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	(void)what;
	pool_wake(w->loop->pool, w->slot, mono_now());
	pool_loop_poke(w->loop);
}

static void
watch(void *arg, uint32_t slot, int fd)
{
	struct pool_loop *l = arg;
	struct watch *w = &l->watches[slot];

	assert(!w->event);
	w->event = event_new(l->base, fd, EV_READ | EV_PERSIST, on_readable, w);
	assert(w->event);
	(void)event_add(w->event, NULL);
}

static void
unwatch(void *arg, uint32_t slot)
{
	struct pool_loop *l = arg;

	event_free(l->watches[slot].event);
	l->watches[slot].event = NULL;
}

static void
said(void *arg, uint32_t slot, const char *reference, const char *text)
{
	const struct pool_loop *l = arg;

	if (l->said)
		l->said(l->arg, slot, reference, text);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct pool_loop *l = arg;

	(void)fd;
	(void)what;
	pool_tick(l->pool, mono_now());
	pool_loop_poke(l);
}

struct pool_loop *
pool_loop_new(struct event_base *base, const struct pool_limits *limits,
    int meminfo, pool_said_fn *said_fn, void *arg)
{
	static const struct pool_ear ear = {watch, unwatch, available, said};
	struct pool_loop *l = xcalloc(1, sizeof(*l));

	l->base = base;
	l->meminfo = meminfo;
	l->said = said_fn;
	l->arg = arg;
	l->slots = limits->slots;
	l->watches = xcalloc(limits->slots, sizeof(l->watches[0]));
	for (uint32_t i = 0; i < limits->slots; i++)
		l->watches[i] = (struct watch){.loop = l, .slot = i};
	l->timer = evtimer_new(base, on_timer, l);
	assert(l->timer);
	l->pool = pool_new(limits, &ear, l);
	return l;
}

struct pool_loop *
pool_loop_free(struct pool_loop *loop)
{
	if (!loop)
		return NULL;
	(void)pool_free(loop->pool);
	event_free(loop->timer);
	close_fd(&loop->meminfo);
	free(loop->watches);
	free(loop);
	return NULL;
}

struct pool *
pool_loop_pool(struct pool_loop *loop)
{
	return loop->pool;
}

void
pool_loop_poke(struct pool_loop *loop)
{
	struct mono next = pool_next(loop->pool), now = mono_now();
	struct timeval tv;

	if (next.usec == UINT64_MAX) {
		(void)event_del(loop->timer);
		return;
	}
	tv = span_timeval(mono_span(now, next));
	(void)event_add(loop->timer, &tv);
}
