/*
 * flow/keep.h - from packets to records: the table, what is remembered and the
 * journal, as one.
 */
#ifndef SLUICE_FLOW_KEEP_H
#define SLUICE_FLOW_KEEP_H

#include "flow/journal.h"
#include "flow/table.h"

struct metrics;

struct flow_keep;

/* Borrows all of it; journal and metrics may be NULL. */
struct flow_keep *flow_keep_new(const struct flow_limits *limits,
    struct flow_records *records, struct flow_journal *journal,
    struct metrics *metrics);
struct flow_keep *flow_keep_free(struct flow_keep *keep);

/* A packet; matches capture_fn. */
void flow_keep_packet(void *keep, const struct packet *packet);

/* Once a second or so. */
void flow_keep_tick(struct flow_keep *keep, int64_t now_nsec);

/* The capture has ended: flows that are open are kept as cut off. */
void flow_keep_end(struct flow_keep *keep);

struct flow_table *flow_keep_table(struct flow_keep *keep);

#endif
