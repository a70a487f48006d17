/*
 * common/pem.h - keys of Curve25519 in files of PEM, as openssl-genpkey(1) and
 * openssl-pkey(1) write them: Ed25519 to sign with, X25519 to encrypt to
 * (RFC 8410).  By OpenSSL.
 *
 * err everywhere: which file, what is wrong and what to do; untouched on
 * success.
 */
#ifndef SLUICE_COMMON_PEM_H
#define SLUICE_COMMON_PEM_H

#include <stddef.h>

enum pem_kind { PEM_ED25519, PEM_X25519 };

#define PEM_KEY_BYTES 32

/*
 * Read a public key.
 * Returns 0; -EINVAL: no public key of that kind in PEM; or -errno as open(2),
 * read(2).  Blocks.
 */
int pem_public(const char *path, enum pem_kind kind,
    unsigned char ret_key[PEM_KEY_BYTES], char *err, size_t err_size);

/*
 * Read a private key, which must not be encrypted and must be closed to group
 * and others.  The caller wipes it (explicit_bzero).
 * Returns 0; -EPERM: others could read it; -EINVAL: no private key of that
 * kind in PEM; or -errno as open(2), read(2).  Blocks.
 */
int pem_private(const char *path, enum pem_kind kind,
    unsigned char ret_key[PEM_KEY_BYTES], char *err, size_t err_size);

/*
 * Draw a pair of keys and write it to two new files, the private one with mode
 * 0600.  Returns 0; -EEXIST: one is there already; or -errno as open(2),
 * write(2), fsync(2).  Blocks.
 */
int pem_make(const char *private_path, const char *public_path,
    enum pem_kind kind, char *err, size_t err_size);

#endif
