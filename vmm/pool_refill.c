/*
 * Which clones are made, given away, or make room for others.
 */
#include "vmm/pool_priv.h"

#include "vmm/admit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory comes back without a word: how often to look. */
#define STARVED_USEC (500 * USEC_PER_MSEC)
#define MIB          (UINT64_C(1) << 20)

struct ref *
pool_ref(const struct pool *pool, const char *name)
{
	struct ref *ref;

	TAILQ_FOREACH (ref, &pool->refs, link)
		if (!ref->is_retired && strcmp(ref->name, name) == 0)
			return ref;
	return NULL;
}

void
pool_close_refs(struct pool *pool)
{
	struct ref *ref, *next;

	for (ref = TAILQ_FIRST(&pool->refs); ref; ref = next) {
		next = TAILQ_NEXT(ref, link);
		if (!ref->is_retired || ref->live > 0)
			continue; /* never a parent before its clones */
		ref->ops->close(ref->vmm);
		TAILQ_REMOVE(&pool->refs, ref, link);
		free(ref);
	}
}

/* What this reference has that will serve a run without being used yet. */
static uint32_t
unused(const struct ref *ref)
{
	const struct pool *p = ref->pool;
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->limits.slots; i++) {
		const struct slot *s = &p->slots[i];

		if (s->ref == ref &&
		    (s->state == POOL_CLONING || s->state == POOL_PARKED ||
			s->state == POOL_REHEARSING))
			n++;
	}
	return n;
}

static uint32_t
demand(const struct ref *ref)
{
	const struct pool_run *run;
	uint32_t n = 0;

	TAILQ_FOREACH (run, &ref->pool->waiting, link)
		if (strcmp(run->what.reference, ref->name) == 0 &&
		    ++n == ref->pool->limits.slots)
			break;
	return n;
}

static uint32_t
count_state(const struct pool *p, enum pool_state state)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->limits.slots; i++)
		n += p->slots[i].state == state;
	return n;
}

/* References are all of one back end, whose clones are made of one memory. */
static uint64_t
available(const struct pool *p)
{
	const struct ref *ref = TAILQ_FIRST(&p->refs);

	return ref && ref->ops->available ? ref->ops->available(ref->vmm)
					  : p->ear->available(p->arg);
}

/* The memory as the pure part wants it; also for the counters. */
static struct admit_memory
memory(struct pool *p)
{
	struct admit_memory m = {
	    .available_bytes = available(p),
	    .reserve_bytes = p->limits.reserve_bytes,
	    .clone_bytes = p->counts.clone_bytes,
	};

	p->counts.used_bytes = 0;
	for (uint32_t i = 0; i < p->limits.slots; i++) {
		const struct slot *s = &p->slots[i];

		p->counts.used_bytes += s->private_bytes;
		if (s->state != POOL_EMPTY && s->private_bytes < m.clone_bytes)
			m.promised_bytes += m.clone_bytes - s->private_bytes;
	}
	p->counts.budget_bytes =
	    m.available_bytes ? p->counts.used_bytes + admit_headroom(&m) : 0;
	return m;
}

static uint64_t
room(struct pool *p)
{
	struct admit_memory m = memory(p);
	uint64_t live = p->limits.slots - count_state(p, POOL_EMPTY);

	return admit_clones(&m, live, p->limits.slots);
}

static struct slot *
slot_in(const struct pool *p, enum pool_state state, const struct ref *ref)
{
	for (uint32_t i = 0; i < p->limits.slots; i++)
		if (p->slots[i].state == state && p->slots[i].ref == ref)
			return &p->slots[i];
	return NULL;
}

/* One that has rehearsed, if there is one. */
static struct slot *
best_parked(const struct pool *p, const struct ref *ref)
{
	struct slot *best = NULL;

	for (uint32_t i = 0; i < p->limits.slots; i++) {
		struct slot *s = &p->slots[i];

		if (s->state == POOL_PARKED && s->ref == ref &&
		    (!best || s->wants_rehearsal < best->wants_rehearsal))
			best = s;
	}
	return best;
}

