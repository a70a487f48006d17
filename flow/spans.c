#include "flow/spans.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void *
flow_budget_resize(
    struct flow_budget *budget, void *memory, size_t *room_bytes, size_t bytes)
{
	void *moved;

	if (bytes > *room_bytes && bytes - *room_bytes > budget->left_bytes)
		return NULL;
	if (bytes == 0) {
		free(memory);
		moved = NULL;
	} else {
		moved = realloc(memory, bytes);
		if (!moved)
			return NULL;
	}
	budget->left_bytes += *room_bytes;
	budget->left_bytes -= bytes;
	*room_bytes = bytes;
	return moved;
}

void
spans_init(struct spans *spans)
{
	memset(spans, 0, sizeof(*spans));
}

void
spans_done(struct spans *spans, struct flow_budget *budget)
{
	(void)flow_budget_resize(budget, spans->above, &spans->room_bytes, 0);
	spans_init(spans);
}

static uint64_t
common(int64_t from, int64_t to, int64_t begin, int64_t end)
{
	const int64_t low = from > begin ? from : begin;
	const int64_t high = to < end ? to : end;

	return high > low ? (uint64_t)(high - low) : 0;
}

static void
drop(struct spans *spans, uint32_t at, uint32_t n)
{
	memmove(spans->above + at, spans->above + at + n,
	    (spans->n - at - n) * sizeof(*spans->above));
	spans->n -= n;
}

/* The frontier has moved: what it touches is above no hole any more. */
static uint32_t
absorb(struct spans *spans)
{
	uint32_t waiting = 0, n = 0;

	for (; n < spans->n && spans->above[n].from <= spans->frontier; n++) {
		if (spans->above[n].to > spans->frontier)
			spans->frontier = spans->above[n].to;
		waiting += spans->above[n].waiting;
	}
	if (n > 0)
		drop(spans, 0, n);
	return waiting;
}

/* Go on behind the lowest hole, as if there were none. */
static void
give_up_hole(struct spans *spans)
{
	spans->frontier = spans->above[0].to;
	drop(spans, 0, 1);
}

static bool
has_room(struct spans *spans, struct flow_budget *budget)
{
	size_t n = spans->room_bytes / sizeof(*spans->above);
	struct span *moved;

	if (spans->n < n)
		return true;
	if (n == SPANS_MAX)
		return false;
	n = n ? 2 * n : 4;
	moved = flow_budget_resize(budget, spans->above, &spans->room_bytes,
	    n * sizeof(*spans->above));
	if (moved)
		spans->above = moved;
	return moved != NULL;
}

/* Above the frontier, and not touching it. */
static uint32_t
insert(struct spans *spans, struct span new, struct flow_budget *budget)
{
	uint32_t given_up = 0, at = spans->n, end;

	while (at > 0 && spans->above[at - 1].to >= new.from)
		at--;
	for (end = at; end < spans->n && spans->above[end].from <= new.to;
	     end++) {
		const struct span *old = &spans->above[end];

		if (old->from < new.from)
			new.from = old->from;
		if (old->to > new.to)
			new.to = old->to;
		new.waiting += old->waiting;
	}
	if (end > at) {
		spans->above[at] = new;
		drop(spans, at + 1, end - at - 1);
		return 0;
	}
	while (!has_room(spans, budget)) {
		given_up++;
		if (spans->n == 0 || at == 0) {
			spans->frontier = new.to;
			(void)absorb(spans);
			return given_up;
		}
		give_up_hole(spans);
		at--;
	}
	memmove(spans->above + at + 1, spans->above + at,
	    (spans->n - at) * sizeof(*spans->above));
	spans->above[at] = new;
	spans->n++;
	return given_up;
}

static uint64_t
seen_octets(const struct spans *spans, int64_t from, int64_t to)
{
	uint64_t seen = common(from, to, spans->begin, spans->frontier);

	for (uint32_t i = 0; i < spans->n; i++)
		seen +=
		    common(from, to, spans->above[i].from, spans->above[i].to);
	return seen;
}

/* Before all that was seen: that is above a hole then. */
static void
begin_earlier(struct spans *spans, int64_t from, int64_t to,
    struct spans_told *told, struct flow_budget *budget)
{
	const struct span old = {spans->begin, spans->frontier, 0};

	spans->begin = from;
	spans->frontier = to;
	if (old.to > old.from)
		told->given_up = insert(spans, old, budget);
}

struct spans_told
spans_add(
    struct spans *spans, int64_t from, int64_t to, struct flow_budget *budget)
{
	struct spans_told told = {SPANS_NEW, 0, 0, 0};
	const uint64_t size = (uint64_t)(to - from);
	uint64_t seen;

	assert(to > from);
	seen = seen_octets(spans, from, to);
	told.fresh = size - seen;
	told.was = seen == 0      ? SPANS_NEW
		   : seen == size ? SPANS_SEEN
				  : SPANS_OVERLAP;
	if (told.was == SPANS_SEEN)
		return told;
	if (to < spans->begin) {
		begin_earlier(spans, from, to, &told, budget);
	} else if (from > spans->frontier) {
		const struct span new = {from, to, 1};

		told.given_up = insert(spans, new, budget);
	} else {
		if (from < spans->begin)
			spans->begin = from;
		if (to > spans->frontier)
			spans->frontier = to;
		told.in_order = absorb(spans);
	}
	return told;
}
