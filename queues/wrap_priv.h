/*
 * queues/wrap_priv.h - the two files of a wrapped message, as text.
 */
#ifndef SLUICE_QUEUES_WRAP_PRIV_H
#define SLUICE_QUEUES_WRAP_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qf;

/*
 * "=_" cannot stand in quoted-printable text (RFC 2045 6.7), so the boundary
 * is not in the warning; 128 random bits behind it.
 */
#define WRAP_BOUNDARY_START "=_sluice_"
#define WRAP_BOUNDARY_SIZE  (sizeof(WRAP_BOUNDARY_START) + 32)

/* What the headers of the new message have to say of its body. */
struct wrap_form {
	char boundary[WRAP_BOUNDARY_SIZE]; /* not in the original */
	bool eight_bit;                    /* octets above 127 in it */
};

/*
 * Read the original once, headers and df (its first df_bytes octets), and
 * settle the form.  0, -ENODATA: the df ends before that, or -errno.
 */
int wrap_look(
    const struct qf *qf, int df, uint64_t df_bytes, struct wrap_form *ret_form);

/* Write the new body to fd.  0, -ENODATA or -errno. */
int wrap_write_body(int fd, const struct qf *qf, int df, uint64_t df_bytes,
    const char *text, const struct wrap_form *form);

/*
 * The new control file, made of the old one, which qf_parse() takes: fresh
 * memory that the caller frees.  0 or -ENOMEM.
 */
int wrap_make_qf(const char *old, size_t len, const struct wrap_form *form,
    char **ret_text, size_t *ret_len);

#endif
