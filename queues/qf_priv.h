/*
 * queues/qf_priv.h - the records of a control file, for those who write one.
 */
#ifndef SLUICE_QUEUES_QF_PRIV_H
#define SLUICE_QUEUES_QF_PRIV_H

#include <stdbool.h>
#include <stddef.h>

/* One record: a line with the lines that continue it. */
struct qf_record {
	const char *text; /* its type, then its value */
	size_t len;       /* without the last newline */
};

/* The record at *text, which must be below end; advances *text behind it.
 * The lines of a header block are records of the same form. */
struct qf_record qf_next_record(const char **text, const char *end);

/* Is it a header ("Name: value", len octets) of that name, in any case? */
bool qf_is_named(const char *header, size_t len, const char *name);

#endif
