/*
 * tools/sim/trace.h - messages that came: when, how large, how long served.
 */
#ifndef SLUICE_TOOLS_SIM_TRACE_H
#define SLUICE_TOOLS_SIM_TRACE_H

#include "feed/sort.h"

#include <stddef.h>
#include <stdint.h>

struct trace_message {
	uint64_t arrived_usec; /* wall clock */
	uint64_t bytes;        /* qf + df */
	uint64_t service_usec; /* measured; its own share of the worker */
	uint64_t wait_usec;    /* measured, in in/ and in the feed queue */
	uint32_t lane;         /* that it was in, FEED_MAX_LANES: not known */
};

struct trace {
	size_t n;
	struct trace_message *messages; /* in order of arrival */
};

/*
 * Read a site's ledger (state/ledger.db) or a text file of lines
 * "ARRIVED_SECONDS BYTES SERVICE_SECONDS [WAIT_SECONDS [LANE]]".
 * from_usec, to_usec: arrivals outside are left out; 0, UINT64_MAX: all.
 * 0; -EINVAL, -ENODATA (no message), -ENOENT, ...: err names file, line, value.
 */
int trace_read(const char *path, uint64_t from_usec, uint64_t to_usec,
    struct trace *ret_trace, char *err, size_t err_size);
void trace_done(struct trace *trace);

#endif
