/*
 * tests/bench/mef_stages.c FILE... - what learning and judging programs cost,
 * stage by stage: processor time for each MiB, the least of some rounds, since
 * other programs share caches and memory.  Instructions, which do not depend
 * on others: under valgrind --tool=callgrind, MEF_ROUNDS=1.
 */
#include "worker/mef/extract_priv.h"
#include "worker/mef/model.h"

#include "common/io.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

enum {
	WINDOWS,
	STRINGS,
	SORTING,
	EXTRACTION,
	DIGEST,
	LEARNING,
	JUDGING,
	STAGES
};

static const char *const names[STAGES] = {"windows of octets",
    "strings and words", "sorting of both", "whole extraction", "SHA-256",
    "learning", "judging"};

struct file {
	struct octets octets;
	struct mef_bag *bag;
	struct digest digest;
};

static double
cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
run_stage(int stage, struct mef_model *model, struct mef_bag *bag,
    struct file *file, size_t i)
{
	const enum mef_class class = i % 2 ? MEF_MALICIOUS : MEF_BENIGN;
	struct mef_score score;

	if (stage == WINDOWS)
		bytes_read(bag, file->octets);
	else if (stage == STRINGS)
		strings_read(bag, file->octets);
	else if (stage == SORTING)
		mef_bag_finish(bag);
	else if (stage == EXTRACTION)
		mef_extract(bag, MEF_SET_FULL, file->octets.at, file->octets.n);
	else if (stage == DIGEST)
		file->digest = digest_memory(file->octets.at, file->octets.n);
	else if (stage == LEARNING)
		(void)mef_model_add(model, file->bag, &file->digest, class);
	else
		mef_model_score(model, file->bag, NULL, &score);
}

/* One round: each stage over all files. */
static void
measure(struct file *files, size_t n, double least[STAGES])
{
	CLEANUP(mef_model_freep)
	struct mef_model *model = mef_model_new(MEF_SET_FULL, 0);

	for (int stage = 0; stage < STAGES; stage++) {
		double ms = 0;

		if (stage == JUDGING)
			mef_model_solve(model);
		for (size_t i = 0; i < n; i++) {
			CLEANUP(mef_bag_freep)
			struct mef_bag *bag = mef_bag_new();
			double began;

			if (stage == SORTING) {
				bytes_read(bag, files[i].octets);
				strings_read(bag, files[i].octets);
			}
			began = cpu_ms();
			run_stage(stage, model, bag, &files[i], i);
			ms += cpu_ms() - began;
		}
		if (least[stage] == 0 || ms < least[stage])
			least[stage] = ms;
	}
}

static size_t
load(struct file *file, const char *path)
{
	char *octets;
	size_t n;

	if (read_file(AT_FDCWD, path, MEF_DOCUMENT_MAX, &octets, &n) < 0)
		errx(111, "%s: can't be read", path);
	file->octets = (struct octets){(unsigned char *)octets, n};
	file->bag = mef_bag_new();
	mef_extract(file->bag, MEF_SET_FULL, octets, n);
	return n;
}

int
main(int argc, char **argv)
{
	const char *rounds = getenv("MEF_ROUNDS");
	const size_t n = (size_t)argc - 1;
	struct file *files = xcalloc(n + 1, sizeof(*files));
	double least[STAGES] = {0};
	size_t bytes = 0;

	if (n == 0)
		errx(100, "which files?");
	for (size_t i = 0; i < n; i++)
		bytes += load(&files[i], argv[i + 1]);
	for (int left = rounds ? atoi(rounds) : 5; left > 0; left--)
		measure(files, n, least);
	for (int stage = 0; stage < STAGES; stage++)
		(void)printf("%-18s %6.2f ms of processor time a MiB\n",
		    names[stage], least[stage] / ((double)bytes / 1048576));
	for (size_t i = 0; i < n; i++) {
		free((void *)(uintptr_t)files[i].octets.at);
		(void)mef_bag_free(files[i].bag);
	}
	free(files);
	return 0;
}
