/*
 * tests/support/judge_site.h - a judge among fakes: cells that leave the
 * reading which a test writes, a clamd, a spamd and, if wanted, a book.
 */
#ifndef SLUICE_TESTS_JUDGE_SITE_H
#define SLUICE_TESTS_JUDGE_SITE_H

#include "worker/judge.h"

#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "tests/support/fake_book.h"
#include "tests/support/fake_clamd.h"
#include "tests/support/fake_scan.h"
#include "tests/support/fake_spam.h"
#include "worker/cell.h"
#include "worker/wire.h"

#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SITE_CELLS 4
#define SITE_JOBS  4

/* Of clamd and spamd, unless a test is about its end, and what a test waits
 * for at most: a busy machine may keep the fakes, which share our loop, from
 * answering for seconds. */
#define SITE_ENGINE_USEC   (10 * USEC_PER_SEC)
#define SITE_PATIENCE_USEC (30 * USEC_PER_SEC)

/* Write and commit a reading; false: nothing, the cell dies of status. */
typedef bool site_reading(struct reading_writer *w, void *arg);

struct site {
	char dir[64], book_path[96], sig[96];
	struct event_base *base;
	struct conf *conf;
	struct fake_scan scan;
	struct fake_cell cells[SITE_CELLS];
	struct fake_clamd *clamd;
	struct fake_spam *spam;
	struct fake_book book;
	struct judge *judge;
	site_reading *reading;
	void *reading_arg;
	int status;     /* of a cell without a reading */
	bool is_deadly; /* programs kill their cells */
	size_t n_extracted;
	int lost;
	/* By job number. */
	int done[SITE_JOBS];
	struct wire_judgement judgement[SITE_JOBS];
	char evidence[SITE_JOBS][WIRE_EVIDENCE_MAX + 1];
};

static inline void
site_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void
site_set(char **setting, const char *text, const char *end)
{
	free(*setting);
	*setting = xasprintf("%s%s", text, end);
}

static inline void
site_done(
    void *arg, const struct wire_judgement *judgement, const char *evidence)
{
	struct site *s = arg;
	const uint64_t job = judgement->job;

	assert_true(job < SITE_JOBS);
	s->done[job]++;
	s->judgement[job] = *judgement;
	memcpy(s->evidence[job], evidence, judgement->evidence_bytes);
	s->evidence[job][judgement->evidence_bytes] = '\0';
}

static inline void
site_lost(void *arg)
{
	struct site *s = arg;

	s->lost++;
}

static inline int
site_start(struct site *s, char *err, size_t err_size)
{
	return judge_new(s->base, s->conf, s->scan.engines_fd, site_done,
	    site_lost, s, &s->judge, err, err_size);
}

static inline void
site_configure(struct site *s)
{
	struct conf *conf;
	char err[200];

	assert_int_equal(conf_load(NULL, &s->conf, err, sizeof(err)), 0);
	conf = s->conf;
	site_set(&conf->site.runtime, s->dir, "");
	site_set(&conf->clamd.socket, s->dir, "/clamd");
	site_set(&conf->clamd.database, s->dir, "/db");
	site_set(&conf->policy.rules, s->dir, "/policy");
	site_set(&conf->worker.engines, "policy clamd spam", "");
	site_set(&conf->spam.address, fake_spam_address(s->spam), "");
	conf->clamd.settle_usec = 0;
	conf->clamd.timeout_usec = SITE_ENGINE_USEC;
	conf->spam.timeout_usec = SITE_ENGINE_USEC;
	conf->worker.cells = SITE_CELLS;
}

#define SITE_HAM \
	"SPAMD/1.1 0 EX_OK\r\nContent-length: 1\r\nSpam: False ; 1.5 / 5.0" \
	"\r\n\r\nA"
#define SITE_SPAM \
	"SPAMD/1.1 0 EX_OK\r\nContent-length: 5\r\nSpam: True ; 9.5 / 5.0" \
	"\r\n\r\nGTUBE"

