#include "tools/sim/heap.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64

static struct waiting *
resized(struct waiting *items, size_t *room)
{
	const size_t wanted = *room ? *room * 2 : FIRST_ROOM;
	struct waiting *more = reallocarray(items, wanted, sizeof(*items));

	if (more)
		*room = wanted;
	return more;
}

bool
heap_grow(struct heap *heap)
{
	struct waiting *items = resized(heap->items, &heap->room);

	if (!items)
		return false;
	heap->items = items;
	return true;
}

bool
fifo_grow(struct fifo *fifo)
{
	const size_t before = fifo->room;
	struct waiting *items = resized(fifo->items, &fifo->room);

	if (!items)
		return false;
	fifo->items = items;
	/* A full ring begins at head: what lies before it moves behind. */
	memcpy(items + before, items, fifo->head * sizeof(*items));
	return true;
}

void
heap_done(struct heap *heap)
{
	free(heap->items);
	*heap = (struct heap){0};
}

void
fifo_done(struct fifo *fifo)
{
	free(fifo->items);
	*fifo = (struct fifo){0};
}
