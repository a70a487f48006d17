#include "feed/sort.h"

#include <assert.h>
#include <errno.h>

int
feed_limits_make(size_t lanes, const uint64_t *max_bytes, size_t count,
    struct feed_limits *ret_limits)
{
	struct feed_limits limits = {.lanes = lanes};

	if (lanes < 1 || lanes > FEED_MAX_LANES || count >= lanes)
		return -EINVAL;
	for (size_t i = 1; i < count; i++)
		if (max_bytes[i] <= max_bytes[i - 1])
			return -EINVAL;
	for (size_t i = 0; i < lanes; i++)
		limits.max_bytes[i] = i < count ? max_bytes[i] : UINT64_MAX;
	*ret_limits = limits;
	return 0;
}

size_t
feed_pick(const struct feed_limits *limits, const uint64_t *empty_usec,
    uint64_t bytes)
{
	size_t best = limits->lanes - 1;

	assert(limits->lanes >= 1 && limits->lanes <= FEED_MAX_LANES);
	/* Downwards, and equal wins: limits ascend, so the last found of the
	 * least loaded has the smallest limit. */
	for (size_t i = limits->lanes - 1; i-- > 0;)
		if (limits->max_bytes[i] >= bytes &&
		    empty_usec[i] <= empty_usec[best])
			best = i;
	return best;
}
