/* tools/load/retryq.c - a binary heap. */
#include "retryq.h"

#include <assert.h>
#include <stdlib.h>

static bool
is_sooner(const struct job *a, const struct job *b)
{
	return a->not_before_usec < b->not_before_usec;
}

static void
swap(struct job *a, struct job *b)
{
	const struct job t = *a;

	*a = *b;
	*b = t;
}

void
retryq_push(struct retryq *q, const struct job *job)
{
	size_t i = q->count;

	if (q->count == q->cap) {
		q->cap = q->cap ? q->cap * 2 : 64;
		q->heap = xrealloc(q->heap, q->cap * sizeof(*q->heap));
	}
	q->heap[q->count++] = *job;
	while (i > 0 && is_sooner(&q->heap[i], &q->heap[(i - 1) / 2])) {
		swap(&q->heap[i], &q->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

const struct job *
retryq_peek(const struct retryq *q)
{
	return q->count > 0 ? &q->heap[0] : NULL;
}

void
retryq_pop(struct retryq *q, struct job *ret_job)
{
	size_t i = 0;

	assert(q->count > 0);
	*ret_job = q->heap[0];
	q->heap[0] = q->heap[--q->count];
	for (;;) {
		size_t least = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2; k++)
			if (k < q->count &&
			    is_sooner(&q->heap[k], &q->heap[least]))
				least = k;
		if (least == i)
			return;
		swap(&q->heap[i], &q->heap[least]);
		i = least;
	}
}

void
retryq_done(struct retryq *q)
{
	free(q->heap);
	*q = (struct retryq){0};
}
