/*
 * worker/cell_features.c - the features of one program, in a cell that was
 * given nothing else.
 */
#include "worker/cell.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "worker/cell_priv.h"
#include "worker/mef/extract.h"

#include <errno.h>
#include <unistd.h>

int
cell_features(int fd, int arena_fd, bool is_2001)
{
	CLEANUP(mef_bag_freep) struct mef_bag *bag = mef_bag_new();
	CLEANUP(free_ptr) void *packed = NULL;
	struct span file;
	size_t n;
	int r = cell_map(fd, &file);

	if (r < 0)
		return r;
	mef_extract(
	    bag, is_2001 ? MEF_SET_2001 : MEF_SET_FULL, file.at, file.len);
	packed = mef_bag_pack(bag, &n);
	/* The first octets come last: until then it has not come to an end. */
	if (lseek(arena_fd, CELL_MARK, SEEK_SET) < 0)
		return -errno;
	r = write_all(arena_fd, (char *)packed + CELL_MARK, n - CELL_MARK);
	if (r == 0 && lseek(arena_fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r : write_all(arena_fd, packed, CELL_MARK);
}
