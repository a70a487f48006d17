#include "flow/daemon.h"

#include "flow/ask.h"
#include "flow/capture.h"
#include "flow/keep.h"
#include "flow/service.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/sandbox.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define EXIT_USAGE  100
#define EXIT_SYSTEM 111

#define BAD_QUESTION "none reason=bad-question"

#define NSEC_PER_USEC INT64_C(1000)
/* docs/decisions/0012-flows.md, "Time". */
#define IDLE_NSEC     (INT64_C(3600) * 1000000000)
#define CLOSED_NSEC   (INT64_C(60) * 1000000000)
#define UNPROVEN_NSEC (INT64_C(60) * 1000000000)
/* Packets of one wake-up: some 10 ms of work. */
#define AT_ONCE   4096
#define TICK_USEC USEC_PER_SEC

_Static_assert(FLOW_ASK_MAX <= FLOW_SERVICE_MAX &&
		   FLOW_ANSWER_MAX <= FLOW_SERVICE_ANSWER_MAX,
    "the service has room");

struct flow_daemon {
	const struct conf *conf;
	struct event_base *base;
	struct flow_limits limits;
	struct capture *capture;
	struct metrics *metrics;
	struct flow_journal *journal;
	struct flow_records *records;
	struct flow_keep *keep;
	struct flow_service *service;
	uint64_t drops, unread; /* told to metrics */
	int listen_fd;
	uid_t engines_uid;
	int status;
};

int
flow_ports_parse(const char *text, uint16_t *ret, size_t max)
{
	const char *at = text;
	size_t n = 0;

	while (true) {
		char *end;
		const unsigned long port = strtoul(at, &end, 10);

		if (*at < '0' || *at > '9' || port == 0 || port > UINT16_MAX ||
		    (*end != ',' && *end != '\0') || n == max)
			return -EINVAL;
		ret[n++] = (uint16_t)port;
		if (*end == '\0')
			return (int)n;
		at = end + 1;
	}
}

static int
fail(const char *what, const char *err)
{
	log_error("flow %s: %s", what, err);
	return EXIT_SYSTEM;
}

static int
make_directory(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return -errno;
	return chmod(path, mode) < 0 ? -errno : 0;
}

static int
open_journal(struct flow_daemon *d)
{
	const struct conf *c = d->conf;
	CLEANUP(free_ptr) char *dir = xasprintf("%s/flows", c->site.state);
	int r = make_directory(dir, 0700);

	if (r == 0)
		r = flow_journal_open(dir, (uint32_t)c->flow.records,
		    (int64_t)c->flow.retention_usec * NSEC_PER_USEC,
		    &d->journal);
	return r < 0
		   ? fail(dir, r == -EBUSY ? "another sluice-flow writes there"
					   : strerror(-r))
		   : 0;
}

static int
open_socket(struct flow_daemon *d)
{
	CLEANUP(free_ptr)
	char *dir = xasprintf("%s/flow", d->conf->site.runtime);
	CLEANUP(free_ptr) char *path = xasprintf("%s/flow.sock", dir);
	const struct passwd *pw = getpwnam(d->conf->site.engines_user);
	int r = make_directory(dir, 0755);

	d->engines_uid = geteuid() != 0 || !pw ? geteuid() : pw->pw_uid;
	if (r == 0)
		r = d->listen_fd = ipc_listen(path);
	return r < 0 ? fail(path, strerror(-r)) : 0;
}

/* It may come later (a tunnel, a card that is plugged in): wait, as root, but
 * with nothing read yet. */
static int
open_capture(struct flow_daemon *d)
{
	const char *interface = d->conf->flow.interface;
	bool has_said = false;
	char err[512];
	int r;

	while ((r = capture_open_live(interface, d->limits.ports,
		    d->limits.n_ports, &d->capture, err, sizeof(err))) ==
	       -ENODEV) {
		if (!has_said)
			log_warn("flow %s: waiting for it", err);
		has_said = true;
		(void)sleep(1);
	}
	return r < 0 ? fail("capture", err) : 0;
}

static int
open_outside(struct flow_daemon *d)
{
	const struct conf *c = d->conf;
	int r = metrics_open(c->site.runtime, "flow", &d->metrics);

	if (r < 0)
		return fail(c->site.runtime, strerror(-r));
	r = open_capture(d);
	if (r == 0)
		r = open_journal(d);
	return r == 0 ? open_socket(d) : r;
}

static int64_t
now_nsec(void)
{
	return (int64_t)wall_now().usec * NSEC_PER_USEC;
}

struct loading {
	struct flow_records *records;
	int64_t not_before_nsec;
};

static void
on_record(void *arg, const struct flow_record *record)
{
	const struct loading *loading = arg;

	if (record->at_nsec >= loading->not_before_nsec)
		flow_records_put(loading->records, record);
}

static void
load(struct flow_daemon *d)
{
	const struct loading loading = {d->records,
	    now_nsec() - (int64_t)d->conf->flow.retention_usec * NSEC_PER_USEC};
	const int64_t skipped = flow_journal_read(
	    d->journal, on_record, (void *)(uintptr_t)&loading);

	if (skipped < 0)
		log_error(
		    "flow journal: %s; begun without", strerror((int)-skipped));
	else if (skipped > 0)
		log_warn("flow journal: %" PRId64 " octets skipped: cut off or "
			 "damaged",
		    skipped);
}

