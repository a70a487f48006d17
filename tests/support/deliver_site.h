/*
 * tests/support/deliver_site.h - the real deliver role in a process of its
 * own, with a spool of its own; the test is the engines role.
 */
#ifndef SLUICE_TESTS_DELIVER_SITE_H
#define SLUICE_TESTS_DELIVER_SITE_H

#include "common/clock.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/proc.h"
#include "queues/claim.h"
#include "queues/event.h"
#include "queues/journal.h"
#include "tests/support/tmpspool.h"
#include "worker/wire.h"

#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

/* Longer than any pause in the role that a test waits for. */
#define SITE_PATIENCE_MSEC 5000

struct site {
	char *path; /* the spool; conf, log and runtime lie in it */
	struct spool *spool;
	pid_t pid; /* 0: not running */
	int fd;    /* ours, of the engines */
	struct ipc_msg msg;
	char *log; /* what was logged, see site_end() */
};

static inline void
site_start(struct site *s, const char *more)
{
	char *conf = xasprintf("%s/conf/sluice.conf", s->path);
	char *log = xasprintf("%s/log", s->path);
	struct proc_spec spec = {.program = "sluice-worker",
	    .role = "deliver",
	    .k = 1,
	    .conf_path = conf,
	    .n_fds = 1};
	const int err = dup(STDERR_FILENO);
	const int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int pair[2];
	FILE *f = fopen(conf, "w");

	assert_non_null(f);
	(void)fprintf(f,
	    "site { spool = \"%s\" runtime = \"%s/run\" user = \"%s\" }\n"
	    "feed { queues = %d limits = \"2000\" }\n"
	    "wrap { text = \"%s/conf/wrap.txt\" }\n%s\n",
	    s->path, s->path, getpwuid(geteuid())->pw_name, TMPSPOOL_FEEDS,
	    s->path, more);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(ipc_pair(pair), 0);
	spec.fds[0] = pair[1];
	assert_true(err >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	s->pid = proc_spawn(&spec);
	assert_true(dup2(err, STDERR_FILENO) >= 0);
	assert_true(s->pid > 0);
	(void)close(err);
	(void)close(fd);
	(void)close(pair[1]);
	s->fd = pair[0];
	free(conf);
	free(log);
}

/* Wait for its end; its status is returned, its log is in s->log. */
static inline int
site_end(struct site *s)
{
	const struct mono begun = mono_now();
	char *path = xasprintf("%s/log", s->path);
	int status = -1;
	size_t len;
	pid_t pid;

	while ((pid = waitpid(s->pid, &status, WNOHANG)) == 0) {
		if (mono_span(begun, mono_now()) >
		    SITE_PATIENCE_MSEC * USEC_PER_MSEC)
			fail_msg("deliver doesn't end");
		(void)usleep(1000);
	}
	assert_int_equal(pid, s->pid);
	s->pid = 0;
	free(s->log);
	assert_int_equal(read_file(AT_FDCWD, path, 1 << 20, &s->log, &len), 0);
	free(path);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* SIGTERM: it ends well. */
static inline void
site_stop(struct site *s)
{
	assert_int_equal(kill(s->pid, SIGTERM), 0);
	assert_int_equal(site_end(s), 0);
}

static inline void
site_logged(const struct site *s, const char *text)
{
	if (!strstr(s->log, text))
		fail_msg("\"%s\" isn't logged in:\n%s", text, s->log);
}

static inline void
site_put_warning(const struct site *s, const char *text)
{
	char *path = xasprintf("%s/conf/wrap.txt", s->path);

	tmp_put(AT_FDCWD, path, text, strlen(text));
	free(path);
}

static inline int
site_setup(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));

	s->path = tmpspool_make();
	s->spool = tmpspool_open(s->path);
	s->fd = -1;
	for (int i = 0; i < 2; i++) {
		char *dir = xasprintf("%s/%s", s->path, i ? "run" : "conf");

		assert_int_equal(mkdir(dir, 0755), 0);
		free(dir);
	}
	site_put_warning(s, "Beware:\n{{names}}({{reason}})\n");
	*state = s;
	return 0;
}

static inline int
site_teardown(void **state)
{
	struct site *s = *state;

	if (s->pid > 0) {
		(void)kill(s->pid, SIGKILL);
		(void)waitpid(s->pid, NULL, 0);
	}
	if (s->fd >= 0)
		(void)close(s->fd);
	(void)spool_free(s->spool);
	tmp_remove(s->path);
	free(s->log);
	free(s);
	return 0;
}

/* The next job within msec, its message in s->msg; false: none. */
static inline bool
site_job_within(struct site *s, int msec, struct wire_job *ret_job)
{
	struct pollfd p = {s->fd, POLLIN, 0};
	const struct wire_job *job;

	if (poll(&p, 1, msec) == 0)
		return false;
	assert_int_equal(ipc_recv(s->fd, &s->msg), 0);
	assert_int_equal(wire_job(&s->msg, &job), 0);
	*ret_job = *job;
	return true;
}

