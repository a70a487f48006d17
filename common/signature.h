/*
 * common/signature.h - Ed25519 (RFC 8032) by OpenSSL, with keys in files of
 * PEM (common/pem.h).
 */
#ifndef SLUICE_COMMON_SIGNATURE_H
#define SLUICE_COMMON_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

#define SIGNATURE_BYTES     64
#define SIGNATURE_KEY_BYTES 32

struct signature {
	unsigned char bytes[SIGNATURE_BYTES];
};

/* A public key. */
struct signature_key {
	unsigned char bytes[SIGNATURE_KEY_BYTES];
};

/*
 * Read a public key.
 *
 * err  which file, what is wrong and what to do; untouched on success
 *
 * Returns 0; -EINVAL: no public Ed25519 key in PEM; or -errno as open(2),
 * read(2).  Blocks.
 */
int signature_key_read(const char *path, struct signature_key *ret_key,
    char *err, size_t err_size);

/*
 * Sign msg with the private key in a file, which must not be encrypted and
 * must be closed to group and others.
 *
 * ret_key  the public key that belongs to it
 * err      as above
 *
 * Returns 0; -EPERM: others could read the key; -EINVAL: no private Ed25519
 * key in PEM; or -errno as open(2), read(2).  Blocks.
 */
int signature_make(const char *path, const void *msg, size_t len,
    struct signature_key *ret_key, struct signature *ret_signature, char *err,
    size_t err_size);

/* The public key that belongs to the private one in a file.  As above. */
int signature_key_of(const char *path, struct signature_key *ret_key, char *err,
    size_t err_size);

/* Has the owner of key signed msg?  Pure. */
bool signature_is_good(const struct signature_key *key, const void *msg,
    size_t len, const struct signature *signature);

#endif
