/*
 * worker/rspamd.c - rspamd: POST /checkv2, an answer in JSON.
 */
#include "worker/spam_priv.h"

#include "common/cleanup.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#define HTTP_HEADERS_MAX (16 * 1024)
#define RULES_SHOWN      24
#define WRITE_MAX        (256 * 1024) /* at a time; libevent has 16 KiB */

/* What we make of rspamd's actions.  A custom one is in nobody's table, so
 * nobody knows what it means: unknown. */
static const struct {
	const char *action;
	enum answer answer;
} actions[] = {
    {"no action", ANSWER_CLEAN}, {"accept", ANSWER_CLEAN},
    {"greylist", ANSWER_CLEAN}, /* "a bit suspicious", below add header */
    {"add header", ANSWER_HIT}, {"rewrite subject", ANSWER_HIT},
    {"quarantine", ANSWER_HIT}, {"discard", ANSWER_HIT}, {"reject", ANSWER_HIT},
    {"soft reject", ANSWER_UNKNOWN_SYSTEM}, /* "try again later" */
};

static void
odd(struct engine_answer *ret, const char *what)
{
	answer_set(
	    ret, "spam", ANSWER_UNKNOWN_SYSTEM, "rspamd's answer %s", what);
}

/* The names of the symbols that moved the score, in the order given. */
static void
append_rules(json_t *symbols, char *buf, size_t size)
{
	const char *name;
	json_t *symbol;
	size_t len = 0;
	int shown = 0;

	buf[0] = '\0';
	json_object_foreach (symbols, name, symbol) {
		const double score =
		    json_number_value(json_object_get(symbol, "score"));

		if (score > -0.05 && score < 0.05 &&
		    json_object_size(symbols) > 1)
			continue;
		if (shown++ == RULES_SHOWN || len + strlen(name) + 2 > size)
			return;
		len += (size_t)snprintf(
		    buf + len, size - len, "%s%s", len ? "," : "", name);
	}
}

static void
judge(json_t *root, struct engine_answer *ret)
{
	const char *action = json_string_value(json_object_get(root, "action"));
	json_t *score = json_object_get(root, "score");
	json_t *limit = json_object_get(root, "required_score");
	json_t *symbols = json_object_get(root, "symbols");
	char rules[ANSWER_REASON_MAX];

	if (!action || !json_is_number(score) || !json_is_number(limit) ||
	    !json_is_object(symbols)) {
		odd(ret, "lacks action, score, required_score or symbols");
		return;
	}
	append_rules(symbols, rules, sizeof(rules));
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i].action, action) != 0)
			continue;
		answer_set(ret, "spam", actions[i].answer,
		    "%s, score %.1f of %.1f: %s", action,
		    json_number_value(score), json_number_value(limit), rules);
		ret->score = json_number_value(score);
		ret->limit = json_number_value(limit);
		return;
	}
	answer_set(ret, "spam", ANSWER_UNKNOWN_SYSTEM,
	    "rspamd's action \"%s\" is unknown here", action);
}

void
rspamd_parse(int status, const char *buf, size_t len, struct engine_answer *ret)
{
	CLEANUP(json_decrefp) json_t *root = NULL;
	const char *error;

	root = len ? json_loadb(buf, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	error = json_string_value(json_object_get(root, "error"));
	if (status == 413)
		answer_set(ret, "spam", ANSWER_UNKNOWN_MESSAGE,
		    "rspamd: too large for it (its max_message)");
	else if (error || status != HTTP_OK)
		answer_set(ret, "spam", ANSWER_UNKNOWN_SYSTEM,
		    "rspamd: HTTP status %d %s", status, error ? error : "");
	else if (!json_is_object(root))
		odd(ret, "is no JSON object");
	else
		judge(root, ret);
}

static void
on_answer(struct evhttp_request *req, void *arg)
{
	struct spam_check *check = arg;
	struct engine_answer answer;
	struct evbuffer *in;
	size_t len;

	if (!req || evhttp_request_get_response_code(req) == 0) {
		spam_fail(check, "connection to rspamd: ",
		    "refused, or ended before the whole answer");
		return;
	}
	in = evhttp_request_get_input_buffer(req);
	len = evbuffer_get_length(in);
	rspamd_parse(evhttp_request_get_response_code(req),
	    (const char *)evbuffer_pullup(in, (ssize_t)len), len, &answer);
	spam_finish(check, &answer);
}

/* What would end or forge a header is left out: rspamd can do without. */
static void
add_header(struct evhttp_request *req, const char *name, const char *value)
{
	if (!*value)
		return;
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return;
	(void)evhttp_add_header(
	    evhttp_request_get_output_headers(req), name, value);
}

/* Out of "host [addr]". */
static void
add_ip(struct evhttp_request *req, const char *client)
{
	const char *from = strrchr(client, '[');
	const char *to = from ? strchr(from, ']') : NULL;
	char ip[64];

	if (!to || (size_t)(to - from) > sizeof(ip))
		return;
	from++;
	if (strncasecmp(from, "IPv6:", 5) == 0)
		from += 5;
	if (to <= from)
		return;
	(void)snprintf(ip, sizeof(ip), "%.*s", (int)(to - from), from);
	add_header(req, "IP", ip);
}

static int
add_content(struct spam_check *check, struct evhttp_request *req)
{
	CLEANUP(close_fd) int fd = fcntl(check->fd, F_DUPFD_CLOEXEC, 3);
	struct evhttp_connection *conn = check->transport;
	char host[80];

	if (fd < 0)
		return -errno;
	(void)snprintf(host, sizeof(host), "%s:%u", check->spam->host,
	    (unsigned int)check->spam->port);
	add_header(req, "Host", host);
	add_header(req, "Connection", "close");
	add_header(req, "Queue-Id", check->id);
	add_header(req, "From", check->sender);
	add_header(req, "Rcpt", check->rcpt);
	add_ip(req, check->client);
	/* Mapped from the file: the message is in memory once, if at all. */
	if (check->bytes &&
	    evbuffer_add_file(evhttp_request_get_output_buffer(req),
		TAKE_FD(fd), 0, (ev_off_t)check->bytes) < 0) {
		evhttp_request_free(req);
		return -EIO;
	}
	/* It owns req from here on, even when it fails. */
	return evhttp_make_request(conn, req, EVHTTP_REQ_POST, "/checkv2") < 0
		   ? -ECONNREFUSED
		   : 0;
}

static int
rspamd_start(struct spam_check *check)
{
	struct spam *s = check->spam;
	struct evhttp_connection *conn =
	    evhttp_connection_base_new(s->base, NULL, s->host, s->port);
	/* Ours is to fire first. */
	const struct timeval tv =
	    span_timeval(s->options.timeout_usec + USEC_PER_SEC);
	struct evhttp_request *req;

	if (!conn)
		return -ENOMEM;
	evhttp_connection_set_timeout_tv(conn, &tv);
	check->transport = conn;
	(void)bufferevent_set_max_single_write(
	    evhttp_connection_get_bufferevent(conn), WRITE_MAX);
	evhttp_connection_set_max_headers_size(conn, HTTP_HEADERS_MAX);
	evhttp_connection_set_max_body_size(conn, RSPAMD_ANSWER_MAX);
	req = evhttp_request_new(on_answer, check);
	return req ? add_content(check, req) : -ENOMEM;
}

/* Called from the loop only, never from on_answer(): see spam_finish(). */
static void
rspamd_stop(struct spam_check *check)
{
	if (check->transport)
		evhttp_connection_free(check->transport);
	check->transport = NULL;
}

const struct spam_ops rspamd_ops = {.start = rspamd_start, .stop = rspamd_stop};
