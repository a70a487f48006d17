#include "worker/caller.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/words.h"
#include "worker/asker.h"
#include "worker/wire.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Twice what the kernel may collect (docs/decisions/0012-flows.md). */
#define AGAIN_USEC (20 * USEC_PER_MSEC)

struct callers {
	const struct conf *conf;
	struct event_base *base;
	struct asker *flow, *learn;
};

struct caller {
	struct callers *callers;
	struct asker_question *question; /* that is open; NULL: none */
	struct event *again;             /* to ask a second time */
	bool is_again;
	char text[1024]; /* of the question to sluice-flow */
	caller_done *done;
	void *arg;
	struct mono begun;
	bool is_found;
	char by[16];
	unsigned int ordinal;
	double score, points;
	char features[CALLER_TEXT]; /* from client= on */
};

struct callers *
callers_new(struct event_base *base, const struct conf *conf)
{
	CLEANUP(free_ptr)
	char *flow = xasprintf("%s/flow/flow.sock", conf->site.runtime);
	CLEANUP(free_ptr)
	char *learn = xasprintf("%s/flow/learn.sock", conf->site.runtime);
	struct callers *c = xcalloc(1, sizeof(*c));

	c->conf = conf;
	c->base = base;
	c->flow = asker_new(base, flow);
	c->learn = asker_new(base, learn);
	return c;
}

struct callers *
callers_free(struct callers *c)
{
	if (!c)
		return NULL;
	(void)asker_free(c->flow);
	(void)asker_free(c->learn);
	free(c);
	return NULL;
}

struct caller *
caller_free(struct caller *c)
{
	if (!c)
		return NULL;
	asker_forget(c->question);
	event_free(c->again);
	free(c);
	return NULL;
}

