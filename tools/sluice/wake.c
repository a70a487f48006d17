/*
 * tools/sluice/wake.c - `sluice wake`: orders a queue run from the delivering
 * sendmail whenever mail has come to out/.
 *
 * One order covers everything that lay there when it was given; sendmail's
 * locks keep runs that overlap from each other's messages.  The first order
 * after a pause is given at once; when mail keeps coming, orders keep a
 * distance that grows, so that a run finds more than one message to do
 * (docs/decisions/0003-waking-the-out-daemon.md, with the figures).
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "tools/sluice/drop.h"
#include "tools/sluice/etrn.h"
#include "tools/sluice/outbox.h"
#include "tools/sluice/util.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#define GAP_MIN_USEC (5 * USEC_PER_MSEC)
#define GAP_MAX_USEC (100 * USEC_PER_MSEC)
#define TICK_USEC    (250 * USEC_PER_MSEC)
#define LAST_USEC    (USEC_PER_SEC) /* for the order on the way out */

/* The queue group that etc/out.mc defines. */
#define OUT_GROUP "mqueue"

struct wake {
	struct event_base *base;
	struct outbox *outbox;
	struct etrn *etrn;
	struct event *events, *tick, *gap_over, *term, *intr;
	struct mono last_order;
	uint64_t gap_usec;
	bool waited;    /* the next order had to wait for the gap */
	bool under_way; /* an order that wasn't answered yet */
	bool lost;      /* and said so */
	bool stopping;
	int status;
};

/* Is it too early for an order?  Then a timer is set. */
static bool
must_wait(struct wake *w, struct mono now)
{
	uint64_t since = mono_span(w->last_order, now);
	struct timeval tv;

	if (since >= w->gap_usec || w->stopping)
		return false;
	w->waited = true;
	tv = span_timeval(w->gap_usec - since);
	(void)event_add(w->gap_over, &tv);
	return true;
}

/* An order that had to wait doubles the gap, one that hadn't halves it. */
static void
adapt_gap(struct wake *w)
{
	w->gap_usec = w->waited ? 2 * w->gap_usec : w->gap_usec / 2;
	if (w->gap_usec < GAP_MIN_USEC)
		w->gap_usec = GAP_MIN_USEC;
	if (w->gap_usec > GAP_MAX_USEC)
		w->gap_usec = GAP_MAX_USEC;
	w->waited = false;
}

/* Order a run if there is a reason for one. */
static void
consider(struct wake *w)
{
	struct mono now = mono_now();

	if (outbox_fresh(w->outbox) == 0 || !etrn_is_ready(w->etrn) ||
	    must_wait(w, now))
		return;
	log_debug("order messages=%zu outstanding=%zu gap_usec=%" PRIu64,
	    outbox_fresh(w->outbox), outbox_outstanding(w->outbox),
	    w->gap_usec);
	adapt_gap(w);
	w->last_order = now;
	w->under_way = true;
	outbox_ordered(w->outbox, now);
	etrn_order(w->etrn);
}

static void
on_gap_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	consider(arg);
}

static void
leave(struct wake *w)
{
	(void)event_base_loopbreak(w->base);
}

static void
on_news(void *arg, enum etrn_news news, const char *text)
{
	struct wake *w = arg;
	char buf[256];

	if (news == ETRN_LOST) {
		if (w->under_way)
			outbox_refused(w->outbox);
		if (!w->lost || w->under_way)
			log_warn("lost error=\"%s\"",
			    log_text(buf, sizeof(buf), text));
		w->lost = true;
	} else if (w->lost) {
		log_info("found");
		w->lost = false;
	}
	w->under_way = false;
	if (w->stopping)
		leave(w);
	else if (news != ETRN_LOST)
		consider(w);
}

static void
on_outbox(evutil_socket_t fd, short what, void *arg)
{
	struct wake *w = arg;
	int r = outbox_read(w->outbox, mono_now());

	(void)fd;
	(void)what;
	if (r < 0) {
		log_error("watch error=\"%s\"", strerror(-r));
		w->status = STATUS_SYSTEM;
		leave(w);
		return;
	}
	consider(w);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct wake *w = arg;

	(void)fd;
	(void)what;
	outbox_tick(w->outbox, mono_now());
	consider(w);
}

/* What the workers moved last is still ordered. */
static void
on_term(evutil_socket_t sig, short what, void *arg)
{
	struct wake *w = arg;
	struct timeval tv = span_timeval(LAST_USEC);

	(void)sig;
	(void)what;
	w->stopping = true;
	(void)event_base_loopexit(w->base, &tv);
	(void)outbox_read(w->outbox, mono_now());
	consider(w);
	if (!w->under_way)
		leave(w);
}

static int
wire_events(struct wake *w)
{
	struct timeval tv = span_timeval(TICK_USEC);

	w->events = event_new(
	    w->base, outbox_fd(w->outbox), EV_READ | EV_PERSIST, on_outbox, w);
	w->tick = event_new(w->base, -1, EV_PERSIST, on_tick, w);
	w->gap_over = evtimer_new(w->base, on_gap_over, w);
	w->term = evsignal_new(w->base, SIGTERM, on_term, w);
	w->intr = evsignal_new(w->base, SIGINT, on_term, w);
	if (!w->events || !w->tick || !w->gap_over || !w->term || !w->intr ||
	    event_add(w->events, NULL) < 0 || event_add(w->tick, &tv) < 0 ||
	    event_add(w->term, NULL) < 0 || event_add(w->intr, NULL) < 0)
		return -ENOMEM;
	return 0;
}

static void
done(struct wake *w)
{
	(void)etrn_free(w->etrn);
	(void)outbox_close(w->outbox);
	if (w->events)
		event_free(w->events);
	if (w->tick)
		event_free(w->tick);
	if (w->gap_over)
		event_free(w->gap_over);
	if (w->term)
		event_free(w->term);
	if (w->intr)
		event_free(w->intr);
	if (w->base)
		event_base_free(w->base);
}

static int
serve(struct wake *w, const struct conf *conf)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/out", conf->site.spool);
	int r = drop_to_user(conf->site.user);

	if (r == 0)
		r = outbox_open(path, &w->outbox);
	if (r < 0)
		return util_fail(
		    STATUS_SYSTEM, "wake", "%s: %s", path, strerror(-r));
	w->base = event_base_new();
	if (!w->base || wire_events(w) < 0)
		return util_fail(STATUS_SYSTEM, "wake", "no event loop");
	w->etrn = etrn_new(w->base, conf->out.socket, OUT_GROUP, on_news, w);
	log_info("ready out=%s waiting=%zu", path, outbox_fresh(w->outbox));
	(void)event_base_dispatch(w->base);
	return w->status;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	return util_common_option(key, arg, state->input);
}

static const struct argp_option options[] = {OPTION_CONF, {0}};

static const struct argp argp = {options, parse, NULL,
    "Order a queue run from the delivering sendmail (ETRN over out.socket) "
    "whenever mail has come to out.\v"
    "`sluice run` starts this by itself; by hand it is for machines where "
    "each daemon is a service of its own.",
    NULL, NULL, NULL};

int
command_wake(int argc, char **argv)
{
	struct common_options o = {0};
	struct wake w = {.status = STATUS_FINE, .gap_usec = GAP_MIN_USEC};
	struct conf *conf;
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &o);
	conf = util_conf(&o, &status);
	if (!conf)
		return status;
	log_init("sluice-wake", log_level_parse(conf->site.log_level));
	status = serve(&w, conf);
	done(&w);
	(void)conf_free(conf);
	return status;
}
