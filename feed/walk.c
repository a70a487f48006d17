#include "feed/walk.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

struct walk {
	DIR *dir;
};

int
walk_begin(int dirfd, struct walk **ret_walk)
{
	/* An open of its own: the position is shared by duplicates. */
	CLEANUP(close_fd)
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	(void)TAKE_FD(fd);
	*ret_walk = xcalloc(1, sizeof(**ret_walk));
	(*ret_walk)->dir = dir;
	return 0;
}

struct walk *
walk_end(struct walk *walk)
{
	if (walk) {
		(void)closedir(walk->dir);
		free(walk);
	}
	return NULL;
}

int
walk_step(struct walk *walk, size_t max, walk_fn *fn, void *arg)
{
	while (max-- > 0) {
		const struct dirent *entry;
		const char *id;

		errno = 0;
		entry = readdir(walk->dir);
		if (!entry)
			return -errno;
		id = spool_id_of(entry->d_name, "qf");
		if (id)
			fn(arg, id);
	}
	return 1;
}
