/* tools/load/store.c - message files, whole or not at all. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PENDING_BYTES_MAX (64 * 1024)

void
store_init(struct store *s, int dirfd)
{
	*s = (struct store){.dirfd = dirfd, .fd = -1};
}

void
store_begin(struct store *s, uint64_t number)
{
	if (s->dirfd < 0)
		return;
	(void)snprintf(s->name, sizeof(s->name), ".%ld-%" PRIu64 ".part",
	    (long)getpid(), number);
	s->error = 0;
	s->after_cr = false;
	buf_clear(&s->pending);
	s->fd = openat(
	    s->dirfd, s->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (s->fd < 0)
		s->error = -errno;
}

static void
flush(struct store *s)
{
	if (s->error == 0)
		s->error = write_all(s->fd, s->pending.data, s->pending.len);
	buf_clear(&s->pending);
}

void
store_add(struct store *s, const char *data, size_t len)
{
	if (s->fd < 0)
		return;
	/* Runs end at LF (see wire.h), so only their last two bytes matter;
	 * a CR that ends a run waits for its LF. */
	if (s->after_cr && data[0] != '\n')
		buf_adds(&s->pending, "\r");
	s->after_cr = false;
	if (len >= 2 && data[len - 2] == '\r' && data[len - 1] == '\n') {
		buf_add(&s->pending, data, len - 2);
		buf_adds(&s->pending, "\n");
	} else if (data[len - 1] == '\r') {
		buf_add(&s->pending, data, len - 1);
		s->after_cr = true;
	} else {
		buf_add(&s->pending, data, len);
	}
	if (s->pending.len > PENDING_BYTES_MAX)
		flush(s);
}

int
store_commit(struct store *s, const char *name)
{
	char final[NAME_MAX + 1];

	if (s->dirfd < 0)
		return 0;
	if (s->error == 0)
		flush(s);
	(void)snprintf(final, sizeof(final), "%s.eml", name);
	if (s->error == 0 &&
	    renameat2(s->dirfd, s->name, s->dirfd, final, RENAME_NOREPLACE) < 0)
		s->error = -errno;
	if (s->error < 0) {
		const int r = s->error;

		store_abort(s);
		return r;
	}
	(void)close(s->fd);
	s->fd = -1;
	return 0;
}

void
store_abort(struct store *s)
{
	if (s->fd < 0)
		return;
	(void)close(s->fd);
	s->fd = -1;
	(void)unlinkat(s->dirfd, s->name, 0);
}

void
store_done(struct store *s)
{
	store_abort(s);
	buf_done(&s->pending);
}