static void answer(struct caller *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
answer(struct caller *c, const char *fmt, ...)
{
	char text[ANSWER_REASON_MAX];
	struct engine_answer a;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	answer_set(&a, "flow", ANSWER_CLEAN, "%s", text);
	a.usec = mono_span(c->begun, mono_now());
	if (!isnan(c->score))
		a.score = c->score;
	c->done(c->arg, &a);
}

static const char *
why_not(int error)
{
	return error == -ETIMEDOUT ? "no answer in time" : strerror(-error);
}

static void
read_words(const char *text, char copy[ASKER_TEXT_MAX + 1], struct words *ret)
{
	(void)snprintf(copy, ASKER_TEXT_MAX + 1, "%s", text);
	words_of(copy, ret);
}

/* "opinion score=2.25 points=3 above=1 why=..." */
static void
on_opinion(void *arg, int error, const char *text)
{
	struct caller *c = arg;
	const double weight = c->callers->conf->flow.weight;
	char copy[ASKER_TEXT_MAX + 1];
	double score, points;
	struct words words;
	const char *why;

	c->question = NULL;
	if (error < 0) {
		answer(c, "no opinion: found by %s, but sluice-learn: %s",
		    c->by, why_not(error));
		return;
	}
	read_words(text, copy, &words);
	why = words_value(&words, "why");
	if (strcmp(words.first, "opinion") != 0 || !why ||
	    !words_number(&words, "score", &score) ||
	    !words_number(&words, "points", &points) || isnan(points)) {
		answer(c, "no opinion: sluice-learn's answer is none");
		return;
	}
	c->score = score;
	/* It may have read another configuration. */
	c->points = points < 0 ? 0 : points < weight ? points : weight;
	if (isnan(score))
		answer(c, "no opinion: %s", why);
	else
		answer(
		    c, "score %+.2f, %.1f points: %s", score, c->points, why);
}

static uint64_t
time_left(const struct caller *c)
{
	const uint64_t past = mono_span(c->begun, mono_now());
	const uint64_t all = c->callers->conf->flow.timeout_usec;

	return past < all ? all - past : 0;
}

static void
ask_opinion(struct caller *c)
{
	CLEANUP(free_ptr) char *text = xasprintf("judge %s", c->features);

	c->question =
	    asker_ask(c->callers->learn, text, time_left(c), on_opinion, c);
}

static void on_found(void *arg, int error, const char *text);

static void
ask_flow(struct caller *c)
{
	c->question =
	    asker_ask(c->callers->flow, c->text, time_left(c), on_found, c);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct caller *c = arg;

	(void)fd;
	(void)what;
	c->is_again = true;
	ask_flow(c);
}

/* Packets are shown to sluice-flow some milliseconds after they came, so that
 * it may not have read yet that this message had arrived. */
static bool
is_early(const char *text)
{
	return strcmp(text, "none reason=unknown") == 0 ||
	       (strstr(text, " ordinal=0 ") && strstr(text, " secret=0 "));
}

/* "found by=client ordinal=1 ... client=... start=... pkts_in=12 ...", or
 * "none reason=unknown" */
static void
on_found(void *arg, int error, const char *text)
{
	const struct timeval tv = span_timeval(AGAIN_USEC);
	struct caller *c = arg;
	char copy[ASKER_TEXT_MAX + 1];
	const char *features, *by;
	struct words words;
	double ordinal;

	c->question = NULL;
	if (error == 0 && !c->is_again && is_early(text)) {
		(void)event_add(c->again, &tv);
		return;
	}
	if (error < 0) {
		answer(c, "no opinion: sluice-flow: %s", why_not(error));
		return;
	}
	if (strncmp(text, "none reason=", 12) == 0) {
		answer(
		    c, "no opinion: its connection isn't known: %s", text + 12);
		return;
	}
	read_words(text, copy, &words);
	by = words_value(&words, "by");
	features = strstr(text, " client=");
	if (strcmp(words.first, "found") != 0 || !features || !by || !*by ||
	    strlen(features) >= sizeof(c->features) ||
	    strlen(by) >= sizeof(c->by) ||
	    !words_number(&words, "ordinal", &ordinal) ||
	    !(ordinal >= 0 && ordinal <= UINT16_MAX)) {
		answer(c, "no opinion: sluice-flow's answer is none");
		return;
	}
	(void)strcpy(c->by, by);
	(void)strcpy(c->features, features + 1);
	c->ordinal = (unsigned int)ordinal;
	c->is_found = true;
	ask_opinion(c);
}

/* A question is words: what has a blank or a control isn't asked for. */
static bool
is_word(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return *text != '\0';
}

/* The "<...>" of a Message-ID, which its sender wrote; "": none. */
static void
bare_id(const char *field, char *buf, size_t size)
{
	const char *open = strchr(field, '<');
	const char *close = open ? strchr(open, '>') : NULL;

	buf[0] = '\0';
	if (close && (size_t)(close - open) + 2 <= size)
		(void)snprintf(
		    buf, size, "%.*s", (int)(close - open) + 1, open);
}

static void
question_of(const struct wire_job *info, char *buf, size_t size)
{
	char id[sizeof(info->message_id)];
	size_t n = 0;

	bare_id(info->message_id, id, sizeof(id));
	buf[0] = '\0';
	if (info->port > 0 && is_word(info->address))
		n = (size_t)snprintf(
		    buf, size, "client=%s port=%u ", info->address, info->port);
	if (is_word(info->id))
		n += (size_t)snprintf(buf + n, size - n, "queue=%s ", info->id);
	if (is_word(id))
		(void)snprintf(buf + n, size - n, "id=%s", id);
}

struct caller *
caller_ask(struct callers *callers, const struct wire_job *info,
    caller_done *done, void *arg)
{
	struct caller *c = xcalloc(1, sizeof(*c));

	c->callers = callers;
	c->done = done;
	c->arg = arg;
	c->begun = mono_now();
	c->score = NAN;
	c->again = event_new(callers->base, -1, 0, on_again, c);
	assert(c->again);
	question_of(info, c->text, sizeof(c->text));
	ask_flow(c);
	return c;
}

bool
caller_view(const struct caller *c, struct caller_view *ret)
{
	if (!c->is_found)
		return false;
	*ret = (struct caller_view){.by = c->by,
	    .ordinal = c->ordinal,
	    .score = c->score,
	    .points = c->points,
	    .features = c->features};
	return true;
}

void
caller_learn(const struct caller *c, double content)
{
	CLEANUP(free_ptr) char *text = NULL;

	if (!c->is_found)
		return;
	text = xasprintf("learn content=%.9g %s", content, c->features);
	(void)asker_ask(c->callers->learn, text,
	    c->callers->conf->flow.timeout_usec, NULL, NULL);
}
