#include "vmm/pool.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "vmm/pool_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Events of one clone at one wake-up, however hard its guest rings. */
#define EVENTS 16

struct pool *
pool_new(
    const struct pool_limits *limits, const struct pool_ear *ear, void *arg)
{
	struct pool *p = xcalloc(1, sizeof(*p));

	assert(limits->slots > 0 && limits->slots <= ASK_CLONES_MAX &&
	       limits->cloning > 0 && limits->guess_bytes > 0);
	p->limits = *limits;
	p->ear = ear;
	p->arg = arg;
	p->counts.clone_bytes = limits->guess_bytes;
	p->refill_at.usec = POOL_NEVER;
	p->slots = xcalloc(limits->slots, sizeof(p->slots[0]));
	for (uint32_t i = 0; i < limits->slots; i++) {
		p->slots[i].pool = p;
		p->slots[i].number = i;
		p->slots[i].late_at.usec = POOL_NEVER;
	}
	TAILQ_INIT(&p->refs);
	TAILQ_INIT(&p->waiting);
	return p;
}

struct pool *
pool_free(struct pool *pool)
{
	struct ref *ref;

	if (!pool)
		return NULL;
	assert(TAILQ_EMPTY(&pool->waiting));
	pool_close_refs(pool);
	for (uint32_t i = 0; i < pool->limits.slots; i++) {
		assert(!pool->slots[i].run);
		if (pool->slots[i].vm)
			pool->ear->unwatch(pool->arg, i);
	}
	while ((ref = TAILQ_FIRST(&pool->refs))) {
		TAILQ_REMOVE(&pool->refs, ref, link);
		if (ref->live == 0)
			ref->ops->close(ref->vmm);
		free(ref);
	}
	free(pool->slots);
	free(pool);
	return NULL;
}

static void
retire(struct ref *ref, struct mono now)
{
	struct pool *p = ref->pool;

	ref->is_retired = true;
	for (uint32_t i = 0; i < p->limits.slots; i++) {
		struct slot *s = &p->slots[i];

		if (s->ref == ref &&
		    (s->state == POOL_CLONING || s->state == POOL_PARKED))
			slot_event(s, EV_RETIRE, now);
	}
}

void
pool_add(struct pool *pool, const char *name, const char *digest,
    uint32_t ready, const struct vmm_ops *ops, struct vmm *vmm, struct mono now)
{
	struct ref *old = pool_ref(pool, name), *ref = xcalloc(1, sizeof(*ref));

	assert(strlen(name) < sizeof(ref->name));
	if (old)
		retire(old, now);
	ref->pool = pool;
	strcpy(ref->name, name); /* checked above */
	(void)snprintf(ref->digest, sizeof(ref->digest), "%s", digest);
	ref->ready = ready;
	ref->ops = ops;
	ref->vmm = vmm;
	TAILQ_INSERT_TAIL(&pool->refs, ref, link);
	pool_refill(pool, now);
}

void
pool_drop(struct pool *pool, const char *name, const char *why, struct mono now)
{
	struct ref *ref = pool_ref(pool, name);

	if (!ref)
		return;
	retire(ref, now);
	run_refuse_all(pool, name, ASK_END_NO_BACKEND, why, now);
	pool_refill(pool, now);
}

static enum pool_event
event_of(enum vmm_event event)
{
	static const enum pool_event events[] = {
	    [VMM_PARKED] = EV_PARKED,
	    [VMM_TAKEN] = EV_TAKEN,
	    [VMM_REPORT] = EV_REPORT,
	    [VMM_ENDED] = EV_ENDED,
	    [VMM_DIED] = EV_DIED,
	    [VMM_GONE] = EV_GONE,
	};

	return events[event];
}

void
pool_wake(struct pool *pool, uint32_t slot, struct mono now)
{
	struct slot *s = &pool->slots[slot];
	enum vmm_event event;

	assert(slot < pool->limits.slots);
	for (int i = 0; i < EVENTS && s->vm; i++) {
		if (s->ref->ops->next(s->vm, &event) < 0)
			break;
		slot_event(s, event_of(event), now);
	}
	if (pool->is_stale)
		pool_refill(pool, now);
}

