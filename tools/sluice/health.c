#include "tools/sluice/health.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "feed/board.h"
#include "feed/sort.h"
#include "queues/lane.h"
#include "tools/sluice/util.h"
#include "tools/sluice/view.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

/* The feed publishes at least so often, or it hangs. */
#define BOARD_STALE_USEC (60 * USEC_PER_SEC)
/* A daemon that was started anew so recently and so often is in trouble. */
#define RESTARTS_RECENT_USEC (30 * USEC_PER_SEC)
#define RESTARTS_MANY        5

static void problem(struct health *h, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
problem(struct health *h, const char *fmt, ...)
{
	va_list ap;

	if (h->n_problems == HEALTH_PROBLEMS_MAX)
		return;
	va_start(ap, fmt);
	if (vasprintf(&h->problems[h->n_problems++], fmt, ap) < 0)
		abort();
	va_end(ap);
}

/* Is that process one of ours, and not another one with a reused number? */
static bool
is_running(pid_t pid)
{
	CLEANUP(free_ptr) char *path = xasprintf("/proc/%d/comm", (int)pid);
	char comm[32] = "";
	CLEANUP(close_fd)
	int fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || read(fd, comm, sizeof(comm) - 1) <= 0)
		return false;
	return strncmp(comm, "sluice", 6) == 0;
}

/* Messages of that lane whose files are run in clones. */
static uint64_t
count_in_clones(const struct conf *conf, enum spool_dir dir)
{
	struct metrics_values v;
	char name[32];

	if (dir < SPOOL_FEED1)
		return 0;
	(void)snprintf(name, sizeof(name), "worker-%d", dir - SPOOL_FEED1 + 1);
	if (metrics_read(conf->site.runtime, name, &v) < 0 ||
	    !is_running(v.pid))
		return 0;
	return v.values[METRIC_deliver_long];
}

/* As many as are in clones may wait for as long as that takes. */
static bool
is_stuck(const struct health_queue *q, const struct spool *spool,
    enum spool_dir dir, const struct conf *conf, uint64_t wait_usec)
{
	const uint64_t run_usec =
	    2 * (conf->detonate.patience_usec + conf->vm.deadline_usec);
	uint64_t n = 0;

	if (q->oldest_usec <= wait_usec)
		return false;
	if (q->in_clones == 0 || q->oldest_usec > wait_usec + run_usec)
		return true;
	return util_count_older(spool->fds[dir], wait_usec, &n) < 0 ||
	       n > q->in_clones;
}

static void
look_at_queue(struct health *h, const struct spool *spool, enum spool_dir dir,
    const struct conf *conf, const struct health_limits *limits)
{
	struct health_queue *q = &h->queues[dir];
	const char *name = spool_dir_name(dir);
	bool waits = dir == SPOOL_IN || dir >= SPOOL_FEED1;
	char age[32];
	int r;

	if (spool->fds[dir] < 0) {
		problem(h, "%s/%s is missing", spool->path, name);
		return;
	}
	q->is_there = true;
	r = util_count_messages(
	    spool->fds[dir], &q->messages, &q->bytes, &q->oldest_usec);
	if (r < 0)
		problem(h, "%s/%s: %s", spool->path, name, strerror(-r));
	q->in_clones = count_in_clones(conf, dir);
	if ((waits && is_stuck(q, spool, dir, conf, limits->wait_usec)) ||
	    (dir == SPOOL_OUT && q->oldest_usec > limits->out_usec))
		problem(h, "%s is stuck: its oldest message is %s old", name,
		    util_span(q->oldest_usec, age, sizeof(age)));
}

static void
look_at_spool(struct health *h, const struct conf *conf,
    const struct health_limits *limits)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	int r = view_open(conf, &spool);

	if (r < 0) {
		problem(h, "%s: %s", conf->site.spool, strerror(-r));
		return;
	}
	for (size_t i = 0; i < spool_dirs(spool); i++)
		look_at_queue(h, spool, (enum spool_dir)i, conf, limits);
}

/* One line of RUNTIME/crew. */
static void
take_child(struct health *h, const char *line, bool supervised)
{
	struct health_daemon *d = &h->daemons[h->n_daemons];
	json_t *o = json_loads(line, 0, NULL);
	const char *name = json_string_value(json_object_get(o, "name"));

	if (!name || h->n_daemons == HEALTH_DAEMONS_MAX) {
		json_decref(o);
		return;
	}
	h->n_daemons++;
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	d->pid = (pid_t)json_integer_value(json_object_get(o, "pid"));
	d->starts =
	    (unsigned int)json_integer_value(json_object_get(o, "starts"));
	d->since_usec =
	    (uint64_t)json_integer_value(json_object_get(o, "since"));
	d->is_alive = is_running(d->pid);
	json_decref(o);
	if (!d->is_alive)
		problem(h, "%s isn't running", d->name);
	else if (supervised && d->starts >= RESTARTS_MANY &&
		 d->since_usec + RESTARTS_RECENT_USEC > wall_now().usec)
		problem(h, "%s was started %u times, last a moment ago",
		    d->name, d->starts);
}

