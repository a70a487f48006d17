/*
 * vmm/manifest.h - manifest.json of a reference: what it was made of, by
 * what, and the digests of its files.
 *
 * A reference is a directory: kernel, initrd, disk (some have none), ram (the
 * guest's memory when its agent polled the mailbox), state (of its devices)
 * and, written last, manifest.json.
 */
#ifndef SLUICE_VMM_MANIFEST_H
#define SLUICE_VMM_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_NAME     "manifest.json"
#define MANIFEST_VERSION  1
#define MANIFEST_TEXT_MAX 128
/* Some hundred packages of a Wine reference, at 60 octets. */
#define MANIFEST_MAX (256u << 10)

enum manifest_file {
	MANIFEST_KERNEL,
	MANIFEST_INITRD,
	MANIFEST_DISK,
	MANIFEST_RAM,
	MANIFEST_STATE,
	MANIFEST_FILES
};

struct manifest {
	char reference[16];
	char backend[16];                   /* "qemu" */
	char hypervisor[MANIFEST_TEXT_MAX]; /* its version, as it says it */
	char accel[16];                     /* "kvm", "tcg" */
	char machine[65];    /* digest of what the machine is made of */
	char recipe[65];     /* digest of recipe, scripts and agent */
	uint32_t mailbox;    /* MAILBOX_VERSION */
	uint32_t mem_mib;    /* of the guest, without the mailbox */
	uint32_t tsc_khz;    /* of the processor it was booted on */
	uint64_t built_usec; /* since 1970 */
	struct {
		bool is_there;
		uint64_t bytes;
		char sha256[65];
	} files[MANIFEST_FILES];
	char *packages; /* name=version, one a line; NULL: not known */
};

/* "kernel", "initrd", "disk", "ram", "state". */
const char *manifest_file_name(enum manifest_file file);

/*
 * Read from a reference's directory.
 * Returns 0 (then manifest_done() frees); -ENOENT; -EBADMSG: err says what is
 * wrong with it; or -errno as openat(2), read(2).
 */
int manifest_read(int dirfd, struct manifest *ret, char *err, size_t err_size);

/* Write it whole or not at all.  0 or -errno. */
int manifest_write(int dirfd, const struct manifest *manifest);

/*
 * Add the recipe's list of packages, if there is one, and all files that a
 * reference has (a disk is none of most), then write it.  Reads all of them.
 * 0 or -errno as manifest_add(), manifest_write().
 */
int manifest_complete(int dirfd, struct manifest *manifest);

/* Note size and digest of a file that is there.  Returns 0 or -errno; -ENOENT
 * leaves it as one that is not there.  Blocks for its reading. */
int manifest_add(struct manifest *manifest, int dirfd, enum manifest_file file);

/*
 * Are size and digest of an open file what they were?  Returns 0; -EBADMSG
 * with words; or -errno.  Blocks for its reading.
 */
int manifest_check(const struct manifest *manifest, enum manifest_file file,
    int fd, char *err, size_t err_size);

/*
 * A copy of a file in memory that nobody can change, checked after it was
 * made, so that the file may be replaced and changed as it likes.  Holes stay
 * holes.
 * Returns 0 and a sealed memfd, the caller's; -EBADMSG: missing or damaged,
 * with words; or -errno.  Blocks for its reading.
 */
int manifest_load(const struct manifest *manifest, int dirfd,
    enum manifest_file file, int *ret_fd, char *err, size_t err_size);

void manifest_done(struct manifest *manifest);

#endif
