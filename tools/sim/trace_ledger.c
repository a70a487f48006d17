/*
 * tools/sim/trace_ledger.c - a trace out of a site's ledger.
 */
#include "tools/sim/trace_priv.h"

#include "common/cleanup.h"
#include "common/store.h"
#include "worker/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * A message's last move out of a feed queue is the worker's line of its
 * verdict; with max() SQLite gives the other columns of that very row.  The
 * largest wait is of that line too: each line counts from the same arrival.
 */
static const char query[] =
    "SELECT m.bytes, m.accepted_at, m.wait_usec, m.service_usec, max(e.t), "
    "e.\"from\" FROM event e JOIN message m ON m.id=e.id "
    "WHERE e.kind='move' AND e.\"from\" GLOB 'feed[1-9]*' GROUP BY e.id";

enum column { BYTES, ACCEPTED, WAIT, SERVICE, JUDGED, FROM };

static uint64_t
positive(struct store_stmt *row, enum column column)
{
	int64_t n = store_int(row, (int)column);

	return n > 0 ? (uint64_t)n : 0;
}

/* 0-based; FEED_MAX_LANES: none. */
static uint32_t
lane_of(const char *name)
{
	unsigned int k = 0;

	if (!name || sscanf(name, "feed%2u", &k) != 1 || k < 1 ||
	    k > FEED_MAX_LANES)
		return FEED_MAX_LANES;
	return k - 1;
}

static struct trace_message
message_of(struct store_stmt *row)
{
	uint64_t judged = positive(row, JUDGED), stay = positive(row, WAIT);
	struct trace_message m = {.bytes = positive(row, BYTES),
	    .service_usec = positive(row, SERVICE),
	    .lane = lane_of(store_text(row, FROM))};

	/* A clock that was set back leaves the feed's line as a witness. */
	if (stay == 0 && positive(row, ACCEPTED) < judged &&
	    positive(row, ACCEPTED) > 0)
		stay = judged - positive(row, ACCEPTED);
	if (stay < m.service_usec)
		stay = m.service_usec;
	m.arrived_usec = judged > stay ? judged - stay : 0;
	m.wait_usec = stay - m.service_usec;
	if (m.bytes == 0)
		m.bytes = 1;
	return m;
}

int
trace_read_ledger(
    const char *path, struct trace_builder *builder, char *err, size_t err_size)
{
	CLEANUP(store_closep) struct store *store = NULL;
	struct store_stmt *rows;
	char why[256];
	int r;

	r = store_open(path, "", LEDGER_FORMAT, true, &store, why, sizeof(why));
	if (r < 0) {
		(void)snprintf(err, err_size, "%s: %s", path, why);
		return r;
	}
	/* A foreign database is the caller's mistake, no bug of ours. */
	r = store_exec(store,
	    "SELECT id, accepted_at, bytes, wait_usec, service_usec FROM "
	    "message LIMIT 0; SELECT t, kind, \"from\" FROM event LIMIT 0");
	if (r < 0) {
		(void)snprintf(err, err_size,
		    "%s: a database, but no ledger (%s): write the path of "
		    "ledger.db, or of a text file",
		    path, store_error(store));
		return -EBADMSG;
	}
	rows = store_prepare(store, query);
	if (!rows)
		return -EBADMSG;
	while ((r = store_step(rows)) == 1) {
		const struct trace_message m = message_of(rows);

		r = trace_add(builder, &m);
		if (r < 0)
			break;
	}
	store_reset(rows);
	return r;
}
