/*
 * tools/load/smtp_server.h - the server's side of SMTP for many connections.
 * Judges nothing and delivers nothing: it tells its owner what came.
 */
#ifndef LOAD_SMTP_SERVER_H
#define LOAD_SMTP_SERVER_H

#include "base.h"

struct event_base;
struct store;
struct smtp_server;

/* A message that has come whole; all of it borrowed for the call. */
struct received {
	const char *from;    /* envelope sender, without <> */
	const char *rcpt;    /* recipients, with commas; long lists are cut */
	const char *headers; /* the header block, CRLF */
	size_t headers_len;
	const char *sha256; /* of the body; see bodyhash.h */
	uint64_t bytes;
	struct store *store; /* to be committed, if there is a name for it */
	char *id; /* set by the owner, on the heap; the server frees it */
};

struct smtp_server_events {
	/*
	 * A message is here and its 250 not sent.  Returns 0 (take it) or
	 * -errno (451 is said; the owner has told why); -ECONNABORTED: it
	 * was taken, but hang up without a word; cut() follows.
	 */
	int (*message)(void *arg, struct received *r);

	/* May the client be sent away with 4xx now? */
	bool (*tempfail)(void *arg);

	/*
	 * A connection ended right after the 250 for the message with this id
	 * (may be NULL): the client may not have read it, and so may rightly
	 * send the message again.
	 */
	void (*cut)(void *arg, const char *id);
};

/*
 * Listen.  store_dirfd: keep messages there, or -1.  Returns 0, or -errno as
 * bind(2), listen(2).  events and arg must outlive the server.
 */
int smtp_server_new(struct event_base *base, const struct address *a,
    int store_dirfd, const struct smtp_server_events *events, void *arg,
    struct smtp_server **ret_server);

/* Where it listens, as text; for port 0. */
void smtp_server_address(
    const struct smtp_server *s, char *ret_text, size_t cap);

/* Send replies not sent yet, close everything.  Returns NULL. */
struct smtp_server *smtp_server_free(struct smtp_server *s);

#endif
