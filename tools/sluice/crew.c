#include "tools/sluice/crew.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "common/proc.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define CREW_MAX 80 /* 64 workers, and one of each other kind */

#define QUICK_DEATH_USEC (5 * USEC_PER_SEC)
#define PAUSE_MIN_USEC   (100 * USEC_PER_MSEC)
#define PAUSE_MAX_USEC   (10 * USEC_PER_SEC)
#define PATIENCE_USEC    (20 * USEC_PER_SEC)

/* Sweeps (seconds) after which an orphan has not ended by itself. */
#define ORPHAN_KILL 2
#define ORPHANS_MAX 128

struct child {
	struct crew *crew;
	char name[24];
	enum crew_kind kind;
	unsigned int k;
	pid_t pid; /* 0: not running */
	struct mono started;
	struct wall since;
	unsigned int quick; /* deaths within seconds, in a row */
	unsigned int starts;
	bool planned; /* asked to end, to be started anew */
	bool retired;
	struct event *timer; /* start when not running; SIGKILL when planned */
};

struct orphan {
	pid_t pid;
	unsigned int sweeps;
};

struct crew {
	struct event_base *base;
	char *conf_path, *runtime;
	struct child children[CREW_MAX];
	size_t n;
	bool stopping;
	struct orphan orphans[ORPHANS_MAX];
	size_t n_orphans;
};

static const struct {
	const char *program, *name;
	const char *extra;
} kinds[CREW_KINDS] = {
    [CREW_BOOK] = {"sluice-book", "book", NULL},
    [CREW_VMM] = {"sluice-vmm", "vmm", NULL},
    [CREW_FLOW] = {"sluice-flow", "flow", NULL},
    [CREW_LEARN] = {"sluice-learn", "learn", NULL},
    [CREW_RPC] = {"sluice-rpc", "rpc", NULL},
    [CREW_WORKER] = {"sluice-worker", "worker", NULL},
    [CREW_WAKE] = {"sluice", "wake", "wake"},
    [CREW_FEED] = {"sluice-feed", "feed", NULL},
    [CREW_GATE] = {"sluice", "gate", "gate"},
};

/* A picture of the crew for `sluice status`; nobody depends on it. */
static void
write_picture(const struct crew *crew)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/crew", crew->runtime);
	CLEANUP(free_ptr) char *tmp = xasprintf("%s/crew.new", crew->runtime);
	FILE *f;

	(void)unlink(tmp);
	f = fopen(tmp, "wex");
	if (!f)
		return;
	for (size_t i = 0; i < crew->n; i++) {
		const struct child *c = &crew->children[i];

		(void)fprintf(f,
		    "{\"name\":\"%s\",\"pid\":%d,\"since\":%" PRIu64
		    ",\"starts\":%u}\n",
		    c->name, (int)c->pid, c->since.usec, c->starts);
	}
	if (fclose(f) == 0)
		(void)rename(tmp, path);
}

static void
set_timer(struct child *c, uint64_t usec)
{
	struct timeval tv = span_timeval(usec);

	(void)event_add(c->timer, &tv);
}

static uint64_t
pause_of(unsigned int quick)
{
	uint64_t usec = PAUSE_MIN_USEC;

	if (quick == 0)
		return 0;
	while (--quick > 0 && usec < PAUSE_MAX_USEC)
		usec *= 2;
	return usec < PAUSE_MAX_USEC ? usec : PAUSE_MAX_USEC;
}

static void
start(struct child *c)
{
	struct proc_spec spec = {.program = kinds[c->kind].program,
	    .k = c->k,
	    .conf_path = c->crew->conf_path,
	    .extra = kinds[c->kind].extra};
	pid_t pid = proc_spawn(&spec);

	c->started = mono_now();
	c->since = wall_now();
	if (pid < 0) {
		log_error(
		    "start name=%s error=\"%s\"", c->name, strerror((int)-pid));
		set_timer(c, PAUSE_MAX_USEC);
		return;
	}
	c->pid = pid;
	c->starts++;
	log_info("start name=%s pid=%d", c->name, (int)pid);
	write_picture(c->crew);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	if (c->pid == 0 && !c->crew->stopping && !c->retired) {
		start(c);
	} else if (c->pid > 0 && c->planned) {
		log_warn(
		    "kill name=%s pid=%d reason=\"did not end when asked\"",
		    c->name, (int)c->pid);
		(void)kill(c->pid, SIGKILL);
	}
}

struct crew *
crew_new(struct event_base *base, const char *conf_path, const char *runtime)
{
	struct crew *crew = xcalloc(1, sizeof(*crew));

	crew->base = base;
	crew->conf_path = xstrdup(conf_path);
	crew->runtime = xstrdup(runtime);
	return crew;
}

struct crew *
crew_free(struct crew *crew)
{
	if (!crew)
		return NULL;
	for (size_t i = 0; i < crew->n; i++)
		event_free(crew->children[i].timer);
	free(crew->conf_path);
	free(crew->runtime);
	free(crew);
	return NULL;
}

static struct child *
find(struct crew *crew, enum crew_kind kind, unsigned int k)
{
	for (size_t i = 0; i < crew->n; i++)
		if (crew->children[i].kind == kind && crew->children[i].k == k)
			return &crew->children[i];
	return NULL;
}

bool
crew_has(const struct crew *crew, enum crew_kind kind, unsigned int k)
{
	for (size_t i = 0; i < crew->n; i++)
		if (crew->children[i].kind == kind && crew->children[i].k == k)
			return !crew->children[i].retired;
	return false;
}

