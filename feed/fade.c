#include "feed/fade.h"

#include <assert.h>
#include <math.h>

void
fade_mean_add(struct fade_mean *mean, double value)
{
	static const double keep = 1 - M_LN2 / FADE_HALF_LIFE;

	mean->weight = mean->weight * keep + 1;
	mean->sum = mean->sum * keep + value;
}

double
fade_mean_get(const struct fade_mean *mean)
{
	return mean->weight > 0 ? mean->sum / mean->weight : 0;
}

void
fade_rate_init(struct fade_rate *rate, double half_life_usec, struct mono now)
{
	assert(half_life_usec > 0);
	*rate = (struct fade_rate){.half_life_usec = half_life_usec, .at = now};
}

static void
pass(struct fade_rate *rate, struct mono now)
{
	double usec = (double)mono_span(rate->at, now);
	double keep = exp2(-usec / rate->half_life_usec);

	rate->count *= keep;
	rate->span_usec =
	    rate->span_usec * keep + (1 - keep) * rate->half_life_usec / M_LN2;
	rate->at = now;
}

void
fade_rate_add(struct fade_rate *rate, struct mono now)
{
	pass(rate, now);
	rate->count += 1;
}

double
fade_rate_get(struct fade_rate *rate, struct mono now)
{
	pass(rate, now);
	return rate->span_usec > 0 ? rate->count / rate->span_usec : 0;
}
