#include "flow/bins.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static int
upwards(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of two different numbers; never the lower. */
static double
between(double low, double high)
{
	const double middle = low + (high - low) / 2;

	return middle > low ? middle : high;
}

static uint8_t
cut(const double *sorted, size_t n, unsigned int max_cuts, double *cuts)
{
	uint8_t k = 0;

	for (unsigned int q = 1; q <= max_cuts; q++) {
		size_t i = q * n / (max_cuts + 1);

		if (i == 0)
			continue;
		while (i < n && sorted[i] <= sorted[i - 1])
			i++;
		if (i == n)
			break;
		if (k == 0 || sorted[i - 1] >= cuts[k - 1])
			cuts[k++] = between(sorted[i - 1], sorted[i]);
	}
	return k;
}

void
flow_bins_make(const struct flow_sample *const *samples, size_t n,
    unsigned int max_cuts, struct flow_bins *ret)
{
	CLEANUP(free_ptr) double *sorted = xcalloc(n + 1, sizeof(*sorted));

	assert(max_cuts > 0 && max_cuts <= FLOW_CUTS);
	memset(ret, 0, sizeof(*ret));
	for (size_t f = 0; f < FLOW_FEATURES; f++) {
		size_t known = 0;

		for (size_t i = 0; i < n; i++)
			if (!isnan(samples[i]->x[f]))
				sorted[known++] = samples[i]->x[f];
		qsort(sorted, known, sizeof(*sorted), upwards);
		ret->n[f] = cut(sorted, known, max_cuts, ret->cuts[f]);
	}
}

unsigned int
flow_bin(const struct flow_bins *bins, size_t feature, double x)
{
	const double *cuts = bins->cuts[feature];
	unsigned int low = 0, high = bins->n[feature];

	if (isnan(x))
		return 0;
	while (low < high) {
		const unsigned int middle = (low + high) / 2;

		if (cuts[middle] <= x)
			low = middle + 1;
		else
			high = middle;
	}
	return 1 + low;
}
