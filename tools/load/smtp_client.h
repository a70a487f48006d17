/*
 * tools/load/smtp_client.h - one SMTP connection that sends one message after
 * another, on libevent.  Knows nothing of plans, logs and retries.
 */
#ifndef LOAD_SMTP_CLIENT_H
#define LOAD_SMTP_CLIENT_H

#include "base.h"

struct event_base;
struct message;
struct smtp_client;

enum outcome {
	OUTCOME_ACCEPTED, /* 2xx after the final dot */
	OUTCOME_REJECTED, /* 5xx at any stage */
	OUTCOME_DEFERRED, /* 4xx at any stage */
	OUTCOME_LOST,     /* connection gone, the final dot surely not sent */
	OUTCOME_BROKEN,   /* connection gone after the dot: fate unknown */
};

struct result {
	enum outcome outcome;
	const char *reply; /* the server's lines, joined by LF; or our reason */
	uint64_t start_usec, end_usec;           /* monotonic */
	uint64_t start_wall_usec, end_wall_usec; /* at MAIL, at the reply */
};

/*
 * What the owner hears.  Called from the event loop or from smtp_client_send();
 * the owner must not call back into the client from within them.
 */
struct smtp_client_events {
	/* A connection is up and idle: a message can be sent. */
	void (*ready)(void *arg, struct smtp_client *c);
	/* The fate of the message being sent; the message is the owner's. */
	void (*result)(void *arg, struct smtp_client *c, struct message *m,
	    const struct result *result);
	/* The connection is gone; was_up says whether it ever got ready. */
	void (*down)(void *arg, struct smtp_client *c, bool was_up);
};

struct smtp_client_options {
	struct address to;
	const char *helo;
	unsigned messages_max; /* per connection */
	uint64_t timeout_usec; /* without progress */
};

/* o, events and arg must outlive the client. */
struct smtp_client *smtp_client_new(struct event_base *base,
    const struct smtp_client_options *o,
    const struct smtp_client_events *events, void *arg);
struct smtp_client *smtp_client_free(struct smtp_client *c); /* NULL */

bool smtp_client_is_down(const struct smtp_client *c);
bool smtp_client_is_ready(const struct smtp_client *c);
bool smtp_client_is_connecting(const struct smtp_client *c);

/* Begin to connect; the client was down.  Failure comes as down(). */
void smtp_client_connect(struct smtp_client *c);

/* Send a message; the client was ready. */
void smtp_client_send(struct smtp_client *c, struct message *m);

/* Say QUIT; the client was ready.  down() follows. */
void smtp_client_quit(struct smtp_client *c);

/* Hang up, in whatever state; result() and down() come before it returns. */
void smtp_client_close(struct smtp_client *c);

#endif
