/*
 * tools/sim/simulate_priv.h - one independent run of a model: its lanes on
 * the virtual clock, and the policies that step it.
 *
 * What a lane does is known here (when its servers are free); what the feed
 * expects of it is in feed/load.h alone, and who goes where in feed/sort.h.
 */
#ifndef SLUICE_TOOLS_SIM_SIMULATE_PRIV_H
#define SLUICE_TOOLS_SIM_SIMULATE_PRIV_H

#include "feed/load.h"
#include "feed/sort.h"
#include "tools/sim/batch.h"
#include "tools/sim/heap.h"
#include "tools/sim/simulate.h"
#include "tools/sim/stats.h"

/* One server of a lane with several; the first of them is free first. */
struct slot {
	uint64_t free_usec;
	uint64_t predicted_usec; /* when the feed expects it to be free */
};

/* What one thread counts: lanes, then classes. */
struct counts {
	struct tally *lanes, *classes;
};

struct run {
	const struct model *model;
	struct counts counts; /* of the thread that steps it now */
	struct source source;
	struct batch batch;
	void (*step)(struct run *run);   /* run->batch, with the policy */
	bool even_speed;                 /* every speed is 1 */
	double slowness[FEED_MAX_LANES]; /* 1 / speed */
	/* Of what has begun: how many, and the slowness of their lanes. */
	double begun, begun_slowness;
	uint64_t patience;

	uint64_t now_usec;
	uint64_t free_usec[FEED_MAX_LANES]; /* first of the lane's servers */
	struct slot *slots;                 /* model->slots a lane */
	struct load_sum sums[FEED_MAX_LANES];
	/* What waits: a class each (small-first), or a lane each. */
	struct heap heaps[FEED_MAX_LANES];
	struct fifo fifos[FEED_MAX_LANES];
	/* Of their heads: what feed_take() and feed_steal() look at. */
	uint64_t due_usec[FEED_MAX_LANES], head_bytes[FEED_MAX_LANES];
	uint64_t limit_usec[FEED_MAX_LANES]; /* predicted, of a limit's size */
	/* What feed/load.h says, each time anew: here, for an array of a
	 * function would be cleared at each call. */
	uint64_t empty_usec[FEED_MAX_LANES];
	size_t waiting;
	uint64_t queued; /* have been in a heap */
	bool failed;     /* no memory for what waits */

	/* Began service, and how long they had waited, since the last fold. */
	uint64_t messages, sum_usec;
	/* And since run_forget(). */
	uint64_t all_messages, all_sum_usec;
	uint64_t measured_from_usec;
	struct series series;
};

void run_init(struct run *run, const struct model *model,
    const struct trace *trace, uint64_t seed, uint64_t number);
void run_done(struct run *run);

/* n more arrivals, 1 .. BATCH, counted in counts; nothing after a failure. */
void run_batch(struct run *run, struct counts counts, size_t n);

/* Nobody comes any more: what still waits begins. */
void run_drain(struct run *run, struct counts counts);

/* What was counted so far was the warm-up; counts are the caller's. */
void run_forget(struct run *run);

/* When the last message arrived. */
uint64_t run_at_usec(const struct run *run);

/*
 * How many lanes, and servers in each.  Loops take it as a value of its own,
 * so that there is a copy of them for the commonest, which the compiler
 * unrolls: a lane has four instructions then, and no branch.
 */
struct shape {
	size_t lanes, slots;
};

#define FLATTEN static inline __attribute__((always_inline))

FLATTEN struct shape
run_shape(const struct run *run)
{
	return (struct shape){run->model->limits.lanes, run->model->slots};
}

FLATTEN bool
is_common(struct shape shape)
{
	return shape.lanes == 4 && shape.slots == 1;
}

#define COMMON_SHAPE ((struct shape){4, 1})

/* The policies.  step_size and step_load: one server a lane, and for the
 * second predictions that come true; step_lanes is what they do in general. */
void step_size(struct run *run);
void step_load(struct run *run);
void step_lanes(struct run *run);
void step_small_first(struct run *run);
void step_steal(struct run *run);
void drain_lanes(struct run *run);
void drain_small_first(struct run *run);
void drain_steal(struct run *run);

