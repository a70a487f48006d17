/*
 * tools/sluice/submit_files.h - what a site's archive has for the repository.
 *
 * The archive is that of worker/mef/archive.h; its files may go at any time.
 */
#ifndef SLUICE_TOOLS_SUBMIT_FILES_H
#define SLUICE_TOOLS_SUBMIT_FILES_H

#include "common/cleanup.h"
#include "common/digest.h"
#include "worker/mef/archive.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct submit_files {
	struct mef_archive *archive;
	struct digest *at; /* ascending */
	size_t n, room;
};

/*
 * All its entries.  ret is filled also on failure, for submit_files_done().
 * Returns 0 or -errno as mef_archive_each().  Blocks.
 */
int submit_files_read(const char *archive, struct submit_files *ret);
void submit_files_done(struct submit_files *files);

/* One of them. */
struct submit_file {
	json_t *meta;
	char *octets;
	size_t n;
};

/*
 * Read one and check it: its octets have its digest, and its metadata is what
 * sample_meta() takes.
 *
 * max_bytes   of its octets
 * with_names  what the mail called it, too
 * err         what is wrong with it; untouched on success
 *
 * Returns 0; -ENOENT: it has gone; -EBADMSG: it is damaged; -EFBIG; or
 * -errno.  The caller calls submit_file_done().  Blocks.
 */
int submit_file_read(const struct submit_files *files,
    const struct digest *digest, size_t max_bytes, bool with_names,
    struct submit_file *ret_file, char *err, size_t err_size);
void submit_file_done(struct submit_file *file);

#endif
