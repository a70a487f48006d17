#include "tools/sluice/view.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "queues/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LOOK (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/* "in.old" and the like are none: writers name them without a dot. */
#define JOURNALS_MAX 128

struct cursor {
	char name[64];
	uint64_t offset;
};

struct history {
	const struct spool *spool;
	struct cursor cursors[JOURNALS_MAX];
	size_t n;
};

struct reading_state {
	const char *journal;
	history_wanted *wanted;
	history_fn *fn;
	void *arg;
};

int
view_open(const struct conf *conf, struct spool **ret_spool)
{
	CLEANUP(close_fd)
	int top = open(conf->site.spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct spool *spool;

	if (top < 0)
		return -errno;
	spool = xcalloc(1, sizeof(*spool));
	spool->path = xstrdup(conf->site.spool);
	spool->feeds = (size_t)conf->feed.queues;
	for (int i = 0; i < SPOOL_MAX; i++) {
		spool->fds[i] =
		    openat(top, spool_dir_name((enum spool_dir)i), LOOK);
		if (spool->fds[i] >= 0 && i >= SPOOL_FEED1 &&
		    (size_t)(i - SPOOL_FEED1) >= spool->feeds)
			spool->feeds = (size_t)(i - SPOOL_FEED1) + 1;
	}
	spool->journal_fd = openat(top, "journal", LOOK);
	*ret_spool = spool;
	return 0;
}

bool
view_has(const struct spool *spool, enum spool_dir dir, const char *id)
{
	CLEANUP(free_ptr) char *name = xasprintf("qf%s", id);
	struct stat st;

	return spool->fds[dir] >= 0 &&
	       fstatat(spool->fds[dir], name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

struct history *
history_new(const struct spool *spool)
{
	struct history *h = xcalloc(1, sizeof(*h));

	h->spool = spool;
	return h;
}

struct history *
history_free(struct history *h)
{
	free(h);
	return NULL;
}

static struct cursor *
cursor_of(struct history *h, const char *name)
{
	struct cursor *c;

	for (size_t i = 0; i < h->n; i++)
		if (strcmp(h->cursors[i].name, name) == 0)
			return &h->cursors[i];
	if (h->n == JOURNALS_MAX || strlen(name) >= sizeof(c->name))
		return NULL;
	c = &h->cursors[h->n++];
	strcpy(c->name, name); /* it fits */
	return c;
}

/* The id of a line without parsing it: "id" is never inside a string, since
 * quotes are escaped there. */
static bool
line_id(const char *line, char *ret_id)
{
	static const char key[] = "\"id\":\"";
	const char *p = strstr(line, key);
	size_t n;

	if (!p)
		return false;
	p += sizeof(key) - 1;
	n = strcspn(p, "\"\\");
	if (n == 0 || n > QUEUE_ID_MAX || p[n] != '"')
		return false;
	memcpy(ret_id, p, n);
	ret_id[n] = '\0';
	return true;
}

static int
take_line(void *arg, const char *line, size_t len)
{
	struct reading_state *s = arg;
	char id[QUEUE_ID_MAX + 1];
	struct event event;
	void *keep = NULL;

	if (!line_id(line, id) || !s->wanted(s->arg, id))
		return 0;
	if (event_parse(line, len, &event, &keep) < 0)
		return 0;
	s->fn(s->arg, s->journal, &event);
	event_release(keep);
	return 0;
}

static int
read_one(struct history *h, const char *name, struct reading_state *s)
{
	struct cursor *c = cursor_of(h, name);
	int n;

	if (!c)
		return -E2BIG;
	s->journal = c->name;
	do
		n = journal_read(
		    h->spool, c->name, &c->offset, INT_MAX, take_line, s);
	while (n > 0);
	return n;
}

int
history_read(
    struct history *h, history_wanted *wanted, history_fn *fn, void *arg)
{
	struct reading_state s = {.wanted = wanted, .fn = fn, .arg = arg};
	int fd = openat(h->spool->journal_fd, ".", LOOK), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		r = -errno;
		close_fd(&fd);
		return r;
	}
	while ((e = readdir(dir))) {
		int one = 0;

		if (!strchr(e->d_name, '.') && e->d_type != DT_DIR)
			one = read_one(h, e->d_name, &s);
		if (one < 0 && r == 0)
			r = one;
	}
	(void)closedir(dir);
	return r;
}
