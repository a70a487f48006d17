/*
 * tests/fuzz/replay.c - libFuzzer's main() for builds without libFuzzer: give
 * every file of every directory to the fuzzer's function.
 */
#include "common/cleanup.h"
#include "common/io.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define INPUT_MAX ((size_t)64 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay_dir(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	int n = 0;

	if (!dir)
		return 0;
	while ((e = readdir(dir))) {
		CLEANUP(free_ptr) char *text = NULL;
		CLEANUP(free_ptr) uint8_t *copy = NULL;
		size_t len;

		if (read_file(dirfd(dir), e->d_name, INPUT_MAX, &text, &len) <
		    0)
			continue;
		/* Exactly as long as the input, so that reading on shows. */
		copy = malloc(len ? len : 1);
		if (!copy)
			abort();
		memcpy(copy, text, len);
		(void)LLVMFuzzerTestOneInput(copy, len);
		n++;
	}
	(void)closedir(dir);
	return n;
}

int
main(int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++)
		n += replay_dir(argv[i]);
	(void)printf("%d inputs\n", n);
	return n > 0 ? 0 : 1; /* an empty corpus tests nothing */
}
