#include "feed/mix.h"

#include <assert.h>
#include <math.h>

#define LEAST_BYTES 64.0
#define HEAVY       1e100 /* weights are taken down before they overflow */

void
mix_init(struct mix *mix, double half_life)
{
	assert(half_life > 0);
	*mix = (struct mix){.next = 1, .growth = exp2(1 / half_life)};
}

/* The upper bound of a bucket; it is the next one's lower. */
static double
bound(size_t bucket)
{
	return LEAST_BYTES * exp2((double)bucket / MIX_STEPS);
}

static size_t
bucket_of(double bytes)
{
	double at = ceil(log2(bytes / LEAST_BYTES) * MIX_STEPS);

	if (!(at > 0)) /* also the logarithm of 0 */
		return 0;
	return at < MIX_BUCKETS - 1 ? (size_t)at : MIX_BUCKETS - 1;
}

static void
scale(struct mix *mix, double by)
{
	mix->next *= by;
	mix->weight *= by;
	mix->square *= by * by;
	for (size_t i = 0; i < MIX_BUCKETS; i++) {
		mix->counts[i] *= by;
		mix->bytes[i] *= by;
	}
}

void
mix_add(struct mix *mix, uint64_t bytes)
{
	size_t i = bucket_of((double)bytes);

	/* Newer ones weigh more, which is the same as older ones less. */
	mix->counts[i] += mix->next;
	mix->bytes[i] += mix->next * (double)bytes;
	mix->weight += mix->next;
	mix->square += mix->next * mix->next;
	mix->next *= mix->growth;
	if (mix->next > HEAVY)
		scale(mix, 1 / HEAVY);
}

double
mix_count(const struct mix *mix)
{
	return mix->weight > 0 ? mix->weight * mix->weight / mix->square : 0;
}

void
mix_law(const struct mix *mix, struct mix_law *ret_law)
{
	ret_law->n = 0;
	for (size_t i = 0; i < MIX_BUCKETS; i++) {
		struct mix_point *p = &ret_law->points[ret_law->n];
		double share = mix->counts[i] / mix->weight;

		/* Of what has faded away only rounding would be left. */
		if (!(mix->weight > 0) || !(share > 1e-9))
			continue;
		p->share = share;
		p->mean = mix->bytes[i] / mix->counts[i];
		p->low = i > 0 ? bound(i - 1) : 0;
		p->high = i < MIX_BUCKETS - 1 ? bound(i) : p->mean;
		if (p->high < p->low)
			p->high = p->low;
		ret_law->n++;
	}
}
