/*
 * What the cells of the table in pool_step.c do (docs/vm-lifecycle.md).
 */
#include "vmm/pool_priv.h"

#include "vmm/admit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PAUSE_FIRST_USEC (100 * USEC_PER_MSEC)
#define PAUSE_LAST_USEC  (10 * USEC_PER_SEC)
/* Clones in a row that could not be made, until waiting runs are refused. */
#define HOPELESS 3

static void
slot_say(const struct slot *slot, const char *text)
{
	const struct pool *p = slot->pool;

	p->ear->said(
	    p->arg, slot->number, slot->ref ? slot->ref->name : "", text);
}

static void
late_after(struct slot *slot, uint64_t usec, struct mono now)
{
	slot->late_at.usec = now.usec + usec;
}

static void
measure(struct slot *slot, struct vmm_stats *ret)
{
	struct pool *p = slot->pool;

	memset(ret, 0, sizeof(*ret));
	slot->ref->ops->stats(slot->vm, ret);
	if (ret->private_bytes)
		slot->private_bytes = ret->private_bytes;
	p->counts.clone_bytes =
	    admit_grown(p->counts.clone_bytes, ret->private_bytes);
}

static void
empty(struct slot *slot)
{
	slot->ref->live--;
	slot->ref = NULL;
	slot->vm = NULL;
	slot->private_bytes = 0;
	slot->clone_usec = 0;
	slot->wants_rehearsal = false;
	slot->is_full = false;
	slot->given_at.usec = 0;
}

static void
no_vm(struct slot *slot)
{
	slot->pool->ear->unwatch(slot->pool->arg, slot->number);
	slot->vm = NULL;
}

/* The reference rests a little longer after each failure. */
static void
rest(struct ref *ref, struct mono now)
{
	uint64_t pause = PAUSE_FIRST_USEC;

	for (unsigned int i = 0; i < ref->failures && pause < PAUSE_LAST_USEC;
	     i++)
		pause *= 2;
	if (pause > PAUSE_LAST_USEC)
		pause = PAUSE_LAST_USEC;
	ref->retry_at.usec = now.usec + pause;
	if (++ref->failures >= HOPELESS)
		ref->is_hopeless = true;
}

/* Actions. */

void
act_nothing(struct slot *slot, struct mono now)
{
	(void)slot;
	(void)now;
}

/* What a back end in order does not tell, nor we ask for. */
void
act_odd(struct slot *slot, struct mono now)
{
	(void)now;
	slot->pool->counts.odd++;
}

void
act_begin(struct slot *slot, struct mono now)
{
	struct pool *p = slot->pool;
	struct vm *vm = NULL;
	int r = slot->ref->ops->clone(slot->ref->vmm, slot->number, &vm);

	if (r < 0) {
		slot->ref->last_error = r;
		slot_event(slot, EV_REFUSED, now);
		return;
	}
	slot->vm = vm;
	late_after(slot, p->limits.clone_usec, now);
	p->ear->watch(p->arg, slot->number, slot->ref->ops->event_fd(vm));
}

void
act_unmade(struct slot *slot, struct mono now)
{
	slot->pool->counts.failed++;
	rest(slot->ref, now);
	slot_say(slot, strerror(-slot->ref->last_error));
	empty(slot);
}

void
act_park(struct slot *slot, struct mono now)
{
	struct pool *p = slot->pool;
	struct vmm_stats stats;

	(void)now;
	measure(slot, &stats);
	slot->clone_usec = stats.clone_usec;
	slot->wants_rehearsal = stats.wants_rehearsal;
	slot->ref->failures = 0;
	p->counts.cloned++;
	p->counts.clone_usec =
	    admit_mean(p->counts.clone_usec, stats.clone_usec);
}

void
act_rehearse(struct slot *slot, struct mono now)
{
	slot->begun_at = now;
	late_after(slot, slot->pool->limits.clone_usec, now);
	if (slot->ref->ops->rehearse(slot->vm) < 0)
		slot_event(slot, EV_REFUSED, now);
}

void
act_ready(struct slot *slot, struct mono now)
{
	struct pool_counts *c = &slot->pool->counts;
	struct vmm_stats stats = {0};

	/* It says nothing yet of what a clone grows to. */
	slot->ref->ops->stats(slot->vm, &stats);
	slot->private_bytes = stats.private_bytes;
	slot->wants_rehearsal = stats.wants_rehearsal;
	c->rehearse_usec =
	    admit_mean(c->rehearse_usec, mono_span(slot->begun_at, now));
}

void
act_destroy(struct slot *slot, struct mono now)
{
	int r;

	slot->begun_at = now;
	late_after(slot, slot->pool->limits.destroy_usec, now);
	r = slot->ref->ops->destroy(slot->vm);
	if (r < 0)
		slot_event(slot, EV_REFUSED, now);
}

void
act_fail(struct slot *slot, struct mono now)
{
	slot->pool->counts.failed++;
	slot->ref->last_error = -ETIMEDOUT;
	rest(slot->ref, now);
	slot_say(slot, "a clone died or was not ready in time");
	act_destroy(slot, now);
}

void
act_bury(struct slot *slot, struct mono now)
{
	slot->pool->counts.died++;
	slot_say(slot, "a parked clone died, or took too long to rehearse");
	rest(slot->ref, now); /* they may all do so */
	act_destroy(slot, now);
}

