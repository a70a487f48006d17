/*
 * tools/sim/simulate_run.c - one run: made, stepped by a batch, forgotten.
 */
#include "tools/sim/simulate_priv.h"

#include "common/io.h"

#include <math.h>
#include <stdlib.h>

/* Which policy can take the short way. */
static void (*step_of(const struct run *run, const struct trace *trace))(
    struct run *run)
{
	const struct model *model = run->model;
	const bool comes_true = !trace && run->even_speed &&
				!(model->tail_share > 0) &&
				!(model->hit_share > 0);

	switch (model->policy) {
	case FEED_SMALL_FIRST:
		return step_small_first;
	case FEED_STEAL:
		return step_steal;
	case FEED_SIZE:
		return model->slots == 1 ? step_size : step_lanes;
	case FEED_SIZE_LOAD:
	case FEED_LEAST_WORK:
	case FEED_POLICIES:
		break;
	}
	return model->slots == 1 && comes_true ? step_load : step_lanes;
}

static uint64_t
whole_patience(double patience)
{
	/* Above it, feed_due() says never in any case. */
	if (patience >= 0x1p63)
		return UINT64_C(1) << 63;
	return patience > 0 ? (uint64_t)llround(patience) : 0;
}

void
run_init(struct run *run, const struct model *model, const struct trace *trace,
    uint64_t seed, uint64_t number)
{
	const size_t lanes = model->limits.lanes;

	*run = (struct run){.model = model, .even_speed = true};
	source_init(&run->source, model, trace, seed, number);
	run->patience = whole_patience(model->patience);
	run->slots = xcalloc(lanes * model->slots, sizeof(*run->slots));
	for (size_t i = 0; i < lanes; i++) {
		run->slowness[i] = 1 / model->speed[i];
		run->even_speed &= model->speed[i] == 1;
		run->due_usec[i] = run->head_bytes[i] = UINT64_MAX;
	}
	run->step = step_of(run, trace);
}

void
run_done(struct run *run)
{
	source_done(&run->source);
	for (size_t i = 0; i < FEED_MAX_LANES; i++) {
		heap_done(&run->heaps[i]);
		fifo_done(&run->fifos[i]);
	}
	free(run->slots);
	run->slots = NULL;
}

uint64_t
run_at_usec(const struct run *run)
{
	const size_t n = run->batch.n;

	return n > 0 ? run->batch.arrived_usec[n - 1] : 0;
}

/*
 * What has begun since the last time belongs to the last n arrivals.  Where
 * messages may overtake, those that starve never begin, so that no wait tells
 * of them; else the waits themselves are what grows.
 */
static void
fold(struct run *run, size_t n)
{
	const bool overtaken = run->model->policy == FEED_SMALL_FIRST ||
			       run->model->policy == FEED_STEAL;

	series_add(&run->series,
	    (struct part){
		.arrivals = n,
		.messages = run->messages,
		.sum_usec = run->sum_usec,
		.backlog = overtaken ? run->waiting * n : run->sum_usec,
	    });
	run->all_messages += run->messages;
	run->all_sum_usec += run->sum_usec;
	run->messages = run->sum_usec = 0;
}

/* A trace's predictions are learned, so they change; others, too, where the
 * workers' speeds differ. */
static void
predict_limits(struct run *run)
{
	const struct feed_limits *limits = &run->model->limits;

	for (size_t i = 0; i < limits->lanes; i++)
		run->limit_usec[i] =
		    limits->max_bytes[i] == UINT64_MAX
			? 0
			: run_predicted_usec(run, source_predict(&run->source,
						      limits->max_bytes[i]));
}

void
run_batch(struct run *run, struct counts counts, size_t n)
{
	if (run->failed)
		return;
	run->counts = counts;
	source_fill(&run->source, &run->batch, n);
	predict_limits(run);
	run->step(run);
	fold(run, n);
}

void
run_drain(struct run *run, struct counts counts)
{
	run->counts = counts;
	if (run->step == step_lanes)
		drain_lanes(run);
	else if (run->step == step_small_first)
		drain_small_first(run);
	else if (run->step == step_steal)
		drain_steal(run);
	fold(run, 0);
}

void
run_forget(struct run *run)
{
	run->series = (struct series){0};
	run->all_messages = run->all_sum_usec = 0;
	run->measured_from_usec = run_at_usec(run);
}
