#include "tools/sluice/submit_files.h"

#include "common/io.h"
#include "tools/sluice/sample_meta.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
add(struct submit_files *files, const struct digest *digest)
{
	if (files->n == files->room) {
		files->room = 2 * files->room + 64;
		files->at =
		    realloc(files->at, files->room * sizeof(*files->at));
		if (!files->at)
			abort();
	}
	files->at[files->n++] = *digest;
}

static int
by_digest(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct digest));
}

static int
take(void *arg, const struct mef_archive_entry *entry)
{
	add(arg, &entry->digest);
	return 0;
}

int
submit_files_read(const char *archive, struct submit_files *ret)
{
	int r;

	*ret = (struct submit_files){.archive = NULL};
	r = mef_archive_open(archive, &ret->archive);
	if (r == 0)
		r = mef_archive_each(ret->archive, take, ret);
	if (ret->n > 0)
		qsort(ret->at, ret->n, sizeof(*ret->at), by_digest);
	return r;
}

void
submit_files_done(struct submit_files *files)
{
	(void)mef_archive_free(files->archive);
	free(files->at);
}

static int
read_octets(struct mef_archive *archive, const struct digest *digest,
    size_t max, char **ret, size_t *ret_n)
{
	CLEANUP(close_fd) int fd = mef_archive_octets(archive, digest);

	return fd < 0 ? fd : read_fd(fd, max, ret, ret_n);
}

static int
say(int r, char *err, size_t err_size)
{
	(void)snprintf(err, err_size, "%s", strerror(-r));
	return r;
}

int
submit_file_read(const struct submit_files *files, const struct digest *digest,
    size_t max_bytes, bool with_names, struct submit_file *ret_file, char *err,
    size_t err_size)
{
	CLEANUP(free_ptr) char *text = NULL;
	CLEANUP(free_ptr) char *octets = NULL;
	size_t n = 0, n_text = 0;
	struct digest found;
	json_t *meta;
	int r;

	r = mef_archive_meta(files->archive, digest, &text, &n_text);
	if (r == 0)
		r = read_octets(files->archive, digest, max_bytes, &octets, &n);
	if (r < 0)
		return say(r, err, err_size);
	found = digest_memory(octets, n);
	if (memcmp(&found, digest, sizeof(found)) != 0) {
		(void)snprintf(err, err_size,
		    "its octets are others than its name says; remove it");
		return -EBADMSG;
	}
	meta = sample_meta(text, n_text, with_names, err, err_size);
	if (!meta)
		return -EBADMSG;
	(void)json_object_set_new(meta, "bytes", json_integer((json_int_t)n));
	*ret_file = (struct submit_file){meta, TAKE_PTR(octets), n};
	return 0;
}

void
submit_file_done(struct submit_file *file)
{
	json_decref(file->meta);
	free(file->octets);
	*file = (struct submit_file){.meta = NULL};
}
