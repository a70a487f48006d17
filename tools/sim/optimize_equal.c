/*
 * tools/sim/optimize_equal.c - limits by the work below them.
 */
#include "tools/sim/model_priv.h"
#include "tools/sim/optimize_priv.h"
#include "tools/sim/sizes.h"

#include <assert.h>
#include <math.h>

/* The least size up to which messages make a share of all work. */
static double
work_quantile(const struct model *model, double share)
{
	const double all = model_service(model).mean_s;
	double low = 1, high = 2;

	while (high < 0x1p62 &&
	       model_service_between(model, -INFINITY, high).m1 < share * all)
		high *= 2;
	/* To an octet, or what a double can tell apart. */
	for (int i = 0; i < 64 && high - low > 0.5; i++) {
		const double mid = (low + high) / 2;

		if (model_service_between(model, -INFINITY, mid).m1 <
		    share * all)
			low = mid;
		else
			high = mid;
	}
	return high;
}

struct optimize_range
optimize_range(const struct model *model)
{
	const double low = fmax(sizes_quantile(model->sizes, 0.001), 1);
	const double high = work_quantile(model, 0.999);

	/* A law of one size has no room; any limit will do. */
	return (struct optimize_range){log(low), log(fmax(high, low + 2))};
}

struct feed_limits
optimize_limits_of(size_t n, const double *x, size_t n_x)
{
	struct feed_limits limits = {.lanes = n};

	assert(n_x < n);
	for (size_t i = 0; i < n_x; i++) { /* sorted by insertion */
		const uint64_t bytes = (uint64_t)llround(exp(x[i]));
		size_t at = i;

		for (; at > 0 && limits.max_bytes[at - 1] > bytes; at--)
			limits.max_bytes[at] = limits.max_bytes[at - 1];
		limits.max_bytes[at] = bytes;
	}
	for (size_t i = 1; i < n_x; i++)
		if (limits.max_bytes[i] <= limits.max_bytes[i - 1])
			limits.max_bytes[i] = limits.max_bytes[i - 1] + 1;
	for (size_t i = n_x; i < n; i++)
		limits.max_bytes[i] = UINT64_MAX;
	return limits;
}

void
optimize_equal_load(const struct model *model, struct feed_limits *ret_limits)
{
	const size_t n = model->limits.lanes;
	double x[FEED_MAX_LANES], total = 0, below = 0;

	assert(n > 0 && n <= FEED_MAX_LANES);
	for (size_t i = 0; i < n; i++)
		total += model->speed[i];
	for (size_t i = 0; i + 1 < n; i++) {
		below += model->speed[i];
		x[i] = log(work_quantile(model, below / total));
	}
	*ret_limits = optimize_limits_of(n, x, n - 1);
}
