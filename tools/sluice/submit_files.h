/*
 * tools/sluice/submit_files.h - what a site's archive has for the repository.
 *
 * An archive is a directory with two files for each entry: SHA256, the octets,
 * and SHA256.json, put in place last, what is known of them.
 */
#ifndef SLUICE_TOOLS_SUBMIT_FILES_H
#define SLUICE_TOOLS_SUBMIT_FILES_H

#include "common/cleanup.h"
#include "common/digest.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct submit_files {
	int dir;
	struct digest *at; /* ascending */
	size_t n, room;
};

/*
 * All its entries.  ret is filled also on failure, for submit_files_done().
 * Returns 0 or -errno as open(2), readdir(3).  Blocks.
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
