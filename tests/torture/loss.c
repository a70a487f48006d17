#include "tests/torture/loss.h"

#include "common/io.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NAMES_MAX 16
#define OPEN_MAX  12 /* changes that may or may not be there: 2^12 states */

/* A directory tree of a few names, each of which leads to a file. */
struct tree {
	struct {
		char path[OP_PATH];
		int file;
	} names[NAMES_MAX];
	int n;
};

struct model {
	const struct trace *trace;
	const char *id;
	int states;
	bool is_dirty[64];  /* by file: written, not synced */
	int new_df, new_qf; /* the files of a wrap, -1: there is none */
};

static bool
is_about(const struct op *op, const char *id)
{
	const char *path = op->kind == OP_UNLINK ? op->from : op->to;
	const char *slash = strchr(path, '/');

	return slash && strlen(slash) > 3 && strcmp(slash + 3, id) == 0;
}

static bool
is_in(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && path[len] == '/';
}

static bool
changes_names(const struct op *op)
{
	return op->kind == OP_CREATE || op->kind == OP_LINK ||
	       op->kind == OP_RENAME || op->kind == OP_UNLINK;
}

static int *
look_up(struct tree *t, const char *path)
{
	for (int i = 0; i < t->n; i++)
		if (strcmp(t->names[i].path, path) == 0)
			return &t->names[i].file;
	return NULL;
}

static void
set_name(struct tree *t, const char *path, int file)
{
	int *old = look_up(t, path);

	if (old) {
		*old = file;
		return;
	}
	assert(t->n < NAMES_MAX);
	(void)snprintf(t->names[t->n].path, OP_PATH, "%s", path);
	t->names[t->n++].file = file;
}

static void
drop_name(struct tree *t, const char *path)
{
	for (int i = 0; i < t->n; i++)
		if (strcmp(t->names[i].path, path) == 0)
			t->names[i--] = t->names[--t->n];
}

/* file: the one that a creation makes.  What leads nowhere has no effect. */
static void
apply(struct tree *t, const struct op *op, int file)
{
	int *from = look_up(t, op->from), at = from ? *from : -1;

	if (op->kind == OP_CREATE && !look_up(t, op->to))
		set_name(t, op->to, file);
	if (op->kind == OP_UNLINK)
		drop_name(t, op->from);
	if ((op->kind == OP_LINK || op->kind == OP_RENAME) && from)
		set_name(t, op->to, at);
	if (op->kind == OP_RENAME && from)
		drop_name(t, op->from);
}

/* Is the change at certain after the first end steps? */
static bool
is_synced(const struct trace *t, size_t at, size_t end)
{
	for (size_t i = at + 1; i < end; i++)
		if (t->ops[i].kind == OP_SYNC &&
		    (is_in(t->ops[at].to, t->ops[i].to) ||
			is_in(t->ops[at].from, t->ops[i].to)))
			return true;
	return false;
}

/* Which files have content that a crash after end steps may take away. */
static void
find_dirty(struct model *m, size_t end)
{
	struct tree all = {.n = 0};

	memset(m->is_dirty, 0, sizeof(m->is_dirty));
	for (size_t i = 0; i < end; i++) {
		const struct op *op = &m->trace->ops[i];
		const int *file;

		assert(i < 64 || op->kind != OP_CREATE || !is_about(op, m->id));
		if (changes_names(op) && is_about(op, m->id))
			apply(&all, op, (int)i);
		file = look_up(&all, op->to);
		if (file && (op->kind == OP_WRITE || op->kind == OP_CREATE))
			m->is_dirty[*file] = true;
		if (file && op->kind == OP_SYNC)
			m->is_dirty[*file] = false;
	}
}

/* The wrapped message is made as nf and, after that, as tf. */
static void
find_wrap(struct model *m)
{
	m->new_df = m->new_qf = -1;
	for (size_t i = 0; i < m->trace->n; i++) {
		const struct op *op = &m->trace->ops[i];

		if (op->kind != OP_CREATE || !is_about(op, m->id))
			continue;
		if (strstr(op->to, "/nf"))
			m->new_df = (int)i;
		if (strstr(op->to, "/tf") && m->new_df >= 0)
			m->new_qf = (int)i;
	}
}

