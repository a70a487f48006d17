/*
 * tests/bench/flow_rows.h - connections of a real site, in time order, as
 * samples: datasets/icsi-flows/dev.csv of the tests' data.
 *
 * Of our features it lacks six, and has packets sent per packet received in
 * place of both numbers: that stands where pkts_out does.  What it has beyond
 * ours may stand where it lacks ours; models don't read names.
 */
#ifndef SLUICE_TESTS_FLOW_ROWS_H
#define SLUICE_TESTS_FLOW_ROWS_H

#include "flow/sample.h"

#define FLOW_ROWS_FOLDS 5u

enum flow_rows_with {
	FLOW_ROWS_OURS, /* features of the connection, and the SYN's window */
	FLOW_ROWS_ALL   /* with throughput, TTL, OS, hour, place, neighbours */
};

struct flow_rows_table {
	struct flow_sample *samples; /* peer: a hash of the place */
	unsigned int *folds;         /* by place */
	bool *is_forwarder;
	size_t n;
};

/* Returns 0 or -errno; -EBADMSG: not such a file.  Freed by _done(). */
int flow_rows_load(
    const char *path, enum flow_rows_with with, struct flow_rows_table *ret);
void flow_rows_done(struct flow_rows_table *table);

#endif
