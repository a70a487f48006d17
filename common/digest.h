/*
 * common/digest.h - SHA-256 by OpenSSL.
 */
#ifndef SLUICE_COMMON_DIGEST_H
#define SLUICE_COMMON_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 32
#define DIGEST_HEX   (2 * DIGEST_BYTES + 1) /* with its NUL */

struct digest {
	unsigned char bytes[DIGEST_BYTES];
};

/* SHA-256 (FIPS 180-4) of memory.  Dies only if OpenSSL lacks SHA-256. */
struct digest digest_memory(const void *buf, size_t len);

/*
 * HMAC-SHA-256 (RFC 2104, RFC 4231) of memory under a key of 1 to INT_MAX
 * octets.  Dies only if OpenSSL lacks it.
 */
struct digest digest_keyed(
    const void *key, size_t key_len, const void *buf, size_t len);

/*
 * SHA-256 of len octets of a file from offset off on.
 * Returns 0, -ENODATA when the file ends first, or -errno.  Blocks.
 */
int digest_file(int fd, uint64_t off, uint64_t len, struct digest *ret_digest);

/* Lower-case hexadecimal into buf[DIGEST_HEX]; returns buf. */
char *digest_hex(const struct digest *digest, char *buf);

/* The reverse; 0, or -EINVAL for anything but 64 hexadecimal digits. */
int digest_parse(const char *hex, struct digest *ret_digest);

#endif
