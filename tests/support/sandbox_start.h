/*
 * tests/support/sandbox_start.h - what a role may start or not, each tried by
 * a process that is in that role.
 */
#ifndef SLUICE_TESTS_SANDBOX_START_H
#define SLUICE_TESTS_SANDBOX_START_H

#include "tests/support/sandbox_net.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int
fork_one(const struct site *s)
{
	pid_t pid = fork();

	(void)s;
	if (pid == 0)
		_exit(0);
	return result(pid < 0 ? -1 : waitpid(pid, NULL, 0));
}

static inline void *
note_thread(void *arg)
{
	*(bool *)arg = true;
	return NULL;
}

static inline int
start_thread(const struct site *s)
{
	bool is_run = false;
	pthread_t thread;

	(void)s;
	if (pthread_create(&thread, NULL, note_thread, &is_run) != 0 ||
	    pthread_join(thread, NULL) != 0)
		return EXIT_REFUSED;
	return is_run ? 0 : EXIT_REFUSED;
}

static inline int
execute(const struct site *s)
{
	char *const argv[] = {NULL};

	(void)s;
	(void)execv("/bin/true", argv);
	return EXIT_REFUSED;
}

#endif
