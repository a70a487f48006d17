/*
 * tools/sluice/gate.c - `sluice gate`: tells the receiving sendmail, at each
 * MAIL, whether to take a message or to say 4xx.
 *
 * It looks at the feed's board, the workers' counters and the disk once a
 * second and answers from what it saw then
 * (docs/decisions/0008-back-pressure.md).  While it doesn't run, mail is
 * taken: that is safe in in/, and sendmail has a limit of its own for the
 * disk.
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/sandbox.h"
#include "tools/sluice/gate_clients.h"
#include "tools/sluice/gate_look.h"
#include "tools/sluice/gate_rule.h"
#include "tools/sluice/gate_view.h"
#include "tools/sluice/util.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#define LOOK_USEC USEC_PER_SEC
/* Below the descriptors that the row of ROLE_GATE leaves us. */
#define OTHER_FILES 64

struct gate {
	struct conf *conf;
	struct event_base *base;
	struct event *tick, *term, *intr, *hup;
	struct gate_clients *clients;
	struct gate_eyes *eyes;
	struct metrics *metrics;
	int listen_fd, spool_fd;
	struct gate_sight sight;
	struct gate_rule rule;
	struct mono changed;
	uint64_t refused; /* since the last change */
};

static struct gate_limits
limits_of(const struct conf *conf)
{
	return (struct gate_limits){
	    .full_usec = conf->gate.full_wait_usec,
	    .resume_usec = conf->gate.resume_wait_usec,
	    .full_percent = conf->gate.full_disk,
	    .resume_percent = conf->gate.resume_disk,
	};
}

static void
show(struct gate *g)
{
	const struct gate_view view = {
	    .takes_bytes = g->rule.takes_bytes,
	    .is_full = g->rule.full,
	    .since_usec = mono_span(g->changed, mono_now()),
	    .wait_usec = gate_wait_usec(&g->sight, UINT64_MAX),
	    .used_percent = g->sight.used_percent,
	};

	gate_view_put(&view, g->metrics);
	metrics_set(g->metrics, METRIC_gate_clients,
	    g->clients ? gate_clients_count(g->clients) : 0);
	metrics_add(g->metrics, METRIC_gate_looks, 1);
}

/* Once a change, however many messages it concerns. */
static void
say_change(const struct gate *g, const struct gate_rule *former)
{
	uint64_t wait = gate_wait_usec(&g->sight, UINT64_MAX);

	if (gate_is_open(&g->rule))
		log_info("open wait_usec=%" PRIu64 " used_percent=%" PRIu64
			 " closed_usec=%" PRIu64 " refused=%" PRIu64,
		    wait, g->sight.used_percent,
		    mono_span(g->changed, mono_now()), g->refused);
	else
		log_warn("%s reason=%s takes_bytes=%" PRIu64
			 " wait_usec=%" PRIu64 " used_percent=%" PRIu64,
		    gate_is_open(former) ? "closed" : "changed",
		    g->rule.full ? "disk" : "wait",
		    g->rule.full ? 0 : g->rule.takes_bytes, wait,
		    g->sight.used_percent);
}

static void
look(struct gate *g)
{
	const struct gate_limits limits = limits_of(g->conf);
	const struct gate_rule former = g->rule;
	struct mono now = mono_now();

	gate_look(g->eyes, now, &g->sight);
	g->rule = gate_decide(former, &limits, &g->sight);
	if (g->rule.full != former.full ||
	    g->rule.takes_bytes != former.takes_bytes) {
		say_change(g, &former);
		/* "Closed since" is since it began, whatever grew worse. */
		if (gate_is_open(&g->rule) || gate_is_open(&former)) {
			g->changed = now;
			g->refused = 0;
		}
	}
	show(g);
}

static enum gate_answer
ask(void *arg, uint64_t bytes)
{
	struct gate *g = arg;
	enum gate_answer answer = gate_answer(&g->rule, bytes);

	metrics_add(g->metrics, METRIC_gate_asked, 1);
	if (answer == GATE_BUSY)
		metrics_add(g->metrics, METRIC_gate_busy, 1);
	else if (answer == GATE_FULL)
		metrics_add(g->metrics, METRIC_gate_full, 1);
	g->refused += answer != GATE_TAKE;
	return answer;
}

static void
closed(void *arg, enum gate_closing why)
{
	struct gate *g = arg;

	metrics_add(g->metrics,
	    why == GATE_TOO_MANY ? METRIC_gate_too_many : METRIC_gate_bad, 1);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	look(arg);
}

