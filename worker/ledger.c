#include "worker/ledger.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/store.h"
#include "worker/ledger_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/*
 * The key of an event makes taking a line twice harmless.  Ids ascend, so
 * their index grows at its end.
 */
static const char schema[] =
    "CREATE TABLE message("
    " id TEXT PRIMARY KEY, accepted_at INTEGER, bytes INTEGER, sender TEXT,"
    " rcpt TEXT, place TEXT, verdict TEXT, reason TEXT, t INTEGER NOT NULL,"
    " wait_usec INTEGER, service_usec INTEGER, evidence TEXT);"
    "CREATE INDEX message_by_sender ON message(sender, accepted_at);"
    "CREATE INDEX message_by_time ON message(accepted_at);"
    "CREATE TABLE event("
    " id TEXT, t INTEGER, kind TEXT, \"from\" TEXT, \"to\" TEXT, reason TEXT,"
    " PRIMARY KEY(id, t, kind, \"from\", \"to\")) WITHOUT ROWID;"
    "CREATE TABLE attachment("
    " hash BLOB NOT NULL, id TEXT NOT NULL, t INTEGER NOT NULL,"
    " bytes INTEGER, name TEXT, verdict TEXT, engine TEXT,"
    " PRIMARY KEY(hash, id)) WITHOUT ROWID;"
    "CREATE INDEX attachment_by_time ON attachment(t);"
    "CREATE TABLE journal("
    " inode INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " offset INTEGER NOT NULL);";

#define MESSAGE_COLUMNS \
	"id, accepted_at, t, bytes, wait_usec, service_usec, sender, rcpt, " \
	"place, verdict, reason, evidence"

static int
prepare_reads(struct ledger *l)
{
	l->get_message = store_prepare(
	    l->store, "SELECT " MESSAGE_COLUMNS " FROM message WHERE id=?");
	l->get_events = store_prepare(l->store,
	    "SELECT t, kind, \"from\", \"to\", reason FROM event WHERE id=? "
	    "ORDER BY t");
	l->list = store_prepare(l->store,
	    "SELECT " MESSAGE_COLUMNS " FROM message WHERE accepted_at>=? AND "
	    "accepted_at<=? ORDER BY accepted_at DESC LIMIT ?");
	l->list_sender = store_prepare(l->store,
	    "SELECT " MESSAGE_COLUMNS " FROM message WHERE sender=? AND "
	    "accepted_at>=? AND accepted_at<=? ORDER BY accepted_at DESC "
	    "LIMIT ?");
	l->count_places = store_prepare(
	    l->store, "SELECT place, count(*) FROM message GROUP BY place");
	l->count_events = store_prepare(l->store, "SELECT count(*) FROM event");
	l->get_place =
	    store_prepare(l->store, "SELECT place FROM message WHERE id=?");
	if (!l->get_message || !l->get_events || !l->list || !l->list_sender ||
	    !l->count_places || !l->count_events || !l->get_place)
		return -EBADMSG; /* the tables aren't ours */
	return ledger_prepare_files(l);
}

