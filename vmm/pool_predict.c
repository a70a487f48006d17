/*
 * How long a run will wait.
 */
#include "vmm/pool_priv.h"

#include "vmm/admit.h"

#include <string.h>

static uint64_t
left(uint64_t usual, struct mono since, struct mono now)
{
	uint64_t spent = mono_span(since, now);

	return usual > spent ? usual - spent : 0;
}

/* In how long this slot has a clone for the next run; false: never. */
static bool
free_in(const struct slot *s, const struct ref *ref, struct mono now,
    uint64_t *ret_usec)
{
	const struct pool_counts *c = &s->pool->counts;

	if (s->state != POOL_EMPTY && s->ref != ref)
		return false;
	switch (s->state) {
	case POOL_PARKED:
		*ret_usec = 0;
		return true;
	case POOL_CLONING:
		*ret_usec = left(c->clone_usec, s->since, now);
		return true;
	case POOL_REHEARSING:
		*ret_usec = left(c->rehearse_usec, s->since, now);
		return true;
	case POOL_TAKING:
	case POOL_RUNNING:
	case POOL_DRAINING:
		*ret_usec =
		    left(c->serve_usec, s->given_at, now) + c->clone_usec;
		return true;
	case POOL_DYING:
		*ret_usec =
		    left(c->destroy_usec, s->since, now) + c->clone_usec;
		return true;
	case POOL_EMPTY:
	case POOL_LOST:
	case POOL_STATES:
		break;
	}
	return false;
}

uint64_t
pool_predict(
    const struct pool *pool, const struct pool_run *run, struct mono now)
{
	const struct ref *ref = pool_ref(pool, run->what.reference);
	uint64_t free_usec[ASK_CLONES_MAX];
	const struct pool_run *other;
	size_t n = 0, ahead = 0;

	if (!ref)
		return ADMIT_UNKNOWN;
	for (uint32_t i = 0; i < pool->limits.slots; i++)
		n += free_in(&pool->slots[i], ref, now, &free_usec[n]);
	/* More clones than may run: it is the running ones that one waits for.
	 */
	n = admit_servers(
	    free_usec, n, pool_running(pool), pool->limits.running);
	TAILQ_FOREACH (other, &pool->waiting, link) {
		if (other == run)
			break;
		ahead += strcmp(other->what.reference, ref->name) == 0;
	}
	return admit_wait(free_usec, n, ahead,
	    pool->counts.serve_usec + pool->counts.clone_usec);
}
