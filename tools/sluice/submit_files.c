#include "tools/sluice/submit_files.h"

#include "common/io.h"
#include "tools/sluice/sample_meta.h"
#include "worker/mef/parcel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

int
submit_files_read(const char *archive, struct submit_files *ret)
{
	struct dirent *entry;
	struct digest digest;
	DIR *dir;
	int r;

	*ret = (struct submit_files){.dir = -1};
	ret->dir = open(archive, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->dir < 0)
		return -errno;
	dir = opendir(archive);
	if (!dir)
		return -errno;
	errno = 0;
	while ((entry = readdir(dir)) != NULL)
		if (sample_json_name(entry->d_name, &digest))
			add(ret, &digest);
	r = -errno;
	(void)closedir(dir);
	if (ret->n > 0)
		qsort(ret->at, ret->n, sizeof(*ret->at), by_digest);
	return r;
}

void
submit_files_done(struct submit_files *files)
{
	if (files->dir >= 0)
		(void)close(files->dir);
	free(files->at);
}

/* A regular file, and no link to one. */
static int
read_plain(int dir, const char *name, size_t max, char **ret, size_t *ret_n)
{
	CLEANUP(close_fd)
	int fd =
	    openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : read_fd(fd, max, ret, ret_n);
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
	char hex[DIGEST_HEX], name[DIGEST_HEX + sizeof(SAMPLE_JSON)];
	size_t n = 0, n_text = 0;
	struct digest found;
	json_t *meta;
	int r;

	(void)snprintf(
	    name, sizeof(name), "%s" SAMPLE_JSON, digest_hex(digest, hex));
	r = read_plain(files->dir, name, MEF_PARCEL_META_MAX, &text, &n_text);
	if (r == 0)
		r = read_plain(files->dir, hex, max_bytes, &octets, &n);
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
