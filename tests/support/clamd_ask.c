/*
 * clamd_ask SOCKET DATABASE SECONDS FILE... - scan the files again and again,
 * four at a time, and count the answers.  One line a file on standard
 * output: clean=N hit=N system=N message=N FILE: REASON, of the last one that
 * wasn't clean.  SECONDS 0: each file once.
 */
#include "worker/clamd.h"

#include "common/clock.h"
#include "common/io.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_FLIGHT 4

struct ask {
	struct event_base *base;
	struct clamd *clamd;
	struct mono start;
	uint64_t usec;
	int n_files, next, left;
	struct file *files;
};

struct file {
	struct ask *ask;
	const char *path;
	int fd;
	unsigned int count[ANSWER_COUNT];
	char reason[ANSWER_REASON_MAX];
};

static void done(void *arg, const struct engine_answer *answer);

static void
ask_next(struct ask *a)
{
	struct file *f = &a->files[a->next % a->n_files];

	if (a->next >= a->n_files && mono_span(a->start, mono_now()) >= a->usec)
		return;
	a->next++;
	a->left++;
	(void)clamd_scan(a->clamd, f->fd, done, f);
}

static void
done(void *arg, const struct engine_answer *answer)
{
	struct file *f = arg;
	struct ask *a = f->ask;

	f->count[answer->answer]++;
	if (answer->answer != ANSWER_CLEAN)
		memcpy(f->reason, answer->reason, sizeof(f->reason));
	if (answer->answer == ANSWER_UNKNOWN_SYSTEM && a->usec)
		(void)usleep(10000); /* as a worker's pause */
	a->left--;
	ask_next(a);
	if (a->left == 0)
		(void)event_base_loopbreak(a->base);
}

static int
open_files(struct ask *a, char **paths)
{
	a->files = xcalloc((size_t)a->n_files, sizeof(*a->files));
	for (int i = 0; i < a->n_files; i++) {
		a->files[i].ask = a;
		a->files[i].path = paths[i];
		a->files[i].fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		if (a->files[i].fd < 0) {
			perror(paths[i]);
			return -1;
		}
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct clamd_options options = {
	    .connections = IN_FLIGHT, .timeout_usec = 10 * USEC_PER_SEC};
	struct ask a = {.start = mono_now()};

	if (argc < 5)
		return 100;
	options.socket = argv[1];
	options.database = argv[2];
	a.usec = strtoul(argv[3], NULL, 10) * USEC_PER_SEC;
	a.n_files = argc - 4;
	if (open_files(&a, argv + 4) < 0)
		return 111;
	a.base = event_base_new();
	a.clamd = clamd_new(a.base, &options);
	for (int i = 0; i < IN_FLIGHT; i++)
		ask_next(&a);
	(void)event_base_dispatch(a.base);
	for (int i = 0; i < a.n_files; i++) {
		const struct file *f = &a.files[i];

		printf("clean=%u hit=%u system=%u message=%u %s: %s\n",
		    f->count[ANSWER_CLEAN], f->count[ANSWER_HIT],
		    f->count[ANSWER_UNKNOWN_SYSTEM],
		    f->count[ANSWER_UNKNOWN_MESSAGE], f->path, f->reason);
		(void)close(f->fd);
	}
	clamd_free(a.clamd);
	event_base_free(a.base);
	free(a.files);
	return 0;
}
