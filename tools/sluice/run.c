/*
 * tools/sluice/run.c - `sluice run`: the foreground supervisor.
 *
 * Signals arrive through a signalfd and stay blocked, so that none of them
 * can run a handler of ours in a child between its fork and its exec.
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "common/metrics.h"
#include "queues/spool.h"
#include "tools/sluice/crew.h"
#include "tools/sluice/prepare.h"
#include "tools/sluice/util.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

#define STOP_USEC  (20 * USEC_PER_SEC)
#define SWEEP_USEC USEC_PER_SEC
/* The gate looks once a second.  One that hasn't for so many sweeps hangs, and
 * sendmail, which waits for it at each MAIL, says 451. */
#define GATE_PATIENCE 5

#define KEY_NO_VM   256
#define KEY_NO_FLOW 257

/* Who is asked to stop first: then nothing new comes to the next. */
static const enum crew_kind stop_order[] = {CREW_FEED, CREW_WORKER, CREW_VMM,
    CREW_RPC, CREW_FLOW, CREW_LEARN, CREW_WAKE, CREW_BOOK, CREW_GATE};

struct supervisor {
	struct common_options options;
	struct event_base *base;
	struct conf *conf;
	char *active;
	struct crew *crew;
	struct event *signals, *sweep, *kill;
	int signal_fd;
	int lock_fds[2];
	bool no_vm;   /* somebody else starts sluice-vmm */
	bool no_flow; /* and sluice-flow and sluice-learn */
	bool stopping;
	size_t stage; /* in stop_order */
	bool asked;   /* the stage has got its SIGTERM */
	unsigned int empty[SPOOL_MAX_FEEDS + 1]; /* sweeps that a retiring
						  * lane was found empty */
	bool retiring[SPOOL_MAX_FEEDS + 1];
	uint64_t gate_looks;
	unsigned int gate_still; /* sweeps since they changed */
};

/* Go on as far as the stages are empty. */
static void
stop_on(struct supervisor *s)
{
	for (; s->stage < ARRAY_SIZE(stop_order); s->stage++) {
		enum crew_kind kind = stop_order[s->stage];

		if (crew_alive(s->crew, kind) > 0) {
			if (!s->asked)
				crew_signal(s->crew, kind, SIGTERM, false);
			s->asked = true;
			return;
		}
		s->asked = false;
	}
	if (crew_orphans(s->crew) == 0)
		(void)event_base_loopbreak(s->base);
}

static void
stop_begin(struct supervisor *s, int sig)
{
	struct timeval tv = span_timeval(STOP_USEC);

	if (s->stopping)
		return;
	log_info("stop signal=%s", sigabbrev_np(sig));
	s->stopping = true;
	crew_stop_restarting(s->crew);
	for (unsigned int k = 1; k <= SPOOL_MAX_FEEDS; k++)
		if (s->retiring[k])
			crew_stop_worker(s->crew, k);
	(void)event_add(s->kill, &tv);
	stop_on(s);
}

static void
on_kill(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd;
	(void)what;
	log_warn("stop reason=\"not drained in time: killing\"");
	crew_kill_all(s->crew);
}

static bool
lane_is_empty(const struct supervisor *s, unsigned int k)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/feed%u", s->conf->site.spool, k);
	CLEANUP(close_fd)
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t count = 1;

	if (fd < 0)
		return errno == ENOENT;
	return util_count_messages(fd, &count, NULL, NULL) == 0 && count == 0;
}

/* A lane that is given up keeps its worker until the feed, which learns of it
 * a moment later, cannot have put anything into it any more. */
static void
look_after_retiring(struct supervisor *s)
{
	for (unsigned int k = 1; k <= SPOOL_MAX_FEEDS; k++) {
		if (!s->retiring[k])
			continue;
		s->empty[k] = lane_is_empty(s, k) ? s->empty[k] + 1 : 0;
		if (s->empty[k] < 3)
			continue;
		crew_stop_worker(s->crew, k);
		s->retiring[k] = false;
	}
}

