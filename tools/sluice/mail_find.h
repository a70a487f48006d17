/*
 * tools/sluice/mail_find.h - a file of ours that came by mail.
 *
 * No parser of mail: the message is searched for lines of base64 (RFC 4648)
 * that begin with the file's magic, and these are decoded up to the first line
 * that is none.  What comes out is as little believed as any file that a
 * stranger sends; its digests and its signature decide.
 */
#ifndef SLUICE_TOOLS_MAIL_FIND_H
#define SLUICE_TOOLS_MAIL_FIND_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Octets of a magic. */
#define MAIL_MAGIC 8u

/*
 * Find it in a message and write it to out_fd.
 *
 * in         read to its end, line by line
 * magic      MAIL_MAGIC octets that it begins with
 * max_bytes  of it, decoded
 *
 * Returns 0; -ENODATA: there is none; -EFBIG: it is longer; or -errno as
 * getline(3), write(2).  Blocks.
 */
int mail_find(FILE *in, const char *magic, uint64_t max_bytes, int out_fd);

/*
 * Open path ("-": standard input): as it is, if it begins with the magic, else
 * what mail_find() finds in it, which the caller gets as a file without a name.
 *
 * err  what is wrong; untouched on success
 *
 * Returns 0; -EBADMSG: neither begins with it nor holds it; -EFBIG; or -errno.
 * The caller closes *ret_fd.  Blocks.
 */
int mail_or_file(const char *path, const char *magic, uint64_t max_bytes,
    int *ret_fd, char *err, size_t err_size);

#endif
