/*
 * worker/mef/update.h - what changed between two model files, as one file that
 * makes the new one of the old and the old one of the new, octet for octet.
 *
 * An update is a head and a packed payload
 * (docs/decisions/0014-mef-updates.md). The payload says for each 32-bit word
 * of a model what is added to it, and for each known document what is added to
 * its counts, so it is as reversible as addition.  An update from nothing
 * carries a whole model.  Knows no meaning of counts: a model's head says where
 * the known documents begin, and digests of both files say whether the result
 * is right.
 *
 * Updates come from strangers.  mef_update_read() believes nothing, and no
 * payload is unpacked before mef_update_verify() said whose it is, if the
 * caller keeps to worker/mef/install.h.
 */
#ifndef SLUICE_WORKER_MEF_UPDATE_H
#define SLUICE_WORKER_MEF_UPDATE_H

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/signature.h"
#include "worker/mef/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEF_UPDATE_MAGIC  "SLUICUPD"
#define MEF_UPDATE_FORMAT 1u

/*
 * Largest update that is read or made, in octets: it is held in memory, so
 * that nobody changes it between its check and its use.
 */
#define MEF_UPDATE_MAX (UINT64_C(1) << 30)

/* One of the two models; all zero: none. */
struct mef_update_side {
	uint64_t release;
	uint64_t n_documents[MEF_CLASSES];
	uint64_t file_bytes;
	uint64_t known_offset, n_known;
	struct digest file; /* SHA-256 of the whole file */
};

/* The file: this, then payload_bytes octets.  Numbers are little-endian. */
struct mef_update_head {
	char magic[8]; /* MEF_UPDATE_MAGIC without its NUL */
	uint32_t format;
	uint32_t reserved; /* 0 */
	struct mef_update_side from, to;
	uint64_t payload_bytes;
	struct digest payload; /* SHA-256 of it */
	struct digest check;   /* SHA-256 of the head before this */
	/* Both zero: not signed. */
	struct signature_key key;
	struct signature signature; /* of the head before this */
};

struct mef_update;
struct mef_update *mef_update_free(struct mef_update *update);
DEFINE_CLEANUP(struct mef_update *, mef_update_free);

/* done of total steps of an unnamed unit; called some hundred times. */
typedef void mef_progress(void *arg, uint64_t done, uint64_t total);

/* Who hears of it; tell NULL: nobody. */
struct mef_listener {
	mef_progress *tell;
	void *arg;
};

/*
 * What changed.
 *
 * old_fd, new_fd  models, regular files, borrowed; nobody changes them
 *                 meanwhile.  old_fd -1: nothing, so all of the new one
 * err             which of them is wrong and what to do; untouched on success
 *
 * Returns 0; -EBADMSG: one is no model, or damaged; -EFBIG: above
 * MEF_UPDATE_MAX; -ENOMEM; or -errno as fstat(2), read(2), mmap(2).  Blocks:
 * reads both, and packs.
 */
int mef_update_make(int old_fd, int new_fd, const struct mef_listener *listener,
    struct mef_update **ret_update, char *err, size_t err_size);

/*
 * Read an update from a regular file, all of it into memory, and check that
 * it is whole: format, sizes, digests of head and payload.  Nothing is
 * unpacked and nobody's signature looked at.
 *
 * err  what is wrong and what to do; untouched on success
 *
 * Returns 0; -EBADMSG: no update, of another format, cut off or damaged;
 * -EFBIG: above MEF_UPDATE_MAX; -ENOMEM; or -errno.  Blocks.
 */
int mef_update_read(
    int fd, struct mef_update **ret_update, char *err, size_t err_size);

/* What it says of itself; lives as long as the update. */
const struct mef_update_head *mef_update_head(const struct mef_update *update);

/* Does it carry a whole model, so that it fits any or none? */
bool mef_update_is_whole(const struct mef_update *update);

/*
 * Write it to fd from its offset on.  Returns 0 or -errno as write(2).
 * Blocks.
 */
int mef_update_write(const struct mef_update *update, int fd);

/*
 * Sign it with the private key in a file, in place of an earlier signature.
 * Returns as signature_make() and fills err as it does.
 */
int mef_update_sign(struct mef_update *update, const char *key_path, char *err,
    size_t err_size);

/*
 * Has the owner of one of n keys signed it?
 * Returns 0, or -EKEYREJECTED with err: it is not signed, by nobody known, or
 * the signature is bad.  Pure.
 */
int mef_update_verify(const struct mef_update *update,
    const struct signature_key *keys, size_t n, char *err, size_t err_size);

/*
 * Make the new model of the old one, or the old one of the new.
 *
 * model_fd  what there is, borrowed; -1: nothing, for a whole one
 * out_fd    an empty regular file, borrowed, which gets the result.  Blocks
 *           of zeroes become holes.  After a failure its content is worthless
 * err       what is wrong and what to do; untouched on success
 *
 * Returns 0; -ESTALE: the model is not the one that the update is for;
 * -EBADMSG: the payload is wrong, or the result is not what was promised;
 * -EINVAL (revert): a whole model does not know what was before it; -ENOMEM;
 * or -errno as write(2), mmap(2).  Blocks.
 */
int mef_update_apply(const struct mef_update *update, int model_fd, int out_fd,
    const struct mef_listener *listener, char *err, size_t err_size);
int mef_update_revert(const struct mef_update *update, int model_fd, int out_fd,
    const struct mef_listener *listener, char *err, size_t err_size);

#endif