uint32_t
pool_running(const struct pool *p)
{
	return count_state(p, POOL_TAKING) + count_state(p, POOL_RUNNING) +
	       count_state(p, POOL_DRAINING);
}

/* Parked clones to those who wait, in their order. */
static void
give_parked(struct pool *p, struct mono now)
{
	uint32_t parked = count_state(p, POOL_PARKED), busy = pool_running(p);
	struct pool_run *run, *next;

	for (run = TAILQ_FIRST(&p->waiting);
	     run && parked > 0 && busy < p->limits.running; run = next) {
		struct ref *ref = pool_ref(p, run->what.reference);
		struct slot *slot = ref ? best_parked(p, ref) : NULL;

		next = TAILQ_NEXT(run, link);
		if (!slot)
			continue;
		TAILQ_REMOVE(&p->waiting, run, link);
		p->counts.waiting--;
		p->turn = run->turn;
		run->slot = slot;
		slot->run = run;
		parked--;
		busy++;
		slot_event(slot, EV_GIVEN, now);
	}
}

static bool
lacks(const struct ref *ref, uint32_t target, struct mono now)
{
	return !ref->is_retired && ref->retry_at.usec <= now.usec &&
	       unused(ref) < target;
}

static const struct pool_run *
first_waiting(const struct ref *ref)
{
	const struct pool_run *run;

	TAILQ_FOREACH (run, &ref->pool->waiting, link)
		if (strcmp(run->what.reference, ref->name) == 0)
			return run;
	return NULL;
}

/* Those with runs that wait come first, the next in turn first of all. */
static struct ref *
most_wanted(struct pool *p, bool *ret_waits, struct mono now)
{
	struct ref *ref, *best = NULL;
	uint64_t turn = POOL_NEVER;

	TAILQ_FOREACH (ref, &p->refs, link) {
		const struct pool_run *run = first_waiting(ref);

		if (run && run->turn < turn && lacks(ref, demand(ref), now)) {
			turn = run->turn;
			best = ref;
		}
	}
	*ret_waits = best != NULL;
	if (best)
		return best;
	TAILQ_FOREACH (ref, &p->refs, link)
		if (lacks(ref, demand(ref) + ref->ready, now))
			return ref;
	return NULL;
}

/* References that rest after a failure are looked at when they have. */
static void
wait_for_rest(struct pool *p, struct mono now)
{
	const struct ref *ref;

	TAILQ_FOREACH (ref, &p->refs, link)
		if (!ref->is_retired && ref->retry_at.usec > now.usec &&
		    ref->retry_at.usec < p->refill_at.usec)
			p->refill_at = ref->retry_at;
}

/* A parked clone of another reference that none of its runs will need. */
static bool
make_room(struct pool *p, const struct ref *for_ref, struct mono now)
{
	struct ref *ref;

	TAILQ_FOREACH (ref, &p->refs, link) {
		struct slot *slot = slot_in(p, POOL_PARKED, ref);

		if (ref == for_ref || !slot || unused(ref) <= demand(ref))
			continue;
		slot_event(slot, EV_RETIRE, now);
		return true;
	}
	return false;
}

/* Less is available than must be: what stands still is given up, one at a
 * look.  Those that run go on: the kernel ends them first if it must. */
static void
shed(struct pool *p, struct mono now)
{
	uint64_t bytes = available(p);

	if (bytes == 0 || bytes >= p->limits.reserve_bytes)
		return;
	for (uint32_t i = 0; i < p->limits.slots; i++) {
		if (p->slots[i].state != POOL_PARKED)
			continue;
		slot_event(&p->slots[i], EV_RETIRE, now);
		p->refill_at.usec = now.usec + STARVED_USEC;
		return;
	}
}

void
pool_starved(const struct pool *pool, char *buf, size_t size)
{
	buf[0] = '\0';
	if (pool->is_starved)
		(void)snprintf(buf, size,
		    "no memory for another clone: %" PRIu64
		    " MiB are available, %" PRIu64 " are kept "
		    "(vm.memory_reserve), a clone takes %" PRIu64,
		    available(pool) / MIB, pool->limits.reserve_bytes / MIB,
		    (pool->counts.clone_bytes + MIB - 1) / MIB);
}

