/*
 * worker/mef/sealed.h - octets that only the owner of one key can read, by
 * libsodium: the key of a stream is drawn anew and sealed to an X25519 key
 * (crypto_box_seal), the stream is XChaCha20-Poly1305 in pieces, each of which
 * is authentic before it is given out (crypto_secretstream).
 *
 * Says nothing of who wrote it: worker/mef/parcel.h signs.  Not thread-safe.
 */
#ifndef SLUICE_WORKER_MEF_SEALED_H
#define SLUICE_WORKER_MEF_SEALED_H

#include "common/cleanup.h"

#include <stddef.h>
#include <stdint.h>

#define SEALED_KEY_BYTES 32

/* An X25519 key, public or private. */
struct sealed_key {
	unsigned char bytes[SEALED_KEY_BYTES];
};

/* What the owner needs besides the pieces. */
struct sealed_head {
	unsigned char key[80]; /* of the stream, sealed to the owner */
	unsigned char stream[24];
};

/* Octets of a piece before it is sealed; the last one may be shorter. */
#define SEALED_PIECE UINT64_C(65536)

/* How long n octets are when they are sealed. */
uint64_t sealed_length(uint64_t n);

/* The public key of a private one. */
void sealed_public(
    const struct sealed_key *private, struct sealed_key *ret_public);

struct sealer;

/*
 * Begin to seal.
 *
 * to        the owner's public key
 * out_fd    gets the pieces, from its offset on; borrowed until the end
 * ret_head  is to be given to the owner
 * bound     these octets must be the same when it is opened; not sent along
 *
 * Returns 0, or -EINVAL: no public key (of low order).  Dies if there is no
 * memory or no random numbers.
 */
int sealer_new(const struct sealed_key *to, int out_fd, const void *bound,
    size_t n_bound, struct sealed_head *ret_head, struct sealer **ret_sealer);
struct sealer *sealer_free(struct sealer *sealer);
DEFINE_CLEANUP(struct sealer *, sealer_free);

/* n octets more.  Returns 0 or -errno as write(2).  Blocks. */
int sealer_write(struct sealer *sealer, const void *octets, size_t n);
/* There are no more.  Returns as above. */
int sealer_end(struct sealer *sealer);

/*
 * Open what is sealed: n octets of in_fd from off on, to out_fd.
 *
 * Returns 0; -EKEYREJECTED: sealed to another key; -EBADMSG: damaged, cut off,
 * or bound to something else (what came before the damage is in out_fd); or
 * -errno as pread(2), write(2).  Blocks.
 */
int sealed_open(const struct sealed_key *private,
    const struct sealed_head *head, const void *bound, size_t n_bound,
    int in_fd, uint64_t off, uint64_t n, int out_fd);

#endif