static void
look_at_crew(struct health *h, const struct conf *conf, bool supervised)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/crew", conf->site.runtime);
	char line[256];
	FILE *f = fopen(path, "re");

	if (!f)
		return; /* each daemon is a service of its own */
	while (fgets(line, sizeof(line), f))
		take_child(h, line, supervised);
	(void)fclose(f);
}

static void
add_daemon(struct health *h, const char *name, pid_t pid, uint64_t since_usec)
{
	struct health_daemon *d = &h->daemons[h->n_daemons];

	if (h->n_daemons == HEALTH_DAEMONS_MAX)
		return;
	h->n_daemons++;
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	d->pid = pid;
	d->is_alive = is_running(pid);
	d->since_usec = since_usec;
	if (!d->is_alive)
		problem(h, "%s isn't running", name);
}

static bool
look_at_supervisor(struct health *h, const struct conf *conf)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/sluice.lock", conf->site.runtime);
	CLEANUP(free_ptr) char *text = NULL;
	size_t len;
	pid_t pid;

	if (read_file(AT_FDCWD, path, 64, &text, &len) < 0)
		return false;
	pid = (pid_t)strtol(text, NULL, 10);
	if (!is_running(pid)) {
		problem(h, "sluice run isn't running");
		return false;
	}
	add_daemon(h, "run", pid, 0);
	return true;
}

static void
look_at_feed(struct health *h, const struct conf *conf)
{
	CLEANUP(free_ptr) struct board *b = xcalloc(1, sizeof(*b));
	uint64_t now = wall_now().usec, past;
	int r = board_read(conf->site.runtime, b);
	char age[32];

	if (r < 0) {
		problem(h, "the feed shows nothing: %s",
		    r == -ENOENT ? "it never ran" : strerror(-r));
		return;
	}
	past = now > b->updated_usec ? now - b->updated_usec : 0;
	if (!is_running((pid_t)b->pid))
		problem(h, "feed isn't running");
	else if (past > BOARD_STALE_USEC)
		problem(h, "feed hangs: nothing heard of it for %s",
		    util_span(past, age, sizeof(age)));
	for (size_t i = 0; i < b->lanes && i < BOARD_MAX_LANES; i++) {
		struct health_queue *q = &h->queues[SPOOL_FEED1 + i];

		q->is_lane = true;
		q->max_bytes = b->lane[i].max_bytes;
		q->empty_usec = b->lane[i].empty_usec > past
				    ? b->lane[i].empty_usec - past
				    : 0;
		q->wait_usec = b->lane[i].wait_usec;
	}
	h->tune = (struct health_tune){
	    .is_known = true, .lanes = b->lanes, .board = b->tune};
	for (size_t i = 0; i < b->lanes && i < BOARD_MAX_LANES; i++)
		h->tune.max_bytes[i] = b->lane[i].max_bytes;
	if (b->policy < FEED_POLICIES)
		h->feed = (struct health_feed){
		    .is_known = true,
		    .policy = feed_policy_name((enum feed_policy)b->policy),
		    .patience = b->patience,
		    .queued = b->queued,
		    .stolen = b->stolen,
		};
}

static void
look_at_lanes(struct health *h, const struct conf *conf)
{
	for (unsigned int k = 1; k <= conf->feed.queues; k++) {
		struct health_queue *q = &h->queues[SPOOL_FEED1 + k - 1];
		struct lane *lane = NULL;
		struct mono since;

		if (lane_open(conf->site.runtime, k, &lane) < 0)
			continue; /* its worker's absence is said elsewhere */
		lane_get(lane, &q->in_service, &since);
		if (q->in_service > 0)
			q->served_usec = mono_span(since, mono_now());
		(void)lane_close(lane);
	}
}

static void
judge_counters(struct health *h, const struct health_counters *c)
{
	uint64_t outage = c->view.values[METRIC_deliver_outage];
	char text[32];

	if (!is_running(c->view.pid))
		problem(h, "%s isn't running (its counters are those of %d)",
		    c->name, (int)c->view.pid);
	else if (outage > 0)
		problem(h, "%s: an engine has not answered for %s: mail waits",
		    c->name,
		    util_span(outage * USEC_PER_SEC, text, sizeof(text)));
}