static void
tick_slot(struct slot *s, struct mono now)
{
	if (s->late_at.usec <= now.usec) {
		s->late_at.usec = POOL_NEVER;
		slot_event(s, EV_LATE, now);
	}
	if (s->is_full) {
		s->is_full = false;
		if (s->run)
			slot_event(s, EV_REPORT, now);
	}
}

void
pool_tick(struct pool *pool, struct mono now)
{
	struct pool_run *run, *next;

	for (uint32_t i = 0; i < pool->limits.slots; i++)
		tick_slot(&pool->slots[i], now);
	if (pool->is_stale || pool->refill_at.usec <= now.usec)
		pool_refill(pool, now);
	for (run = TAILQ_FIRST(&pool->waiting); run; run = next) {
		next = TAILQ_NEXT(run, link);
		if (run->patience_at.usec <= now.usec)
			run_done(run, ASK_END_REFUSED,
			    "no clone was free in time", now);
	}
}

static void
sooner(struct mono *at, struct mono other)
{
	if (other.usec < at->usec)
		*at = other;
}

struct mono
pool_next(const struct pool *pool)
{
	struct mono at = pool->refill_at;
	const struct pool_run *run;

	for (uint32_t i = 0; i < pool->limits.slots; i++) {
		sooner(&at, pool->slots[i].late_at);
		if (pool->slots[i].is_full)
			at.usec = 0;
	}
	TAILQ_FOREACH (run, &pool->waiting, link)
		sooner(&at, run->patience_at);
	return at;
}

void
pool_end(struct pool *pool, const char *why, struct mono now)
{
	struct ref *ref;

	pool->is_ended = true;
	pool->end_why = why;
	run_refuse_all(pool, NULL, ASK_END_REFUSED, why, now);
	for (uint32_t i = 0; i < pool->limits.slots; i++)
		slot_event(&pool->slots[i], EV_RETIRE, now);
	TAILQ_FOREACH (ref, &pool->refs, link)
		ref->is_retired = true;
	pool_refill(pool, now);
}

bool
pool_is_idle(const struct pool *pool)
{
	for (uint32_t i = 0; i < pool->limits.slots; i++)
		if (pool->slots[i].state != POOL_EMPTY &&
		    pool->slots[i].state != POOL_LOST)
			return false;
	return true;
}

void
pool_counts(const struct pool *pool, struct pool_counts *ret)
{
	*ret = pool->counts;
	ret->live = ret->parked = ret->busy = ret->lost = 0;
	for (uint32_t i = 0; i < pool->limits.slots; i++) {
		enum pool_state s = pool->slots[i].state;

		ret->live += s != POOL_EMPTY && s != POOL_LOST;
		ret->lost += s == POOL_LOST;
		ret->parked += s == POOL_PARKED;
		ret->busy +=
		    s == POOL_TAKING || s == POOL_RUNNING || s == POOL_DRAINING;
	}
}

static void
list_slot(const struct slot *s, struct mono now, struct ask_clone *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->slot = s->number;
	ret->state = s->state;
	ret->age_usec = mono_span(s->since, now);
	ret->private_bytes = s->private_bytes;
	strcpy(ret->reference, s->ref->name); /* both of one size */
	if (s->run)
		memcpy(ret->name, s->run->what.name, sizeof(ret->name));
}

size_t
pool_list(const struct pool *pool, struct mono now, struct ask_clones *head,
    struct ask_clone *rows, size_t max)
{
	struct pool_counts c;
	size_t n = 0;

	pool_counts(pool, &c);
	memset(head, 0, sizeof(*head));
	for (uint32_t i = 0; i < pool->limits.slots && n < max; i++)
		if (pool->slots[i].state != POOL_EMPTY)
			list_slot(&pool->slots[i], now, &rows[n++]);
	head->n = (uint32_t)n;
	head->waiting = c.waiting;
	head->written_off = c.lost;
	head->budget_bytes = c.budget_bytes;
	head->used_bytes = c.used_bytes;
	head->cloned = c.cloned;
	head->died = c.died;
	if (max > 0) /* for people: with the clones alone */
		pool_starved(pool, head->text, sizeof(head->text));
	return n;
}
