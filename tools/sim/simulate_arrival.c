/*
 * tools/sim/simulate_arrival.c - size, size+load, least-work: the lane is
 * chosen when a message arrives, and each lane serves in that order.  So no
 * event has to be waited for: when a message begins is known at its arrival
 * (Lindley 1952).
 */
#include "tools/sim/simulate_priv.h"

void
step_size(struct run *run)
{
	const struct feed_limits *limits = &run->model->limits;
	const struct batch *batch = &run->batch;

	for (size_t i = 0; i < batch->n; i++) {
		const uint64_t now_usec = batch->arrived_usec[i];
		const size_t lane =
		    feed_pick(FEED_SIZE, limits, NULL, batch->bytes[i]);
		const uint64_t usec =
		    lane_service_usec(run, lane, batch->service_usec[i]);
		const uint64_t free_usec = run->free_usec[lane];
		const uint64_t wait_usec =
		    free_usec > now_usec ? free_usec - now_usec : 0;

		run->free_usec[lane] = now_usec + wait_usec + usec;
		run_count(run, lane, lane, wait_usec, usec);
	}
}

/*
 * One server a lane, and everything takes as long as predicted: then what is
 * expected of a lane is what a message will wait there, so the lanes' sums
 * are all there is to keep.  A lane with work never rests, so all of its work
 * counts as in service.
 */
FLATTEN void
load_all(struct run *run, struct shape shape)
{
	const struct feed_limits *limits = &run->model->limits;
	const enum feed_policy policy = run->model->policy;
	const struct batch *batch = &run->batch;

	for (size_t i = 0; i < batch->n; i++) {
		const struct mono now = {batch->arrived_usec[i]};
		const uint64_t bytes = batch->bytes[i];
		const uint64_t usec = batch->service_usec[i];
		uint64_t wait_usec;
		size_t lane;

		for (lane = 0; lane < shape.lanes; lane++)
			run->empty_usec[lane] =
			    load_sum_usec(&run->sums[lane], now);
		lane = feed_pick(policy, limits, run->empty_usec, bytes);
		wait_usec = run->empty_usec[lane];
		load_sum_serving(&run->sums[lane], wait_usec + usec, now);
		run_count(
		    run, lane, feed_class(limits, bytes), wait_usec, usec);
	}
}

void
step_load(struct run *run)
{
	if (is_common(run_shape(run)))
		load_all(run, COMMON_SHAPE);
	else
		load_all(run, run_shape(run));
}

/* Begin what lane could begin up to now. */
static void
catch_up(struct run *run, size_t lane, uint64_t now_usec)
{
	struct fifo *fifo = &run->fifos[lane];

	while (fifo->n > 0) {
		const struct waiting *w = fifo_first(fifo);
		const uint64_t free_usec = run->free_usec[lane];
		const uint64_t begin_usec =
		    free_usec > w->arrived_usec ? free_usec : w->arrived_usec;

		if (begin_usec > now_usec)
			return;
		load_sum_begin(&run->sums[lane], w->predicted_usec);
		run_begin(run, run_shape(run), lane,
		    feed_class(&run->model->limits, w->bytes), w->arrived_usec,
		    w->service_usec, w->predicted_usec, begin_usec);
		fifo_pop(fifo);
	}
}

void
step_lanes(struct run *run)
{
	const struct model *model = run->model;

	for (size_t i = 0; i < run->batch.n && !run->failed; i++) {
		const struct waiting w = run_arrival(run, i);
		size_t lane;

		for (lane = 0; lane < model->limits.lanes; lane++)
			catch_up(run, lane, w.arrived_usec);
		run_look(run, run_shape(run), w.arrived_usec);
		lane = feed_pick(
		    model->policy, &model->limits, run->empty_usec, w.bytes);
		load_sum_wait(&run->sums[lane], w.predicted_usec);
		run->failed = !fifo_push(&run->fifos[lane], &w);
		catch_up(run, lane, w.arrived_usec);
	}
}

void
drain_lanes(struct run *run)
{
	for (size_t lane = 0; lane < run->model->limits.lanes; lane++)
		catch_up(run, lane, UINT64_MAX);
}
