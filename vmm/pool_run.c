/*
 * Runs: asked for, waiting, read, done.
 */
#include "vmm/pool_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Pieces passed on at one wake-up: the loop serves others too. */
#define PIECES 8

static void
free_run(struct pool_run *run)
{
	close_fd(&run->fd);
	free(run);
}

static void
take_off(struct pool_run *run)
{
	if (run->slot) {
		run->slot->run = NULL;
		run->slot = NULL;
		return;
	}
	TAILQ_REMOVE(&run->pool->waiting, run, link);
	run->pool->counts.waiting--;
}

static void
count(struct pool_counts *c, enum ask_end end)
{
	c->runs++;
	if (end == ASK_END_REFUSED || end == ASK_END_NO_BACKEND)
		c->refused++;
	else if (end == ASK_END_STOPPED)
		c->stopped++;
}

void
run_done(
    struct pool_run *run, enum ask_end end, const char *text, struct mono now)
{
	struct ask_done done = {.end = end, .report_bytes = run->offset};

	if (!run->slot)
		run->times.queue = mono_span(run->asked_at, now);
	else if (run->times.run == 0 && run->taken_at.usec)
		run->times.run = mono_span(run->taken_at, now);
	done.lost = run->lost;
	done.times = run->times;
	(void)snprintf(done.text, sizeof(done.text), "%s", text);
	take_off(run);
	count(&run->pool->counts, end);
	if (!run->is_abandoned)
		run->ops->done(run->arg, &done);
	free_run(run);
}

void
run_refuse_all(struct pool *pool, const char *name, enum ask_end end,
    const char *text, struct mono now)
{
	struct pool_run *run, *next;

	for (run = TAILQ_FIRST(&pool->waiting); run; run = next) {
		next = TAILQ_NEXT(run, link);
		if (!name || strcmp(run->what.reference, name) == 0)
			run_done(run, end, text, now);
	}
}

/* The next piece.  0: passed on; -ENODATA: none; -EAGAIN: not now; -EPIPE. */
static int
pass_on(struct slot *slot)
{
	struct pool_run *run = slot->run;
	struct pool *p = slot->pool;
	uint64_t room = MAILBOX_REPORT_MAX - run->offset;
	size_t most = room < ASK_CHUNK_MAX ? (size_t)room : ASK_CHUNK_MAX, n;
	int r;

	n = most
		? slot->ref->ops->collect(slot->vm, run->offset, p->chunk, most)
		: 0;
	if (n == 0)
		return -ENODATA;
	assert(n <= most);
	r = run->ops->chunk(
	    run->arg, (uint32_t)run->offset, p->chunk, (uint32_t)n);
	if (r == 0)
		run->offset += n;
	return r == 0 || r == -EAGAIN ? r : -EPIPE;
}

void
run_pump(struct slot *slot, struct mono now)
{
	struct pool_run *run = slot->run;
	int r = 0;

	if (run->is_blocked)
		return;
	for (int i = 0; i < PIECES && r == 0; i++)
		r = pass_on(slot);
	if (r == 0) {
		slot->is_full = true; /* go on at the next tick */
	} else if (r == -EAGAIN) {
		run->is_blocked = true;
	} else if (r == -EPIPE) {
		slot_event(slot, EV_STOP, now);
	} else if (slot->state == POOL_DRAINING) {
		slot_event(slot, EV_DRAINED, now);
	}
}

static struct pool_run *
refuse(struct pool_run *run, enum ask_end end, const char *text)
{
	struct ask_done done = {.end = end};

	(void)snprintf(done.text, sizeof(done.text), "%s", text);
	count(&run->pool->counts, end);
	run->ops->done(run->arg, &done);
	free_run(run);
	return NULL;
}

static void
set_deadline(struct pool_run *run)
{
	const struct pool_limits *l = &run->pool->limits;

	if (run->what.deadline_usec == 0)
		run->what.deadline_usec = l->run_usec;
	if (run->what.deadline_usec > l->run_max_usec)
		run->what.deadline_usec = l->run_max_usec;
}

/*
 * Behind the last of its asker's own, and of all others that have the same
 * turn: each asker has one run in each turn.
 */
static void
line_up(struct pool *pool, struct pool_run *run)
{
	struct pool_run *other;

	run->turn = pool->turn + 1;
	TAILQ_FOREACH (other, &pool->waiting, link)
		if (other->asker == run->asker && other->turn >= run->turn)
			run->turn = other->turn + 1;
	TAILQ_FOREACH_REVERSE(other, &pool->waiting, run_line, link)
	if (other->turn <= run->turn)
		break;
	if (other)
		TAILQ_INSERT_AFTER(&pool->waiting, other, run, link);
	else
		TAILQ_INSERT_HEAD(&pool->waiting, run, link);
	pool->counts.waiting++;
}

struct pool_run *
pool_ask(struct pool *pool, const void *asker, const struct ask_run *what,
    int fd, const struct pool_run_ops *ops, void *arg, struct mono now)
{
	struct pool_run *run = xcalloc(1, sizeof(*run));

	run->pool = pool;
	run->asker = asker;
	run->what = *what;
	run->fd = fd;
	run->ops = ops;
	run->arg = arg;
	run->asked_at = now;
	run->patience_at.usec =
	    what->patience_usec ? now.usec + what->patience_usec : POOL_NEVER;
	if (pool->is_ended)
		return refuse(run, ASK_END_REFUSED, pool->end_why);
	if (!pool_ref(pool, what->reference))
		return refuse(run, ASK_END_NO_BACKEND, "no such reference");
	if (what->bytes > pool->limits.file_bytes ||
	    what->bytes > MAILBOX_SAMPLE_MAX)
		return refuse(run, ASK_END_REFUSED, "the file is too large");
	if (pool->counts.waiting >= pool->limits.waiting)
		return refuse(run, ASK_END_REFUSED, "too many runs wait");
	set_deadline(run);
	line_up(pool, run);
	pool->refill_at = now; /* at the next tick: run must be known first */
	return run;
}

void
pool_stop(struct pool *pool, struct pool_run *run, struct mono now)
{
	if (run->slot)
		slot_event(run->slot, EV_STOP, now);
	else
		run_done(run, ASK_END_STOPPED, "", now);
	pool_refill(pool, now);
}

void
pool_abandon(struct pool *pool, struct pool_run *run, struct mono now)
{
	run->is_abandoned = true;
	pool_stop(pool, run, now);
}

void
pool_resume(struct pool *pool, struct pool_run *run)
{
	(void)pool;
	if (!run->is_blocked)
		return;
	run->is_blocked = false;
	if (run->slot)
		run->slot->is_full = true;
}
