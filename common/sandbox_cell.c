#include "common/sandbox.h"

#include "common/cleanup.h"
#include "common/clock.h"

#include <errno.h>
#include <sys/resource.h>

/* Descriptors of a cell: message, socket, arena, stderr, and some room. */
#define CELL_FILES 64

static int
limit(__rlimit_resource_t what, uint64_t value)
{
	struct rlimit l = {value, value};

	return setrlimit(what, &l) < 0 ? -errno : 0;
}

int
sandbox_cell(const struct cell_budget *b)
{
	uint64_t cpu_sec = (b->cpu_usec + USEC_PER_SEC - 1) / USEC_PER_SEC;
	/* At the soft limit comes SIGXCPU, which names its cause; at the hard
	 * one SIGKILL, which looks like a kill from outside. */
	struct rlimit cpu = {cpu_sec, cpu_sec + 1};
	int r = limit(RLIMIT_FSIZE, b->output_bytes);

	if (r == 0 && setrlimit(RLIMIT_CPU, &cpu) < 0)
		r = -errno;
	if (r == 0)
		r = limit(RLIMIT_NOFILE, CELL_FILES);
	if (r == 0)
		r = limit(RLIMIT_NPROC, 0);
#ifndef SLUICE_SANITIZE /* shadow memory alone is terabytes of addresses */
	if (r == 0)
		r = limit(RLIMIT_AS, b->memory_bytes);
#endif
	return r;
}
