/*
 * tools/load/send.c - the sender's scheduler.
 *
 * One function, pump(), does all the deciding: it hands whatever is due to
 * whatever connection is idle, opens connections, sets the one timer, and
 * sees the end.  Everything that happens only asks for it to be run.
 *
 * Arrivals are open-loop: a message is due when the plan says so, whether the
 * server keeps up or not, and the delay is reported ("lag").
 */
#include "send.h"

#include "jrec.h"
#include "retryq.h"
#include "send_book.h"

#include <err.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRY_FIRST_USEC   (USEC_PER_SEC / 4)
#define RETRY_LONGEST_USEC (8 * (uint64_t)USEC_PER_SEC)
#define DIAL_FIRST_USEC    (USEC_PER_SEC / 20)
#define DIAL_LONGEST_USEC  ((uint64_t)USEC_PER_SEC)

struct sender {
	const struct send_options *o;
	struct event_base *base;
	struct event *wake; /* run pump() */
	struct plan plan;
	struct corpus corpus;
	struct retryq retries;
	struct send_book book;
	struct smtp_client **clients;
	struct job *jobs; /* the one that each connection sends */
	unsigned in_flight;
	uint64_t end_usec;        /* no new messages from then on; 0: never */
	uint64_t dial_usec;       /* no new connections before */
	uint64_t dial_wait_usec;  /* the present backoff */
	uint64_t down_since_usec; /* 0: a connection worked since */
	bool is_stopping;         /* a signal: finish what is in flight */
	bool gave_up;
};

static void
wake_at(struct sender *s, uint64_t now, uint64_t when)
{
	const struct timeval tv = usec_to_timeval(when > now ? when - now : 0);

	(void)event_add(s->wake, &tv);
}

static void
wake_now(struct sender *s)
{
	event_active(s->wake, EV_TIMEOUT, 0);
}

static uint64_t
backoff(unsigned attempts)
{
	uint64_t wait = RETRY_FIRST_USEC;

	while (attempts-- > 1 && wait < RETRY_LONGEST_USEC)
		wait *= 2;
	return wait < RETRY_LONGEST_USEC ? wait : RETRY_LONGEST_USEC;
}

static bool
wants_retry(const struct sender *s, const struct job *job, enum outcome how)
{
	if (how == OUTCOME_ACCEPTED || how == OUTCOME_REJECTED)
		return false;
	if (how == OUTCOME_BROKEN && !s->o->resend_broken)
		return false;
	return !s->o->no_retry && !s->is_stopping && !s->gave_up &&
	       mono_usec() - job->first_usec < s->o->retry_usec;
}

static enum status
status_of(const struct job *job, enum outcome how)
{
	switch (how) {
	case OUTCOME_ACCEPTED:
		return STATUS_ACCEPTED;
	case OUTCOME_REJECTED:
	case OUTCOME_DEFERRED:
	case OUTCOME_LOST:
	case OUTCOME_BROKEN:
		break;
	}
	/* An earlier try may have been taken: that doubt stays. */
	if (how == OUTCOME_BROKEN || job->broke > 0)
		return STATUS_BROKEN;
	return how == OUTCOME_REJECTED ? STATUS_REJECTED : STATUS_DEFERRED;
}

static unsigned
index_of(const struct sender *s, const struct smtp_client *c)
{
	unsigned i = 0;

	while (s->clients[i] != c)
		i++;
	return i;
}

static void
on_result(void *arg, struct smtp_client *c, struct message *m,
    const struct result *result)
{
	struct sender *s = arg;
	struct job *job = &s->jobs[index_of(s, c)];

	s->in_flight--;
	if (result->outcome == OUTCOME_LOST ||
	    result->outcome == OUTCOME_BROKEN)
		s->book.reconnects++;
	if (result->outcome == OUTCOME_BROKEN)
		job->broke++;
	if (wants_retry(s, job, result->outcome)) {
		s->book.retries++;
		job->not_before_usec = mono_usec() + backoff(job->attempts);
		retryq_push(&s->retries, job);
	} else {
		send_book_enter(
		    &s->book, job, m, status_of(job, result->outcome), result);
	}
	(void)message_free(m);
	wake_now(s);
}

static void
on_ready(void *arg, struct smtp_client *c)
{
	struct sender *s = arg;

	(void)c;
	s->down_since_usec = 0;
	s->dial_wait_usec = 0;
	s->dial_usec = 0;
	wake_now(s);
}