static void
look_after_gate(struct supervisor *s)
{
	struct metrics_values view = {0};

	if (crew_alive(s->crew, CREW_GATE) == 0 ||
	    metrics_read(s->conf->site.runtime, "gate", &view) < 0 ||
	    view.values[METRIC_gate_looks] != s->gate_looks) {
		s->gate_looks = view.values[METRIC_gate_looks];
		s->gate_still = 0;
	} else if (++s->gate_still == GATE_PATIENCE) {
		log_warn("kill name=gate reason=\"it hangs\"");
		crew_signal(s->crew, CREW_GATE, SIGKILL, false);
		s->gate_still = 0;
	}
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd;
	(void)what;
	crew_sweep(s->crew);
	look_after_retiring(s);
	look_after_gate(s);
	if (s->stopping)
		stop_on(s);
}

/* Workers of lanes that the configuration no longer has. */
static void
retire_workers(struct supervisor *s)
{
	for (unsigned int k = (unsigned int)s->conf->feed.queues + 1;
	     k <= SPOOL_MAX_FEEDS; k++) {
		if (!crew_has(s->crew, CREW_WORKER, k))
			continue;
		s->retiring[k] = true;
		s->empty[k] = 0;
		crew_retire(s->crew, k);
	}
}

/* Workers of lanes that have none. */
static void
add_workers(struct supervisor *s)
{
	for (unsigned int k = 1; k <= s->conf->feed.queues; k++) {
		if (crew_has(s->crew, CREW_WORKER, k))
			continue;
		s->retiring[k] = false;
		crew_add(s->crew, CREW_WORKER, k);
	}
}

/* Read everything anew; keep the old when anything is wrong with it. */
static void
reload(struct supervisor *s)
{
	const char *path = s->options.conf_path;
	struct conf *conf = NULL;
	char err[PREPARE_ERR];
	char *active = NULL;
	int r =
	    conf_load(path ? path : UTIL_CONF_DEFAULT, &conf, err, sizeof(err));

	if (r == 0)
		r = prepare_compare(s->conf, conf, err, sizeof(err));
	if (r == 0)
		r = prepare_check(conf, err, sizeof(err));
	if (r == 0)
		r = prepare_active(conf, &active, err, sizeof(err));
	if (r < 0) {
		log_error("reload result=kept-old error=\"%s\"", err);
		(void)conf_free(conf);
		return;
	}
	free(active); /* the same path as before: the crew holds that one */
	(void)conf_free(s->conf);
	s->conf = conf;
	log_info("reload result=accepted");
	retire_workers(s);
	crew_signal(s->crew, CREW_FEED, SIGHUP, false);
	crew_signal(s->crew, CREW_VMM, SIGTERM, true);
	crew_signal(s->crew, CREW_FLOW, SIGTERM, true);
	crew_signal(s->crew, CREW_LEARN, SIGTERM, true);
	crew_signal(s->crew, CREW_RPC, SIGTERM, true);
	crew_signal(s->crew, CREW_WORKER, SIGTERM, true);
	crew_signal(s->crew, CREW_WAKE, SIGTERM, true);
	crew_signal(s->crew, CREW_GATE, SIGHUP, false);
	add_workers(s);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;
	struct signalfd_siginfo info;

	(void)what;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP && !s->stopping)
			reload(s);
		else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			stop_begin(s, (int)info.ssi_signo);
	}
	crew_reap(s->crew); /* one SIGCHLD may stand for several deaths */
	if (s->stopping)
		stop_on(s);
}

static int
open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* Everything that can be wrong is found before the first child. */
static int
prepare(struct supervisor *s)
{
	char err[PREPARE_ERR];
	int r = prepare_check(s->conf, err, sizeof(err));

	if (r == 0)
		r = prepare_runtime(s->conf, err, sizeof(err));
	if (r == 0)
		r = prepare_lock(s->conf, s->lock_fds, err, sizeof(err));
	if (r == 0)
		r = prepare_active(s->conf, &s->active, err, sizeof(err));
	if (r == 0)
		return STATUS_FINE;
	log_error("run error=\"%s\"", err);
	return r == -EINVAL || r == -EBUSY || spool_is_misplaced(r)
		   ? STATUS_USAGE
		   : STATUS_SYSTEM;
}

