#include "tools/sim/simulate_stable.h"

#include "tools/sim/model_priv.h"

#include <math.h>
#include <string.h>

#define LEAST_BATCHES 8
#define GROWN_POINTS  64

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

/* The service of each class. */
static void
class_moments(const struct model *model, struct moments *ret)
{
	const struct feed_limits *limits = &model->limits;
	double low = -INFINITY;

	memset(ret, 0, FEED_MAX_LANES * sizeof(*ret));
	for (size_t i = 0; i < limits->lanes && low < INFINITY; i++) {
		const bool last = i + 1 == limits->lanes ||
				  limits->max_bytes[i] == UINT64_MAX;
		const double high =
		    last ? INFINITY : (double)limits->max_bytes[i];

		ret[i] = model_service_between(model, low, high);
		low = high;
	}
}

bool
model_is_overloaded(const struct model *model)
{
	struct moments classes[FEED_MAX_LANES];
	double work[FEED_MAX_LANES] = {0};

	class_moments(model, classes);
	for (size_t i = 0; i < model->limits.lanes; i++)
		work[i] = model->rate * classes[i].m1;
	return is_overloaded(model, work);
}

/* Of servers that do capacity seconds a second. */
static double
memory_of(const struct model *model, const struct moments *s, double capacity)
{
	const double drift = capacity - model->rate * s->m1;

	return s->m2 > 0 ? model->rate * model->rate * s->m2 / (drift * drift)
			 : 0;
}

double
model_memory(const struct model *model)
{
	struct moments classes[FEED_MAX_LANES], sum = {0};
	double capacity = 0, longest = 0;

	class_moments(model, classes);
	for (size_t i = model->limits.lanes; i-- > 0;) {
		const double lane = model->speed[i] * (double)model->slots;

		capacity += lane;
		sum.m1 += classes[i].m1;
		sum.m2 += classes[i].m2;
		if (model->policy == FEED_SIZE)
			longest =
			    fmax(longest, memory_of(model, &classes[i], lane));
		else if (i == 0 || has_lane_limits(model->policy))
			longest =
			    fmax(longest, memory_of(model, &sum, capacity));
	}
	return longest;
}

/* The same at one time, in units of the memory. */
static double
grown_at(double t)
{
	const double s = sqrt(t), above = erfc(s / sqrt(2)) / 2;
	const double density = exp(-t / 2) / sqrt(2 * M_PI);

	return 1 - 2 * (1 + t) * above + 2 * s * density;
}

double
grown_share(double memory, double from, double to)
{
	double sum = 0;

	if (!(memory > 0))
		return 1;
	for (int i = 0; i < GROWN_POINTS; i++)
		sum += grown_at(
		    (from + (to - from) * (i + 0.5) / GROWN_POINTS) / memory);
	return fmin(sum / GROWN_POINTS, 1);
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
