/*
 * tests/fuzz/fuzz_mef_model.c - any octets as a model file.
 *
 * The input is laid over the head, the tables and the known documents of an
 * empty model, and the digests are made right, since no fuzzer guesses them:
 * whatever is then opened can be scored, merged, taken away and saved.
 */
#include "worker/mef/model_priv.h"

#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define KNOWN 3u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mef_bag *
some_bag(void)
{
	static const char list[] = "CreateFile\nimports:a.dll\nheader:a=5";
	struct mef_bag *bag = mef_bag_new();

	mef_extract_list(bag, MEF_SET_2001, list, sizeof(list) - 1);
	return bag;
}

/* Of the set without sums of products, which are 30 MB of mere numbers. */
static int
model_file(const uint8_t *data, size_t size)
{
	struct mef_head head;
	int fd = memfd_new("fuzz");
	unsigned char *all;
	size_t n;

	mef_head_init(&head, MEF_SET_2001, 10);
	head.n_known = KNOWN;
	head.file_bytes += KNOWN * sizeof(struct mef_known);
	n = (size_t)head.file_bytes;
	all = xcalloc(1, n);
	memcpy(all, &head, sizeof(head));
	for (size_t i = 0; i < size && i < n; i++)
		all[i] ^= data[i];
	memcpy(&head, all, sizeof(head));
	head.counts = digest_memory(all + MEF_PAGE, n - MEF_PAGE);
	head.head = mef_head_digest(&head);
	memcpy(all, &head, sizeof(head));
	assert(fd >= 0 && write_all(fd, all, n) == 0);
	free(all);
	return fd;
}

static void
use(struct mef_model *model)
{
	CLEANUP(mef_model_freep)
	struct mef_model *fresh = mef_model_new(MEF_SET_2001, 10);
	CLEANUP(mef_bag_freep) struct mef_bag *bag = some_bag();
	const struct digest digest = {{1}};
	struct mef_score score;

	mef_model_solve(model);
	mef_model_score(model, bag, &digest, &score);
	(void)mef_label_of(&score, 0.025);
	if (mef_model_merge(fresh, model) == 0)
		assert(mef_model_subtract(fresh, model) == 0);
	if (mef_model_add(model, bag, &digest, MEF_BENIGN) == 0)
		assert(mef_model_remove(model, bag, &digest, MEF_BENIGN) == 0);
	(void)mef_model_prune(model, 2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(mef_model_freep) struct mef_model *model = NULL;
	CLEANUP(close_fd) int fd = model_file(data, size);
	char err[300] = "";
	const int r = mef_model_open_fd(fd, &model, err, sizeof(err));

	assert(r == 0 ? model != NULL : r == -EBADMSG && !model && err[0]);
	if (model)
		use(model);
	return 0;
}
