/*
 * tools/sim/simulate_event.c - small-first and steal: a lane that becomes
 * free chooses, so what lanes do depends on each other's order.
 *
 * While nothing waits there is nothing to choose, and only arrivals are
 * looked at; while something does, so is each instant at which a lane becomes
 * free or is expected to be so soon.  There every free lane is asked, the
 * narrowest first, as long as one of them takes something.
 */
#include "tools/sim/simulate_priv.h"

/* The next instant after run->now_usec at which a lane becomes free;
 * UINT64_MAX: none is busy. */
FLATTEN uint64_t
next_free_usec(const struct run *run, struct shape shape)
{
	uint64_t next_usec = UINT64_MAX;

	for (size_t i = 0; i < shape.lanes; i++) {
		const uint64_t usec = run->free_usec[i] > run->now_usec
					  ? run->free_usec[i]
					  : UINT64_MAX;

		next_usec = usec < next_usec ? usec : next_usec;
	}
	return next_usec;
}

/* Lanes that are free now, a bit each. */
FLATTEN uint64_t
free_lanes(const struct run *run, struct shape shape)
{
	uint64_t lanes = 0;

	for (size_t i = 0; i < shape.lanes; i++)
		lanes |= (uint64_t)(run->free_usec[i] <= run->now_usec) << i;
	return lanes;
}

typedef bool take_function(struct run *run, struct shape shape, size_t lane);
typedef uint64_t moment_function(const struct run *run, struct shape shape);

FLATTEN void
ask_free_lanes(struct run *run, struct shape shape, take_function *take)
{
	bool taken = true;

	while (taken && run->waiting > 0) {
		uint64_t lanes = free_lanes(run, shape);

		for (taken = false; lanes; lanes &= lanes - 1)
			taken |=
			    take(run, shape, (size_t)__builtin_ctzll(lanes));
	}
}

/* Up to the arrival at now_usec, which is still to come.  other is when, but
 * for a lane that becomes free, lanes have to be asked. */
FLATTEN void
run_until(struct run *run, struct shape shape, uint64_t now_usec,
    take_function *take, moment_function *other)
{
	while (run->waiting > 0) {
		const uint64_t free_usec = next_free_usec(run, shape);
		const uint64_t other_usec = other(run, shape);
		const uint64_t next_usec =
		    free_usec < other_usec ? free_usec : other_usec;

		if (next_usec > now_usec)
			break;
		run->now_usec = next_usec;
		ask_free_lanes(run, shape, take);
	}
	run->now_usec = now_usec;
}

/* What feed_take() wants to know of the lanes, which hold nothing but what is
 * in service; with several servers, the first that is expected to be free. */
FLATTEN void
look_for_next(struct run *run, struct shape shape)
{
	const size_t n = shape.slots;
	const uint64_t now_usec = run->now_usec;
	const struct mono now = {now_usec};
	const struct slot *slot = run->slots;

	for (size_t i = 0; i < shape.lanes; i++) {
		uint64_t next_usec = UINT64_MAX;

		for (const struct slot *end = slot + n; slot < end; slot++)
			if (slot->predicted_usec < next_usec)
				next_usec = slot->predicted_usec;
		next_usec = next_usec > now_usec ? next_usec - now_usec : 0;
		if (run->free_usec[i] <= now_usec)
			next_usec = 0;
		load_sum_serving(&run->sums[i], next_usec, now);
		run->empty_usec[i] = load_sum_usec(&run->sums[i], now);
	}
}

/* The class that a lane takes from, or as many as there are lanes. */
FLATTEN size_t
ask_small_first(struct run *run, struct shape shape, size_t lane)
{
	look_for_next(run, shape);
	return feed_take(&run->model->limits, lane, run->due_usec,
	    run->empty_usec, run->limit_usec);
}

FLATTEN bool
take_small_first(struct run *run, struct shape shape, size_t lane)
{
	const size_t class = ask_small_first(run, shape, lane);
	struct waiting w;

	if (class == shape.lanes)
		return false;
	w = heap_pop(&run->heaps[class]);
	run->due_usec[class] = heap_due(&run->heaps[class]);
	run->waiting--;
	run_begin(run, shape, lane, class, w.arrived_usec, w.service_usec,
	    w.predicted_usec, run->now_usec);
	return true;
}

/* A busy lane may be as good as free before it is: from that moment on
 * feed_take() may say something else.  UINT64_MAX: there is none. */
FLATTEN uint64_t
next_soon_usec(const struct run *run, struct shape shape)
{
	const struct feed_limits *limits = &run->model->limits;
	const struct slot *end = run->slots + shape.lanes * shape.slots;
	uint64_t next_usec = UINT64_MAX;

	if (run->waiting == 0 || !free_lanes(run, shape))
		return UINT64_MAX;
	for (size_t k = 0; limits->max_bytes[k] != UINT64_MAX; k++) {
		const uint64_t now_usec = run->now_usec + run->limit_usec[k];

		for (const struct slot *s = run->slots; s < end; s++)
			if (s->predicted_usec > now_usec &&
			    s->predicted_usec - run->limit_usec[k] < next_usec)
				next_usec =
				    s->predicted_usec - run->limit_usec[k];
	}
	return next_usec;
}

