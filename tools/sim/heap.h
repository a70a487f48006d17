/*
 * tools/sim/heap.h - messages that wait on the virtual clock: ordered by due
 * time (struct heap) or by arrival (struct fifo).
 *
 * Both grow by doubling, so memory follows the longest backlog.  What is
 * called for each message is inline.
 */
#ifndef SLUICE_TOOLS_SIM_HEAP_H
#define SLUICE_TOOLS_SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct waiting {
	uint64_t due_usec, number; /* order of a heap; a fifo leaves them out */
	uint64_t arrived_usec;
	uint64_t service_usec, predicted_usec;
	uint64_t bytes;
};

/* Zero is empty; items[0] comes first. */
struct heap {
	struct waiting *items;
	size_t n, room;
};

/* Zero is empty; room is a power of two. */
struct fifo {
	struct waiting *items;
	size_t head, n, room;
};

/* Make room for one more; false: there is no memory for it. */
bool heap_grow(struct heap *heap);
bool fifo_grow(struct fifo *fifo);
void heap_done(struct heap *heap);
void fifo_done(struct fifo *fifo);

/* Of equally due ones what was added first, as in the daemon. */
static inline bool
heap_before(const struct waiting *a, const struct waiting *b)
{
	return a->due_usec < b->due_usec ||
	       (a->due_usec == b->due_usec && a->number < b->number);
}

/* false: no memory, and nothing changed. */
static inline bool
heap_push(struct heap *heap, const struct waiting *item)
{
	size_t at;

	if (heap->n == heap->room && !heap_grow(heap))
		return false;
	for (at = heap->n++; at > 0; at = (at - 1) / 2) {
		if (!heap_before(item, &heap->items[(at - 1) / 2]))
			break;
		heap->items[at] = heap->items[(at - 1) / 2];
	}
	heap->items[at] = *item;
	return true;
}

/* Take the first out; there must be one. */
static inline struct waiting
heap_pop(struct heap *heap)
{
	const struct waiting first = heap->items[0];
	const struct waiting last = heap->items[--heap->n];
	size_t at = 0, child;

	for (; (child = 2 * at + 1) < heap->n; at = child) {
		child +=
		    child + 1 < heap->n &&
		    heap_before(&heap->items[child + 1], &heap->items[child]);
		if (!heap_before(&heap->items[child], &last))
			break;
		heap->items[at] = heap->items[child];
	}
	heap->items[at] = last;
	return first;
}

/* When the first is due; UINT64_MAX: empty, as feed_take() wants it. */
static inline uint64_t
heap_due(const struct heap *heap)
{
	return heap->n > 0 ? heap->items[0].due_usec : UINT64_MAX;
}

/* false: no memory, and nothing changed. */
static inline bool
fifo_push(struct fifo *fifo, const struct waiting *item)
{
	if (fifo->n == fifo->room && !fifo_grow(fifo))
		return false;
	fifo->items[(fifo->head + fifo->n++) & (fifo->room - 1)] = *item;
	return true;
}

/* The first; there must be one. */
static inline const struct waiting *
fifo_first(const struct fifo *fifo)
{
	return &fifo->items[fifo->head];
}

/* Drop the first; there must be one. */
static inline void
fifo_pop(struct fifo *fifo)
{
	fifo->head = (fifo->head + 1) & (fifo->room - 1);
	fifo->n--;
}

#endif
