/*
 * worker/mef/archive.h - copies of files for the people who label them: one
 * directory, two files for each.
 *
 *   SHA256       the octets; the name is their SHA-256, 64 small hex digits
 *   SHA256.json  what is known of them, one JSON object in one line
 *
 * An entry is there if its .json is, which is put in place last; octets alone
 * are what a crash left, and go with time.  Other names begin with a dot: what
 * is being written, and .lock.  Files are of mode 0600 and are never changed.
 *
 * The object has, in this order:
 *
 *   "format"       1
 *   "sha256"       as in the name
 *   "bytes"        how many octets
 *   "t_usec"       when it was judged, microseconds since 1970
 *   "time"         the same, as "2026-11-29T15:50:30Z"
 *   "names"        array of texts, what mail calls it; 16 at most
 *   "type"         by libmagic, "application/x-dosexec"
 *   "kind"         mef_kind_names: "pe", "elf", "script"
 *   "label"        mef_label_names: "borderline", "malicious"
 *   "p_malicious"  0 to 1; p_benign is 1 - this
 *   "families"     object: log-odds by the families' names; may lack some
 *   "model"        SHA-256 of the counts of the model (mef_head.counts)
 *   "release"      of the model; 0: never published
 *   "mid"          queue id of the first message that had it
 *
 * What was not known is left out.
 *
 * Texts come from mail: a reader believes nothing of them but their UTF-8.
 * Knows no JSON itself and links none.
 */
#ifndef SLUICE_WORKER_MEF_ARCHIVE_H
#define SLUICE_WORKER_MEF_ARCHIVE_H

#include "common/cleanup.h"
#include "common/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEF_ARCHIVE_FORMAT 1
/* Octets of a .json, and names in it. */
#define MEF_ARCHIVE_META_MAX ((size_t)16 * 1024)
#define MEF_ARCHIVE_NAMES    16

struct mef_archive;

/*
 * Open the directory at path, which must be there.
 * Returns 0 or -errno as open(2).  Blocks.
 */
int mef_archive_open(const char *path, struct mef_archive **ret_archive);
struct mef_archive *mef_archive_free(struct mef_archive *archive);
DEFINE_CLEANUP(struct mef_archive *, mef_archive_free);

struct mef_archive_limits {
	uint64_t bytes;    /* of all its files together */
	uint64_t age_usec; /* of an entry, since it was put there */
};

/*
 * Put a copy of the first bytes octets of fd (borrowed; its offset is neither
 * used nor moved) there, with its metadata, after making room: what is too old
 * goes, then the oldest until there is room for it.  Several processes may do
 * so at a time.
 *
 * Returns 0; -EEXIST: it is there already and stays as it is; -EFBIG: it alone
 * is more than limits->bytes, or meta_bytes is more than
 * MEF_ARCHIVE_META_MAX; or -errno as open(2), write(2), fsync(2), rename(2)
 * (-ENOSPC: the disk is full).  After a failure the entry isn't there.
 * Blocks: two files are synced, and the directory.
 */
int mef_archive_put(struct mef_archive *archive,
    const struct mef_archive_limits *limits, const struct digest *digest,
    int fd, uint64_t bytes, const char *meta, size_t meta_bytes);

/*
 * Remove what is too old or too much by now, and what crashes have left.
 * Returns 0 or -errno.  Blocks.
 */
int mef_archive_trim(
    struct mef_archive *archive, const struct mef_archive_limits *limits);

struct mef_archive_entry {
	struct digest digest;
	uint64_t bytes;   /* of the octets; 0 if they are gone */
	uint64_t at_usec; /* when it was put there, since 1970 */
};

/*
 * All entries, the oldest first (of the same time by digest); visit returning
 * anything but 0 ends it.  They may go at any time.
 * Returns 0, what visit returned, or -errno as readdir(3).  Blocks.
 */
typedef int mef_archive_visit(void *arg, const struct mef_archive_entry *entry);
int mef_archive_each(
    struct mef_archive *archive, mef_archive_visit *visit, void *arg);

/*
 * The metadata of an entry, fresh memory with a NUL behind it.
 * Returns 0; -ENOENT: no such entry; -EFBIG: not ours; or -errno.
 */
int mef_archive_meta(struct mef_archive *archive, const struct digest *digest,
    char **ret_meta, size_t *ret_bytes);

/*
 * Its octets, as a descriptor to read that the caller closes.  That they are
 * those of the digest is for the caller to check.
 * Returns the descriptor; -ENOENT; or -errno as open(2).
 */
int mef_archive_octets(
    struct mef_archive *archive, const struct digest *digest);

/* Remove an entry.  Returns 0, -ENOENT, or -errno as unlink(2). */
int mef_archive_drop(struct mef_archive *archive, const struct digest *digest);

#endif
