/*
 * tools/sim/batch.h - messages drawn from a model, or read from a trace, some
 * hundred at a time.
 *
 * Everything in whole microseconds of a virtual clock that starts at 0.  Four
 * streams of random numbers (arrivals, sizes, detonations, hits) belong to
 * one source and are drawn alike under every policy, so that all of them see
 * the same mail.
 */
#ifndef SLUICE_TOOLS_SIM_BATCH_H
#define SLUICE_TOOLS_SIM_BATCH_H

#include "tools/sim/model.h"
#include "tools/sim/rng.h"

#include <stddef.h>
#include <stdint.h>

struct load;
struct trace;

/* Its arrays, with the buckets in use, stay in the fastest cache. */
#define BATCH 256

struct batch {
	size_t n;
	uint64_t arrived_usec[BATCH];
	uint64_t bytes[BATCH];
	uint64_t service_usec[BATCH];   /* by a worker of speed 1, >= 1 */
	uint64_t predicted_usec[BATCH]; /* and as the feed expects, >= 1 */
};

/*
 * Where messages come from.  Nobody knows a detonation or a hit ahead: what
 * is predicted is a + b * octets.  Of a trace, whose services are measured,
 * it is what feed/load.c learned from the messages before; it starts with the
 * model's a and b, or, unless both are above zero, with LOAD_PRIOR.
 */
struct source {
	const struct model *model;
	const struct trace *trace; /* NULL: drawn */
	size_t at;                 /* next of the trace */
	struct rng arrivals, sizes, tails, hits;
	double now_usec;   /* of the last arrival, drawn */
	struct load *load; /* of a trace: predicts */
};

/* The number'th independent source of seed; model and trace (or NULL) are
 * borrowed.  source_done() frees what is in *source. */
void source_init(struct source *source, const struct model *model,
    const struct trace *trace, uint64_t seed, uint64_t number);
void source_done(struct source *source);

/* The next n messages, 1 .. BATCH; a trace must have as many left. */
void source_fill(struct source *source, struct batch *batch, size_t n);

/* What the feed takes a message of bytes for, now. */
uint64_t source_predict(const struct source *source, uint64_t bytes);

#endif
