#include "worker/ledger_files.h"

#include "common/cleanup.h"
#include "common/store.h"
#include "worker/evidence_parts.h"
#include "worker/ledger_priv.h"

#include <errno.h>
#include <string.h>

/* Old rows that go with one transaction: some 7 ms, so that a loop which
 * serves others can do it; sluice-book does it five times a second. */
#define DROP_ROWS "500"

/* Octets of a name that are kept: enough to recognise a file. */
#define NAME_BYTES 80

int
ledger_prepare_files(struct ledger *l)
{
	l->get_files = store_prepare(l->store,
	    "SELECT a.hash, a.t, a.bytes, a.id, a.name, a.verdict, a.engine, "
	    "m.sender, m.rcpt, m.place FROM attachment AS a "
	    "LEFT JOIN message AS m ON m.id=a.id "
	    "WHERE a.hash BETWEEN ? AND ? AND a.hash IN "
	    "(SELECT hash FROM attachment WHERE t>=?) ORDER BY a.hash");
	l->get_file_times = store_prepare(
	    l->store, "SELECT t, id FROM attachment WHERE t>=? ORDER BY t");
	l->get_people = store_prepare(l->store,
	    "SELECT sender, rcpt FROM message WHERE accepted_at>=?1 "
	    "OR id IN (SELECT id FROM attachment WHERE t>=?1)");
	l->get_files_begin =
	    store_prepare(l->store, "SELECT min(t) FROM attachment");
	return l->get_files && l->get_file_times && l->get_people &&
		       l->get_files_begin
		   ? 0
		   : -EBADMSG;
}

/*
 * The same content twice in a message keeps the verdict that comes first:
 * evidence has what is bad before what isn't.
 */
int
ledger_prepare_put_files(struct ledger *l)
{
	l->put_file = store_prepare(l->store,
	    "INSERT INTO attachment(hash, id, t, bytes, name, verdict, engine) "
	    "VALUES(?,?,?,?,?,?,?) ON CONFLICT(hash, id) DO UPDATE SET "
	    "t=excluded.t, bytes=excluded.bytes, name=excluded.name, "
	    "verdict=excluded.verdict, engine=excluded.engine "
	    "WHERE excluded.t>t");
	l->drop_files = store_prepare(l->store,
	    "DELETE FROM attachment WHERE (hash, id) IN (SELECT hash, id "
	    "FROM attachment WHERE t<? ORDER BY t LIMIT " DROP_ROWS ")");
	return l->put_file && l->drop_files ? 0 : -EBADMSG;
}

void
ledger_keep_files(struct ledger *ledger, uint64_t keep_usec)
{
	ledger->keep_usec = keep_usec;
}

static uint64_t
oldest(const struct ledger *l)
{
	const uint64_t now = wall_now().usec;

	return l->keep_usec != 0 && now > l->keep_usec ? now - l->keep_usec : 0;
}

struct put {
	struct ledger *ledger;
	const struct event *event;
};

/* Up to NAME_BYTES, whole characters only. */
static void
cut_name(const char *name, char *buf)
{
	size_t n = strnlen(name, NAME_BYTES);

	while (n > 0 && name[n] != '\0' && ((unsigned char)name[n] >> 6) == 2)
		n--;
	memcpy(buf, name, n);
	buf[n] = '\0';
}

static int
put_part(void *arg, const struct evidence_part *part)
{
	const struct put *p = arg;
	char name[NAME_BYTES + 1];

	cut_name(part->name, name);
	return store_run(p->ledger->put_file, "btiittt",
	    (const void *)part->digest.bytes, sizeof(part->digest.bytes),
	    p->event->id, (int64_t)p->event->t.usec, (int64_t)part->bytes, name,
	    part->verdict, part->engine);
}

int
ledger_put_files(struct ledger *l, const struct event *e)
{
	struct put p = {.ledger = l, .event = e};

	if (!e->evidence || e->t.usec < l->oldest_usec)
		return 0;
	return evidence_parts(e->evidence, put_part, &p);
}

void
ledger_begin_files(struct ledger *l)
{
	l->oldest_usec = oldest(l);
}

int
ledger_drop_files(struct ledger *l)
{
	if (l->oldest_usec == 0)
		return 0;
	return store_run(l->drop_files, "i", (int64_t)l->oldest_usec);
}

static const char *
text(struct store_stmt *stmt, int column)
{
	const char *t = store_text(stmt, column);

	return t ? t : "";
}

static int
give_file(struct store_stmt *row, ledger_file_seen_fn *fn, void *arg)
{
	struct ledger_file f = {
	    .t.usec = (uint64_t)store_int(row, 1),
	    .bytes = (uint64_t)store_int(row, 2),
	    .id = text(row, 3),
	    .name = text(row, 4),
	    .verdict = text(row, 5),
	    .engine = text(row, 6),
	    .sender = text(row, 7),
	    .rcpt = text(row, 8),
	    .place = text(row, 9),
	};
	size_t len;
	const void *hash = store_blob(row, 0, &len);

	if (len != sizeof(f.digest.bytes))
		return -EBADMSG; /* no row of ours */
	memcpy(f.digest.bytes, hash, len);
	return fn(arg, &f);
}

int
ledger_files(struct ledger *ledger, const struct ledger_files_query *query,
    ledger_file_seen_fn *fn, void *arg)
{
	struct store_stmt *s = ledger->get_files;
	int r = 0;

	store_bind(s, "bbi", (const void *)query->from.bytes,
	    sizeof(query->from.bytes), (const void *)query->to.bytes,
	    sizeof(query->to.bytes), (int64_t)query->since.usec);
	while (r == 0 && (r = store_step(s)) == 1)
		r = give_file(s, fn, arg);
	store_reset(s);
	return r;
}

int
ledger_files_begin(struct ledger *ledger, uint64_t *ret_usec)
{
	struct store_stmt *s = ledger->get_files_begin;
	int r = store_step(s);

	if (r == 1)
		*ret_usec = store_text(s, 0) ? (uint64_t)store_int(s, 0)
					     : wall_now().usec;
	store_reset(s);
	return r < 0 ? r : 0;
}

int
ledger_file_times(
    struct ledger *ledger, struct wall since, ledger_message_fn *fn, void *arg)
{
	struct store_stmt *s = ledger->get_file_times;
	int r = 0;

	store_bind(s, "i", (int64_t)since.usec);
	while (r == 0 && (r = store_step(s)) == 1) {
		const struct ledger_message m = {.id = text(s, 1),
		    .t.usec = (uint64_t)store_int(s, 0),
		    .sender = "",
		    .rcpt = ""};

		r = fn(arg, &m);
	}
	store_reset(s);
	return r;
}

int
ledger_people(
    struct ledger *ledger, struct wall since, ledger_message_fn *fn, void *arg)
{
	struct store_stmt *s = ledger->get_people;
	int r = 0;

	store_bind(s, "i", (int64_t)since.usec);
	while (r == 0 && (r = store_step(s)) == 1) {
		const struct ledger_message m = {
		    .sender = text(s, 0), .rcpt = text(s, 1)};

		r = fn(arg, &m);
	}
	store_reset(s);
	return r;
}
