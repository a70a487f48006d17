/*
 * tests/support/cells_site.h - the engines role's side of the cells; the test
 * is the scan role and the cells.
 */
#ifndef SLUICE_TESTS_CELLS_SITE_H
#define SLUICE_TESTS_CELLS_SITE_H

#include "worker/cells.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "tests/support/fake_scan.h"

#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define BYTES 1234

struct run {
	int count;
	struct reading *reading;
	struct engine_answer why;
	int *order, turn; /* when it was answered, among others */
};

struct world {
	struct event_base *base;
	struct conf *conf;
	struct fake_scan scan;
	struct cells *cells;
	int message, lost, order;
};

static inline void
on_lost(void *arg)
{
	struct world *w = arg;

	w->lost++;
}

static inline int
setup_with(void **state, uint64_t n_cells)
{
	struct world *w = xcalloc(1, sizeof(*w));
	char err[200];

	w->base = event_base_new();
	assert_int_equal(conf_load(NULL, &w->conf, err, sizeof(err)), 0);
	w->conf->worker.cells = n_cells;
	fake_scan_init(&w->scan);
	w->message = memfd_new("message");
	assert_int_equal(write_all(w->message, "mail", 4), 0);
	w->cells = cells_new(w->base, w->scan.engines_fd, w->conf, on_lost, w);
	for (uint64_t i = 0; i < n_cells; i++)
		assert_int_equal(fake_scan_hear(&w->scan), WIRE_CELL_WANT);
	*state = w;
	return 0;
}

/* With one cell that is ready: each that is used is replaced at once. */
static inline int
setup(void **state)
{
	return setup_with(state, 1);
}

static inline int
teardown(void **state)
{
	struct world *w = *state;

	(void)cells_free(w->cells);
	fake_scan_done(&w->scan);
	event_base_free(w->base);
	(void)conf_free(w->conf);
	(void)close(w->message);
	free(w);
	return 0;
}

/* All that can be heard is heard. */
static inline void
turn(struct world *w)
{
	for (int i = 0; i < 5; i++)
		(void)event_base_loop(w->base, EVLOOP_NONBLOCK);
}

static inline void
run_for(struct world *w, uint64_t usec)
{
	const struct timeval tv = span_timeval(usec);

	(void)event_base_loopexit(w->base, &tv);
	(void)event_base_dispatch(w->base);
}

static inline void
on_done(void *arg, struct reading *reading, const struct engine_answer *why)
{
	struct run *run = arg;

	run->count++;
	run->reading = reading;
	assert_true((reading != NULL) != (why != NULL)); /* exactly one */
	if (why)
		run->why = *why;
	if (run->order)
		run->turn = ++*run->order;
}

static inline void
ask(struct world *w, struct run *run)
{
	*run = (struct run){.order = &w->order};
	(void)cells_read(w->cells, w->message, BYTES, on_done, run);
	assert_int_equal(run->count, 0); /* never before it returns */
}

static inline void
hears(struct world *w, uint32_t type, uint64_t number)
{
	const struct wire_cell *cell;

	assert_int_equal(fake_scan_hear(&w->scan), type);
	if (type == WIRE_CELL_KILL) {
		assert_int_equal(wire_cell_kill(&w->scan.msg, &cell), 0);
		assert_int_equal(cell->number, number);
	}
}

static inline void
hears_nothing(struct world *w)
{
	assert_int_equal(fake_scan_hear(&w->scan), 0);
}

/* A cell that has the run's task. */
static inline struct fake_cell
begin(struct world *w, struct run *run)
{
	struct fake_cell cell = fake_scan_fork(&w->scan);

	ask(w, run);
	turn(w);
	assert_non_null(fake_cell_task(&w->scan, &cell));
	ipc_drop_fds(&w->scan.msg);
	hears(w, WIRE_CELL_WANT, 0);
	hears_nothing(w);
	return cell;
}

static inline void
write_reading(const struct fake_cell *cell)
{
	struct reading_writer *w = writer_new(cell->arena, 1 << 20);

	assert_non_null(w);
	(void)fake_part(w, "octets", 6, "a.txt");
	assert_int_equal(writer_commit(w, READING_COMPLETE, 0, false, ""), 0);
	writer_free(w);
}

static inline void
has_reading(struct run *run)
{
	assert_int_equal(run->count, 1);
	assert_non_null(run->reading);
	assert_int_equal(run->reading->n_parts, 1);
	assert_string_equal(run->reading->parts[0].names, "a.txt");
	run->reading = reading_free(run->reading);
}

static inline void
has_none(const struct run *run, enum answer answer, const char *reason)
{
	assert_int_equal(run->count, 1);
	assert_null(run->reading);
	assert_string_equal(run->why.engine, "reading");
	if (run->why.answer != (uint32_t)answer ||
	    !strstr(run->why.reason, reason))
		fail_msg("%s \"%s\", not %s \"%s\"",
		    answer_name(run->why.answer), run->why.reason,
		    answer_name(answer), reason);
}

#endif
