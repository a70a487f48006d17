/* tools/load/corpus.c - find, sort and sift message files. */
#include "corpus.h"

#include "base.h"

#include <err.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add(struct corpus *c, const char *path)
{
	if (c->count == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 256;
		c->paths = xrealloc(c->paths, c->cap * sizeof(*c->paths));
	}
	c->paths[c->count++] = xstrdup(path);
}

int
corpus_add_dir(struct corpus *c, const char *dir)
{
	char *root = xstrdup(dir);
	char *const roots[] = {root, NULL};
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW, NULL);
	const FTSENT *e;
	int r = fts ? 0 : -errno;

	errno = 0;
	while (r == 0 && (e = fts_read(fts))) {
		if (e->fts_info == FTS_F)
			add(c, e->fts_path);
		else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR ||
			 e->fts_info == FTS_NS)
			r = -e->fts_errno;
	}
	if (fts)
		(void)fts_close(fts);
	free(root);
	return r;
}

int
corpus_add_list(struct corpus *c, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	int r;

	if (!f)
		return -errno;
	while (getline(&line, &cap, f) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (*line)
			add(c, line);
	}
	r = ferror(f) ? -EIO : 0;
	free(line);
	(void)fclose(f);
	return r;
}

/* Returns 1 for a bare CR or a NUL, 0 for none, or -errno. */
static int
has_bare_cr(const char *path)
{
	FILE *f = fopen(path, "re");
	int previous = 0;
	int bad = 0;
	int ch;

	if (!f)
		return -errno;
	while (!bad && (ch = getc_unlocked(f)) != EOF) {
		bad = ch == '\0' || (previous == '\r' && ch != '\n');
		previous = ch;
	}
	if (ferror(f))
		bad = -EIO;
	(void)fclose(f);
	return bad;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
corpus_settle(struct corpus *c, bool skip_bare_cr)
{
	size_t kept = 0;

	for (size_t i = 0; skip_bare_cr && i < c->count; i++) {
		const int r = has_bare_cr(c->paths[i]);

		if (r < 0)
			warnx("%s: %s", c->paths[i], strerror(-r));
		if (r == 0) {
			c->paths[kept++] = c->paths[i];
		} else {
			free(c->paths[i]);
			c->skipped++;
		}
	}
	if (skip_bare_cr)
		c->count = kept;
	if (c->count > 1)
		qsort(c->paths, c->count, sizeof(*c->paths), by_name);
}

void
corpus_done(struct corpus *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->paths[i]);
	free(c->paths);
	*c = (struct corpus){0};
}
