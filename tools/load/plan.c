/* tools/load/plan.c - classes, order and arrivals. */
#include "plan.h"

#include <assert.h>

#define DEFAULT_COUNT 100

/* Streams of the seed that belong to the plan; messages have the rest. */
enum { STREAM_PLAN = 0, STREAM_CLOCK = 1 };

static uint64_t
gap_usec(struct plan *p)
{
	const struct plan_options *o = p->o;
	const double mean = USEC_PER_SEC / o->rate;

	switch (o->arrivals) {
	case ARRIVALS_POISSON:
		return (uint64_t)rng_exponential(&p->clock, mean);
	case ARRIVALS_UNIFORM:
		return (uint64_t)mean;
	case ARRIVALS_BURSTY:
		if (p->burst_left > 0) {
			p->burst_left--;
			return 0;
		}
		p->burst_left = rng_geometric(&p->clock, o->burst) - 1;
		return (uint64_t)rng_exponential(&p->clock, mean * o->burst);
	}
	return 0;
}

static void
draw_arrival(struct plan *p)
{
	if (p->o->rate > 0)
		p->due_usec += gap_usec(p);
}

void
plan_init(struct plan *p, struct plan_options *o, struct corpus *corpus,
    uint64_t now_usec)
{
	if (!o->has_count && corpus->count > 0)
		o->count = corpus->count + o->eicar_count;
	else if (!o->has_count)
		o->count = DEFAULT_COUNT;
	*p = (struct plan){
	    .o = o,
	    .corpus = corpus,
	    .next = 1,
	    .eicar_left = o->eicar_count,
	    .due_usec = now_usec,
	};
	rng_init(&p->rng, o->seed, STREAM_PLAN);
	rng_init(&p->clock, o->seed, STREAM_CLOCK);
	draw_arrival(p);
}

bool
plan_is_over(const struct plan *p)
{
	return p->next > p->o->count;
}

/* An exact number of EICARs: Knuth's selection sampling. */
static bool
is_counted_eicar(struct plan *p)
{
	const uint64_t left = p->o->count - p->next + 1;

	if (p->eicar_left == 0 || rng_below(&p->rng, left) >= p->eicar_left)
		return false;
	p->eicar_left--;
	return true;
}

static enum msg_class
draw_class(struct plan *p)
{
	const struct plan_options *o = p->o;
	double u = rng_unit(&p->rng);

	if (is_counted_eicar(p) ||
	    (o->eicar_every > 0 && p->next % o->eicar_every == 0))
		return CLASS_EICAR;
	if ((u -= o->eicar_share) < 0)
		return CLASS_EICAR;
	if ((u -= o->ext_share) < 0)
		return CLASS_EXT;
	if ((u -= o->spam_share) < 0)
		return CLASS_SPAM;
	if ((u -= o->attach_share) < 0)
		return CLASS_ATTACH;
	return p->corpus->count > 0 ? CLASS_CORPUS : CLASS_HAM;
}

/* Each cycle through the corpus is a new order: drawn without putting back. */
static const char *
draw_file(struct plan *p)
{
	struct corpus *c = p->corpus;

	c->drawn %= c->count;
	if (c->drawn == 0)
		rng_shuffle(&p->rng, (void **)c->paths, c->count);
	return c->paths[c->drawn++];
}

void
plan_next(struct plan *p, struct job *ret_job)
{
	assert(!plan_is_over(p));
	*ret_job = (struct job){
	    .number = p->next,
	    .class = draw_class(p),
	    .due_usec = p->due_usec,
	};
	if (ret_job->class == CLASS_CORPUS)
		ret_job->file = draw_file(p);
	p->next++;
	draw_arrival(p);
}
