#include "tools/sim/batch.h"

#include "common/clock.h"
#include "feed/load.h"
#include "tools/sim/draw.h"
#include "tools/sim/sizes.h"
#include "tools/sim/trace.h"

#include <assert.h>

#define STREAMS 4 /* of one source */

/* What counts as for ever: 31 years.  Sums of a simulation hold many. */
#define MOST_USEC 1e15

/* What the feed believes at the first message of a trace: what the days before
 * have taught it, for which the model's line stands, if there is one. */
static struct load_prior
trace_prior(const struct model *model)
{
	if (!(model->fixed_s > 0 && model->per_octet_s > 0))
		return LOAD_PRIOR;
	return (struct load_prior){
	    model->fixed_s * USEC_PER_SEC, model->per_octet_s * USEC_PER_SEC};
}

void
source_init(struct source *source, const struct model *model,
    const struct trace *trace, uint64_t seed, uint64_t number)
{
	*source = (struct source){.model = model, .trace = trace};
	rng_init(&source->arrivals, seed, number * STREAMS);
	rng_init(&source->sizes, seed, number * STREAMS + 1);
	rng_init(&source->tails, seed, number * STREAMS + 2);
	rng_init(&source->hits, seed, number * STREAMS + 3);
	if (trace)
		source->load = load_new(1, 1, trace_prior(model));
}

void
source_done(struct source *source)
{
	source->load = load_free(source->load);
}

/* To the nearest microsecond, 1 .. MOST_USEC.  By way of a signed number, to
 * which the processor converts in one step. */
static inline uint64_t
whole_usec(double usec)
{
	usec = usec < 1 ? 1 : usec;
	usec = usec > MOST_USEC ? MOST_USEC : usec;
	return (uint64_t)(int64_t)(usec + 0.5);
}

static void
draw_arrivals(struct source *source, struct batch *batch)
{
	const double mean_usec = USEC_PER_SEC / source->model->rate;
	double gap[BATCH], now_usec = source->now_usec;

	draw_exponential(&source->arrivals, gap, batch->n);
	for (size_t i = 0; i < batch->n; i++) {
		now_usec += gap[i] * mean_usec;
		batch->arrived_usec[i] = (uint64_t)(int64_t)now_usec;
	}
	source->now_usec = now_usec;
}

/* Of the size before it was rounded, as the formulas have it: with sizes of
 * few octets the difference would be seen. */
static void
set_service(
    const struct model *model, const double *octets, struct batch *batch)
{
	const double fixed_usec = model->fixed_s * USEC_PER_SEC;
	const double usec_per_byte = model->per_octet_s * USEC_PER_SEC;

	for (size_t i = 0; i < batch->n; i++)
		batch->service_usec[i] = batch->predicted_usec[i] =
		    whole_usec(fixed_usec + usec_per_byte * octets[i]);
}

static void
add_tails(struct source *source, struct batch *batch)
{
	const double share = source->model->tail_share;
	const double tail_usec = source->model->tail_s * USEC_PER_SEC;

	for (size_t i = 0; i < batch->n; i++) {
		const double chance = rng_unit(&source->tails);
		const double part = rng_unit(&source->tails);

		if (chance < share)
			batch->service_usec[i] += whole_usec(part * tail_usec);
	}
}

static void
set_hits(struct source *source, struct batch *batch)
{
	const double share = source->model->hit_share;
	const uint64_t usec = whole_usec(source->model->fixed_s * USEC_PER_SEC);

	for (size_t i = 0; i < batch->n; i++)
		if (rng_unit(&source->hits) < share)
			batch->service_usec[i] = usec;
}

static void
draw(struct source *source, struct batch *batch)
{
	const struct model *model = source->model;
	double octets[BATCH];

	draw_arrivals(source, batch);
	sizes_draw(
	    model->sizes, &source->sizes, octets, batch->bytes, batch->n);
	set_service(model, octets, batch);
	if (model->tail_share > 0)
		add_tails(source, batch);
	if (model->hit_share > 0)
		set_hits(source, batch);
}

static void
read_trace(struct source *source, struct batch *batch)
{
	const struct trace_message *first = source->trace->messages;
	const struct trace_message *m = first + source->at;

	assert(source->at + batch->n <= source->trace->n);
	for (size_t i = 0; i < batch->n; i++, m++) {
		batch->arrived_usec[i] = m->arrived_usec - first->arrived_usec;
		batch->bytes[i] = m->bytes;
		batch->service_usec[i] = m->service_usec ? m->service_usec : 1;
		batch->predicted_usec[i] =
		    load_predict(source->load, LOAD_UNKNOWN, m->bytes);
		load_finished(source->load, "", m->bytes, m->service_usec);
	}
	source->at += batch->n;
}

uint64_t
source_predict(const struct source *source, uint64_t bytes)
{
	const struct model *model = source->model;

	if (source->trace)
		return load_predict(source->load, LOAD_UNKNOWN, bytes);
	return whole_usec(
	    (model->fixed_s + model->per_octet_s * (double)bytes) *
	    USEC_PER_SEC);
}

void
source_fill(struct source *source, struct batch *batch, size_t n)
{
	assert(n >= 1 && n <= BATCH);
	batch->n = n;
	if (source->trace)
		read_trace(source, batch);
	else
		draw(source, batch);
}
