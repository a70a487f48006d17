/*
 * arrivals DIRECTORY - print "ID SECONDS" (wall clock) for each control file
 * that is renamed into a queue directory, at once: an observer that has
 * nothing to do with the programs which it measures.
 */
#include "common/clock.h"
#include "queues/spool.h"

#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

static void
print_all(const char *buf, ssize_t n, struct wall now)
{
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const void *)(buf + at);
		const char *id = e->len ? spool_id_of(e->name, "qf") : NULL;

		if (id)
			(void)printf("%s %llu.%06llu\n", id,
			    (unsigned long long)(now.usec / USEC_PER_SEC),
			    (unsigned long long)(now.usec % USEC_PER_SEC));
		at += (ssize_t)(sizeof(*e) + e->len);
	}
	(void)fflush(stdout);
}

int
main(int argc, char **argv)
{
	char buf[65536] __attribute__((aligned(8)));
	int fd = inotify_init1(IN_CLOEXEC);
	ssize_t n;

	if (argc != 2 || fd < 0 ||
	    inotify_add_watch(fd, argv[1], IN_MOVED_TO | IN_ONLYDIR) < 0) {
		(void)fprintf(stderr, "usage: arrivals DIRECTORY\n");
		return 100;
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		print_all(buf, n, wall_now());
	return 111;
}