/* Nothing else waits, so it needs no heap.  false: no lane takes it. */
FLATTEN bool
begin_alone(
    struct run *run, struct shape shape, size_t class, const struct waiting *w)
{
	uint64_t lanes = free_lanes(run, shape);

	run->due_usec[class] = w->due_usec;
	for (; lanes; lanes &= lanes - 1) {
		const size_t lane = (size_t)__builtin_ctzll(lanes);

		if (ask_small_first(run, shape, lane) != class)
			continue;
		run->due_usec[class] = UINT64_MAX;
		run_begin(run, shape, lane, class, w->arrived_usec,
		    w->service_usec, w->predicted_usec, run->now_usec);
		return true;
	}
	return false;
}

FLATTEN void
small_first_all(struct run *run, struct shape shape)
{
	for (size_t i = 0; i < run->batch.n; i++) {
		struct waiting w = run_arrival(run, i);
		const size_t class = feed_class(&run->model->limits, w.bytes);

		w.due_usec =
		    feed_due(w.arrived_usec, w.predicted_usec, run->patience);
		run_until(run, shape, w.arrived_usec, take_small_first,
		    next_soon_usec);
		if (run->waiting == 0 && begin_alone(run, shape, class, &w))
			continue;
		w.number = run->queued++;
		if (!heap_push(&run->heaps[class], &w)) {
			run->failed = true;
			return;
		}
		run->due_usec[class] = heap_due(&run->heaps[class]);
		run->waiting++;
		ask_free_lanes(run, shape, take_small_first);
	}
}

void
step_small_first(struct run *run)
{
	if (is_common(run_shape(run)))
		small_first_all(run, COMMON_SHAPE);
	else
		small_first_all(run, run_shape(run));
}

void
drain_small_first(struct run *run)
{
	const struct shape shape = run_shape(run);

	run_until(run, shape, UINT64_MAX - 1, take_small_first, next_soon_usec);
}

/* The first of from begins service in lane. */
FLATTEN void
begin_first(struct run *run, struct shape shape, size_t from, size_t lane)
{
	struct fifo *fifo = &run->fifos[from];
	const struct waiting w = *fifo_first(fifo);

	fifo_pop(fifo);
	run->head_bytes[from] =
	    fifo->n > 0 ? fifo_first(fifo)->bytes : UINT64_MAX;
	run->waiting--;
	load_sum_begin(&run->sums[from], w.predicted_usec);
	run_begin(run, shape, lane, feed_class(&run->model->limits, w.bytes),
	    w.arrived_usec, w.service_usec, w.predicted_usec, run->now_usec);
}

/* What a lane may take changes with what is in the queues alone. */
FLATTEN uint64_t
never_usec(const struct run *run, struct shape shape)
{
	(void)run;
	(void)shape;
	return UINT64_MAX;
}

/* Its own first, else another's. */
FLATTEN bool
take_steal(struct run *run, struct shape shape, size_t lane)
{
	const struct feed_limits *limits = &run->model->limits;
	size_t from = lane;

	if (run->fifos[lane].n == 0) {
		run_look(run, shape, run->now_usec);
		from =
		    feed_steal(limits, lane, run->empty_usec, run->head_bytes);
	}
	if (from == shape.lanes)
		return false;
	begin_first(run, shape, from, lane);
	return true;
}

FLATTEN void
steal_all(struct run *run, struct shape shape)
{
	const struct feed_limits *limits = &run->model->limits;

	for (size_t i = 0; i < run->batch.n; i++) {
		const struct waiting w = run_arrival(run, i);
		size_t lane;

		run_until(run, shape, w.arrived_usec, take_steal, never_usec);
		run_look(run, shape, run->now_usec);
		lane = feed_pick(FEED_STEAL, limits, run->empty_usec, w.bytes);
		load_sum_wait(&run->sums[lane], w.predicted_usec);
		if (!fifo_push(&run->fifos[lane], &w)) {
			run->failed = true;
			return;
		}
		run->head_bytes[lane] = fifo_first(&run->fifos[lane])->bytes;
		run->waiting++;
		ask_free_lanes(run, shape, take_steal);
	}
}

void
step_steal(struct run *run)
{
	if (is_common(run_shape(run)))
		steal_all(run, COMMON_SHAPE);
	else
		steal_all(run, run_shape(run));
}

void
drain_steal(struct run *run)
{
	const struct shape shape = run_shape(run);

	run_until(run, shape, UINT64_MAX - 1, take_steal, never_usec);
}
