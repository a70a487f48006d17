#include "tests/torture/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queues/event.h"
#include "queues/journal.h"
#include "queues/move.h"
#include "queues/recover.h"
#include "queues/wrap.h"
#include "tests/support/tmpspool.h"
#include "tests/support/wrapped.h"

#include <dirent.h>

static const char *const ids[WORLD_MAX] = {"A1", "B2", "C3"};

/* The other half of a split envelope: shares A1's df, and never moves. */
#define SIBLING "S9"

const char *
world_kind_name(enum world_kind kind)
{
	static const char *const names[WORLD_KINDS] = {
	    "plain", "headered", "split", "batch", "wrapped", "wrapped-split"};

	return names[kind];
}

bool
world_is_wrapped(enum world_kind kind)
{
	return kind == WORLD_WRAPPED || kind == WORLD_WRAPPED_SPLIT;
}

static bool
is_split(const struct world *w)
{
	return w->kind == WORLD_SPLIT || w->kind == WORLD_WRAPPED_SPLIT;
}

static void
empty_dir(int fd)
{
	DIR *dir = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY));
	const struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			assert_int_equal(unlinkat(fd, e->d_name, 0), 0);
	(void)closedir(dir);
}

void
world_begin(struct world *w, enum world_kind kind, enum spool_dir to)
{
	static const enum spool_dir others[] = {SPOOL_ERROR, SPOOL_OUT};

	w->kind = kind;
	w->n = kind == WORLD_BATCH ? WORLD_MAX : 1;
	w->from = SPOOL_FEED1;
	if (to == SPOOL_FEED1)
		w->from = world_is_wrapped(kind) ? SPOOL_FEED1 + 1 : SPOOL_IN;
	for (size_t i = 0; i < spool_dirs(w->spool); i++)
		empty_dir(w->spool->fds[i]);
	empty_dir(w->spool->journal_fd);
	for (int i = 0; i < w->n; i++) {
		w->to[i] = i % 2 ? others[to == SPOOL_ERROR] : to;
		tmpspool_put(w->spool, w->from, ids[i]);
	}
	if (is_split(w)) {
		int fd = w->spool->fds[w->from];

		tmpspool_put(w->spool, w->from, SIBLING);
		assert_int_equal(unlinkat(fd, "df" SIBLING, 0), 0);
		assert_int_equal(linkat(fd, "dfA1", fd, "df" SIBLING, 0), 0);
	}
}

static char *
line_for(const struct world *w, int i)
{
	struct event e = {.kind = EVENT_MOVE,
	    .t = wall_now(),
	    .from = w->from,
	    .to = w->to[i],
	    .verdict = "torture"};

	memcpy(e.id, ids[i], strlen(ids[i]) + 1);
	return event_format(&e);
}

static bool
has_header(const struct claim *claim)
{
	char *text;
	size_t len;
	bool is_there;

	assert_int_equal(read_fd(claim->qf_fd, 100000, &text, &len), 0);
	is_there = strstr(text, "H??" WORLD_HEADER "\n") != NULL;
	free(text);
	return is_there;
}

struct moving {
	struct journal *journal;
	struct claim claims[WORLD_MAX];
	struct move moves[WORLD_MAX];
	char *lines[WORLD_MAX];
	int index[WORLD_MAX]; /* which message each is */
	size_t n;
};

static int
take_all(struct world *w, struct moving *m)
{
	const char *reason;

	for (int i = 0; i < w->n; i++) {
		int r = claim_take(
		    w->spool, w->from, ids[i], &m->claims[m->n], &reason);

		if (r == -ENOENT)
			continue; /* moved before */
		if (r < 0)
			return r;
		m->lines[m->n] = line_for(w, i);
		m->moves[m->n] = (struct move){
		    &m->claims[m->n], w->to[i], m->lines[m->n], 0};
		m->index[m->n++] = i;
	}
	return 0;
}

