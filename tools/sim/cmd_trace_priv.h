/*
 * tools/sim/cmd_trace_priv.h - what replay and plot have in common: the
 * options that name a trace, and figures out of it.
 */
#ifndef SLUICE_TOOLS_SIM_CMD_TRACE_PRIV_H
#define SLUICE_TOOLS_SIM_CMD_TRACE_PRIV_H

#include "tools/sim/output.h"
#include "tools/sim/trace.h"

struct trace_options {
	const char *path; /* NULL: not given */
	uint64_t from_usec, to_usec;
};

/* The parser of FILE, --ledger, --from, --to; a child as options_argp. */
extern const struct argp trace_argp;

/* 0, or -errno with err: none was named, or as trace_read(). */
int trace_options_read(const struct trace_options *options,
    struct trace *ret_trace, char *err, size_t err_size);

/* Sizes, rate and service of the trace, into model, which borrows what is
 * returned: the caller frees it by sizes_free(). */
struct sizes *trace_model(const struct trace *trace, struct model *model);

/* The waits that were measured, of one class of size where limits are given.
 * false: there is none. */
bool trace_measured(const struct trace *trace, const struct feed_limits *limits,
    size_t class, struct wait_summary *ret_summary);

#endif
