/* tools/load/hist.c - logarithmic buckets. */
#include "hist.h"

#include <math.h>

#define HIST_GROWTH 1.01

void
hist_add(struct hist *h, uint64_t usec)
{
	double i = usec > 1 ? log((double)usec) / log(HIST_GROWTH) : 0;

	if (i >= HIST_BUCKETS)
		i = HIST_BUCKETS - 1;
	h->bucket[(unsigned)i]++;
	h->total++;
	if (usec > h->max_usec)
		h->max_usec = usec;
}

double
hist_percentile(const struct hist *h, double p)
{
	const double rank = p * (double)h->total;
	uint64_t seen = 0;

	if (h->total == 0)
		return 0;
	for (int i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen > 0 && (double)seen >= rank)
			return fmin(
			    pow(HIST_GROWTH, i + 0.5), (double)h->max_usec);
	}
	return (double)h->max_usec;
}