/* dir: that of the qf. */
static const char *
look_at_pair(
    const struct model *m, struct tree *t, const char *dir, int dir_len, int qf)
{
	const bool is_new = m->new_qf >= 0 && qf == m->new_qf;
	char name[OP_PATH];
	const int *df, *of;

	if (m->is_dirty[qf])
		return "a qf that is not whole";
	(void)snprintf(name, sizeof(name), "%.*s/df%s", dir_len, dir, m->id);
	df = look_up(t, name);
	name[dir_len + 1] = 'o';
	of = look_up(t, name);
	if (of && !is_new) /* whoever claims the message puts it back */
		df = of;
	if (!df)
		return "a qf without its df";
	if (m->is_dirty[*df])
		return "a df that is not whole";
	if (m->new_df >= 0 && (*df == m->new_df) != is_new)
		return "headers of one and body of another message";
	return NULL;
}

static const char *
look_at_tree(const struct model *m, struct tree *t)
{
	const char *wrong = NULL, *qf_dir = NULL;
	int found = 0, qf_len = 0;

	for (int i = 0; i < t->n && !wrong; i++) {
		const char *path = t->names[i].path;
		const char *slash = strchr(path, '/');

		if (strncmp(slash, "/qf", 3) != 0)
			continue;
		found++;
		qf_dir = path;
		qf_len = (int)(slash - path);
		wrong = look_at_pair(m, t, path, qf_len, t->names[i].file);
	}
	if (wrong || found != 1)
		return wrong ? wrong : found ? "two qf" : "no qf: lost";
	for (int i = 0; i < t->n; i++) {
		const char *path = t->names[i].path;

		if (strstr(path, "/of") && strncmp(path, qf_dir, qf_len) != 0)
			return "an of without its qf";
	}
	return NULL;
}

/* All states after a crash behind the first end steps. */
static const char *
check_cut(struct model *m, size_t end)
{
	size_t open[OPEN_MAX], n_open = 0;

	for (size_t i = 0; i < end; i++)
		if (changes_names(&m->trace->ops[i]) &&
		    is_about(&m->trace->ops[i], m->id) &&
		    !is_synced(m->trace, i, end)) {
			assert(n_open < OPEN_MAX);
			open[n_open++] = i;
		}
	find_dirty(m, end);
	for (uint32_t set = 0; set < UINT32_C(1) << n_open; set++) {
		struct tree t = {.n = 0};
		const char *wrong;
		size_t k = 0;

		for (size_t i = 0; i < end; i++) {
			const struct op *op = &m->trace->ops[i];

			if (!changes_names(op) || !is_about(op, m->id))
				continue;
			if (k < n_open && open[k] == i) {
				if (set >> k++ & 1)
					continue; /* not on disk */
			}
			apply(&t, op, (int)i);
		}
		m->states++;
		wrong = look_at_tree(m, &t);
		if (wrong)
			return wrong;
	}
	return NULL;
}

char *
loss_check(const struct trace *trace, const char *id, int *ret_states)
{
	struct model m = {.trace = trace, .id = id};
	char text[3 * OP_PATH];
	size_t start = 0;

	find_wrap(&m);

	/* The message is ours once its first directory was synced. */
	while (start < trace->n && !(trace->ops[start].kind == OP_SYNC &&
				       !strchr(trace->ops[start].to, '/')))
		start++;
	*ret_states = 0;
	for (size_t end = start + 1; end <= trace->n; end++) {
		const char *wrong = check_cut(&m, end);

		*ret_states = m.states;
		if (wrong)
			return xasprintf("%s after step %zu, %s: %s", id, end,
			    op_text(&trace->ops[end - 1], text, sizeof(text)),
			    wrong);
	}
	return NULL;
}
