#include "feed/late.h"

#include "common/io.h"

#include <assert.h>
#include <stdlib.h>

#define ROOM_FIRST 64

struct node {
	uint64_t due_usec;
	uint64_t number; /* in the order in which they were added */
	struct late_message message;
};

/* nodes[0] is the least, and none is less than nodes[(its index - 1) / 2]. */
struct heap {
	struct node *nodes;
	size_t count, room;
};

struct late {
	struct feed_limits limits;
	uint64_t patience;
	uint64_t added;
	size_t count;
	uint64_t work_usec;
	struct heap heaps[FEED_MAX_LANES];
};

static void
heap_done(struct heap *heap)
{
	free(heap->nodes);
	*heap = (struct heap){0};
}

static bool
is_before(const struct node *a, const struct node *b)
{
	if (a->due_usec != b->due_usec)
		return a->due_usec < b->due_usec;
	return a->number < b->number;
}

static void
heap_add(struct heap *heap, const struct node *node)
{
	size_t at = heap->count++;

	if (at == heap->room) {
		heap->room = at ? 2 * at : ROOM_FIRST;
		heap->nodes =
		    reallocarray(heap->nodes, heap->room, sizeof(*heap->nodes));
		assert(heap->nodes);
	}
	while (at > 0 && is_before(node, &heap->nodes[(at - 1) / 2])) {
		heap->nodes[at] = heap->nodes[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap->nodes[at] = *node;
}

/* The hole at the top sinks to where the last node fits. */
static void
heap_drop_head(struct heap *heap)
{
	const struct node *last = &heap->nodes[--heap->count];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < heap->count &&
		    is_before(&heap->nodes[child + 1], &heap->nodes[child]))
			child++;
		if (child >= heap->count ||
		    !is_before(&heap->nodes[child], last))
			break;
		heap->nodes[at] = heap->nodes[child];
		at = child;
	}
	heap->nodes[at] = *last;
	if (heap->count == 0) /* a burst is over: give its memory back */
		heap_done(heap);
}

struct late *
late_new(const struct feed_limits *limits, uint64_t patience)
{
	struct late *late = xcalloc(1, sizeof(*late));

	late->limits = *limits;
	late->patience = patience;
	return late;
}

struct late *
late_free(struct late *late)
{
	if (late)
		late_clear(late);
	free(late);
	return NULL;
}

static void
put(struct late *late, struct node *node)
{
	size_t class = feed_class(&late->limits, node->message.bytes);

	node->due_usec = feed_due(node->message.arrived_usec,
	    node->message.service_usec, late->patience);
	heap_add(&late->heaps[class], node);
}

void
late_sort(
    struct late *late, const struct feed_limits *limits, uint64_t patience)
{
	struct heap old[FEED_MAX_LANES];

	for (size_t i = 0; i < FEED_MAX_LANES; i++) {
		old[i] = late->heaps[i];
		late->heaps[i] = (struct heap){0};
	}
	late->limits = *limits;
	late->patience = patience;
	for (size_t i = 0; i < FEED_MAX_LANES; i++) {
		for (size_t j = 0; j < old[i].count; j++)
			put(late, &old[i].nodes[j]);
		heap_done(&old[i]);
	}
}

void
late_add(struct late *late, const struct late_message *message)
{
	struct node node = {.number = late->added++, .message = *message};

	put(late, &node);
	late->count++;
	late->work_usec += message->service_usec;
}

void
late_heads(const struct late *late, uint64_t *ret_due_usec)
{
	for (size_t i = 0; i < late->limits.lanes; i++)
		ret_due_usec[i] = late->heaps[i].count
				      ? late->heaps[i].nodes[0].due_usec
				      : UINT64_MAX;
}

bool
late_take(struct late *late, size_t class, struct late_message *ret_message)
{
	struct heap *heap = &late->heaps[class];

	assert(class < FEED_MAX_LANES);
	if (heap->count == 0)
		return false;
	*ret_message = heap->nodes[0].message;
	heap_drop_head(heap);
	late->count--;
	late->work_usec -= ret_message->service_usec;
	return true;
}

size_t
late_count(const struct late *late)
{
	return late->count;
}

uint64_t
late_work_usec(const struct late *late)
{
	return late->work_usec;
}

void
late_clear(struct late *late)
{
	for (size_t i = 0; i < FEED_MAX_LANES; i++)
		heap_done(&late->heaps[i]);
	late->count = 0;
	late->work_usec = 0;
}