/* Everything but the judge, which site_start() adds; no book yet. */
static inline int
site_setup(void **state)
{
	static const struct fake_clamd_options options = {
	    "ClamAV 1.4.6/27000/Mon Jan 1 00:00:00 2024",
	    "Heuristics.Limits.Exceeded.MaxRecursion FOUND"};
	struct site *s = xcalloc(1, sizeof(*s));
	char path[100];

	(void)strcpy(s->dir, "/tmp/test-judge-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(s->sig, sizeof(s->sig), "%s/db", s->dir);
	assert_int_equal(mkdir(s->sig, 0700), 0);
	(void)strcat(s->sig, "/a.ndb");
	site_write(s->sig, "A:0:*:6162\n");
	(void)snprintf(path, sizeof(path), "%s/policy", s->dir);
	site_write(path, "refuse name *.exe \"No programs, please\"\n"
			 "hold name *.iso \"An image\"\n");
	(void)snprintf(path, sizeof(path), "%s/book", s->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(
	    s->book_path, sizeof(s->book_path), "%s/book/book.sock", s->dir);
	s->base = event_base_new();
	fake_scan_init(&s->scan);
	for (int i = 0; i < SITE_CELLS; i++)
		s->cells[i] = (struct fake_cell){.sock = -1, .arena = -1};
	(void)snprintf(path, sizeof(path), "%s/clamd", s->dir);
	s->clamd = fake_clamd_new(s->base, path, &options);
	s->spam = fake_spam_new(s->base, false);
	fake_spam_reply(s->spam, SITE_HAM);
	s->book.listener = s->book.fd = -1;
	s->status = SIGSEGV;
	site_configure(s);
	*state = s;
	return 0;
}

static inline int
site_teardown(void **state)
{
	struct site *s = *state;
	char *command = xasprintf("rm -r %s", s->dir);

	(void)judge_free(s->judge);
	for (int i = 0; i < SITE_CELLS; i++)
		fake_cell_end(&s->cells[i]);
	fake_scan_done(&s->scan);
	fake_book_close(&s->book);
	(void)fake_clamd_free(s->clamd);
	(void)fake_spam_free(s->spam);
	event_base_free(s->base);
	(void)conf_free(s->conf);
	assert_int_equal(system(command), 0);
	free(command);
	free(s);
	return 0;
}

/* A cell with a program leaves its features, or dies of status. */
static inline void
site_extract(struct site *s, struct fake_cell *cell, bool is_2001)
{
	s->n_extracted++;
	if (!s->is_deadly &&
	    cell_features(s->scan.msg.fds[0], cell->arena, is_2001) < 0)
		abort();
	ipc_drop_fds(&s->scan.msg);
	fake_cell_end(cell);
	fake_scan_gone(&s->scan, cell, s->is_deadly ? s->status : 0);
	*cell = fake_scan_fork(&s->scan);
}

/* A cell with a task leaves its reading; another takes its place. */
static inline void
site_serve_cell(struct site *s, struct fake_cell *cell)
{
	const struct wire_task *task;
	struct reading_writer *w;
	bool is_whole;

	if (s->scan.fd < 0)
		return;
	if (cell->sock < 0)
		*cell = fake_scan_fork(&s->scan);
	task = fake_cell_task(&s->scan, cell);
	if (!task)
		return;
	if (task->what != TASK_MESSAGE) {
		site_extract(s, cell, task->what == TASK_PROGRAM_2001);
		return;
	}
	ipc_drop_fds(&s->scan.msg);
	w = writer_new(cell->arena, 64 << 20);
	assert_non_null(w);
	is_whole = s->reading(w, s->reading_arg);
	writer_free(w);
	fake_cell_end(cell);
	fake_scan_gone(&s->scan, cell, is_whole ? 0 : s->status);
}

/* Everybody says what he has to say. */
static inline void
site_turn(struct site *s)
{
	(void)event_base_loop(s->base, EVLOOP_NONBLOCK);
	for (int i = 0; i < SITE_CELLS; i++)
		site_serve_cell(s, &s->cells[i]);
	fake_book_serve(&s->book);
	(void)usleep(100);
}

static inline void
site_run_for(struct site *s, uint64_t usec)
{
	const struct mono start = mono_now();

	while (mono_span(start, mono_now()) < usec)
		site_turn(s);
}

/* Run until the number has become n, or fail. */
static inline void
site_until(struct site *s, const size_t *number, size_t n)
{
	const struct mono start = mono_now();

	while (*number < n && mono_span(start, mono_now()) < SITE_PATIENCE_USEC)
		site_turn(s);
	assert_int_equal(*number, n);
}

/* Submit a message; content is what clamd is to say of it as a whole. */
static inline void
site_submit(struct site *s, uint64_t job, const char *content)
{
	struct wire_job info = {.job = job,
	    .bytes = strlen(content),
	    .id = "wAB12345",
	    .sender = "<a@x.test>",
	    .rcpt = "<b@y.test>",
	    .client = "client.test [192.0.2.1]"};
	const int fd = memfd_new("message");

	assert_int_equal(write_all(fd, content, strlen(content)), 0);
	s->done[job] = 0;
	judge_submit(s->judge, &info, fd);
	assert_int_equal(s->done[job], 0); /* never before it returns */
}

static inline void
site_finish(struct site *s, uint64_t job)
{
	const struct mono start = mono_now();

	while (
	    !s->done[job] && mono_span(start, mono_now()) < SITE_PATIENCE_USEC)
		site_turn(s);
	assert_int_equal(s->done[job], 1);
}

static inline const struct engine_answer *
site_answer(const struct site *s, uint64_t job, const char *engine)
{
	const struct wire_judgement *j = &s->judgement[job];

	for (uint32_t i = 0; i < j->n_answers; i++)
		if (strcmp(j->answers[i].engine, engine) == 0)
			return &j->answers[i];
	fail_msg("no answer of %s", engine);
	return NULL;
}

static inline void
site_said(const struct site *s, uint64_t job, const char *engine,
    enum answer answer, const char *reason)
{
	const struct engine_answer *a = site_answer(s, job, engine);

	if (a->answer != (uint32_t)answer || !strstr(a->reason, reason))
		fail_msg("%s: %s \"%s\", not %s \"%s\"", engine,
		    answer_name(a->answer), a->reason, answer_name(answer),
		    reason);
}

#endif
