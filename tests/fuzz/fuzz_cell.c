/* Any message through every reader of a cell: it ends, within its limits. */
#include "worker/cell_priv.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define OUTPUT_BYTES (UINT64_C(4) << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int fd, const struct cell_limits *limits)
{
	struct reading *r = NULL;

	assert(fcntl(fd, F_ADD_SEALS,
		   F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
	/* What an honest cell writes is always readable. */
	assert(reading_open(fd, &r) == 0);
	assert(r->n_parts <= limits->parts && r->map_bytes <= OUTPUT_BYTES);
	for (size_t i = 0; i < r->n_parts; i++)
		assert(r->parts[i].depth <= limits->depth);
	reading_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cell_limits limits = {.output_bytes = OUTPUT_BYTES,
	    .parts = 100,
	    .depth = 5,
	    .headers = 1000,
	    .links = 8};
	const int fd = memfd_create("arena", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct cell c = {.limits = &limits,
	    .message = {(const char *)data, size},
	    .tidy = true};
	int r;

	assert(fd >= 0 && cell_prepare() == 0);
	c.w = writer_new(fd, limits.output_bytes);
	assert(c.w);
	cell_scan(&c);
	r = writer_commit(c.w, c.status, c.ambiguity, c.hold, c.text);
	cell_done(&c);
	if (r == 0)
		check(fd, &limits);
	(void)close(fd);
	return 0;
}