static void
end(struct flow_daemon *d, int status)
{
	d->status = status;
	(void)event_base_loopbreak(d->base);
}

static int
read_packets(struct flow_daemon *d)
{
	char err[512];
	const int r = capture_read(
	    d->capture, AT_ONCE, flow_keep_packet, d->keep, err, sizeof(err));

	if (r >= 0)
		return r;
	log_error("flow %s: begin again", err);
	end(d, EXIT_SYSTEM);
	return r;
}

static void
on_packets(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)read_packets(arg);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct flow_daemon *d = arg;
	const uint64_t *kinds = capture_kinds(d->capture);
	const uint64_t drops = capture_drops(d->capture);
	const uint64_t unread =
	    kinds[PACKET_FRAGMENT] + kinds[PACKET_CUT] + kinds[PACKET_BAD];

	(void)fd;
	(void)what;
	if (read_packets(d) < 0)
		return;
	if (drops > d->drops)
		log_warn("flow drops=%" PRIu64 ": the kernel had no room for "
			 "these packets",
		    drops - d->drops);
	metrics_add(d->metrics, METRIC_flow_drops, drops - d->drops);
	metrics_add(d->metrics, METRIC_flow_unread, unread - d->unread);
	d->drops = drops;
	d->unread = unread;
	flow_keep_tick(d->keep, now_nsec());
}

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg, 0);
}

/* What the kernel has is counted before a question is answered. */
static size_t
on_question(void *arg, const char *text, size_t size, char *answer)
{
	struct flow_daemon *d = arg;
	struct flow_question question;
	enum flow_by by;
	size_t n;

	if (flow_ask_parse(text, size, &question) < 0) {
		(void)strcpy(answer, BAD_QUESTION);
		return sizeof(BAD_QUESTION) - 1;
	}
	(void)read_packets(d);
	question.not_before_nsec =
	    now_nsec() - (int64_t)d->conf->flow.retention_usec * NSEC_PER_USEC;
	n = flow_answer(
	    flow_keep_table(d->keep), d->records, &question, answer, &by);
	metrics_add(d->metrics, METRIC_flow_questions, 1);
	metrics_add(d->metrics, METRIC_flow_unknown,
	    by == FLOW_BY_NOTHING || by == FLOW_BY_AMBIGUOUS);
	return n;
}

static void
dispatch(struct flow_daemon *d)
{
	const struct timeval tick = span_timeval(TICK_USEC);
	struct event *events[] = {
	    event_new(d->base, capture_fd(d->capture), EV_READ | EV_PERSIST,
		on_packets, d),
	    event_new(d->base, -1, EV_PERSIST, on_tick, d),
	    evsignal_new(d->base, SIGTERM, on_end, d),
	    evsignal_new(d->base, SIGINT, on_end, d),
	};

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		(void)event_add(events[i], i == 1 ? &tick : NULL);
	log_info("flow interface=%s ports=%s records=%" PRIu32 ": capturing",
	    d->conf->flow.interface, d->conf->flow.ports,
	    flow_records_count(d->records));
	if (event_base_dispatch(d->base) < 0)
		d->status = EXIT_SYSTEM;
	flow_keep_end(d->keep);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		event_free(events[i]);
}

static int
serve(struct flow_daemon *d)
{
	char err[512];

	d->base = event_base_new();
	if (!d->base)
		return fail("loop", strerror(errno));
	if (sandbox_enter(ROLE_FLOW, d->conf, err, sizeof(err)) < 0)
		return fail("sandbox", err);
	d->records = flow_records_new((uint32_t)d->conf->flow.records);
	load(d);
	d->keep = flow_keep_new(&d->limits, d->records, d->journal, d->metrics);
	d->service = flow_service_new(
	    d->base, d->listen_fd, d->engines_uid, on_question, d);
	dispatch(d);
	(void)flow_service_free(d->service);
	(void)flow_keep_free(d->keep);
	(void)flow_records_free(d->records);
	return d->status;
}

int
flow_daemon_run(const struct conf *conf)
{
	struct flow_daemon d = {.conf = conf,
	    .listen_fd = -1,
	    .limits = {.proven_max = FLOW_PROVEN_MAX,
		.unproven_max = FLOW_UNPROVEN_MAX,
		.budget_bytes = FLOW_BUDGET_BYTES,
		.idle_nsec = IDLE_NSEC,
		.closed_nsec = CLOSED_NSEC,
		.unproven_nsec = UNPROVEN_NSEC}};
	const int n =
	    flow_ports_parse(conf->flow.ports, d.limits.ports, FLOW_PORTS_MAX);
	int r;

	if (n < 0 || strcmp(conf->flow.interface, "none") == 0) {
		log_error(n < 0 ? "flow.ports = \"%s\": write 1 to 16 ports "
				  "with commas between them"
				: "flow.interface = \"%s\": name the interface "
				  "on which mail comes in (ip -brief link)",
		    n < 0 ? conf->flow.ports : conf->flow.interface);
		return EXIT_USAGE;
	}
	d.limits.n_ports = (size_t)n;
	r = open_outside(&d);
	if (r == 0)
		r = serve(&d);
	if (d.base)
		event_base_free(d.base);
	close_fd(&d.listen_fd);
	(void)flow_journal_close(d.journal);
	(void)capture_close(d.capture);
	(void)metrics_close(d.metrics);
	return r;
}