/* Said once, when runs wait and nothing will ever serve them. */
static void
starve(struct pool *p, const struct ref *ref, bool waits)
{
	bool is_stuck = waits && count_state(p, POOL_EMPTY) == p->limits.slots;
	char text[160];

	p->is_starved = true;
	if (is_stuck && !p->is_stuck) {
		pool_starved(p, text, sizeof(text));
		p->ear->said(p->arg, 0, ref->name, text);
	}
	p->is_stuck = is_stuck;
}

static void
make_clones(struct pool *p, struct mono now)
{
	struct ref *ref;
	bool waits;

	p->is_starved = false;
	while ((ref = most_wanted(p, &waits, now)) &&
	       count_state(p, POOL_CLONING) < p->limits.cloning) {
		struct slot *slot = slot_in(p, POOL_EMPTY, NULL);

		if (!slot || room(p) == 0) {
			if (slot)
				starve(p, ref, waits);
			/* One at a time: what dies is still there. */
			if (waits && count_state(p, POOL_DYING) == 0)
				(void)make_room(p, ref, now);
			p->refill_at.usec = now.usec + STARVED_USEC;
			return;
		}
		slot->ref = ref;
		ref->live++;
		slot_event(slot, EV_CLONE, now);
	}
}

/*
 * While nothing else is to be done, ready clones rehearse, one at a time: it
 * shortens a run by more than it costs, but what waits would wait for it.
 */
static void
rehearse(struct pool *p, struct mono now)
{
	if (p->counts.waiting > 0 || pool_running(p) > 0 ||
	    count_state(p, POOL_CLONING) + count_state(p, POOL_REHEARSING) > 0)
		return;
	for (uint32_t i = 0; i < p->limits.slots; i++) {
		struct slot *s = &p->slots[i];

		if (s->state != POOL_PARKED || !s->wants_rehearsal ||
		    s->ref->is_retired)
			continue;
		slot_event(s, EV_REHEARSE, now);
		return;
	}
}

/* Is a clone there that runs may get, or whose successor they may? */
static bool
may_serve(const struct ref *ref)
{
	const struct pool *p = ref->pool;
	bool may = false;

	for (uint32_t i = 0; i < p->limits.slots; i++)
		may = may || (p->slots[i].ref == ref &&
				 p->slots[i].state != POOL_LOST &&
				 p->slots[i].state != POOL_DYING);
	return may;
}

static void
give_up_hope(struct pool *p, struct mono now)
{
	struct ref *ref;
	char text[128];

	TAILQ_FOREACH (ref, &p->refs, link) {
		if (!ref->is_hopeless || ref->is_retired)
			continue;
		ref->is_hopeless = false;
		if (may_serve(ref))
			continue;
		(void)snprintf(text, sizeof(text), "no clone can be made: %s",
		    strerror(-ref->last_error));
		run_refuse_all(p, ref->name, ASK_END_REFUSED, text, now);
	}
}

static void
tell_waiting(struct pool *p, struct mono now)
{
	struct pool_run *run;

	TAILQ_FOREACH (run, &p->waiting, link) {
		struct ask_begun begun = {.is_waiting = 1};

		if (run->is_told)
			continue;
		run->is_told = true;
		begun.wait_usec = pool_predict(p, run, now);
		run->ops->begun(run->arg, &begun);
	}
}

void
pool_refill(struct pool *pool, struct mono now)
{
	pool->refill_at.usec = POOL_NEVER;
	give_parked(pool, now);
	shed(pool, now);
	if (!pool->is_ended) {
		make_clones(pool, now);
		pool->is_stuck = pool->is_stuck && pool->is_starved;
		rehearse(pool, now);
	}
	wait_for_rest(pool, now);
	give_up_hope(pool, now);
	tell_waiting(pool, now);
	pool_close_refs(pool);
	(void)memory(pool);
	pool->is_stale = false;
}
