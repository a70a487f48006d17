/*
 * tests/support/ledger_site.h - a spool with two journals, and a ledger.
 */
#ifndef SLUICE_TESTS_LEDGER_SITE_H
#define SLUICE_TESTS_LEDGER_SITE_H

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/journal.h"
#include "tests/support/tmpspool.h"
#include "worker/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct site {
	char *path;
	struct spool *spool;
	struct journal *feed, *worker;
	struct ledger *ledger;
	char *db;
	uint64_t t; /* the next line's time */
};

static inline void
open_ledger(struct site *s)
{
	char err[256] = "";
	int r = ledger_open(s->db, false, 100, &s->ledger, err, sizeof(err));

	if (r < 0)
		print_error("%s\n", err);
	assert_int_equal(r, 0);
}

static inline int
set_up(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));

	s->path = tmpspool_make();
	s->spool = tmpspool_open(s->path);
	assert_int_equal(journal_open(s->spool, "feed", &s->feed), 0);
	assert_int_equal(journal_open(s->spool, "worker-1", &s->worker), 0);
	s->db = xasprintf("%s/ledger.db", s->path);
	s->t = 1000;
	open_ledger(s);
	*state = s;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct site *s = *state;

	s->ledger = ledger_close(s->ledger);
	(void)journal_close(s->feed);
	(void)journal_close(s->worker);
	(void)spool_free(s->spool);
	tmp_remove(s->path);
	free(s->db);
	free(s);
	return 0;
}

static inline void
write_line(struct journal *j, const struct event *e)
{
	CLEANUP(free_ptr) char *line = event_format(e);

	assert_int_equal(journal_append(j, line), 0);
}

/* A journal line of a move, and nothing else. */
static inline void
say(struct site *s, struct journal *j, const char *id, enum spool_dir from,
    enum spool_dir to)
{
	struct event e = {.kind = EVENT_MOVE,
	    .t.usec = s->t++,
	    .from = from,
	    .to = to,
	    .bytes = 1234};

	(void)snprintf(e.id, sizeof(e.id), "%s", id);
	if (from == SPOOL_IN) {
		e.sender = "a@x.test";
		e.rcpt = "b@y.test";
	} else {
		e.verdict = "clean";
		e.reason = "no engine found anything";
		e.wait_usec = 10;
		e.service_usec = 20;
		e.evidence = "{\"parts\":1}";
	}
	write_line(j, &e);
}

#endif