/* What is done to the first message before it moves. */
static int
change(const struct world *w, struct claim *claim)
{
	const char *reason;
	int r = 0;

	if (w->kind == WORLD_HEADERED && !has_header(claim))
		r = move_add_header(w->spool, claim, WORLD_HEADER);
	if (world_is_wrapped(w->kind))
		r = wrap_message(w->spool, claim, "Beware.\n", &reason);
	return r == -EALREADY ? 0 : r;
}

static int
do_move(struct world *w, struct moving *m, void (*arm)(void *), void *arg)
{
	int r = journal_open(w->spool, "torture", &m->journal);

	if (r == 0)
		r = take_all(w, m);
	if (r < 0 || m->n == 0)
		return r;
	if (arm)
		arm(arg);
	r = change(w, &m->claims[0]);
	if (r == 0)
		r = move_batch(w->spool, m->journal, m->moves, m->n);
	else
		m->moves[0].result = r;
	for (size_t i = 0; i < m->n; i++)
		w->result[m->index[i]] = m->moves[i].result;
	return r;
}

int
world_move(struct world *w, void (*arm)(void *), void *arg)
{
	struct moving m = {0};
	int r;

	memset(w->result, 0, sizeof(w->result));
	r = do_move(w, &m, arm, arg);
	for (size_t i = 0; i < m.n; i++) {
		claim_drop(&m.claims[i]);
		free(m.lines[i]);
	}
	journal_close(m.journal);
	return r;
}

void
world_steal(struct world *w)
{
	const enum world_kind kind = w->kind;
	const enum spool_dir to = w->to[0];

	assert_true(w->n == 1 && w->from == SPOOL_FEED1 && !is_split(w));
	w->kind = WORLD_PLAIN;
	w->to[0] = SPOOL_FEED1 + 1;
	assert_int_equal(world_move(w, NULL, NULL), 0);
	w->kind = kind;
	w->from = SPOOL_FEED1 + 1;
	w->to[0] = to;
	assert_int_equal(world_find(w, 0), w->from);
}

static void
check_text(int dirfd, const char *name, const char *want, const char *or_else)
{
	char *text;
	size_t len;

	assert_int_equal(read_file(dirfd, name, 100000, &text, &len), 0);
	if (!or_else || strcmp(text, or_else) != 0)
		assert_string_equal(text, want);
	free(text);
}

/* The control file as move_add_header() must leave it. */
#define QF_HEADERED \
	"V8\nT1795333110\nK0\nN0\nP30108\nFbs\n$_localhost [127.0.0.1]\n" \
	"$rESMTP\n$sclient.test\nS<a@x.test>\nrRFC822; b@y.test\n" \
	"RPFD:<b@y.test>\nH??" WORLD_HEADER "\nH?P?Return-Path: <\201g>\n" \
	"H??Received: from client.test\n\tby mx.sluice.test; now\n" \
	"H??Subject: s\n.\n"

/* The message of TMPSPOOL_QF and TMPSPOOL_BODY, as it must be enclosed. */
#define ORIGINAL \
	"Received: from client.test\n\tby mx.sluice.test; now\n" \
	"Subject: s\n\n" TMPSPOOL_BODY

static bool
has_mark(int dirfd, const char *name)
{
	bool is_wrapped = false;
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	assert_int_equal(wrapped_read(fd, &is_wrapped), 0);
	assert_int_equal(close(fd), 0);
	return is_wrapped;
}

/* The old pair, its df perhaps as of, or the new pair. */
static bool
check_wrap(const struct world *w, enum spool_dir at, const char *id)
{
	CLEANUP(free_ptr) char *qf = NULL, *df = NULL, *boundary = NULL;
	char name[QUEUE_ID_MAX + 3];
	const char *inner;
	size_t len;

	(void)snprintf(name, sizeof(name), "qf%s", id);
	assert_int_equal(
	    read_file(w->spool->fds[at], name, 100000, &qf, &len), 0);
	if (strcmp(qf, TMPSPOOL_QF) == 0) {
		assert_false(has_mark(w->spool->fds[at], name));
		name[0] = 'o';
		if (!tmpspool_has(w->spool, at, name))
			name[0] = 'd';
		check_text(w->spool->fds[at], name, TMPSPOOL_BODY, NULL);
		return false;
	}
	assert_true(has_mark(w->spool->fds[at], name));
	assert_memory_equal(qf, TMPSPOOL_QF, sizeof(TMPSPOOL_QF) - 3);
	assert_string_equal(qf + len - 3, "\n.\n");
	name[0] = 'd';
	assert_int_equal(
	    read_file(w->spool->fds[at], name, 100000, &df, &len), 0);
	boundary = wrapped_boundary(qf);
	inner = wrapped_original(boundary, df, len, &len);
	assert_non_null(inner);
	assert_int_equal(len, sizeof(ORIGINAL) - 1);
	assert_memory_equal(inner, ORIGINAL, len);
	return true;
}