static int
by_name(const void *a, const void *b)
{
	const struct health_counters *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

struct counting {
	struct health *health;
	const struct conf *conf;
};

static int
take_counters(void *arg, const char *name)
{
	struct counting *counting = arg;
	struct health *h = counting->health;
	struct health_counters *c = &h->counters[h->n_counters];
	unsigned int k;

	/* Left behind by a worker that the configuration had once. */
	if (sscanf(name, "%*[a-z]-%u", &k) == 1 &&
	    k > counting->conf->feed.queues)
		return 0;
	if (h->n_counters == ARRAY_SIZE(h->counters) ||
	    strlen(name) >= sizeof(c->name) ||
	    metrics_read(counting->conf->site.runtime, name, &c->view) < 0)
		return 0;
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
	h->n_counters++;
	return 0;
}

/* The worst that engines say of the model, or what there is no word of. */
static enum metric_mef
worst_model(const struct health *h)
{
	enum metric_mef worst = METRIC_MEF_GOOD;

	for (size_t i = 0; i < h->n_counters; i++) {
		const struct health_counters *c = &h->counters[i];
		const uint64_t state = c->view.values[METRIC_mef_model];

		if (strncmp(c->name, "engines-", strlen("engines-")) == 0 &&
		    is_running(c->view.pid) && state < worst)
			worst = (enum metric_mef)state;
	}
	return worst;
}

static void
judge_model(struct health *h, const struct conf *conf)
{
	const char *path = conf->mef.model;

	if (!conf_has_word(conf->worker.engines, "mef"))
		return;
	h->has_mef = true;
	h->mef = worst_model(h);
	switch (h->mef) {
	case METRIC_MEF_NONE:
		problem(h,
		    "engine mef has no opinion: there is no model %s: learn "
		    "one (sluice model train) or get one (sluice model poll)",
		    path);
		return;
	case METRIC_MEF_BROKEN:
		problem(h,
		    "engine mef knows nothing, and mail with programs waits: "
		    "sluice model info says what is wrong with %s, sluice "
		    "model revert puts the former one back",
		    path);
		return;
	case METRIC_MEF_FORMER:
		problem(h,
		    "engine mef goes on with the former model: sluice model "
		    "info says what is wrong with %s",
		    path);
		return;
	case METRIC_MEF_GOOD:
	default:
		return;
	}
}

static void
look_at_counters(struct health *h, const struct conf *conf)
{
	struct counting counting = {h, conf};

	(void)metrics_each(conf->site.runtime, take_counters, &counting);
	qsort(h->counters, h->n_counters, sizeof(h->counters[0]), by_name);
	for (size_t i = 0; i < h->n_counters; i++)
		judge_counters(h, &h->counters[i]);
	judge_model(h, conf);
}

/* While it doesn't run, mail is taken, and what it said last is no news. */
static void
look_at_gate(struct health *h, const struct conf *conf)
{
	struct metrics_values view;
	char text[160];

	if (metrics_read(conf->site.runtime, "gate", &view) < 0 ||
	    !is_running(view.pid))
		return; /* its absence is said elsewhere */
	h->has_gate = true;
	gate_view_get(&view, &h->gate);
	if (!gate_view_is_open(&h->gate))
		problem(h, "gate: %s",
		    gate_view_text(&h->gate, text, sizeof(text)));
}

/* That it is off is no trouble: mail is judged without. */
static void
look_at_flow(struct health *h, const struct conf *conf)
{
	struct metrics_values view;

	if (metrics_read(conf->site.runtime, "learn", &view) < 0 ||
	    !is_running(view.pid) ||
	    view.values[METRIC_learn_standing] >= FLOW_STANDINGS)
		return;
	h->has_flow = true;
	h->standing = (enum flow_standing)view.values[METRIC_learn_standing];
	h->ham = view.values[METRIC_learn_ham];
	h->spam = view.values[METRIC_learn_spam];
}

struct health *
health_look(const struct conf *conf, const struct health_limits *limits)
{
	struct health *h = xcalloc(1, sizeof(*h));
	bool supervised = look_at_supervisor(h, conf);

	look_at_crew(h, conf, supervised);
	look_at_spool(h, conf, limits);
	look_at_feed(h, conf);
	look_at_lanes(h, conf);
	look_at_gate(h, conf);
	look_at_flow(h, conf);
	look_at_counters(h, conf);
	return h;
}

struct health *
health_free(struct health *h)
{
	for (size_t i = 0; h && i < h->n_problems; i++)
		free(h->problems[i]);
	free(h);
	return NULL;
}