void
crew_add(struct crew *crew, enum crew_kind kind, unsigned int k)
{
	struct child *c = find(crew, kind, k);

	if (c) { /* retired before, wanted again */
		c->retired = false;
		c->planned = c->pid > 0;
		if (c->planned)
			(void)kill(c->pid, SIGTERM);
		else
			start(c);
		return;
	}
	if (crew->n == CREW_MAX)
		abort(); /* feed.queues is at most 64 */
	c = &crew->children[crew->n++];
	c->crew = crew;
	c->kind = kind;
	c->k = k;
	c->timer = evtimer_new(crew->base, on_timer, c);
	if (!c->timer)
		abort();
	(void)snprintf(
	    c->name, sizeof(c->name), k ? "%s-%u" : "%s", kinds[kind].name, k);
	start(c);
}

void
crew_retire(struct crew *crew, unsigned int k)
{
	struct child *c = find(crew, CREW_WORKER, k);

	if (c)
		c->retired = true;
}

void
crew_stop_worker(struct crew *crew, unsigned int k)
{
	struct child *c = find(crew, CREW_WORKER, k);

	if (c && c->pid > 0)
		(void)kill(c->pid, SIGTERM);
}

void
crew_signal(struct crew *crew, enum crew_kind kind, int sig, bool restart)
{
	for (size_t i = 0; i < crew->n; i++) {
		struct child *c = &crew->children[i];

		if (c->kind != kind || c->pid <= 0 || c->retired)
			continue;
		if (restart) {
			c->planned = true;
			set_timer(c, PATIENCE_USEC);
		}
		(void)kill(c->pid, sig);
	}
}

void
crew_stop_restarting(struct crew *crew)
{
	crew->stopping = true;
	for (size_t i = 0; i < crew->n; i++)
		(void)event_del(crew->children[i].timer);
}

size_t
crew_alive(const struct crew *crew, enum crew_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < crew->n; i++)
		n += crew->children[i].pid > 0 &&
		     (kind == CREW_KINDS || crew->children[i].kind == kind);
	return n;
}

static void kill_orphans(struct crew *crew);

static void
ended(struct child *c, int status)
{
	char text[64];
	uint64_t lived = mono_span(c->started, mono_now()), pause = 0;
	bool asked = c->planned || c->crew->stopping || c->retired;

	proc_status_text(status, text, sizeof(text));
	log_write(asked && status == 0 ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
	    "end name=%s pid=%d status=\"%s\" lived_usec=%" PRIu64, c->name,
	    (int)c->pid, text, lived);
	c->pid = 0;
	c->since = wall_now();
	(void)event_del(c->timer);
	write_picture(c->crew);
	if (c->kind == CREW_WORKER && !asked)
		kill_orphans(c->crew);
	if (c->crew->stopping || c->retired)
		return;
	if (lived >= QUICK_DEATH_USEC)
		c->quick = 0;
	if (!c->planned)
		pause = pause_of(c->quick++);
	c->planned = false;
	if (pause == 0)
		start(c);
	else
		set_timer(c, pause);
}

static void
forget_orphan(struct crew *crew, pid_t pid)
{
	for (size_t i = 0; i < crew->n_orphans; i++)
		if (crew->orphans[i].pid == pid)
			crew->orphans[i] = crew->orphans[--crew->n_orphans];
}

static struct child *
find_pid(struct crew *crew, pid_t pid)
{
	for (size_t i = 0; i < crew->n; i++)
		if (crew->children[i].pid == pid)
			return &crew->children[i];
	return NULL;
}

void
crew_reap(struct crew *crew)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = find_pid(crew, pid);

		if (c)
			ended(c, status);
		else
			forget_orphan(crew, pid);
	}
}

static void
meet_orphan(struct crew *crew, pid_t pid)
{
	for (size_t i = 0; i < crew->n_orphans; i++)
		if (crew->orphans[i].pid == pid)
			return;
	if (crew->n_orphans < ORPHANS_MAX) /* else at a later look */
		crew->orphans[crew->n_orphans++] = (struct orphan){.pid = pid};
}

size_t
crew_orphans(struct crew *crew)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(path, "re");
	size_t n = 0;
	int pid;

	if (!f)
		return 0; /* a kernel without it: PDEATHSIG must do */
	while (fscanf(f, "%d", &pid) == 1) {
		if (find_pid(crew, pid))
			continue;
		meet_orphan(crew, pid);
		n++;
	}
	(void)fclose(f);
	return n;
}

/* An orphan of a daemon that has died holds its locks: it must go at once,
 * whatever it is doing, or the next one can't start. */
static void
kill_orphans(struct crew *crew)
{
	(void)crew_orphans(crew);
	for (size_t i = 0; i < crew->n_orphans; i++)
		(void)kill(crew->orphans[i].pid, SIGKILL);
}

void
crew_kill_all(struct crew *crew)
{
	for (size_t i = 0; i < crew->n; i++)
		if (crew->children[i].pid > 0)
			(void)kill(crew->children[i].pid, SIGKILL);
	kill_orphans(crew);
}

void
crew_sweep(struct crew *crew)
{
	(void)crew_orphans(crew);
	for (size_t i = 0; i < crew->n_orphans; i++) {
		struct orphan *o = &crew->orphans[i];

		if (++o->sweeps < ORPHAN_KILL)
			continue;
		if (o->sweeps == ORPHAN_KILL)
			log_warn("kill name=orphan pid=%d", (int)o->pid);
		(void)kill(o->pid, SIGKILL);
	}
}
