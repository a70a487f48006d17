/*
 * worker/cell.h - one message read by every reader, or one program by that
 * of its features, in a process that is thrown away afterwards (program
 * sluice-cell; docs/threat-model.md).
 */
#ifndef SLUICE_WORKER_CELL_H
#define SLUICE_WORKER_CELL_H

#include <stdbool.h>
#include <stdint.h>

/* How a cell's process ends that ran out of its budget.memory where that can
 * be told; an allocation deep in a library ends it by SIGABRT or SIGTRAP. */
#define CELL_EXIT_MEMORY 75
/* And before it saw its message: its sandbox or its budgets failed. */
#define CELL_EXIT_UNCONFINED 71

struct cell_limits {
	uint64_t message_bytes; /* size of the message */
	uint64_t output_bytes;  /* budget.output */
	uint64_t memory_bytes;  /* budget.memory */
	uint64_t cpu_usec;      /* budget.cpu */
	uint32_t parts;         /* budget.parts */
	uint32_t depth;         /* budget.depth */
	uint32_t headers;       /* budget.headers */
	uint32_t links;         /* to be told of; 0: none is looked for */
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
 * What goes wrong with the mail is in the reading's status, or there is no
 * reading at all because the process died.
 * Returns 0, or -ENOMEM: the message or the arena cannot be mapped within the
 * limits of the process; or -errno of the descriptors.  Then there is no
 * reading.
 */
int cell_read(int message_fd, int arena_fd, const struct cell_limits *limits);

/* Octets of a bag that are zero until it is there whole. */
#define CELL_MARK 8

/*
 * Extract the features of the program in fd (of set full, or 2001) and leave
 * them, packed (mef_bag_pack()), in arena_fd.
 * Returns 0; -ENOMEM; or -errno of the descriptors.  Then there are none.
 */
int cell_features(int fd, int arena_fd, bool is_2001);

#endif