static inline struct wire_job
site_job(struct site *s)
{
	struct wire_job job = {.job = 0};

	if (!site_job_within(s, SITE_PATIENCE_MSEC, &job))
		fail_msg("no job comes");
	ipc_drop_fds(&s->msg);
	return job;
}

static inline void
site_no_job(struct site *s, int msec)
{
	struct wire_job job;

	if (site_job_within(s, msec, &job))
		fail_msg("%s comes too early", job.id);
}

/* Everybody calls it clean, but engine says this. */
static inline void
site_answer(struct site *s, uint64_t job, const char *engine,
    enum answer answer, const char *reason, const char *evidence)
{
	static const char *const engines[] = {"reading", "policy", "clamd"};
	struct {
		struct wire_judgement j;
		char evidence[200];
	} out = {.j = {.job = job}};
	bool is_said = false;

	for (size_t i = 0; i < 3; i++) {
		struct engine_answer *a = &out.j.answers[out.j.n_answers++];

		answer_set(a, engines[i], ANSWER_CLEAN, "%s", "");
		if (strcmp(engine, engines[i]) == 0) {
			answer_set(a, engine, answer, "%s", reason);
			is_said = true;
		}
	}
	if (!is_said)
		answer_set(&out.j.answers[out.j.n_answers++], engine, answer,
		    "%s", reason);
	out.j.evidence_bytes = (uint32_t)strlen(evidence);
	(void)strcpy(out.evidence, evidence);
	assert_int_equal(ipc_send(s->fd, WIRE_JUDGEMENT, &out,
			     sizeof(out.j) + strlen(evidence), NULL, 0),
	    0);
}

static inline void
site_put(struct site *s, const char *id)
{
	tmpspool_put(s->spool, SPOOL_FEED1, id);
}

static inline void
site_clean(struct site *s, uint64_t job)
{
	site_answer(s, job, "clamd", ANSWER_CLEAN, "", "{}");
}

static inline bool
site_is_in(const struct site *s, enum spool_dir dir, const char *id)
{
	char df[40], qf[40];

	(void)snprintf(df, sizeof(df), "df%s", id);
	(void)snprintf(qf, sizeof(qf), "qf%s", id);
	return tmpspool_has(s->spool, dir, df) &&
	       tmpspool_has(s->spool, dir, qf);
}

/* In dir within patience, and nowhere else. */
static inline void
site_arrives(const struct site *s, enum spool_dir dir, const char *id)
{
	char qf[40], df[40];

	(void)snprintf(df, sizeof(df), "df%s", id);
	(void)snprintf(qf, sizeof(qf), "qf%s", id);
	for (int i = 0; i < SITE_PATIENCE_MSEC; i++) {
		if (site_is_in(s, dir, id) &&
		    !tmpspool_has(s->spool, SPOOL_FEED1, df))
			break;
		(void)usleep(1000);
	}
	for (size_t i = 0; i < spool_dirs(s->spool); i++) {
		const bool want = i == (size_t)dir;

		if (tmpspool_has(s->spool, (enum spool_dir)i, qf) != want ||
		    tmpspool_has(s->spool, (enum spool_dir)i, df) != want)
			fail_msg("%s: %s", id, spool_dir_name(i));
	}
}

static inline struct tries
site_tries(const struct site *s, enum spool_dir dir, const char *id)
{
	char qf[40];
	struct claim claim = {.qf_fd = -1};
	struct tries tries;

	(void)snprintf(qf, sizeof(qf), "qf%s", id);
	claim.qf_fd = openat(s->spool->fds[dir], qf, O_RDONLY | O_CLOEXEC);
	assert_true(claim.qf_fd >= 0);
	assert_int_equal(tries_read(&claim, &tries), 0);
	(void)close(claim.qf_fd);
	return tries;
}

/* What the journal says of the latest event of that kind about id. */
struct noted {
	const char *id;
	enum event_kind kind;
	int count;
	enum spool_dir to;
	char verdict[16], reason[200], evidence[2000];
};

static inline int
site_note(void *arg, const char *line, size_t len)
{
	struct noted *n = arg;
	struct event e;
	void *keep;

	assert_int_equal(event_parse(line, len, &e, &keep), 0);
	if (e.kind == n->kind && strcmp(e.id, n->id) == 0) {
		n->count++;
		n->to = e.to;
		(void)snprintf(n->verdict, sizeof(n->verdict), "%s",
		    e.verdict ? e.verdict : "");
		(void)snprintf(n->reason, sizeof(n->reason), "%s",
		    e.reason ? e.reason : "");
		(void)snprintf(n->evidence, sizeof(n->evidence), "%s",
		    e.evidence ? e.evidence : "");
	}
	event_release(keep);
	return 0;
}

static inline struct noted
site_noted(const struct site *s, const char *id, enum event_kind kind)
{
	struct noted n = {.id = id, .kind = kind};
	uint64_t off = 0;

	assert_true(
	    journal_read(s->spool, "worker-1", &off, 1000, site_note, &n) >= 0);
	return n;
}

#endif