static enum spool_dir
find(const struct world *w, const char *id, bool is_changed)
{
	enum spool_dir at = SPOOL_MAX;
	char qf[QUEUE_ID_MAX + 3], df[QUEUE_ID_MAX + 3];

	(void)snprintf(qf, sizeof(qf), "qf%s", id);
	(void)snprintf(df, sizeof(df), "df%s", id);
	for (size_t i = 0; i < spool_dirs(w->spool); i++) {
		if (!tmpspool_has(w->spool, (enum spool_dir)i, qf))
			continue;
		assert_int_equal(at, SPOOL_MAX); /* twice: two messages */
		at = (enum spool_dir)i;
	}
	assert_int_not_equal(at, SPOOL_MAX); /* nowhere: lost */
	if (is_changed && world_is_wrapped(w->kind)) {
		(void)check_wrap(w, at, id);
		return at;
	}
	check_text(w->spool->fds[at], qf, TMPSPOOL_QF,
	    is_changed ? QF_HEADERED : NULL);
	check_text(w->spool->fds[at], df, TMPSPOOL_BODY, NULL);
	return at;
}

enum spool_dir
world_find(const struct world *w, int i)
{
	return find(
	    w, ids[i], w->kind == WORLD_HEADERED || world_is_wrapped(w->kind));
}

void
world_check_always(const struct world *w)
{
	for (int i = 0; i < w->n; i++) {
		enum spool_dir at = world_find(w, i);

		assert_true(at == w->from || at == w->to[i]);
	}
	if (is_split(w))
		assert_int_equal(find(w, SIBLING, false), w->from);
}

static int
count_files(int fd)
{
	DIR *dir = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY));
	const struct dirent *e;
	int n = 0;

	while ((e = readdir(dir)))
		n += e->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}

struct last_word {
	const char *id;
	enum spool_dir to;
	int lines;
};

static int
see_line(void *arg, const char *line, size_t len)
{
	struct last_word *last = arg;
	struct event e;
	void *keep;

	last->lines++;
	if (event_parse(line, len, &e, &keep) < 0)
		return 0; /* cut off by a crash */
	if (strcmp(e.id, last->id) == 0)
		last->to = e.to;
	event_release(keep);
	return 0;
}

void
world_check_end(const struct world *w)
{
	int files = 0;

	for (int i = 0; i < w->n; i++) {
		struct last_word last = {.id = ids[i], .to = SPOOL_MAX};
		uint64_t off = 0;

		assert_int_equal(world_find(w, i), w->to[i]);
		assert_true(journal_read(w->spool, "torture", &off, 1000,
				see_line, &last) > 0);
		assert_int_equal(last.to, w->to[i]);
		if (world_is_wrapped(w->kind))
			assert_true(check_wrap(w, w->to[i], ids[i]));
		if (w->kind == WORLD_HEADERED) {
			char qf[QUEUE_ID_MAX + 3];

			(void)snprintf(qf, sizeof(qf), "qf%s", ids[i]);
			check_text(
			    w->spool->fds[w->to[i]], qf, QF_HEADERED, NULL);
		}
	}
	if (is_split(w))
		assert_int_equal(find(w, SIBLING, false), w->from);
	for (size_t i = 0; i < spool_dirs(w->spool); i++)
		files += count_files(w->spool->fds[i]);
	assert_int_equal(files, 2 * (w->n + (is_split(w) ? 1 : 0)));
}
