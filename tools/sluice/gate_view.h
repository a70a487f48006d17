/*
 * tools/sluice/gate_view.h - what the gate shows of itself in its counters
 * (RUNTIME/metrics/gate), and where sendmail finds it.
 */
#ifndef SLUICE_TOOLS_GATE_VIEW_H
#define SLUICE_TOOLS_GATE_VIEW_H

#include "common/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Below site.runtime; tools/setup makes the directory and tells sendmail. */
#define GATE_ROOM   "wake"
#define GATE_SOCKET GATE_ROOM "/gate.sock"

struct gate_view {
	uint64_t takes_bytes;  /* UINT64_MAX: every size; 0: none */
	bool is_full;          /* the disk: none at all */
	uint64_t since_usec;   /* how long it has been open, or closed */
	uint64_t wait_usec;    /* what a message of any size has to wait */
	uint64_t used_percent; /* of the disk */
};

/* In whole seconds, as counters have them. */
void gate_view_put(const struct gate_view *view, struct metrics *metrics);
void gate_view_get(
    const struct metrics_values *values, struct gate_view *ret_view);

/* "open", or what it refuses, since when and why.  Returns buf. */
char *gate_view_text(const struct gate_view *view, char *buf, size_t size);

bool gate_view_is_open(const struct gate_view *view);

#endif
