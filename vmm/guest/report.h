/*
 * vmm/guest/report.h - the lines of vmm/event.def, written into a room that
 * never grows.
 *
 * A sample decides how much happens, so everything is bounded: a string, a
 * line, the lines of a kind, the whole.  What finds no room is counted as
 * lost.  An event that repeats is written once when it comes and, when
 * another one of its kind follows, once more with the number of its
 * repetitions.  Starts and ends of the same program repeat whatever the
 * process.
 * Pure: no clock, no system call.
 */
#ifndef SLUICE_VMM_GUEST_REPORT_H
#define SLUICE_VMM_GUEST_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define REPORT_STRING_MAX 1024 /* as written, of vmm/event.def */
#define REPORT_LINE_MAX   4096 /* three strings and what stands between */
/* A kind gets that much, so that a flood of half of all kinds leaves room for
 * the others; cheap events of it get half, so that what is done in a
 * temporary directory first doesn't hide what is done to a document then. */
#define REPORT_KIND_LINES 1000
#define REPORT_KIND_BYTES (96u << 10)
#define REPORT_END_BYTES  1024 /* kept for what agent.end needs */

enum report_kind {
#define EVENT(id, kind, fields, text) REPORT_##id,
#include "vmm/event.def"
#undef EVENT
	REPORT_KINDS
};

/* Who saw it. */
#define BY_AGENT    "agent"
#define BY_SECCOMP  "seccomp"
#define BY_FANOTIFY "fanotify"
#define BY_PROC     "proc"
#define BY_WINE     "wine"
#define BY_SINK     "sink"

struct report {
	const char *drive; /* where Wine's C: is, which is told as C:; NULL:
			      there is none */
	char *at;
	size_t max;
	size_t used; /* whole lines */
	uint64_t lost;
	bool is_cheap; /* what is added now; set it and set it back */
	struct report_kind_state {
		uint32_t lines;
		uint32_t bytes;
		/* Its last event without its time; how often it came again. */
		char last[REPORT_LINE_MAX];
		size_t last_bytes;
		size_t same_bytes; /* of these must be same in a repetition */
		uint64_t last_usec;
		uint64_t again;
	} kinds[REPORT_KINDS];
};

/* A field of an event: octets, or a number where octets is NULL. */
struct report_field {
	const char *key;
	const void *octets;
	size_t n;
	int64_t number;
};

#define FIELD(k, string) \
	{ \
		.key = (k), .octets = (string), .n = strlen(string) \
	}
#define FIELD_OCTETS(k, at, bytes) \
	{ \
		.key = (k), .octets = (at), .n = (bytes) \
	}
#define FIELD_NUMBER(k, value) \
	{ \
		.key = (k), .number = (value) \
	}

/* Begin an empty report of at most max octets at `at`, which is borrowed. */
void report_init(struct report *report, char *at, size_t max);

/*
 * Add an event.
 *
 * usec    since the run began
 * pid     the guest's process; 0: none
 * fields  ended by one without key
 */
void report_fields(struct report *report, uint64_t usec, const char *by,
    int pid, enum report_kind kind, const struct report_field *fields);

#define report_add(report, usec, by, pid, kind, ...) \
	report_fields(report, usec, by, pid, kind, \
	    (const struct report_field[]){__VA_ARGS__, {.key = NULL}})

/* Write down repetitions that began more than age_usec ago. */
void report_settle(struct report *report, uint64_t usec, uint64_t age_usec);

/* The last line.  There is always room for it; says what was lost. */
void report_end(
    struct report *report, uint64_t usec, const char *how, int64_t code);

#endif
