/*
 * tests/support/archive_make.h - archives made at run time, so that no file
 * of this tree contains the test virus in one.
 */
#ifndef SLUICE_TESTS_ARCHIVE_MAKE_H
#define SLUICE_TESTS_ARCHIVE_MAKE_H

#include "tests/support/cell_run.h"

#define TAR_BLOCK 512

/* A gzip of one stored block (RFC 1952, RFC 1951 3.2.4); len below 65536,
 * out needs len + 23 octets. */
static inline size_t
make_gzip(char *out, const char *in, size_t len)
{
	size_t n = 10;

	(void)memcpy(out, "\037\213\010\0\0\0\0\0\0\003", 10);
	n = put_le(out, n, 1, 1);
	n = put_le(out, n, (uint32_t)len, 2);
	n = put_le(out, n, ~(uint32_t)len, 2);
	(void)memcpy(out + n, in, len);
	n = put_le(out, n + len, crc32_of(in, len), 4);
	return put_le(out, n, (uint32_t)len, 4);
}

/* One member, without the archive's end; out needs len + 1023 octets. */
static inline size_t
make_tar(char *out, const char *name, const char *data, size_t len)
{
	const size_t room = (len + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	unsigned sum = 0;

	(void)memset(out, 0, TAR_BLOCK + room);
	(void)snprintf(out, 100, "%s", name);
	(void)snprintf(out + 100, 8, "%07o", 0644);
	(void)snprintf(out + 108, 8, "%07o", 0);
	(void)snprintf(out + 116, 8, "%07o", 0);
	(void)snprintf(out + 124, 12, "%011zo", len);
	(void)snprintf(out + 136, 12, "%011o", 0);
	(void)memset(out + 148, ' ', 8);
	out[156] = '0';
	(void)memcpy(out + 257, "ustar\00000", 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)out[i];
	(void)snprintf(out + 148, 8, "%06o", sum);
	(void)memcpy(out + TAR_BLOCK, data, len);
	return TAR_BLOCK + room;
}

/* The two blocks of zeros at a tar's end. */
static inline size_t
end_tar(char *out)
{
	(void)memset(out, 0, (size_t)2 * TAR_BLOCK);
	return (size_t)2 * TAR_BLOCK;
}

/* A member in the "new" format of cpio; the last is TRAILER!!!. */
static inline size_t
make_cpio(char *out, const char *name, const char *data, size_t len)
{
	const size_t head = (110 + strlen(name) + 1 + 3) / 4 * 4;
	const size_t room = (len + 3) / 4 * 4;

	(void)memset(out, 0, head + room);
	(void)sprintf(out,
	    "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s", 1,
	    0100644, 0, 0, 1, 0, len, 0, 0, 0, 0, strlen(name) + 1, 0, name);
	(void)memcpy(out + head, data, len);
	return head + room;
}

#endif
