/*
 * worker/cell.h - one message read by every reader, in a process that is
 * thrown away afterwards (program sluice-cell; docs/threat-model.md).
 */
#ifndef SLUICE_WORKER_CELL_H
#define SLUICE_WORKER_CELL_H

#include <stdint.h>

struct cell_limits {
	uint64_t message_bytes; /* size of the message */
	uint64_t output_bytes;  /* budget.output */
	uint64_t memory_bytes;  /* budget.memory */
	uint64_t cpu_usec;      /* budget.cpu */
	uint32_t parts;         /* budget.parts */
	uint32_t depth;         /* budget.depth */
	uint32_t headers;       /* budget.headers */
	uint32_t pad;
};

/*
 * Load what every cell needs (libmagic's database, GMime's tables, locale)
 * once, in the parent of the cells, before its sandbox closes.
 * Sets TZ and the locale's LC_CTYPE of the process.  Further calls do nothing.
 * Returns 0 or -errno (-ENOENT: no magic database, or no locale C.UTF-8).
 */
int cell_prepare(void);

/*
 * Read the message in message_fd (mapped or pread; a sealed memfd or an
 * unlinked file) and leave the reading (worker/reading.h) in arena_fd.
 * Never fails: what goes wrong is in the reading's status, or there is no
 * reading at all because the process died.
 */
void cell_read(int message_fd, int arena_fd, const struct cell_limits *limits);

#endif
