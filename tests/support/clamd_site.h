/*
 * tests/support/clamd_site.h - a fake clamd, its signatures, and the client
 * under test, in a directory of their own.
 */
#ifndef SLUICE_TESTS_CLAMD_SITE_H
#define SLUICE_TESTS_CLAMD_SITE_H

#include "worker/clamd.h"
#include "worker/clamd_priv.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "tests/support/fake_clamd.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT   "Heuristics.Limits.Exceeded.MaxRecursion FOUND"
#define VERSION "ClamAV 1.4.6/27000/Mon Jan 1 00:00:00 2024"

/* Of clamd, unless a test is about its end: longer than a busy machine may
 * keep the fake, which shares our loop, from answering. */
#define PATIENCE_USEC (20 * USEC_PER_SEC)

struct world {
	char dir[64], sock[80], db[80], sig[96];
	struct event_base *base;
	struct fake_clamd *fake;
	struct clamd *clamd;
	struct clamd_options options;
	int left;
};

struct result {
	struct world *world;
	int fd, count;
	struct clamd_scan *scan;
	struct engine_answer answer;
};

static inline void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void
start_fake(struct world *w, const char *version, const char *probe)
{
	const struct fake_clamd_options o = {version, probe};

	w->fake = fake_clamd_new(w->base, w->sock, &o);
}

static inline int
setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	(void)strcpy(w->dir, "/tmp/test-clamd-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(w->sock, sizeof(w->sock), "%s/sock", w->dir);
	(void)snprintf(w->db, sizeof(w->db), "%s/db", w->dir);
	(void)snprintf(w->sig, sizeof(w->sig), "%s/a.ndb", w->db);
	assert_int_equal(mkdir(w->db, 0700), 0);
	write_file(w->sig, "A:0:*:6162\n");
	w->base = event_base_new();
	w->options =
	    (struct clamd_options){w->sock, w->db, 2, PATIENCE_USEC, 0};
	*state = w;
	start_fake(w, VERSION, LIMIT);
	w->clamd = clamd_new(w->base, &w->options);
	clamd_look_every(w->clamd, 0);
	return 0;
}

static inline int
teardown(void **state)
{
	struct world *w = *state;
	char path[120];

	clamd_free(w->clamd);
	fake_clamd_free(w->fake);
	event_base_free(w->base);
	(void)unlink(w->sig);
	(void)snprintf(path, sizeof(path), "%s/freshclam.dat", w->db);
	(void)unlink(path);
	(void)rmdir(w->db);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

/* From here on clamd has no more time than that. */
static inline void
allow_only(struct world *w, uint64_t usec)
{
	(void)clamd_free(w->clamd);
	w->options.timeout_usec = usec;
	w->clamd = clamd_new(w->base, &w->options);
	clamd_look_every(w->clamd, 0);
}

static inline void
done(void *arg, const struct engine_answer *answer)
{
	struct result *r = arg;

	r->answer = *answer;
	r->count++;
	r->scan = NULL;
	(void)close(r->fd);
	if (--r->world->left == 0)
		(void)event_base_loopbreak(r->world->base);
}

static inline void
ask(struct world *w, struct result *r, const char *content)
{
	*r = (struct result){.world = w, .fd = memfd_new("t")};
	assert_true(r->fd >= 0);
	assert_int_equal(write_all(r->fd, content, strlen(content)), 0);
	w->left++;
	r->scan = clamd_scan(w->clamd, r->fd, done, r);
	assert_int_equal(r->count, 0); /* never before it returns */
}

static inline void
run_for(struct world *w, unsigned int msec)
{
	const struct timeval tv = span_timeval(msec * USEC_PER_MSEC);

	(void)event_base_loopexit(w->base, &tv);
	(void)event_base_dispatch(w->base);
}

static inline void
run(struct world *w)
{
	run_for(w, 2 * PATIENCE_USEC / USEC_PER_MSEC);
	assert_int_equal(w->left, 0);
}

static inline void
scan(struct world *w, const char *content, enum answer want, const char *reason)
{
	struct result r;

	ask(w, &r, content);
	run(w);
	assert_int_equal(r.count, 1);
	assert_string_equal(r.answer.engine, "clamd");
	if (r.answer.answer != (uint32_t)want ||
	    !strstr(r.answer.reason, reason))
		fail_msg("%s -> %s \"%s\", not %s \"%s\"", content,
		    answer_name(r.answer.answer), r.answer.reason,
		    answer_name(want), reason);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
