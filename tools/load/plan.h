/*
 * tools/load/plan.h - which message comes next, of which class, and when.
 * All of it follows from the seed.
 */
#ifndef LOAD_PLAN_H
#define LOAD_PLAN_H

#include "compose.h"
#include "corpus.h"
#include "rng.h"

enum arrivals {
	ARRIVALS_POISSON,
	ARRIVALS_UNIFORM,
	ARRIVALS_BURSTY, /* Poisson bursts of geometric length, all at once */
};

struct plan_options {
	uint64_t seed;
	uint64_t count; /* UINT64_MAX: endless */
	bool has_count;
	double rate; /* messages a second; 0: as fast as they go */
	enum arrivals arrivals;
	double burst; /* mean length */
	double attach_share;
	double spam_share;
	double eicar_share;
	double ext_share;
	uint64_t eicar_every; /* 0: no */
	uint64_t eicar_count; /* this many of count, spread at random */
};

/* One message to be sent. */
struct job {
	uint64_t number; /* from 1 */
	enum msg_class class;
	const char *file; /* CLASS_CORPUS only; the plan's */
	unsigned attempts;
	unsigned broke;    /* attempts whose fate the server took with it */
	uint64_t due_usec; /* monotonic, like the next two */
	uint64_t first_usec;
	uint64_t not_before_usec;
};

struct plan {
	const struct plan_options *o;
	struct corpus *corpus; /* borrowed, may be empty */
	struct rng rng;        /* classes and order */
	struct rng clock;      /* arrivals */
	uint64_t next;         /* number of the next message */
	uint64_t eicar_left;
	uint64_t due_usec; /* when it arrives */
	uint64_t burst_left;
};

/* Fills in count when none was given; now is when the first burst counts
 * from.  o and corpus must outlive p. */
void plan_init(struct plan *p, struct plan_options *o, struct corpus *corpus,
    uint64_t now_usec);

bool plan_is_over(const struct plan *p);

/* The next message; plan_is_over() was false. */
void plan_next(struct plan *p, struct job *ret_job);

#endif
