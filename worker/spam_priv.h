/*
 * worker/spam_priv.h - what the two back ends of spam.c share.
 */
#ifndef SLUICE_WORKER_SPAM_PRIV_H
#define SLUICE_WORKER_SPAM_PRIV_H

#include "common/clock.h"
#include "worker/spam.h"

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/socket.h>

/* Octets of an answer; rspamd lists each symbol with a description. */
#define SPAMD_ANSWER_MAX  (64 * 1024)
#define RSPAMD_ANSWER_MAX (4 * 1024 * 1024)

struct spam {
	uint32_t magic;
	struct spam_options options;
	struct event_base *base;
	char host[64];
	uint16_t port;
	struct sockaddr_storage addr;
	int addr_len;
	unsigned int active;
	struct event *pump;
	TAILQ_HEAD(, spam_check) waiting, running;
};

struct spam_check {
	uint32_t magic;
	struct spam *spam;
	int fd; /* borrowed */
	uint64_t bytes;
	char *id, *sender, *rcpt, *client;
	spam_done *done;
	void *arg;
	struct mono started;
	struct event *event; /* its deadline, and its end */
	bool running, finished;
	struct engine_answer answer;
	void *transport; /* the back end's */
	TAILQ_ENTRY(spam_check) entry;
};

/* A back end.  start: 0 or -errno; its answer comes by spam_finish().
 * stop: let go of the transport, whatever its state, without an answer. */
struct spam_ops {
	int (*start)(struct spam_check *check);
	void (*stop)(struct spam_check *check);
};

extern const struct spam_ops spamd_ops;
extern const struct spam_ops rspamd_ops;

/* The answer is there: done is called from the loop.  Once a check. */
void spam_finish(struct spam_check *check, const struct engine_answer *answer);
void spam_fail(struct spam_check *check, const char *why, const char *detail);

/*
 * A whole answer of spamd to SYMBOLS, or rspamd's JSON with its HTTP status.
 * Fill *ret, unknown for whatever is not well-formed.
 * Fuzzed by tests/fuzz/fuzz_spamd.c.
 */
void spamd_parse(const char *buf, size_t len, struct engine_answer *ret);
void rspamd_parse(
    int status, const char *buf, size_t len, struct engine_answer *ret);

#endif
