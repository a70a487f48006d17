/*
 * tools/sluice/letter.h - a message file in the form in which the spool
 * keeps messages.
 */
#ifndef SLUICE_TOOLS_LETTER_H
#define SLUICE_TOOLS_LETTER_H

#include <stdint.h>

/*
 * Read the file or pipe into a sealed memfd, its lines ended by LF alone, as
 * sendmail stores them.  path "-" is standard input.  A pipe is read until
 * its last writer has closed it.
 *
 * Returns 0; -EFBIG: more than max_bytes; -ENODATA: it is empty; -EISDIR,
 * -EINVAL: neither a file nor a pipe; or -errno.  The caller owns *ret_fd.
 */
int letter_open(
    const char *path, uint64_t max_bytes, int *ret_fd, uint64_t *ret_bytes);

#endif
