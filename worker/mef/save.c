/*
 * worker/mef/save.c - a model as a file, whole or not at all.
 */
#include "worker/mef/model_priv.h"

#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK 65536u /* zeroes of this length become a hole */

static bool
is_zero(const unsigned char *at, size_t n)
{
	return at[0] == 0 && memcmp(at, at + 1, n - 1) == 0;
}

static int
write_map(int fd, const struct mef_model *model, size_t n)
{
	for (size_t at = MEF_PAGE; at < n; at += BLOCK) {
		const size_t part = n - at < BLOCK ? n - at : BLOCK;

		if (is_zero(model->map + at, part))
			continue;
		if (lseek(fd, (off_t)at, SEEK_SET) < 0)
			return -errno;
		const int r = write_all(fd, model->map + at, part);

		if (r < 0)
			return r;
	}
	return lseek(fd, (off_t)n, SEEK_SET) < 0 ? -errno : 0;
}

static int
digest_counts(int fd, struct mef_head *head)
{
	return digest_file(
	    fd, MEF_PAGE, head->file_bytes - MEF_PAGE, &head->counts);
}

static int
write_model(int fd, struct mef_model *model)
{
	const size_t n = (size_t)model->head.known_offset;
	unsigned char page[MEF_PAGE] = {0};
	int r;

	model->head.file_bytes =
	    n + model->head.n_known * sizeof(struct mef_known);
	if (ftruncate(fd, (off_t)model->head.file_bytes) < 0)
		return -errno;
	r = write_map(fd, model, n);
	if (r == 0)
		r = write_all(fd, mef_model_known(model),
		    model->head.n_known * sizeof(struct mef_known));
	if (r == 0)
		r = digest_counts(fd, &model->head);
	if (r < 0)
		return r;
	model->head.head = mef_head_digest(&model->head);
	memcpy(page, &model->head, sizeof(model->head));
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	r = write_all(fd, page, sizeof(page));
	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

static int
sync_directory(const char *path)
{
	CLEANUP(free_ptr) char *copy = xstrdup(path);
	CLEANUP(close_fd)
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int
mef_model_save(struct mef_model *model, const char *path)
{
	CLEANUP(free_ptr) char *fresh = xasprintf("%s.XXXXXX", path);
	CLEANUP(close_fd) int fd = mkostemp(fresh, O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	for (int c = 0; c < MEF_CLASSES && model->head.moments_dims > 0; c++)
		(void)mef_moments(model, (enum mef_class)c); /* are complete */
	r = write_model(fd, model);
	/* Models hold no secret, and others than their maker map them. */
	if (r == 0 && fchmod(fd, 0644) < 0)
		r = -errno;
	if (r == 0 && rename(fresh, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(fresh);
		return r;
	}
	return sync_directory(path);
}
