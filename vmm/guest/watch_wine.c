#include "vmm/guest/watch_wine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"

#define PIPE_BYTES   (1 << 20) /* the sample waits when it is full */
#define PIECE_BYTES  65536
#define READS_A_TURN 8
#define LAST_READS   32 /* what is left in a full pipe, and more */

/* The newest process of the sample that has something there: of those that
 * start others it is the one that is at work. */
static bool
peek(void *arg, uint64_t at, void *buf, size_t n)
{
	const struct watch_wine *wine = arg;
	pid_t pids[JAIL_LIST_MAX];
	char path[64];

	for (size_t i = jail_list(wine->jail, pids); i-- > 0;) {
		CLEANUP(close_fd) int fd = -1;

		(void)snprintf(path, sizeof(path), "/proc/%d/mem", pids[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && pread(fd, buf, n, (off_t)at) == (ssize_t)n)
			return true;
	}
	return false;
}

int
watch_wine_open(struct watch_wine *wine, int *ret_err)
{
	int fds[2];

	if (wine->fd >= 0)
		(void)close(TAKE_FD(wine->fd));
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	(void)fcntl(fds[0], F_SETPIPE_SZ, PIPE_BYTES);
	wine->jail = NULL;
	wine->fd = fds[0];
	*ret_err = fds[1];
	return 0;
}

void
watch_wine_begin(
    struct watch_wine *wine, const struct jail *jail, const char *program)
{
	wine_trace_init(&wine->trace, program);
	wine->trace.peek = peek;
	wine->trace.peek_arg = wine;
	wine->jail = jail;
}

static bool
read_piece(struct watch_wine *wine, struct scene *scene)
{
	static char piece[PIECE_BYTES];
	const size_t used = scene->report.used;
	ssize_t n = read(wine->fd, piece, sizeof(piece));

	if (n <= 0) {
		if (n == 0) { /* all who could write are gone */
			(void)close(wine->fd);
			wine->fd = -1;
		}
		return false;
	}
	if (!wine->jail)
		return true; /* of a program that isn't Windows' */
	wine_trace_feed(
	    &wine->trace, &scene->report, scene_usec(scene), piece, (size_t)n);
	if (scene->report.used != used)
		scene->last_usec = scene_usec(scene);
	return true;
}

void
watch_wine(struct watch_wine *wine, struct scene *scene)
{
	for (int i = 0; i < READS_A_TURN && wine->fd >= 0; i++)
		if (!read_piece(wine, scene))
			return;
}

bool
watch_wine_end(struct watch_wine *wine, struct scene *scene)
{
	const bool is_begun = wine->jail;

	for (int i = 0; i < LAST_READS && wine->fd >= 0; i++)
		if (!read_piece(wine, scene))
			break;
	if (wine->fd >= 0)
		(void)close(TAKE_FD(wine->fd));
	wine->jail = NULL;
	if (!is_begun)
		return false;
	wine_trace_end(&wine->trace, &scene->report, scene_usec(scene));
	return wine->trace.is_failed;
}
