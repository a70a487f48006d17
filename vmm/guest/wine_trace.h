/*
 * vmm/guest/wine_trace.h - from the lines that Wine prints about a program
 * (WINEDEBUG) to events of vmm/event.def.
 *
 * The pipe is the sample's standard error, so a line may be its own
 * invention: all is bounded, nothing is believed that would make the sample
 * look better.  Pure but for `peek`.  Fuzzed.
 */
#ifndef SLUICE_VMM_GUEST_WINE_TRACE_H
#define SLUICE_VMM_GUEST_WINE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/guest/report.h"

/* What is to be printed; -all first, or Wine prints its own troubles too. */
#define WINE_TRACE_DEBUG \
	"-all,err+module,trace+relay,trace+reg,trace+process,trace+loaddll,+" \
	"pid"

/* Wine counts processes by itself.  Added to its numbers, so that none is
 * taken for one of the kernel's (at most 4194304). */
#define WINE_TRACE_PID_BASE 0x1000000

/* A line's; Wine cuts strings at some 300 characters, and shows few a line. */
#define WINE_LINE_MAX  4096
#define WINE_PATH_MAX  512
#define WINE_KEYS      512 /* open registry keys that are remembered */
#define WINE_PROGRAMS  64  /* processes whose program is remembered */
#define WINE_THREADS   16  /* that are in the middle of a call */
#define WINE_TIMES_MAX 4   /* how often a function is told */
#define WINE_DATA_MAX  256 /* of a value in the registry */

struct wine_key {
	uint32_t pid;
	uint64_t handle;
	char path[WINE_PATH_MAX];
};

struct wine_program {
	uint32_t pid;
	char path[WINE_PATH_MAX];
	bool keys[256]; /* whose state was asked for */
	uint32_t key_count;
	uint64_t screen; /* handle of the screen's device context; 0: none */
};

/* A thread between two of its lines. */
struct wine_thread {
	uint32_t pid, tid;
	char key[WINE_PATH_MAX];     /* being opened; "": none */
	char program[WINE_PATH_MAX]; /* being started; "" and no args: none */
	char args[WINE_PATH_MAX];
	bool asks_screen;
};

enum wine_api {
#define API(module, function, tells) WINE_API_##function,
#include "vmm/guest/wine_apis.def"
#undef API
	WINE_APIS
};

struct wine_trace {
	/*
	 * Copy n octets that lie at address `at` of the sample's process, the
	 * kernel's number of which isn't known.  Returns false: can't.  NULL:
	 * values in the registry are told without their data.
	 */
	bool (*peek)(void *arg, uint64_t at, void *buf, size_t n);
	void *peek_arg;
	char line[WINE_LINE_MAX];
	size_t line_bytes;
	char first[WINE_PATH_MAX];
	uint32_t first_pid;
	struct wine_key keys[WINE_KEYS];
	uint32_t next_key;
	struct wine_program programs[WINE_PROGRAMS];
	uint32_t next_program;
	struct wine_thread threads[WINE_THREADS];
	uint32_t next_thread;
	uint8_t times[WINE_APIS];
	bool is_failed; /* Wine says that it can't run something */
};

/* Begin.  first: the program, as Windows calls it, whose process comes first;
 * copied. */
void wine_trace_init(struct wine_trace *trace, const char *first);

/* The next octets, in pieces of any size; usec as report_add(). */
void wine_trace_feed(struct wine_trace *trace, struct report *report,
    uint64_t usec, const char *octets, size_t n);

/* No more will come: tell what was held back for its second half. */
void wine_trace_end(
    struct wine_trace *trace, struct report *report, uint64_t usec);

#endif