static int
wire_events(struct supervisor *s)
{
	struct timeval tv = span_timeval(SWEEP_USEC);

	s->signal_fd = open_signals();
	s->base = event_base_new();
	if (s->signal_fd < 0 || !s->base)
		return -ENOMEM;
	s->signals = event_new(
	    s->base, s->signal_fd, EV_READ | EV_PERSIST, on_signal, s);
	s->sweep = event_new(s->base, -1, EV_PERSIST, on_sweep, s);
	s->kill = evtimer_new(s->base, on_kill, s);
	if (!s->signals || !s->sweep || !s->kill ||
	    event_add(s->signals, NULL) < 0 || event_add(s->sweep, &tv) < 0)
		return -ENOMEM;
	/* Orphans of a killed daemon become ours, to be ended by us. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -errno;
	return 0;
}

static void
start_all(struct supervisor *s)
{
	s->crew = crew_new(s->base, s->active, s->conf->site.runtime);
	crew_add(s->crew, CREW_BOOK, 0);
	if (!s->no_vm && strcmp(s->conf->vm.backend, "none") != 0)
		crew_add(s->crew, CREW_VMM, 0);
	if (!s->no_flow && strcmp(s->conf->flow.interface, "none") != 0) {
		crew_add(s->crew, CREW_FLOW, 0);
		crew_add(s->crew, CREW_LEARN, 0);
		if (s->conf->flow.rpc_port != 0)
			crew_add(s->crew, CREW_RPC, 0);
	}
	add_workers(s);
	crew_add(s->crew, CREW_WAKE, 0);
	crew_add(s->crew, CREW_FEED, 0);
	crew_add(s->crew, CREW_GATE, 0);
}

static int
supervise(struct supervisor *s)
{
	int r = prepare(s);

	if (r != STATUS_FINE)
		return r;
	r = wire_events(s);
	if (r < 0)
		return util_fail(STATUS_SYSTEM, "run", "%s", strerror(-r));
	start_all(s);
	(void)event_base_dispatch(s->base);
	log_info("stopped");
	(void)crew_free(s->crew);
	event_free(s->signals);
	event_free(s->sweep);
	event_free(s->kill);
	event_base_free(s->base);
	return STATUS_FINE;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct supervisor *s = state->input;

	if (key == KEY_NO_VM) {
		s->no_vm = true;
		return 0;
	}
	if (key == KEY_NO_FLOW) {
		s->no_flow = true;
		return 0;
	}
	return util_common_option(key, arg, &s->options);
}

static const struct argp_option options[] = {OPTION_CONF,
    {"no-vm", KEY_NO_VM, NULL, 0, "Somebody else starts sluice-vmm", 0},
    {"no-flow", KEY_NO_FLOW, NULL, 0,
	"Somebody else starts sluice-flow and sluice-learn", 0},
    {0}};

static const struct argp argp = {options, parse, NULL,
    "Run feed, workers, book, wake, gate and, unless vm.backend is none, "
    "sluice-vmm, and unless flow.interface is, sluice-flow and sluice-learn "
    "in the foreground, and restart what dies.\v"
    "SIGTERM or SIGINT drains: the feed stops, the workers finish what they "
    "have begun, then the rest ends; after 20 s it is ended by force, and "
    "no message is lost by that.\n"
    "SIGHUP reads the configuration and the policy rules anew; when either "
    "is wrong, one line says where, and the old ones stay.\n"
    "One line an event goes to standard error.",
    NULL, NULL, NULL};

int
command_run(int argc, char **argv)
{
	struct supervisor s = {.signal_fd = -1, .lock_fds = {-1, -1}};
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &s);
	s.conf = util_conf(&s.options, &status);
	if (!s.conf)
		return status;
	log_init("sluice", log_level_parse(s.conf->site.log_level));
	status = supervise(&s);
	close_fd(&s.signal_fd);
	close_fd(&s.lock_fds[0]);
	close_fd(&s.lock_fds[1]);
	free(s.active);
	(void)conf_free(s.conf);
	return status;
}
