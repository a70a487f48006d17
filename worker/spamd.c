/*
 * worker/spamd.c - SpamAssassin's spamd: SYMBOLS of SPAMC/1.5.
 *
 * We send the command, Content-length, an empty line and the message, and
 * end our side; spamd answers with a status line, headers, an empty line,
 * the names of the rules that fit, and ends too.
 */
#include "worker/spam_priv.h"

#include "common/cleanup.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* A decimal number whatever the locale; NULL when there is none. */
static const char *
parse_number(const char *p, double *ret)
{
	const bool minus = *p == '-';
	double value = 0, unit = 1;
	bool any = false, point = false;

	for (p += minus; (*p >= '0' && *p <= '9') || (*p == '.' && !point);
	     p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		any = true;
		value = value * 10 + (*p - '0');
		unit = point ? unit * 10 : unit;
	}
	*ret = (minus ? -value : value) / unit;
	return any && value < 1e15 ? p : NULL;
}

static const char *
skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* "True ; 15.5 / 5.0"; older ones say Yes and No. */
static bool
parse_spam(const char *p, bool *ret_hit, double *ret_score, double *ret_limit)
{
	static const struct {
		const char *word;
		bool hit;
	} words[] = {
	    {"True", true}, {"Yes", true}, {"False", false}, {"No", false}};
	const size_t len = strcspn(p, " \t;");
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i].word) == len &&
		    strncasecmp(words[i].word, p, len) == 0) {
			known = true;
			*ret_hit = words[i].hit;
		}
	p = skip_blanks(p + len);
	if (!known || *p != ';')
		return false;
	p = parse_number(skip_blanks(p + 1), ret_score);
	p = p ? skip_blanks(p) : NULL;
	if (!p || *p != '/')
		return false;
	p = parse_number(skip_blanks(p + 1), ret_limit);
	return p && !*skip_blanks(p);
}

struct spamd_head {
	bool has_spam, has_length, bad;
	bool hit;
	double score, limit;
	uint64_t length;
};

static void
parse_header(struct spamd_head *h, const char *line)
{
	if (strncasecmp(line, "Spam:", 5) == 0) {
		h->bad |= h->has_spam || !parse_spam(skip_blanks(line + 5),
					     &h->hit, &h->score, &h->limit);
		h->has_spam = true;
	} else if (strncasecmp(line, "Content-length:", 15) == 0) {
		const char *p = skip_blanks(line + 15);

		h->bad |= h->has_length || !*p || strlen(p) > 9 ||
			  p[strspn(p, "0123456789")];
		h->has_length = true;
		h->length = strtoul(p, NULL, 10);
	}
}

/* The next line of *at without its CR LF, cut off in place; or NULL. */
static char *
next_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*at = end + 1;
	if (end > line && end[-1] == '\r')
		end--;
	*end = '\0';
	return line;
}

static void
odd(struct engine_answer *ret, const char *why, const char *what)
{
	answer_set(ret, "spam", ANSWER_UNKNOWN_SYSTEM, "spamd's answer %s%s",
	    why, what);
}

/* "SPAMD/1.1 0 EX_OK": false, with *ret filled, unless it is this one. */
static bool
status_ok(const char *line, struct engine_answer *ret)
{
	const char *p =
	    line && strncmp(line, "SPAMD/", 6) == 0 ? strchr(line, ' ') : NULL;

	if (!p) {
		odd(ret, "is none", "");
		return false;
	}
	if (strcmp(p, " 0 EX_OK") == 0)
		return true;
	answer_set(ret, "spam",
	    strstr(p, "EX_TOOBIG") ? ANSWER_UNKNOWN_MESSAGE
				   : ANSWER_UNKNOWN_SYSTEM,
	    "spamd:%s", p);
	return false;
}

static void
judge(
    const struct spamd_head *h, const char *symbols, struct engine_answer *ret)
{
	answer_set(ret, "spam", h->hit ? ANSWER_HIT : ANSWER_CLEAN,
	    "score %.1f of %.1f: %s", h->score, h->limit, symbols);
	ret->score = h->score;
	ret->limit = h->limit;
}

void
spamd_parse(const char *buf, size_t len, struct engine_answer *ret)
{
	struct spamd_head h = {0};
	CLEANUP(free_ptr) char *copy = strndup(len ? buf : "", len);
	char *at = copy, *line;

	if (!copy || strlen(copy) != len) {
		odd(ret, "has a NUL", "");
		return;
	}
	if (!status_ok(next_line(&at), ret))
		return;
	while ((line = next_line(&at)) && *line)
		parse_header(&h, line);
	if (!line || strlen(at) < h.length)
		odd(ret, "was cut off", "");
	else if (h.bad || !h.has_spam || !h.has_length)
		odd(ret, "lacks or garbles Spam: or Content-length:", "");
	else if (at[h.length + strspn(at + h.length, "\r\n")])
		odd(ret, "is longer than it says", "");
	else {
		at[h.length] = '\0';
		judge(&h, at, ret);
	}
}

static void on_read(struct bufferevent *bev, void *arg);
static void on_end(struct bufferevent *bev, short what, void *arg);

static void
on_all_written(struct bufferevent *bev, void *arg)
{
	/* spamd reads to the end of our side. */
	(void)shutdown(bufferevent_getfd(bev), SHUT_WR);
	bufferevent_setcb(bev, on_read, NULL, on_end, arg);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	if (evbuffer_get_length(bufferevent_get_input(bev)) > SPAMD_ANSWER_MAX)
		spam_fail(arg, "spamd's answer has no end", "");
}

static void
on_end(struct bufferevent *bev, short what, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct engine_answer answer;
	size_t len = evbuffer_get_length(in);

	if (what & BEV_EVENT_CONNECTED)
		return;
	if (!(what & BEV_EVENT_EOF)) {
		spam_fail(arg, "connection to spamd: ",
		    evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
		return;
	}
	if (len > SPAMD_ANSWER_MAX)
		len = 0;
	spamd_parse(
	    (const char *)evbuffer_pullup(in, (ssize_t)len), len, &answer);
	spam_finish(arg, &answer);
}

static int
spamd_start(struct spam_check *check)
{
	struct spam *s = check->spam;
	CLEANUP(close_fd) int fd = fcntl(check->fd, F_DUPFD_CLOEXEC, 3);
	struct bufferevent *bev;
	struct evbuffer *out;

	if (fd < 0)
		return -errno;
	bev = bufferevent_socket_new(s->base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		return -ENOMEM;
	check->transport = bev;
	bufferevent_setcb(bev, on_read, on_all_written, on_end, check);
	out = bufferevent_get_output(bev);
	(void)evbuffer_add_printf(out,
	    "SYMBOLS SPAMC/1.5\r\nContent-length: %llu\r\n\r\n",
	    (unsigned long long)check->bytes);
	/* By sendfile(2): the message is never in our memory. */
	if (check->bytes &&
	    evbuffer_add_file(out, TAKE_FD(fd), 0, (ev_off_t)check->bytes) < 0)
		return -EIO;
	if (bufferevent_socket_connect(
		bev, (struct sockaddr *)&s->addr, s->addr_len) < 0)
		return -ECONNREFUSED;
	(void)bufferevent_enable(bev, EV_READ | EV_WRITE);
	return 0;
}

static void
spamd_stop(struct spam_check *check)
{
	if (check->transport)
		bufferevent_free(check->transport);
	check->transport = NULL;
}

const struct spam_ops spamd_ops = {.start = spamd_start, .stop = spamd_stop};
