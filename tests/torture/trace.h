/*
 * tests/torture/trace.h - what strace -y saw, as a list of changes and syncs.
 */
#ifndef SLUICE_TESTS_TRACE_H
#define SLUICE_TESTS_TRACE_H

#include <stdbool.h>
#include <stddef.h>

enum op_kind {
	OP_CREATE, /* to */
	OP_WRITE,  /* to */
	OP_LINK,   /* from -> to */
	OP_RENAME, /* from -> to */
	OP_UNLINK, /* from */
	OP_SYNC,   /* to: a file or a directory */
};

/* Paths are relative to the spool: "feed1/dfA1", "out", "journal/order". */
#define OP_PATH 64

struct op {
	enum op_kind kind;
	char from[OP_PATH], to[OP_PATH];
};

struct trace {
	struct op *ops;
	size_t n;
};

/*
 * Run the program under strace and read the trace: only calls that succeeded,
 * in the order in which they returned, only paths inside the spool.
 * mark  forget what came before the first change of a path that begins so
 * Returns 0, or -errno; -ENOSYS: strace is missing or may not trace.
 */
int trace_run(const char *program, const char *spool, int skip,
    const char *mark, struct trace *ret_trace);
void trace_done(struct trace *trace);

/* "sync out", for messages. */
const char *op_text(const struct op *op, char *buf, size_t size);

#endif
