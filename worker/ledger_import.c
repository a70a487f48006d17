#include "worker/ledger.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/store.h"
#include "queues/journal.h"
#include "worker/ledger_line.h"
#include "worker/ledger_priv.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

/* Lines of one transaction of a rebuild. */
#define REBUILD_LINES 5000
/* Longer lines are seldom and may cost more. */
#define PLAIN_BYTES 16384

struct ledger_size {
	uint64_t inode, size;
	UT_hash_handle hh;
};

void
ledger_forget_sizes(struct ledger *ledger)
{
	struct ledger_size *s, *next;

	HASH_ITER (hh, ledger->sizes, s, next) {
		HASH_DEL(ledger->sizes, s);
		free(s);
	}
}

/*
 * Lines of different writers come in any order: what is newer by its own
 * time wins, and what only one of them knows is kept.  Sender and time of
 * acceptance have an index each, so only the line that knows sets them; the
 * same line has all recipients, that of a judgement the first.
 */
#define INSERT_MESSAGE \
	"INSERT INTO message(id, accepted_at, bytes, sender, rcpt, place, " \
	"verdict, reason, t, wait_usec, service_usec, evidence) " \
	"VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET "

#define NEWEST(column) \
#column "=iif(excluded.t>=t, coalesce(excluded." #column ", " #column \
		"), coalesce(" #column ", excluded." #column ")), "

#define UPDATE_MESSAGE \
	"bytes=max(excluded.bytes, bytes), " NEWEST(verdict) NEWEST(reason) \
	    NEWEST( \
		evidence) "wait_usec=max(excluded.wait_usec, wait_usec), " \
			  "service_usec=max(excluded.service_usec, " \
			  "service_usec), " \
			  "place=iif(excluded.t>=t, excluded.place, place), " \
			  "t=max(excluded.t, t)"

int
ledger_prepare_import(struct ledger *l)
{
	l->put_accepted = store_prepare(l->store, INSERT_MESSAGE
	    "accepted_at=excluded.accepted_at, "
	    "sender=coalesce(excluded.sender, sender), "
	    "rcpt=coalesce(excluded.rcpt, rcpt), " UPDATE_MESSAGE);
	l->put_message = store_prepare(l->store, INSERT_MESSAGE
	    "rcpt=coalesce(rcpt, excluded.rcpt), " UPDATE_MESSAGE);
	l->put_event = store_prepare(
	    l->store, "INSERT OR IGNORE INTO event VALUES(?,?,?,?,?,?)");
	l->get_offset =
	    store_prepare(l->store, "SELECT offset FROM journal WHERE inode=?");
	l->set_offset = store_prepare(
	    l->store, "INSERT OR REPLACE INTO journal VALUES(?,?,?)");
	if (!l->put_accepted || !l->put_message || !l->put_event ||
	    !l->get_offset || !l->set_offset)
		return -EBADMSG;
	return ledger_prepare_put_files(l);
}

DEFINE_CLEANUP(DIR *, closedir);

