/*
 * vmm/report.h - one line of a guest's report (vmm/event.def) as an event.
 *
 * The line is a hostile guest's.  It is flat JSON, so a reader of its own
 * does: it allocates nothing, calls itself nowhere, and takes time in
 * proportion to the line.  Whatever it accepts any JSON reader accepts with
 * the same strings; tests/fuzz/fuzz_report.c holds it against jansson.
 */
#ifndef SLUICE_VMM_REPORT_H
#define SLUICE_VMM_REPORT_H

#include <stddef.h>
#include <stdint.h>

/* A few strings and what stands between them. */
#define EVENT_LINE_MAX   8192u               /* octets, without the newline */
#define EVENT_STRING_MAX 1024u               /* octets, decoded */
#define EVENT_MSEC_MAX   UINT32_C(100000000) /* a day: no run is as long */

enum guest_kind {
#define EVENT(id, kind, fields, help) GUEST_##id,
#include "vmm/event.def"
#undef EVENT
	GUEST_KINDS
};

/* GUEST_FIELD(id, key): what some kind of event has. */
#define GUEST_FIELD_LIST \
	GUEST_FIELD(PATH, "path") \
	GUEST_FIELD(ARGS, "args") \
	GUEST_FIELD(PARENT, "parent") \
	GUEST_FIELD(CODE, "code") \
	GUEST_FIELD(TARGET, "target") \
	GUEST_FIELD(HOW, "how") \
	GUEST_FIELD(TO, "to") \
	GUEST_FIELD(DATA, "data") \
	GUEST_FIELD(MODE, "mode") \
	GUEST_FIELD(KEY, "key") \
	GUEST_FIELD(NAME, "name") \
	GUEST_FIELD(ADDR, "addr") \
	GUEST_FIELD(PORT, "port") \
	GUEST_FIELD(PROTO, "proto") \
	GUEST_FIELD(TYPE, "type") \
	GUEST_FIELD(TEXT, "text")

enum guest_field {
#define GUEST_FIELD(id, key) FIELD_##id,
	GUEST_FIELD_LIST
#undef GUEST_FIELD
	    GUEST_FIELDS
};

struct guest_event {
	enum guest_kind kind;
	uint32_t msec;  /* since the run began, by the guest's word; 0: none */
	uint32_t pid;   /* 0: none */
	uint32_t times; /* "n", at least 1 */
	/* UTF-8 with a NUL after its end and none within: U+0000 is read as
	 * U+FFFD.  A number is as it stands.  NULL: not there. */
	const char *field[GUEST_FIELDS];
	size_t length[GUEST_FIELDS];     /* at most EVENT_STRING_MAX */
	char octets[EVENT_LINE_MAX + 1]; /* what field points into */
};

/*
 * Read one line, without its newline.  Returns 0; -EBADMSG: it is no event:
 * not JSON or not flat, a kind that we don't know, a key that we know twice,
 * a string or the line too long, a number out of range.  Then *ret is
 * undefined.
 */
int report_read(const char *line, size_t length, struct guest_event *ret);

const char *guest_kind_name(enum guest_kind kind);
/* The kind or field of that name; GUEST_KINDS or GUEST_FIELDS: none. */
enum guest_kind guest_kind_of(const char *name, size_t length);
enum guest_field guest_field_of(const char *name, size_t length);
const char *guest_field_name(enum guest_field field);
/* The keys that a kind lists, separated by blanks. */
const char *guest_kind_fields(enum guest_kind kind);

#endif
