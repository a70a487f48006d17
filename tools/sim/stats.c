#include "tools/sim/stats.h"

#include "common/clock.h"

#include <assert.h>
#include <math.h>

void
tally_merge(struct tally *to, const struct tally *from)
{
	to->sum_usec += from->sum_usec;
	to->busy_usec += from->busy_usec;
	if (from->max_usec > to->max_usec)
		to->max_usec = from->max_usec;
	for (size_t i = 0; i < TALLY_BUCKETS; i++)
		to->buckets[i] += from->buckets[i];
}

/* The least wait + 1 that belongs to bucket, or would if it were whole. */
static double
bucket_low(size_t bucket)
{
	const uint64_t bias = UINT64_C(1023) << TALLY_FRACTION_BITS;
	const uint64_t bits = (bucket + bias) << (52 - TALLY_FRACTION_BITS);
	double low;

	memcpy(&low, &bits, sizeof(low));
	return low;
}

/* Between the least and the greatest whole wait of a bucket. */
static double
bucket_middle_usec(size_t bucket)
{
	const double least = ceil(bucket_low(bucket)) - 1;
	const double most = ceil(bucket_low(bucket + 1)) - 2;

	return (least + most) / 2;
}

/* The least wait that a share p of all n doesn't exceed, in seconds. */
static double
percentile_s(const struct tally *tally, uint64_t n, double p)
{
	const double rank = p * (double)n;
	const double max_usec = (double)tally->max_usec;
	uint64_t seen = 0;

	for (size_t i = 0; i < TALLY_BUCKETS; i++) {
		seen += tally->buckets[i];
		if (seen > 0 && (double)seen >= rank)
			return fmin(bucket_middle_usec(i), max_usec) /
			       USEC_PER_SEC;
	}
	return max_usec / USEC_PER_SEC;
}

void
tally_figures(const struct tally *tally, struct wait_figures *ret_figures)
{
	uint64_t n = 0;

	*ret_figures = (struct wait_figures){0};
	for (size_t i = 0; i < TALLY_BUCKETS; i++)
		n += tally->buckets[i];
	if (n == 0)
		return;
	ret_figures->messages = n;
	ret_figures->mean_s =
	    (double)tally->sum_usec / (double)n / USEC_PER_SEC;
	ret_figures->p50_s = percentile_s(tally, n, 0.50);
	ret_figures->p95_s = percentile_s(tally, n, 0.95);
	ret_figures->p99_s = percentile_s(tally, n, 0.99);
	ret_figures->max_s = (double)tally->max_usec / USEC_PER_SEC;
}

static void
part_add(struct part *to, const struct part *part)
{
	to->arrivals += part->arrivals;
	to->messages += part->messages;
	to->sum_usec += part->sum_usec;
	to->backlog += part->backlog;
}

static void
join_pairs(struct series *s)
{
	for (size_t i = 0; i < SERIES / 2; i++) {
		s->parts[i] = s->parts[2 * i];
		part_add(&s->parts[i], &s->parts[2 * i + 1]);
	}
	s->n = SERIES / 2;
	s->size *= 2;
}

void
series_add(struct series *s, struct part part)
{
	if (s->size == 0)
		s->size = part.arrivals;
	part_add(&s->filling, &part);
	if (s->filling.arrivals < s->size)
		return;
	s->parts[s->n++] = s->filling;
	s->filling = (struct part){0};
	if (s->n == SERIES)
		join_pairs(s);
}

static struct part
series_sum(const struct series *s, size_t from, size_t to)
{
	struct part sum = {0};

	assert(from <= to && to <= s->n);
	for (size_t i = from; i < to; i++)
		part_add(&sum, &s->parts[i]);
	return sum;
}

double
series_mean(const struct series *s, size_t from, size_t to)
{
	const struct part sum = series_sum(s, from, to);

	return sum.messages ? (double)sum.sum_usec / (double)sum.messages : 0;
}

double
series_backlog(const struct series *s, size_t from, size_t to)
{
	return (double)series_sum(s, from, to).backlog;
}

double
stats_student99(size_t dof)
{
	const double z = 2.5758293035489004; /* the normal law's */
	const double z2 = z * z, n = (double)dof;

	/* Abramowitz and Stegun 26.7.5. */
	assert(dof >= 3);
	return z *
	       (1 + (z2 + 1) / (4 * n) +
		   ((5 * z2 + 16) * z2 + 3) / (96 * n * n) +
		   (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * n * n * n) +
		   ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) /
		       (92160 * n * n * n * n));
}

struct interval
stats_interval(const double *means, size_t n)
{
	double mean = 0, squares = 0;

	for (size_t i = 0; i < n; i++)
		mean += means[i] / (double)n;
	if (n < 4)
		return (struct interval){mean, INFINITY};
	for (size_t i = 0; i < n; i++)
		squares += (means[i] - mean) * (means[i] - mean);
	return (struct interval){
	    mean, stats_student99(n - 1) *
		      sqrt(squares / (double)(n - 1) / (double)n)};
}