void
act_give(struct slot *slot, struct mono now)
{
	struct pool_run *run = slot->run;
	const struct vmm_ops *ops = slot->ref->ops;
	const struct vmm_sample sample = {.fd = run->fd,
	    .bytes = run->what.bytes,
	    .name = run->what.name,
	    .type = run->what.type,
	    .mail = run->what.mail};
	struct ask_begun begun = {.is_waiting = 0};
	struct mono before = mono_now(); /* how long our own work takes */
	int r;

	slot->given_at = now;
	run->started_at = now;
	run->times.queue = mono_span(run->asked_at, now);
	run->times.clone = slot->clone_usec;
	memcpy(begun.digest, slot->ref->digest, sizeof(begun.digest));
	run->ops->begun(run->arg, &begun);
	r = ops->inject(slot->vm, &sample);
	run->times.inject = mono_span(before, mono_now());
	if (r == 0)
		r = ops->run_start(slot->vm, run->what.deadline_usec);
	if (r < 0) {
		slot->ref->last_error = r;
		slot_event(slot, EV_REFUSED, now);
		return;
	}
	late_after(slot, slot->pool->limits.take_usec, now);
}

void
act_took(struct slot *slot, struct mono now)
{
	struct pool_run *run = slot->run;

	run->taken_at = now;
	run->times.take = mono_span(run->started_at, now);
	late_after(
	    slot, run->what.deadline_usec + slot->pool->limits.grace_usec, now);
	run_pump(slot, now); /* a bell may have come before */
}

void
act_pump(struct slot *slot, struct mono now)
{
	run_pump(slot, now);
}

/* The run is over; the rest of its report is read before the clone goes. */
static void
drain(struct slot *slot, enum ask_end end, struct mono now)
{
	struct pool_run *run = slot->run;

	run->end = end;
	run->ended_at = now;
	run->times.run = run->taken_at.usec ? mono_span(run->taken_at, now) : 0;
	late_after(slot, slot->pool->limits.drain_usec, now);
	run_pump(slot, now);
}

void
act_end(struct slot *slot, struct mono now)
{
	drain(slot, ASK_END_PROGRAM, now);
}

void
act_expire(struct slot *slot, struct mono now)
{
	drain(slot, ASK_END_DEADLINE, now);
}

void
act_die(struct slot *slot, struct mono now)
{
	slot->pool->counts.died++;
	slot_say(slot, "a clone died in a run");
	drain(slot, ASK_END_DIED, now);
}

static void
say_done(struct slot *slot, enum ask_end why, const char *text, struct mono now)
{
	struct vmm_stats stats;

	measure(slot, &stats); /* before it goes; what its run made of it */
	slot->run->lost = (uint32_t)stats.lost_events;
	run_done(slot->run, why, text, now);
}

void
act_silent(struct slot *slot, struct mono now)
{
	slot->pool->counts.silent++;
	slot_say(slot, "the agent of a clone did not answer");
	say_done(slot, ASK_END_SILENT, "", now);
	act_destroy(slot, now);
}

void
act_stop(struct slot *slot, struct mono now)
{
	say_done(slot, ASK_END_STOPPED, "", now);
	act_destroy(slot, now);
}

void
act_refuse(struct slot *slot, struct mono now)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "the file could not be handed over: %s",
	    strerror(-slot->ref->last_error));
	say_done(slot, ASK_END_REFUSED, text, now);
	act_destroy(slot, now);
}

void
act_finish(struct slot *slot, struct mono now)
{
	slot->run->times.collect = mono_span(slot->run->ended_at, now);
	say_done(slot, slot->run->end, "", now);
	act_destroy(slot, now);
}

void
act_unread(struct slot *slot, struct mono now)
{
	say_done(slot, ASK_END_REFUSED, "the report was not read in time", now);
	act_destroy(slot, now);
}

void
act_dismiss(struct slot *slot, struct mono now)
{
	say_done(slot, ASK_END_REFUSED, slot->pool->end_why, now);
	act_destroy(slot, now);
}

void
act_clear(struct slot *slot, struct mono now)
{
	struct pool_counts *c = &slot->pool->counts;

	c->destroy_usec =
	    admit_mean(c->destroy_usec, mono_span(slot->begun_at, now));
	if (slot->given_at.usec)
		c->serve_usec =
		    admit_mean(c->serve_usec, mono_span(slot->given_at, now));
	no_vm(slot);
	empty(slot);
}

void
act_vanish(struct slot *slot, struct mono now)
{
	slot->pool->counts.odd++;
	slot->pool->counts.died++;
	slot_say(slot, "a clone went without having been destroyed");
	rest(slot->ref, now);
	no_vm(slot);
	if (slot->run)
		run_done(slot->run, ASK_END_DIED, "", now);
	empty(slot);
}

/* Destroyed in vain: what is still watched may go later. */
void
act_write_off(struct slot *slot, struct mono now)
{
	(void)now;
	slot->pool->counts.written_off++;
	slot_say(slot, "a clone did not end in time: its slot is written off");
}

/* The struct vm is lost with it. */
void
act_lose(struct slot *slot, struct mono now)
{
	(void)now;
	slot->pool->counts.written_off++;
	slot_say(slot, "a clone can't be ended: its slot is written off");
	no_vm(slot);
}

void
act_reclaim(struct slot *slot, struct mono now)
{
	slot->pool->counts.reclaimed++;
	slot_say(slot, "a slot that was written off is free again");
	act_clear(slot, now);
}