static void
on_hup(evutil_socket_t sig, short what, void *arg)
{
	struct gate *g = arg;
	struct conf *conf = NULL;
	char err[512];

	(void)sig;
	(void)what;
	if (conf_load(g->conf->path, &conf, err, sizeof(err)) < 0) {
		log_error("reload result=kept-old error=\"%s\"", err);
		return;
	}
	(void)conf_free(g->conf);
	g->conf = conf;
	log_init("sluice-gate", log_level_parse(conf->site.log_level));
	log_info("reload result=accepted");
	look(g);
}

static void
on_term(evutil_socket_t sig, short what, void *arg)
{
	struct gate *g = arg;

	(void)sig;
	(void)what;
	(void)event_base_loopbreak(g->base);
}

static int
wire_events(struct gate *g)
{
	struct timeval tv = span_timeval(LOOK_USEC);

	g->base = event_base_new();
	if (!g->base)
		return -ENOMEM;
	g->tick = event_new(g->base, -1, EV_PERSIST, on_tick, g);
	g->term = evsignal_new(g->base, SIGTERM, on_term, g);
	g->intr = evsignal_new(g->base, SIGINT, on_term, g);
	g->hup = evsignal_new(g->base, SIGHUP, on_hup, g);
	if (!g->tick || !g->term || !g->intr || !g->hup ||
	    event_add(g->tick, &tv) < 0 || event_add(g->term, NULL) < 0 ||
	    event_add(g->intr, NULL) < 0 || event_add(g->hup, NULL) < 0)
		return -ENOMEM;
	return 0;
}

/* What needs the rights that the sandbox takes away. */
static int
open_outside(struct gate *g)
{
	const struct conf *c = g->conf;
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/" GATE_SOCKET, c->site.runtime);
	int r = metrics_open(c->site.runtime, "gate", &g->metrics);

	if (r < 0)
		return util_fail(STATUS_SYSTEM, "gate", "%s: %s",
		    c->site.runtime, strerror(-r));
	g->spool_fd = open(c->site.spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->spool_fd < 0)
		return util_fail(STATUS_SYSTEM, "gate", "%s: %s", c->site.spool,
		    strerror(errno));
	g->listen_fd = gate_listen(path, c->site.user);
	if (g->listen_fd < 0)
		return util_fail(STATUS_SYSTEM, "gate", "%s: %s", path,
		    strerror(-g->listen_fd));
	return STATUS_FINE;
}

static int
serve(struct gate *g)
{
	const struct gate_host host = {g, ask, closed};
	char err[512];
	long files;
	int r = open_outside(g);

	if (r != STATUS_FINE)
		return r;
	if (wire_events(g) < 0)
		return util_fail(STATUS_SYSTEM, "gate", "no event loop");
	if (sandbox_enter(ROLE_GATE, g->conf, err, sizeof(err)) < 0)
		return util_fail(STATUS_SYSTEM, "gate", "%s", err);
	g->eyes = gate_eyes_new(g->conf->site.runtime, g->spool_fd, mono_now());
	/* The first answer is one of what is so. */
	look(g);
	files = sysconf(_SC_OPEN_MAX);
	g->clients = gate_clients_new(g->base, g->listen_fd,
	    files > 2 * OTHER_FILES ? (size_t)(files - OTHER_FILES)
				    : OTHER_FILES,
	    &host);
	log_info("ready clients_max=%ld", files - OTHER_FILES);
	return event_base_dispatch(g->base) < 0 ? STATUS_SYSTEM : STATUS_FINE;
}

static void
done(struct gate *g)
{
	struct event *events[] = {g->tick, g->term, g->intr, g->hup};

	(void)gate_clients_free(g->clients);
	(void)gate_eyes_free(g->eyes);
	(void)metrics_close(g->metrics);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i])
			event_free(events[i]);
	if (g->base)
		event_base_free(g->base);
	close_fd(&g->listen_fd);
	close_fd(&g->spool_fd);
	(void)conf_free(g->conf);
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	return util_common_option(key, arg, state->input);
}

static const struct argp_option options[] = {OPTION_CONF, {0}};

static const struct argp argp = {options, parse, NULL,
    "Tell the receiving sendmail at each MAIL whether to take the message or "
    "to answer 4xx, by the marks of section gate.\v"
    "`sluice run` starts this by itself; by hand it is for machines where "
    "each daemon is a service of its own.\n"
    "While it doesn't run, sendmail takes mail.",
    NULL, NULL, NULL};

int
command_gate(int argc, char **argv)
{
	struct common_options o = {0};
	struct gate g = {
	    .listen_fd = -1, .spool_fd = -1, .rule = GATE_RULE_OPEN};
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &o);
	g.conf = util_conf(&o, &status);
	if (!g.conf)
		return status;
	log_init("sluice-gate", log_level_parse(g.conf->site.log_level));
	g.changed = mono_now();
	status = serve(&g);
	done(&g);
	return status;
}