static void
on_down(void *arg, struct smtp_client *c, bool was_up)
{
	struct sender *s = arg;
	const uint64_t now = mono_usec();

	(void)c;
	if (!was_up) {
		s->book.reconnects++;
		if (s->down_since_usec == 0)
			s->down_since_usec = now;
		s->dial_wait_usec =
		    s->dial_wait_usec ? s->dial_wait_usec * 2 : DIAL_FIRST_USEC;
		if (s->dial_wait_usec > DIAL_LONGEST_USEC)
			s->dial_wait_usec = DIAL_LONGEST_USEC;
		s->dial_usec = now + s->dial_wait_usec;
	}
	wake_now(s);
}

static const struct smtp_client_events client_events = {
    .ready = on_ready,
    .result = on_result,
    .down = on_down,
};

/* When the next new message or retry is due; UINT64_MAX: there is none. */
static uint64_t
next_due(const struct sender *s, uint64_t now)
{
	const struct job *retry = retryq_peek(&s->retries);
	uint64_t due = UINT64_MAX;

	if (!plan_is_over(&s->plan) && !s->is_stopping &&
	    (s->end_usec == 0 ||
		(now < s->end_usec && s->plan.due_usec < s->end_usec)))
		due = s->plan.due_usec;
	if (retry && retry->not_before_usec < due)
		due = retry->not_before_usec;
	return due;
}

static void
take_job(struct sender *s, uint64_t now, struct job *ret_job)
{
	const struct job *retry = retryq_peek(&s->retries);

	if (retry && retry->not_before_usec <= now) {
		retryq_pop(&s->retries, ret_job);
		return;
	}
	plan_next(&s->plan, ret_job);
	ret_job->first_usec = now;
	if (s->o->plan.rate > 0)
		hist_add(&s->book.lag, now - ret_job->due_usec);
}

/* Something is due and client i is idle. */
static void
send_one(struct sender *s, unsigned i, uint64_t now)
{
	struct job *job = &s->jobs[i];
	struct message *m;
	int r;

	take_job(s, now, job);
	r = message_open(&s->o->message, job, &m);
	if (r < 0) {
		warnx("%s: %s", job->file, strerror(-r));
		s->book.unreadable++;
		return;
	}
	job->attempts++;
	s->in_flight++;
	smtp_client_send(s->clients[i], m);
}

/* Open a connection; all of them at once when there is no pace to keep. */
static void
dial(struct sender *s, uint64_t now)
{
	const bool one_is_enough =
	    s->o->plan.rate > 0 || s->down_since_usec > 0;

	if (now < s->dial_usec)
		return;
	for (unsigned i = 0; i < s->o->connections && one_is_enough; i++)
		if (smtp_client_is_connecting(s->clients[i]))
			return;
	for (unsigned i = 0; i < s->o->connections; i++) {
		if (!smtp_client_is_down(s->clients[i]))
			continue;
		smtp_client_connect(s->clients[i]);
		if (one_is_enough || now < s->dial_usec)
			return;
	}
}

static void
hand_out(struct sender *s, uint64_t now)
{
	for (unsigned i = 0; i < s->o->connections; i++)
		while (next_due(s, now) <= now &&
		       smtp_client_is_ready(s->clients[i]))
			send_one(s, i, now);
	if (next_due(s, now) <= now)
		dial(s, now);
}

/* Messages that wait for a try that won't come. */
static void
write_off(struct sender *s)
{
	const struct result result = {.reply = "not tried again"};

	while (retryq_peek(&s->retries)) {
		struct message *m;
		struct job job;

		retryq_pop(&s->retries, &job);
		if (message_open(&s->o->message, &job, &m) < 0)
			continue;
		send_book_enter(&s->book, &job, m,
		    job.broke ? STATUS_BROKEN : STATUS_DEFERRED, &result);
		(void)message_free(m);
	}
}

static void
check_patience(struct sender *s, uint64_t now)
{
	if (s->down_since_usec == 0 || s->in_flight > 0 || s->gave_up ||
	    now - s->down_since_usec < s->o->give_up_usec)
		return;
	warnx("no connection for %.0f s: given up",
	    (double)s->o->give_up_usec / USEC_PER_SEC);
	s->gave_up = true;
	s->is_stopping = true;
}

/* Nothing is left to send: take leave, and end when all have left. */
static void
wind_up(struct sender *s)
{
	bool all_down = true;

	for (unsigned i = 0; i < s->o->connections; i++) {
		if (smtp_client_is_ready(s->clients[i]))
			smtp_client_quit(s->clients[i]);
		if (!smtp_client_is_down(s->clients[i]) &&
		    !smtp_client_is_connecting(s->clients[i]))
			all_down = false;
	}
	if (all_down)
		(void)event_base_loopbreak(s->base);
}

