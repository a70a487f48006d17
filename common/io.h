/*
 * common/io.h - whole reads and writes, and files that only a descriptor names.
 */
#ifndef SLUICE_COMMON_IO_H
#define SLUICE_COMMON_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Memory that must be there: small sizes only.  Die with a message if not. */
void *xcalloc(size_t count, size_t size);
char *xstrdup(const char *text);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Write all len octets, going on after EINTR and short writes.
 * Returns 0 or -errno as write(2) (-EIO for a write that returns 0).  Blocks.
 */
int write_all(int fd, const void *buf, size_t len);

/*
 * Read exactly len octets at offset off.
 * Returns 0, -ENODATA when the file ends first, or -errno as pread(2).
 */
int pread_all(int fd, void *buf, size_t len, uint64_t off);

/*
 * Read a whole regular file of at most max octets into fresh memory, with a
 * NUL after its end that *ret_len doesn't count.  The caller frees *ret_buf.
 * Returns 0, -EFBIG above max, -EISDIR for a directory, -EINVAL for another
 * kind of file, or -errno as openat(2), read(2).
 */
int read_file(
    int dirfd, const char *path, size_t max, char **ret_buf, size_t *ret_len);

/* The same for a descriptor; its offset is neither used nor moved. */
int read_fd(int fd, size_t max, char **ret_buf, size_t *ret_len);

/*
 * Copy len octets from in at offset off to out at its own offset
 * (copy_file_range where the kernel can, else by reading and writing).
 * Returns 0, -ENODATA when in ends first, or -errno.  Blocks.
 */
int copy_range(int in, uint64_t off, uint64_t len, int out);

/*
 * A new file that has no name and can be sealed, for at most a few MiB.
 * name is for /proc only.  Returns the descriptor or -errno.
 */
int memfd_new(const char *name);

/*
 * Make a memfd's content final: no write, no growth, no shrinking, no more
 * seals.  Returns 0; -EBUSY: somebody still maps it writable; or -errno.
 */
int memfd_seal(int fd);

/* Is that descriptor a memfd whose content can never change any more? */
int memfd_is_sealed(int fd);

/*
 * A fresh, read-only open file description of the same file, with an offset
 * and lock state of its own.  Returns the descriptor or -errno.
 */
int reopen_ro(int fd);

#endif
