/*
 * tools/load/retryq.h - jobs that wait for another try, soonest first.
 */
#ifndef LOAD_RETRYQ_H
#define LOAD_RETRYQ_H

#include "plan.h"

struct retryq {
	struct job *heap;
	size_t count;
	size_t cap;
};

void retryq_push(struct retryq *q, const struct job *job);

/* The soonest, or NULL; valid until the next push or pop. */
const struct job *retryq_peek(const struct retryq *q);

/* Take it out; there is one. */
void retryq_pop(struct retryq *q, struct job *ret_job);

void retryq_done(struct retryq *q);

#endif