int
ledger_each_journal(const struct spool *spool, ledger_file_fn *fn, void *arg)
{
	CLEANUP(close_fd) int fd = -1;
	CLEANUP(closedirp) DIR *dir = NULL;
	const struct dirent *d;
	int r = 0;

	fd = openat(spool->journal_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	fd = -1; /* closedir() closes it */
	while (r == 0 && (d = readdir(dir))) {
		struct stat st;

		if (d->d_name[0] == '.' ||
		    fstatat(spool->journal_fd, d->d_name, &st,
			AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		r = fn(arg, d->d_name, &st);
	}
	return r;
}

struct import {
	struct ledger *ledger;
	const struct spool *spool;
	int left;
	int lines;
	bool begun; /* a transaction is open */
};

static int
put_message(struct ledger *l, const struct event *e)
{
	const bool accepted = e->from == SPOOL_IN;

	/* A NULL comes through the text format, whatever the column. */
	if (!accepted)
		return store_run(l->put_message, "ttitttttiiit", e->id,
		    (const char *)NULL, (int64_t)e->bytes, e->sender, e->rcpt,
		    spool_dir_name(e->to), e->verdict, e->reason,
		    (int64_t)e->t.usec, (int64_t)e->wait_usec,
		    (int64_t)e->service_usec, e->evidence);
	return store_run(l->put_accepted, "tiitttttiiit", e->id,
	    (int64_t)e->t.usec, (int64_t)e->bytes, e->sender, e->rcpt,
	    spool_dir_name(e->to), e->verdict, e->reason, (int64_t)e->t.usec,
	    (int64_t)e->wait_usec, (int64_t)e->service_usec, e->evidence);
}

static int
put_event(struct ledger *l, const struct event *e)
{
	int r;

	if (e->kind == EVENT_START)
		return 0; /* of no message */
	r = store_run(l->put_event, "titttt", e->id, (int64_t)e->t.usec,
	    event_kind_name(e->kind), spool_dir_name(e->from),
	    e->kind == EVENT_MOVE ? spool_dir_name(e->to) : "", e->reason);
	if (r == 0 && e->kind == EVENT_MOVE)
		r = put_message(l, e);
	if (r == 0 && e->kind == EVENT_MOVE)
		r = ledger_put_files(l, e);
	return r;
}

static int
take_any_line(struct ledger *l, const char *line, size_t len)
{
	struct event e;
	void *keep;
	int r;

	if (event_parse(line, len, &e, &keep) < 0) {
		l->skipped++;
		return 0;
	}
	r = put_event(l, &e);
	event_release(keep);
	return r;
}

static int
take_line(void *arg, const char *line, size_t len)
{
	struct import *im = arg;
	char copy[PLAIN_BYTES];
	struct event e;

	if (len < sizeof(copy)) {
		memcpy(copy, line, len + 1);
		if (ledger_line(copy, len, &e) == 0)
			return put_event(im->ledger, &e);
	}
	return take_any_line(im->ledger, line, len);
}

static int
begin(struct import *im)
{
	int r = 0;

	if (!im->begun)
		r = store_exec(im->ledger->store, "BEGIN IMMEDIATE");
	im->begun = r == 0;
	ledger_begin_files(im->ledger);
	return r;
}

/* Only inside the transaction: somebody else may import too. */
static int
get_offset(struct ledger *l, const struct stat *st, uint64_t *ret_offset)
{
	int r;

	*ret_offset = 0;
	store_bind(l->get_offset, "i", (int64_t)st->st_ino);
	r = store_step(l->get_offset);
	if (r == 1)
		*ret_offset = (uint64_t)store_int(l->get_offset, 0);
	store_reset(l->get_offset);
	return r < 0 ? r : 0;
}

static void
note_size(struct ledger *l, const struct stat *st, uint64_t size)
{
	uint64_t inode = st->st_ino;
	struct ledger_size *s;

	HASH_FIND(hh, l->sizes, &inode, sizeof(inode), s);
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->inode = inode;
		HASH_ADD(hh, l->sizes, inode, sizeof(s->inode), s);
	}
	s->size = size;
}

static bool
has_news(const struct ledger *l, const struct stat *st)
{
	uint64_t inode = st->st_ino;
	struct ledger_size *s;

	HASH_FIND(hh, l->sizes, &inode, sizeof(inode), s);
	return !s || s->size != (uint64_t)st->st_size;
}

static int
take_journal(void *arg, const char *name, const struct stat *st)
{
	struct import *im = arg;
	struct ledger *l = im->ledger;
	uint64_t offset, stored = 0;
	int n, r;

	if (im->left <= 0 || !has_news(l, st))
		return 0;
	r = begin(im);
	if (r == 0)
		r = get_offset(l, st, &stored);
	if (r < 0)
		return r;
	/* Shorter than it was: cut off, or another file of that inode. */
	offset = stored > (uint64_t)st->st_size ? 0 : stored;
	n = journal_read(im->spool, name, &offset, im->left, take_line, im);
	if (n == -ENOENT || n == -ERANGE)
		return 0; /* replaced in between: the next call sees it */
	if (n < 0)
		return n;
	im->left -= n;
	im->lines += n;
	if (n == 0)
		note_size(l, st, (uint64_t)st->st_size); /* read to its end */
	else if (offset >= (uint64_t)st->st_size)
		note_size(l, st, offset);
	if (offset == stored)
		return 0;
	return store_run(
	    l->set_offset, "iti", (int64_t)st->st_ino, name, (int64_t)offset);
}

int
ledger_import(struct ledger *ledger, const struct spool *spool, int max_lines)
{
	struct import im = {
	    .ledger = ledger, .spool = spool, .left = max_lines};
	int r;

	assert(ledger->put_message); /* not read_only */
	ledger->error[0] = '\0';
	r = ledger_each_journal(spool, take_journal, &im);
	if (im.begun && r == 0)
		r = ledger_drop_files(ledger);
	if (im.begun && r == 0)
		r = store_exec(ledger->store, "COMMIT");
	if (r < 0) {
		(void)snprintf(ledger->error, sizeof(ledger->error), "%s (%s)",
		    store_error(ledger->store), strerror(-r));
		if (im.begun)
			(void)store_exec(ledger->store, "ROLLBACK");
		ledger_forget_sizes(ledger);
		return r;
	}
	return im.lines;
}

int64_t
ledger_rebuild(struct ledger *ledger, const struct spool *spool)
{
	int64_t lines = 0;
	int r;

	r = store_exec(ledger->store,
	    "BEGIN IMMEDIATE; DELETE FROM event; "
	    "DELETE FROM message; DELETE FROM attachment; "
	    "DELETE FROM journal; COMMIT");
	if (r < 0) {
		(void)store_exec(ledger->store, "ROLLBACK");
		return r;
	}
	ledger_forget_sizes(ledger);
	do {
		r = ledger_import(ledger, spool, REBUILD_LINES);
		lines += r > 0 ? r : 0;
	} while (r > 0);
	return r < 0 ? r : lines;
}
