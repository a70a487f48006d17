/*
 * worker/clamd_conn.h - one session with clamd: proved first, then one
 * request at a time.  Only for clamd.c, which keeps the connections.
 *
 * Every session is proved by itself (probe of AlertExceedsMax, version), so
 * no restart can slip in a clamd with other settings: those are read at its
 * start alone, and a session ends with its process.
 */
#ifndef SLUICE_WORKER_CLAMD_CONN_H
#define SLUICE_WORKER_CLAMD_CONN_H

#include "common/clock.h"
#include "worker/clamd.h"
#include "worker/clamd_priv.h"

#include <sys/queue.h>

#define CLAMD_VERSION_MAX 64

struct clamd_conn;
TAILQ_HEAD(clamd_conns, clamd_conn);
TAILQ_HEAD(clamd_scans, clamd_scan);

struct clamd_scan {
	struct clamd *clamd;
	struct clamd_conn *conn; /* NULL while it waits */
	int fd;                  /* borrowed */
	bool again;              /* sent before, on a session that was dead */
	clamd_done *done;
	void *arg;
	struct mono started; /* 0: not sent yet */
	TAILQ_ENTRY(clamd_scan) entry;
};

struct clamd_conn {
	uint32_t magic;
	struct clamd *clamd;
	const struct clamd_options *options;
	int fd;
	struct event *readable, *timer;
	int state;               /* enum conn_state in clamd_conn.c */
	bool was_used;           /* it answered a request before this one */
	struct mono proved;      /* when the probe was passed last */
	uint32_t id;             /* of the last command */
	struct clamd_scan *scan; /* whose answer it waits for, or NULL */
	size_t len;
	char line[CLAMD_LINE_MAX];
	TAILQ_ENTRY(clamd_conn) entry;
};

/*
 * Connect and begin the session.  Returns 0 or -errno as connect(2)
 * (-EAGAIN: clamd's listening queue is full).  Does not block.
 */
int clamd_conn_new(struct clamd *clamd, struct event_base *base,
    const struct clamd_options *options, struct clamd_conn **ret_conn);
void clamd_conn_free(struct clamd_conn *conn);

/* Give it a request, at once, or after the proof when that is missing or
 * older than proof_usec.  Its deadline counts from scan->started. */
void clamd_conn_send(
    struct clamd_conn *conn, struct clamd_scan *scan, uint64_t proof_usec);

/* The request under way, whose memory goes to the caller with the answer. */
struct clamd_scan *clamd_conn_scan(const struct clamd_conn *conn);
/* Nobody wants that request's answer any more. */
void clamd_conn_forget(struct clamd_conn *conn);

/*
 * What clamd.c hears: an answer, after which conn is free for the next; the
 * end of conn, which is freed on return (again: scan deserves another try);
 * a version.  scan may be NULL; the callee completes and frees it.
 */
void clamd_on_answer(struct clamd *clamd, struct clamd_conn *conn,
    struct clamd_scan *scan, struct engine_answer *answer);
void clamd_on_end(struct clamd *clamd, struct clamd_conn *conn, bool was_idle,
    struct clamd_scan *scan, bool again, struct engine_answer *answer);
void clamd_on_version(struct clamd *clamd, const char *version);

#endif
