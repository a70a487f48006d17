#include "worker/ledger_audit.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/journal.h"
#include "worker/ledger_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

/* What looks wrong is looked at again so often, with a pause between. */
#define LOOKS      20
#define PAUSE_USEC 25000

struct item {
	char id[QUEUE_ID_MAX + 1];
	bool has_line;
	uint64_t t;           /* of the last line */
	enum spool_dir place; /* what it says */
	unsigned int n_found;
	enum spool_dir found[2];
	UT_hash_handle hh;
};

/* How far a journal was read. */
struct progress {
	char name[NAME_MAX + 1];
	uint64_t offset;
	struct progress *next;
};

struct stock {
	const struct spool *spool;
	struct item *items;
	struct progress *journals;
	struct audit *audit;
};

bool
audit_balances(const struct audit *a)
{
	return a->lost == 0 && a->twice == 0 &&
	       a->accepted == a->delivered + a->out_waiting + a->virus +
				  a->ext + a->spam + a->error + a->in +
				  a->feeds;
}

const char *
audit_why_name(enum audit_why why)
{
	static const char *const names[] = {
	    [AUDIT_LOST] = "lost",
	    [AUDIT_TWICE] = "twice",
	    [AUDIT_LEDGER] = "ledger",
	};

	return names[why];
}

static struct item *
item_of(struct stock *s, const char *id)
{
	struct item *it;

	HASH_FIND_STR(s->items, id, it);
	if (it)
		return it;
	it = xcalloc(1, sizeof(*it));
	(void)snprintf(it->id, sizeof(it->id), "%s", id);
	HASH_ADD_STR(s->items, id, it);
	return it;
}

static int
take_line(void *arg, const char *line, size_t len)
{
	struct stock *s = arg;
	struct event e;
	struct item *it;
	void *keep;

	if (event_parse(line, len, &e, &keep) < 0) {
		s->audit->bad_lines++;
		return 0;
	}
	if (e.kind == EVENT_MOVE) {
		it = item_of(s, e.id);
		if (!it->has_line || e.t.usec >= it->t) {
			it->t = e.t.usec;
			it->place = e.to;
		}
		it->has_line = true;
	}
	event_release(keep);
	return 0;
}

static struct progress *
progress_of(struct stock *s, const char *name)
{
	struct progress *p;

	for (p = s->journals; p; p = p->next)
		if (strcmp(p->name, name) == 0)
			return p;
	p = xcalloc(1, sizeof(*p));
	(void)snprintf(p->name, sizeof(p->name), "%s", name);
	p->next = s->journals;
	s->journals = p;
	return p;
}

static int
read_journal(void *arg, const char *name, const struct stat *st)
{
	struct stock *s = arg;
	struct progress *p = progress_of(s, name);
	int n;

	if (p->offset > (uint64_t)st->st_size)
		p->offset = 0; /* a fresh one of the same name */
	n = journal_read(s->spool, name, &p->offset, INT_MAX, take_line, s);
	return n == -ENOENT || n >= 0 ? 0 : n;
}

/* What is new since the last call; all of it the first time. */
static int
read_journals(struct stock *s)
{
	return ledger_each_journal(s->spool, read_journal, s);
}

static void
note_found(struct item *it, enum spool_dir dir)
{
	if (it->n_found < ARRAY_SIZE(it->found))
		it->found[it->n_found] = dir;
	it->n_found++;
}

DEFINE_CLEANUP(DIR *, closedir);

static int
scan_dir(struct stock *s, enum spool_dir which)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	const struct dirent *d;
	int fd;

	fd = openat(
	    s->spool->fds[which], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return -ENOMEM;
	}
	while ((d = readdir(dir))) {
		const char *id = spool_id_of(d->d_name, "qf");

		if (id)
			note_found(item_of(s, id), which);
	}
	return 0;
}

