/*
 * worker/web.h - one question to a web server at a time, by libcurl on the
 * loop of libevent.  It follows nothing, keeps nothing (cookies, passwords,
 * connections), takes no proxy and nothing from the environment, and connects
 * to no address but those that may be asked (worker/fetch_address.h), whatever
 * a name meant a moment ago.
 */
#ifndef SLUICE_WORKER_WEB_H
#define SLUICE_WORKER_WEB_H

#include <stdbool.h>
#include <stdint.h>

struct address_rule;
struct event_base;
struct web;
struct web_request;

struct web_options {
	const struct address_rule *rule; /* borrowed */
	const char *agent;               /* borrowed */
};

/* Loads what libcurl needs: before a sandbox closes.  0 or -errno. */
int web_new(struct event_base *base, const struct web_options *options,
    struct web **ret_web);
struct web *web_free(struct web *web);

struct web_question {
	const char *url;       /* as of url_read() */
	const char *host;      /* its host, and */
	uint16_t port;         /* its port, and */
	const char *addresses; /* what the host means: A,A,...; NULL: itself */
	int fd;                /* GET: where the content goes; -1: HEAD */
	uint64_t most_bytes;   /* of the content */
};

/* Borrowed for the time of the call. */
struct web_answer {
	long status;             /* of HTTP; 0: none came */
	const char *error;       /* why there is none, or it is not whole; "" */
	bool is_cut;             /* the content ended before its end */
	const char *location;    /* where it leads elsewhere, absolute; "" */
	const char *type;        /* Content-Type; "" */
	const char *disposition; /* Content-Disposition; "" */
	int64_t declared_bytes;  /* Content-Length; -1: none */
	uint64_t bytes;          /* written to fd */
};

typedef void web_done(void *arg, const struct web_answer *answer);

/*
 * Ask.  The question is borrowed during the call, its fd until done, which
 * comes once and never before this returns, unless the request is cancelled.
 * There is no deadline here.  Does not block.  NULL: out of memory.
 */
struct web_request *web_ask(struct web *web,
    const struct web_question *question, web_done *done, void *arg);
void web_cancel(struct web_request *request);

#endif
