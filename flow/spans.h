/*
 * flow/spans.h - which octets of one direction of a stream were seen.
 *
 * Offsets count from wherever the stream began to be seen.  The frontier is
 * the octet up to which there is no hole; what lies above is kept as spans.
 * Pure.
 */
#ifndef SLUICE_FLOW_SPANS_H
#define SLUICE_FLOW_SPANS_H

#include <stddef.h>
#include <stdint.h>

/* Spans above the frontier that one direction may have; with more, the oldest
 * hole is given up. */
#define SPANS_MAX 64

/* What all flows together may still allocate, in octets. */
struct flow_budget {
	size_t left_bytes;
};

/*
 * Resize memory of *room_bytes octets (NULL: none yet) to bytes, which the
 * budget is charged with.  Returns the memory, or NULL, all as before: the
 * budget is used up.  bytes 0 frees.
 */
void *flow_budget_resize(
    struct flow_budget *budget, void *memory, size_t *room_bytes, size_t bytes);

struct span {
	int64_t from, to;
	uint32_t waiting; /* segments that came above a hole */
};

struct spans {
	int64_t begin, frontier;
	struct span *above; /* sorted, neither overlapping nor touching */
	size_t room_bytes;
	uint32_t n;
};

enum spans_was {
	SPANS_NEW,     /* no octet had been seen */
	SPANS_SEEN,    /* all of them had */
	SPANS_OVERLAP, /* some */
};

struct spans_told {
	enum spans_was was;
	uint64_t fresh;    /* octets that had not been seen */
	uint32_t in_order; /* segments whose hole is filled by this one */
	uint32_t given_up; /* holes, for want of room */
};

/* Nothing seen: the stream begins at offset 0. */
void spans_init(struct spans *spans);
void spans_done(struct spans *spans, struct flow_budget *budget);

/* A segment of the octets from <= x < to, at least one. */
struct spans_told spans_add(
    struct spans *spans, int64_t from, int64_t to, struct flow_budget *budget);

#endif
