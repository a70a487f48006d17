/*
 * worker/spam.h - spam, by spamd's protocol or rspamd's HTTP, one interface.
 *
 * Like clamd.h: anything but a whole, well-formed answer is unknown(system).
 */
#ifndef SLUICE_WORKER_SPAM_H
#define SLUICE_WORKER_SPAM_H

#include "worker/answer.h"

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct spam;
struct spam_check;

enum spam_backend { SPAM_SPAMD, SPAM_RSPAMD };

struct spam_options {
	enum spam_backend backend;
	const char *address;      /* HOST:PORT, numeric; borrowed */
	unsigned int connections; /* messages at a time */
	uint64_t timeout_usec;    /* of one message, from its sending */
};

struct spam_envelope { /* what rspamd wants to know; "" when unknown */
	const char *id, *sender, *rcpt, *client;
};

/* NULL: address is not HOST:PORT. */
struct spam *spam_new(
    struct event_base *base, const struct spam_options *options);
struct spam *spam_free(struct spam *spam);

/* answer->score is set; reason has score, threshold and the rules' names. */
typedef void spam_done(void *arg, const struct engine_answer *answer);

/*
 * Judge one message.  As clamd_scan(): fd is borrowed until done or cancel,
 * done comes exactly once and later, requests above the limit wait.
 */
struct spam_check *spam_check(struct spam *spam, int fd, uint64_t bytes,
    const struct spam_envelope *envelope, spam_done *done, void *arg);
void spam_cancel(struct spam_check *check);

#endif