static void
pump(struct sender *s)
{
	const uint64_t now = mono_usec();
	uint64_t due;

	check_patience(s, now);
	if (s->is_stopping)
		write_off(s);
	hand_out(s, now);
	due = next_due(s, now);
	if (due == UINT64_MAX && s->in_flight == 0) {
		wind_up(s);
		return;
	}
	/* What is due now waits for a connection: ready() and down() wake
	 * us, and the end of the backoff does. */
	if (due > now && due != UINT64_MAX)
		wake_at(s, now, due);
	else if (due <= now && s->dial_usec > now)
		wake_at(s, now, s->dial_usec);
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pump(arg);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct sender *s = arg;

	(void)fd;
	(void)what;
	send_book_progress(&s->book, s->o->plan.count, false);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct sender *s = arg;

	(void)fd;
	(void)what;
	if (s->is_stopping)
		(void)event_base_loopbreak(s->base); /* the second one */
	s->is_stopping = true;
	wake_now(s);
}

static void
load_corpus(struct corpus *c, const struct send_options *o)
{
	int r = 0;

	if (o->corpus_dir) {
		r = corpus_add_dir(c, o->corpus_dir);
		if (r < 0)
			die(EXIT_USAGE, "%s: %s", o->corpus_dir, strerror(-r));
	}
	if (o->list) {
		r = corpus_add_list(c, o->list);
		if (r < 0)
			die(EXIT_USAGE, "%s: %s", o->list, strerror(-r));
	}
	corpus_settle(c, o->skip_bare_cr);
	if ((o->corpus_dir || o->list) && c->count == 0)
		die(EXIT_USAGE, "no message files there");
}

static void
sender_init(struct sender *s, struct send_options *o)
{
	int r;

	*s = (struct sender){.o = o};
	load_corpus(&s->corpus, o);
	s->book.log_fd = -1;
	s->book.corpus_class = o->corpus_class;
	s->book.skipped = s->corpus.skipped;
	if (o->log) {
		r = jrec_log_open(o->log, &s->book.log_fd);
		if (r < 0)
			die(EXIT_USAGE, "%s: %s", o->log, strerror(-r));
	}
	s->base = event_base_new();
	if (!s->base)
		die(EXIT_SYSTEM, "no event loop");
	s->wake = evtimer_new(s->base, on_wake, s);
	if (!s->wake)
		die(EXIT_SYSTEM, "out of memory");
	s->clients = xcalloc(o->connections, sizeof(struct smtp_client *));
	s->jobs = xcalloc(o->connections, sizeof(*s->jobs));
	for (unsigned i = 0; i < o->connections; i++)
		s->clients[i] =
		    smtp_client_new(s->base, &o->client, &client_events, s);
	s->book.start_usec = mono_usec();
	plan_init(&s->plan, &o->plan, &s->corpus, s->book.start_usec);
	if (o->duration_usec > 0)
		s->end_usec = s->book.start_usec + o->duration_usec;
}

static void
sender_done(struct sender *s)
{
	for (unsigned i = 0; i < s->o->connections; i++)
		(void)smtp_client_free(s->clients[i]);
	free(s->clients);
	free(s->jobs);
	retryq_done(&s->retries);
	corpus_done(&s->corpus);
	event_free(s->wake);
	event_base_free(s->base);
	if (s->book.log_fd >= 0)
		(void)close(s->book.log_fd);
}

static void
loop(struct sender *s)
{
	const struct timeval second = {.tv_sec = 1};
	struct event *tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
	struct event *term = evsignal_new(s->base, SIGTERM, on_signal, s);
	struct event *intr = evsignal_new(s->base, SIGINT, on_signal, s);

	if (!tick || !term || !intr)
		die(EXIT_SYSTEM, "out of memory");
	(void)event_add(term, NULL);
	(void)event_add(intr, NULL);
	if (s->o->progress)
		(void)event_add(tick, &second);
	wake_now(s);
	if (event_base_dispatch(s->base) < 0)
		die(EXIT_SYSTEM, "the event loop failed");
	if (s->o->progress)
		send_book_progress(&s->book, s->o->plan.count, true);
	event_free(tick);
	event_free(term);
	event_free(intr);
}

int
send_run(struct send_options *o)
{
	struct sender s;
	int code = EXIT_FINE;

	sender_init(&s, o);
	loop(&s);
	s.is_stopping = true;
	for (unsigned i = 0; i < o->connections; i++)
		smtp_client_close(s.clients[i]);
	write_off(&s);
	send_book_summary(&s.book, o->json);
	if (s.gave_up)
		code = EXIT_SYSTEM;
	else if (s.book.by_status[STATUS_ACCEPTED] != send_book_done(&s.book) ||
		 s.book.unreadable > 0)
		code = EXIT_BAD_NEWS;
	sender_done(&s);
	return code;
}
