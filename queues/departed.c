#include "queues/departed_priv.h"

#include "common/cleanup.h"
#include "queues/event.h"
#include "queues/journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

struct search {
	const char *id;
	bool is_found;
	enum spool_dir to; /* of the latest move */
	struct wall last;  /* ... and its time */
};

static void
look_at_move(struct search *s, const struct event *e)
{
	if (s->is_found && e->t.usec < s->last.usec)
		return;
	s->is_found = true;
	s->to = e->to;
	s->last = e->t;
}

static int
look_at_line(void *arg, const char *line, size_t len)
{
	struct search *s = arg;
	struct event e;
	void *keep;

	/* Parsing costs a hundred times this. */
	if (!memmem(line, len, s->id, strlen(s->id)))
		return 0;
	if (event_parse(line, len, &e, &keep) < 0)
		return 0; /* cut off by a crash */
	if (e.kind == EVENT_MOVE && strcmp(e.id, s->id) == 0)
		look_at_move(s, &e);
	event_release(keep);
	return 0;
}

static void
look_at_journal(const struct spool *spool, const char *name, struct search *s)
{
	struct stat st;
	uint64_t off = 0;

	if (fstatat(spool->journal_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return;
	if ((uint64_t)st.st_size > DEPARTED_BYTES)
		off = (uint64_t)st.st_size - DEPARTED_BYTES;
	/* The first line may be a part of one: it will not parse. */
	(void)journal_read(spool, name, &off, INT_MAX, look_at_line, s);
}

bool
departed_from(const struct spool *spool, enum spool_dir dir, const char *id,
    struct wall *ret_last)
{
	struct search s = {.id = id};
	const struct dirent *e;
	DIR *d;
	int fd;

	fd = openat(spool->journal_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	d = fdopendir(fd);
	if (!d) {
		close_fd(&fd);
		return false;
	}
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			look_at_journal(spool, e->d_name, &s);
	(void)closedir(d);
	if (!s.is_found || s.to == dir)
		return false;
	*ret_last = s.last;
	return true;
}
