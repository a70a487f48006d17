/*
 * worker/mef/hash.c - XXH3 of xxHash: faster than our readers, and its values
 * are promised to stay.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "worker/mef/bag.h"

uint64_t
mef_hash(const void *octets, size_t n)
{
	return XXH3_64bits(octets, n);
}
