/*
 * tests/support/open_files.h - how many descriptors this process has; one
 * more than that, each time the same.
 */
#ifndef SLUICE_TESTS_OPEN_FILES_H
#define SLUICE_TESTS_OPEN_FILES_H

#include <dirent.h>
#include <stddef.h>
#include <stdlib.h>

static inline size_t
open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	if (!dir)
		abort();
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

#endif