/* One id, by name, in every directory. */
static void
look_again(struct stock *s, struct item *it)
{
	char name[QUEUE_ID_MAX + 3];

	it->n_found = 0;
	(void)snprintf(name, sizeof(name), "qf%s", it->id);
	for (size_t i = 0; i < spool_dirs(s->spool); i++)
		if (faccessat(
			s->spool->fds[i], name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			note_found(it, (enum spool_dir)i);
}

static bool
is_suspect(const struct item *it)
{
	if (it->n_found > 1)
		return true;
	if (it->n_found == 1)
		return it->has_line && it->found[0] != it->place;
	return it->has_line && it->place != SPOOL_OUT;
}

/*
 * A message that moves while we look is seen twice or not at all.  What is
 * wrong for good stays so; what moves comes to rest in one of our looks.
 */
static int
settle(struct stock *s)
{
	for (int look = 0; look < LOOKS; look++) {
		struct item *it, *next;
		size_t suspects = 0;
		int r;

		HASH_ITER (hh, s->items, it, next) {
			if (is_suspect(it))
				look_again(s, it);
			suspects += is_suspect(it);
		}
		if (suspects == 0)
			return 0;
		(void)usleep(PAUSE_USEC);
		r = read_journals(s);
		if (r < 0)
			return r;
	}
	return 0;
}

static void
note_bad(struct audit *a, const struct item *it, enum audit_why why)
{
	struct audit_bad *b;

	if (a->n_bad == AUDIT_BAD_MAX)
		return;
	b = &a->bad[a->n_bad++];
	(void)snprintf(b->id, sizeof(b->id), "%s", it->id);
	b->why = why;
	b->journal = it->place;
	memcpy(b->found, it->found, sizeof(b->found));
}

static uint64_t *
counter_of(struct audit *a, enum spool_dir dir)
{
	if (dir >= SPOOL_FEED1)
		return &a->feeds;
	if (dir == SPOOL_IN)
		return &a->in;
	if (dir == SPOOL_OUT)
		return &a->out_waiting;
	if (dir == SPOOL_VIRUS)
		return &a->virus;
	if (dir == SPOOL_EXT)
		return &a->ext;
	return dir == SPOOL_SPAM ? &a->spam : &a->error;
}

static void
count_found(struct audit *a, const struct item *it)
{
	enum spool_dir dir = it->found[0];

	if (!it->has_line && dir == SPOOL_OUT) {
		a->foreign++;
		return;
	}
	a->accepted++;
	++*counter_of(a, dir);
	if (it->n_found > 1) {
		a->twice++;
		note_bad(a, it, AUDIT_TWICE);
	} else if (!it->has_line && dir != SPOOL_IN) {
		a->unjournalled++;
	} else if (it->has_line && dir != it->place) {
		a->undone++;
	}
}

static void
count_missing(struct audit *a, const struct item *it)
{
	if (!it->has_line)
		return; /* taken back by sendmail before we had it */
	a->accepted++;
	if (it->place == SPOOL_OUT) {
		a->delivered++;
		return;
	}
	a->lost++;
	note_bad(a, it, AUDIT_LOST);
}

static void
compare_ledger(struct audit *a, struct ledger *ledger, const struct item *it)
{
	enum spool_dir place;

	if (!ledger || !it->has_line)
		return;
	if (ledger_place(ledger, it->id, &place) == 0 && place == it->place)
		return;
	a->ledger_differs++;
	note_bad(a, it, AUDIT_LEDGER);
}

static void
stock_done(struct stock *s)
{
	struct item *it, *next;

	HASH_ITER (hh, s->items, it, next) {
		HASH_DEL(s->items, it);
		free(it);
	}
	while (s->journals) {
		struct progress *p = s->journals;

		s->journals = p->next;
		free(p);
	}
}

int
ledger_audit(
    const struct spool *spool, struct ledger *ledger, struct audit *ret_audit)
{
	CLEANUP(free_ptr) struct audit *a = xcalloc(1, sizeof(*a));
	struct stock s = {.spool = spool, .audit = a};
	struct item *it, *next;
	int r = read_journals(&s);

	for (size_t i = 0; i < spool_dirs(spool) && r == 0; i++)
		r = scan_dir(&s, (enum spool_dir)i);
	/* Lines of what moved meanwhile: they say why it isn't where it was. */
	if (r == 0)
		r = read_journals(&s);
	if (r == 0)
		r = settle(&s);
	HASH_ITER (hh, s.items, it, next) {
		if (it->n_found > 0)
			count_found(a, it);
		else
			count_missing(a, it);
		compare_ledger(a, ledger, it);
	}
	stock_done(&s);
	if (r == 0)
		*ret_audit = *a;
	return r;
}
