#include "vmm/admit.h"

#include <stdlib.h>

uint64_t
admit_headroom(const struct admit_memory *memory)
{
	uint64_t taken = memory->reserve_bytes + memory->promised_bytes;

	if (memory->available_bytes == 0)
		return ADMIT_UNKNOWN;
	return memory->available_bytes > taken ? memory->available_bytes - taken
					       : 0;
}

uint64_t
admit_clones(
    const struct admit_memory *memory, uint64_t live, uint64_t live_max)
{
	uint64_t free_slots = live < live_max ? live_max - live : 0;
	uint64_t fit = admit_headroom(memory) / memory->clone_bytes;

	return fit < free_slots ? fit : free_slots;
}

uint64_t
admit_grown(uint64_t known, uint64_t measured)
{
	if (measured == 0)
		return known;
	return measured >= known ? measured : known - (known - measured) / 16;
}

uint64_t
admit_mean(uint64_t known, uint64_t measured)
{
	if (known == 0)
		return measured;
	return measured > known ? known + (measured - known) / 8
				: known - (known - measured) / 8;
}

static int
by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

size_t
admit_servers(uint64_t *free_usec, size_t n, size_t running, size_t running_max)
{
	size_t idle = running < n ? n - running : 0;
	size_t places = running_max > running ? running_max - running : 0;
	size_t excess = idle > places ? idle - places : 0;

	qsort(free_usec, n, sizeof(free_usec[0]), by_value);
	/* Who isn't used is free sooner than who is: those are too many. */
	for (size_t i = excess; excess > 0 && i < n; i++)
		free_usec[i - excess] = free_usec[i];
	return n - excess;
}

uint64_t
admit_wait(uint64_t *free_usec, size_t n, size_t ahead, uint64_t service_usec)
{
	if (n == 0)
		return ADMIT_UNKNOWN;
	qsort(free_usec, n, sizeof(free_usec[0]), by_value);
	/* First in, first out: each of those ahead takes the clone that is
	 * free first, and has it for the service.  With equal services the
	 * order of the clones stays, round by round, as long as the last is
	 * free before the first is again; else the early ones go first. */
	for (size_t i = 0; i < ahead; i++) {
		uint64_t next = free_usec[0] + service_usec;
		size_t at = 1;

		for (; at < n && free_usec[at] < next; at++)
			free_usec[at - 1] = free_usec[at];
		free_usec[at - 1] = next;
	}
	return free_usec[0];
}