/* One server of lane is busy up to free_usec: the one that was free first. */
FLATTEN void
lane_serve(struct run *run, struct shape shape, size_t lane, uint64_t free_usec,
    uint64_t predicted_usec)
{
	const size_t n = shape.slots;
	struct slot *slots = &run->slots[lane * n];
	size_t at = 0, child;

	for (; (child = 2 * at + 1) < n; at = child) {
		child += child + 1 < n &&
			 slots[child + 1].free_usec < slots[child].free_usec;
		if (slots[child].free_usec >= free_usec)
			break;
		slots[at] = slots[child];
	}
	slots[at] = (struct slot){free_usec, predicted_usec};
	run->free_usec[lane] = slots[0].free_usec;
}

/* To the nearest microsecond, 1 .. 31 years, as in batch.c. */
static inline uint64_t
slowed_usec(uint64_t usec, double slowness)
{
	double slowed = (double)(int64_t)usec * slowness;

	slowed = slowed > 1e15 ? 1e15 : slowed;
	return slowed < 1 ? 1 : (uint64_t)(int64_t)(slowed + 0.5);
}

FLATTEN uint64_t
lane_service_usec(const struct run *run, size_t lane, uint64_t service_usec)
{
	return run->even_speed ? service_usec
			       : slowed_usec(service_usec, run->slowness[lane]);
}

/*
 * What the feed takes a message for that a worker of speed 1 is expected to
 * serve in usec.  It doesn't know the workers' speeds: feed/model.c learns one
 * line of what all of them have measured.
 */
FLATTEN uint64_t
run_predicted_usec(const struct run *run, uint64_t usec)
{
	return run->even_speed || run->begun == 0
		   ? usec
		   : slowed_usec(usec, run->begun_slowness / run->begun);
}

FLATTEN struct waiting
run_arrival(const struct run *run, size_t i)
{
	const struct batch *batch = &run->batch;

	return (struct waiting){
	    .arrived_usec = batch->arrived_usec[i],
	    .service_usec = batch->service_usec[i],
	    .predicted_usec = run_predicted_usec(run, batch->predicted_usec[i]),
	    .bytes = batch->bytes[i],
	};
}

/* A message began after wait_usec, in lane, and is of class. */
FLATTEN void
run_count(struct run *run, size_t lane, size_t class, uint64_t wait_usec,
    uint64_t service_usec)
{
	const size_t bucket = tally_bucket(wait_usec);

	run->messages++;
	run->sum_usec += wait_usec;
	tally_add(&run->counts.lanes[lane], bucket, wait_usec, service_usec);
	tally_add(&run->counts.classes[class], bucket, wait_usec, service_usec);
}

/* A message begins service in lane, which is free by now. */
FLATTEN void
run_begin(struct run *run, struct shape shape, size_t lane, size_t class,
    uint64_t arrived_usec, uint64_t service_usec, uint64_t predicted_usec,
    uint64_t now_usec)
{
	const uint64_t usec = lane_service_usec(run, lane, service_usec);

	if (!run->even_speed) {
		run->begun++;
		run->begun_slowness += run->slowness[lane];
	}
	lane_serve(
	    run, shape, lane, now_usec + usec, now_usec + predicted_usec);
	run_count(run, lane, class, now_usec - arrived_usec, usec);
}

/* Set empty_usec to when the feed expects each lane to be empty, from now on:
 * what waits, and of what is in service the rest of what was predicted, which
 * is a microsecond at least, as in load_empty_usec(). */
FLATTEN void
run_look(struct run *run, struct shape shape, uint64_t now_usec)
{
	const size_t n = shape.slots;
	const struct slot *slot = run->slots;
	const struct mono now = {now_usec};

	for (size_t lane = 0; lane < shape.lanes; lane++) {
		uint64_t left_usec = 0;

		for (const struct slot *end = slot + n; slot < end; slot++) {
			uint64_t end_usec = now_usec + n;

			if (slot->free_usec <= now_usec)
				continue;
			if (slot->predicted_usec > end_usec)
				end_usec = slot->predicted_usec;
			left_usec += end_usec - now_usec;
		}
		load_sum_serving(&run->sums[lane], left_usec, now);
		run->empty_usec[lane] =
		    load_sum_usec(&run->sums[lane], now) / n;
	}
}

#endif
