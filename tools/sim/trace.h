/*
 * tools/sim/trace.h - messages that came: when, how large, how long served.
 */
#ifndef SLUICE_TOOLS_SIM_TRACE_H
#define SLUICE_TOOLS_SIM_TRACE_H

#include "feed/sort.h"

#include <stddef.h>
#include <stdint.h>

/* A wait that nobody measured. */
#define TRACE_NO_WAIT UINT64_MAX

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
 * "ARRIVED_SECONDS BYTES SERVICE_SECONDS [WAIT_SECONDS [LANE]]", in order of
 * arrival; LANE is 1 for feed1; empty lines and those that begin with # are
 * passed over.
 *
 * From a ledger come the messages that a worker has judged.  Arrived is when
 * sendmail had queued the message (the time of the worker's line less what
 * it says that the message had been there), and the wait is the rest of its
 * stay, without the service: it includes the share of the worker that others
 * had meanwhile, and the batch of the final move.
 *
 * from_usec, to_usec: arrivals outside are left out; 0, UINT64_MAX: all.
 * 0; -EINVAL, -ENODATA (no message), -ENOENT, -EBADMSG (a damaged or
 * foreign database), ...: err names file, line, value.  Blocks on the disk.
 */
int trace_read(const char *path, uint64_t from_usec, uint64_t to_usec,
    struct trace *ret_trace, char *err, size_t err_size);
void trace_done(struct trace *trace);

#endif
