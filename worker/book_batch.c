#include "worker/book_priv.h"

#include "common/log.h"
#include "common/metrics.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <string.h>

/* How often what waits is written: at most so much is judged again, or read
 * again from the journals, after a crash. */
#define TICK_USEC (200 * USEC_PER_MSEC)
/* Ticks between two writings of mere sightings. */
#define SIGHTINGS_TICKS 50
/* Ticks between two looks at every journal, whatever its size. */
#define RECHECK_TICKS 300
/* Lines of the ledger at one tick: some 30 ms. */
#define LINES_A_TICK 1000
/* After a failure, how long the disk is left alone. */
#define PAUSE_USEC (5 * USEC_PER_SEC)

/* Is it time, after what may have failed before? */
static bool
may_write(const struct book_writer *w)
{
	return !w->is_failing || mono_now().usec >= w->retry_at.usec;
}

static void
note_outcome(struct book *b, struct book_writer *w, int r, const char *error)
{
	if (r == -EAGAIN)
		return; /* an operator's command holds it: the next tick */
	if (r >= 0) {
		if (w->is_failing)
			log_info("%s: written again", w->name);
		w->is_failing = false;
		return;
	}
	metrics_add(b->metrics, METRIC_book_failures, 1);
	if (!w->is_failing)
		log_error("%s: not written, going on from memory: %s (SQLite: "
			  "%s)",
		    w->name, strerror(-r), error);
	w->is_failing = true;
	w->retry_at.usec = mono_now().usec + PAUSE_USEC;
}

void
book_flush(struct book *book, bool all)
{
	int r;

	if (!may_write(&book->table_writer))
		return;
	r = rows_flush(book->rows, all);
	note_outcome(book, &book->table_writer, r, rows_error(book->rows));
}

static void
import_lines(struct book *b)
{
	int r;

	if (!b->ledger || !may_write(&b->ledger_writer))
		return;
	if (b->ticks % RECHECK_TICKS == 0)
		ledger_forget_sizes(b->ledger);
	r = ledger_import(b->ledger, b->spool, LINES_A_TICK);
	note_outcome(b, &b->ledger_writer, r, ledger_error(b->ledger));
	if (r > 0)
		metrics_add(b->metrics, METRIC_book_lines, (uint64_t)r);
	if (ledger_skipped(b->ledger) == b->bad_lines)
		return;
	log_warn("ledger lines=%ju: no events, skipped",
	    (uintmax_t)(ledger_skipped(b->ledger) - b->bad_lines));
	metrics_add(b->metrics, METRIC_book_bad_lines,
	    ledger_skipped(b->ledger) - b->bad_lines);
	b->bad_lines = ledger_skipped(b->ledger);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct book *b = arg;

	(void)fd;
	(void)what;
	b->ticks++;
	book_flush(b, b->ticks % SIGHTINGS_TICKS == 0);
	import_lines(b);
	metrics_set(b->metrics, METRIC_book_rows, rows_count(b->rows));
	metrics_set(b->metrics, METRIC_book_in_flight, claims_count(b->claims));
}

void
book_start_batches(struct book *book)
{
	struct timeval tv = span_timeval(TICK_USEC);

	book->table_writer.name = "table";
	book->ledger_writer.name = "ledger";
	book->ticker = event_new(book->base, -1, EV_PERSIST, on_tick, book);
	assert(book->ticker);
	(void)event_add(book->ticker, &tv);
}

void
book_stop_batches(struct book *book)
{
	event_free(book->ticker);
	import_lines(book);
}
