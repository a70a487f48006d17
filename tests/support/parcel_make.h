/*
 * tests/support/parcel_make.h - parcels of two files, from a site to a
 * repository whose keys are known.
 */
#ifndef SLUICE_TESTS_PARCEL_MAKE_H
#define SLUICE_TESTS_PARCEL_MAKE_H

#include "worker/mef/parcel.h"

#include "tests/support/mef_updates.h"

static const struct sealed_key parcel_private = {{1, 2, 3}};

/* Files of one octet, ascending by their digests. */
static const char parcel_files[] = {'b', 'a'};
#define PARCEL_FILES 2u
#define PARCEL_META  "{\"bytes\":1}"

/* Of DIR/private0 of mef_updates_keys(), to that key. */
static inline int
parcel_make(const char *dir, const struct sealed_key *private)
{
	CLEANUP(free_ptr) char *identity = xasprintf("%s/private0", dir);
	CLEANUP(mef_packer_freep) struct mef_packer *packer = NULL;
	int fd = memfd_new("parcel"), r;
	struct sealed_key to;
	char err[300];

	sealed_public(private, &to);
	r = mef_packer_new(fd, &to, identity, &packer, err, sizeof(err));
	assert(r == 0);
	for (size_t i = 0; i < PARCEL_FILES; i++) {
		const struct digest d = digest_memory(&parcel_files[i], 1);

		r = mef_packer_add(packer, &d, PARCEL_META, strlen(PARCEL_META),
		    &parcel_files[i], 1);
		assert(r == 0);
	}
	r = mef_packer_end(packer, err, sizeof(err));
	assert(r == 0);
	return fd;
}

#endif
