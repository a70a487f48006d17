/*
 * tools/sim/trace_priv.h - what the files trace*.c share.
 */
#ifndef SLUICE_TOOLS_SIM_TRACE_PRIV_H
#define SLUICE_TOOLS_SIM_TRACE_PRIV_H

#include "tools/sim/trace.h"

/* A trace that grows; leaves out what arrived outside from .. to. */
struct trace_builder {
	struct trace trace;
	size_t room;
	uint64_t from_usec, to_usec;
};

/* 0 or -ENOMEM: it is as large as a file that somebody else wrote. */
int trace_add(struct trace_builder *builder, const struct trace_message *m);

/* Read all of it.  0, or -errno with err set; the order is the file's. */
int trace_read_text(const char *path, struct trace_builder *builder, char *err,
    size_t err_size);
int trace_read_ledger(const char *path, struct trace_builder *builder,
    char *err, size_t err_size);

#endif
