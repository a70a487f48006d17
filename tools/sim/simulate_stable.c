#include "tools/sim/simulate_stable.h"

#include "tools/sim/model_priv.h"

#include <math.h>

#define LEAST_BATCHES 8

/* Do lanes' own limits bind no policy but these? */
static bool
has_lane_limits(enum feed_policy policy)
{
	return policy == FEED_SIZE_LOAD || policy == FEED_STEAL;
}

bool
is_overloaded(const struct model *model, const double *work)
{
	double capacity = 0, asked = 0;

	for (size_t i = model->limits.lanes; i-- > 0;) {
		const double lane = model->speed[i] * (double)model->slots;

		if (model->policy == FEED_SIZE && !(work[i] < lane))
			return true;
		capacity += lane;
		asked += work[i];
		if (has_lane_limits(model->policy) && asked > 0 &&
		    !(asked < capacity))
			return true;
	}
	return !(asked < capacity);
}

bool
model_is_overloaded(const struct model *model)
{
	const struct feed_limits *limits = &model->limits;
	double work[FEED_MAX_LANES] = {0}, low = -INFINITY;

	for (size_t i = 0; i < limits->lanes && low < INFINITY; i++) {
		const bool last = i + 1 == limits->lanes ||
				  limits->max_bytes[i] == UINT64_MAX;
		const double high =
		    last ? INFINITY : (double)limits->max_bytes[i];

		work[i] =
		    model->rate * model_service_between(model, low, high).m1;
		low = high;
	}
	return is_overloaded(model, work);
}

/* All runs have as many, for they are stepped alike; but for the last step,
 * if that was ended early. */
static size_t
batches_of(const struct run *runs, size_t n)
{
	size_t batches = runs[0].series.n;

	for (size_t i = 1; i < n; i++)
		if (runs[i].series.n < batches)
			batches = runs[i].series.n;
	return batches;
}

struct trend
trend_of(const struct run *runs, size_t n)
{
	const size_t batches = batches_of(runs, n);
	struct trend trend = {1, INFINITY, 0};
	double early = 0, late = 0, squares = 0;

	if (batches < LEAST_BATCHES)
		return trend;
	for (size_t i = 0; i < n; i++) {
		const struct series *s = &runs[i].series;
		const size_t q = batches / 4;
		const double a = series_backlog(s, q, 2 * q);
		const double b = series_backlog(s, batches - q, batches);

		early += a / (double)n;
		late += b / (double)n;
		squares += (b - a) * (b - a);
	}
	if (!(early > 0) && !(late > 0))
		return (struct trend){1, 0, 0};
	if (!(early > 0) || !(late > 0))
		return trend;
	squares -= (double)n * (late - early) * (late - early);
	trend.ratio = late / early;
	trend.error = sqrt(fmax(squares, 0)) / (double)n / early;
	trend.clearness = (trend.ratio - 1) / trend.error;
	return trend;
}

double
correlation_of(const struct run *runs, size_t n)
{
	const size_t batches = batches_of(runs, n);
	double mean = 0, own = 0, next = 0;

	if (batches < LEAST_BATCHES)
		return 1;
	for (size_t i = 0; i < n; i++)
		mean += series_mean(&runs[i].series, 0, batches) / (double)n;
	for (size_t i = 0; i < n; i++) {
		double before = 0;

		for (size_t k = 0; k < batches; k++) {
			const double x =
			    series_mean(&runs[i].series, k, k + 1) - mean;

			own += x * x;
			next += k > 0 ? x * before : 0;
			before = x;
		}
	}
	/* One pair less in each run than there are batches. */
	return own > 0 ? next / own * (double)batches / (double)(batches - 1)
		       : 0;
}
