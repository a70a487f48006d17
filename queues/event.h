/*
 * queues/event.h - one journal line, as a struct: written by feed and
 * deliver, read by the ledger and by `sluice trace`.
 */
#ifndef SLUICE_QUEUES_EVENT_H
#define SLUICE_QUEUES_EVENT_H

#include "common/clock.h"
#include "queues/spool.h"

enum event_kind {
	EVENT_MOVE,  /* from -> to; the first, from in, is the acceptance */
	EVENT_DIED,  /* a cell died or exceeded its budget: a try is charged */
	EVENT_WAIT,  /* an engine does not answer: the message waits */
	EVENT_START, /* a daemon started (id is empty, reason names it) */
};

struct event {
	enum event_kind kind;
	struct wall t;
	char id[QUEUE_ID_MAX + 1];
	enum spool_dir from, to; /* EVENT_MOVE; from alone for the others */
	uint64_t bytes;          /* qf + df */
	const char *sender;      /* all strings borrowed; NULL: absent */
	const char *rcpt;        /* blank-separated, the first ones */
	const char *verdict;     /* "clean", "virus", ... */
	const char *reason;      /* for people */
	uint64_t wait_usec;      /* arrival to claim */
	uint64_t service_usec;   /* claim to verdict, its own share */
	const char *evidence;    /* one JSON value, kept as it is */
};

/* The line without newline, fresh memory that the caller frees.  Never fails
 * but for memory.  Invalid UTF-8 in a string is replaced, evidence that is no
 * JSON is stored as a JSON string. */
char *event_format(const struct event *event);

/*
 * Parse a line.  ret_event's strings live in *ret_keep (a json_t), which the
 * caller gives to event_release().  Returns 0, or -EBADMSG.
 */
int event_parse(
    const char *line, size_t len, struct event *ret_event, void **ret_keep);
void event_release(void *keep);

const char *event_kind_name(enum event_kind kind);

#endif
