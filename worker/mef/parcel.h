/*
 * worker/mef/parcel.h - files on their way from a site to the repository: one
 * file, encrypted to the repository and signed by the site
 * (docs/decisions/0019-mef-repository.md).
 *
 * Parcels come from strangers.  mef_parcel_open() looks at a fixed head and
 * who signed it before it decrypts anything; mef_parcel_next() believes
 * nothing of what even a known sender packed.
 *
 * err everywhere: what is wrong and what to do; untouched on success.
 */
#ifndef SLUICE_WORKER_MEF_PARCEL_H
#define SLUICE_WORKER_MEF_PARCEL_H

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/signature.h"
#include "worker/mef/sealed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEF_PARCEL_MAGIC  "SLUICSUB"
#define MEF_PARCEL_FORMAT 1u

/* Octets of a parcel, of one file of it, of that file's metadata. */
#define MEF_PARCEL_MAX      (UINT64_C(256) << 20)
#define MEF_PARCEL_FILE_MAX (UINT64_C(64) << 20)
#define MEF_PARCEL_META_MAX 16384u
/* Files of one parcel: more than an expert reads in a week. */
#define MEF_PARCEL_FILES 4096u

/* The file: this, then payload_bytes octets.  Numbers are little-endian. */
struct mef_parcel_head {
	char magic[8]; /* MEF_PARCEL_MAGIC without its NUL */
	uint32_t format;
	uint32_t reserved;         /* 0 */
	struct sealed_key to;      /* the repository's public key */
	struct signature_key from; /* the site's */
	/* All before this is bound to the payload. */
	struct sealed_head sealed;
	uint64_t payload_bytes;
	struct digest payload;      /* SHA-256 of it, encrypted as it is */
	struct signature signature; /* of all before this */
};

/* What stands before each file of the payload, and what follows it. */
struct mef_parcel_record {
	struct digest digest; /* SHA-256 of the octets */
	uint64_t bytes;
	uint32_t meta_bytes;
	uint32_t reserved; /* 0 */
			   /* meta_bytes of JSON, bytes of the file */
};

struct mef_packer;

/*
 * Begin a parcel.
 *
 * fd        an empty regular file to read and write, borrowed until the end
 * to        the repository's public key
 * identity  path of the site's private Ed25519 key; borrowed
 *
 * Returns 0; -EINVAL: to is no key; as signature_make() for identity; or
 * -errno as write(2).  Blocks.
 */
int mef_packer_new(int fd, const struct sealed_key *to, const char *identity,
    struct mef_packer **ret_packer, char *err, size_t err_size);
struct mef_packer *mef_packer_free(struct mef_packer *packer);
DEFINE_CLEANUP(struct mef_packer *, mef_packer_free);

/*
 * One file more, and what is known of it.  Files come in ascending order of
 * their digests, each once, and within the limits above, or we are wrong.
 * Returns 0 or -errno as write(2).  Blocks.
 */
int mef_packer_add(struct mef_packer *packer, const struct digest *digest,
    const char *meta, size_t n_meta, const void *octets, size_t n);

/* Would the parcel be longer than max_bytes with that file in it? */
bool mef_packer_is_full(const struct mef_packer *packer, size_t n_meta,
    size_t n, uint64_t max_bytes);

/*
 * Close and sign it, and sync.  Returns 0; as signature_make(); or -errno as
 * write(2), fsync(2).  Blocks.
 */
int mef_packer_end(struct mef_packer *packer, char *err, size_t err_size);

/* Who may send, and to whom. */
struct mef_addressee {
	struct sealed_key private;
	const struct signature_key *senders;
	size_t n_senders;
};

/*
 * Check a parcel and decrypt it.
 *
 * fd          a regular file, borrowed
 * plain_fd    an empty regular file that nobody else can write, borrowed; gets
 *             the records.  After a failure its content is worthless
 * ret_sender  which of the senders
 * ret_head    as it stood there
 *
 * Returns 0; -EKEYREJECTED: not signed by a known sender, or for another
 * repository; -EBADMSG: no parcel, cut off, longer than it says, or damaged;
 * -EFBIG: above MEF_PARCEL_MAX; or -errno as pread(2), write(2).  Blocks.
 */
int mef_parcel_open(int fd, const struct mef_addressee *addressee, int plain_fd,
    size_t *ret_sender, struct mef_parcel_head *ret_head, char *err,
    size_t err_size);

/* A file of a parcel; borrowed from the payload. */
struct mef_packed {
	struct digest digest;
	const char *meta; /* no NUL behind it */
	size_t n_meta;
	const void *octets;
	size_t n;
};

/* Where in a payload we are; {payload, length} to begin with. */
struct mef_unpacking {
	const unsigned char *at;
	size_t n;
	struct digest last;
	uint32_t files;
};

/*
 * The next file: its lengths are within the limits and the payload, its
 * octets have its digest, and it comes once.  Its metadata is not looked at.
 * Returns 0; -ENOENT: there are no more; -EBADMSG.  Pure.
 */
int mef_parcel_next(struct mef_unpacking *u, struct mef_packed *ret_file,
    char *err, size_t err_size);

#endif
