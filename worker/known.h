/*
 * worker/known.h - what a site knows better than a model: a text file of
 * digests (conf mef.known).
 *
 *   # how it came about
 *   benign     5f2d...64 hexadecimal digits...  # our own installer
 *   malicious  09ab...                          # seen on 2026-11-20
 *
 * One file a line; a digest stands there once.
 */
#ifndef SLUICE_WORKER_KNOWN_H
#define SLUICE_WORKER_KNOWN_H

#include "common/digest.h"

#include <stdbool.h>
#include <stddef.h>

/* Of the file, in octets: some 50,000 lines. */
#define KNOWN_FILE_MAX ((size_t)4 * 1024 * 1024)

struct known;

/*
 * Read the file at path; "none": an empty list.  Blocks on the disk.
 * err  on failure: file, line, what is wrong and what to write
 * Returns 0; -EINVAL: the text is wrong; -EFBIG; or -errno as open(2).
 */
int known_load(
    const char *path, struct known **ret, char *err, size_t err_size);
/* The same for len octets that are there; path is for err. */
int known_parse(const char *text, size_t len, const char *path,
    struct known **ret, char *err, size_t err_size);
struct known *known_free(struct known *known);

/* Is it on the list, and as what?  Pure. */
bool known_find(const struct known *known, const struct digest *digest,
    bool *ret_is_malicious);

#endif