/* SQLite gives -wal and -shm the owner of the file they belong to. */
static int
give_to_directory(const char *path)
{
	CLEANUP(free_ptr) char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	struct stat st, own;

	if (geteuid() != 0 || !slash)
		return 0;
	slash[slash == dir] = '\0';
	if (stat(dir, &st) < 0 || stat(path, &own) < 0)
		return -errno;
	if (own.st_uid == st.st_uid)
		return 0;
	for (int i = 0; i < 3; i++) {
		CLEANUP(free_ptr)
		char *file = xasprintf(
		    "%s%s", path, (const char *[]){"", "-wal", "-shm"}[i]);

		if (chown(file, st.st_uid, st.st_gid) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int
ledger_open(const char *path, bool read_only, unsigned int patience_msec,
    struct ledger **ret_ledger, char *err, size_t err_size)
{
	CLEANUP(ledger_closep) struct ledger *l = xcalloc(1, sizeof(*l));
	char sql[64];
	int r;

	r = store_open(
	    path, schema, LEDGER_FORMAT, read_only, &l->store, err, err_size);
	if (r < 0)
		return r;
	(void)snprintf(
	    sql, sizeof(sql), "PRAGMA busy_timeout=%u", patience_msec);
	(void)store_exec(l->store, sql); /* a busy time is all it can't set */
	r = prepare_reads(l);
	if (r == 0 && !read_only)
		r = ledger_prepare_import(l);
	if (r == 0 && !read_only)
		r = give_to_directory(path);
	if (r < 0) {
		(void)snprintf(err, err_size, "%s", strerror(-r));
		return r;
	}
	*ret_ledger = TAKE_PTR(l);
	return 0;
}

struct ledger *
ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return NULL;
	ledger_forget_sizes(ledger);
	(void)store_close(ledger->store);
	free(ledger);
	return NULL;
}

void
ledger_closep(struct ledger **ledger)
{
	*ledger = ledger_close(*ledger);
}

const char *
ledger_error(const struct ledger *ledger)
{
	return ledger->error[0] ? ledger->error : store_error(ledger->store);
}

uint64_t
ledger_skipped(const struct ledger *ledger)
{
	return ledger->skipped;
}

static const char *
text(struct store_stmt *stmt, int column)
{
	const char *t = store_text(stmt, column);

	return t ? t : "";
}

static int
give_message(struct store_stmt *row, ledger_message_fn *fn, void *arg)
{
	const struct ledger_message m = {
	    .id = text(row, 0),
	    .accepted.usec = (uint64_t)store_int(row, 1),
	    .t.usec = (uint64_t)store_int(row, 2),
	    .bytes = (uint64_t)store_int(row, 3),
	    .wait_usec = (uint64_t)store_int(row, 4),
	    .service_usec = (uint64_t)store_int(row, 5),
	    .sender = text(row, 6),
	    .rcpt = text(row, 7),
	    .place = text(row, 8),
	    .verdict = text(row, 9),
	    .reason = text(row, 10),
	    .evidence = text(row, 11),
	};

	return fn ? fn(arg, &m) : 0;
}

static int
give_event(struct store_stmt *row, ledger_event_fn *fn, void *arg)
{
	const struct ledger_event e = {
	    .t.usec = (uint64_t)store_int(row, 0),
	    .kind = text(row, 1),
	    .from = text(row, 2),
	    .to = text(row, 3),
	    .reason = text(row, 4),
	};

	return fn ? fn(arg, &e) : 0;
}

int
ledger_trace(struct ledger *ledger, const char *id,
    ledger_message_fn *message_fn, ledger_event_fn *event_fn, void *arg)
{
	struct store_stmt *m = ledger->get_message, *e = ledger->get_events;
	int r;

	store_bind(m, "t", id);
	r = store_step(m);
	if (r == 1)
		r = give_message(m, message_fn, arg);
	else if (r == 0)
		r = -ENOENT;
	store_reset(m);
	if (r != 0)
		return r;
	store_bind(e, "t", id);
	while (r == 0 && (r = store_step(e)) == 1)
		r = give_event(e, event_fn, arg);
	store_reset(e);
	return r;
}

int
ledger_list(struct ledger *ledger, const struct ledger_query *query,
    ledger_message_fn *fn, void *arg)
{
	struct store_stmt *s =
	    query->sender ? ledger->list_sender : ledger->list;
	int64_t since = (int64_t)query->since.usec;
	int64_t until =
	    query->until.usec ? (int64_t)query->until.usec : INT64_MAX;
	int64_t limit = query->limit;
	int r = 0;

	if (query->sender)
		store_bind(s, "tiii", query->sender, since, until, limit);
	else
		store_bind(s, "iii", since, until, limit);
	while (r == 0 && (r = store_step(s)) == 1)
		r = give_message(s, fn, arg);
	store_reset(s);
	return r;
}

int
ledger_counts(struct ledger *ledger, struct ledger_counts *ret_counts)
{
	struct ledger_counts c = {0};
	struct store_stmt *s = ledger->count_places;
	int r;

	while ((r = store_step(s)) == 1) {
		uint64_t n = (uint64_t)store_int(s, 1);
		enum spool_dir dir;

		c.messages += n;
		if (spool_dir_parse(text(s, 0), &dir) == 0)
			c.by_place[dir] += n;
	}
	store_reset(s);
	if (r < 0)
		return r;
	r = store_step(ledger->count_events);
	if (r == 1)
		c.events = (uint64_t)store_int(ledger->count_events, 0);
	store_reset(ledger->count_events);
	if (r < 0)
		return r;
	*ret_counts = c;
	return 0;
}

int
ledger_place(struct ledger *ledger, const char *id, enum spool_dir *ret_place)
{
	struct store_stmt *s = ledger->get_place;
	int r;

	store_bind(s, "t", id);
	r = store_step(s);
	if (r == 1)
		r = spool_dir_parse(text(s, 0), ret_place) == 0 ? 0 : -ENOENT;
	else if (r == 0)
		r = -ENOENT;
	store_reset(s);
	return r;
}
