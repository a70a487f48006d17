#include "tools/sim/model.h"

#include "tools/sim/model_priv.h"
#include "tools/sim/sizes.h"

#include <math.h>

/* Nothing times a moment that is INFINITY is nothing, not NaN. */
static double
times(double factor, double moment)
{
	return factor > 0 ? factor * moment : 0;
}

struct moments
model_service_between(const struct model *model, double low, double high)
{
	const struct moments x = sizes_moments(model->sizes, low, high);
	const double a = model->fixed_s, b = model->per_octet_s;
	const double hit = model->hit_share, miss = 1 - hit;
	/* Of what a detonation adds: even in 0 .. tail_s, or nothing. */
	const double t1 = model->tail_share * model->tail_s / 2;
	const double t2 = model->tail_share * model->tail_s * model->tail_s / 3;
	/* Of a + b x, then with the detonation, which is independent. */
	const double y1 = a * x.m0 + times(b, x.m1);
	const double y2 =
	    a * a * x.m0 + times(2 * a * b, x.m1) + times(b * b, x.m2);
	const double s1 = y1 + t1 * x.m0;
	const double s2 = y2 + times(2 * t1, y1) + t2 * x.m0;

	return (struct moments){
	    .m0 = x.m0,
	    .m1 = times(miss, s1) + hit * a * x.m0,
	    .m2 = times(miss, s2) + hit * a * a * x.m0,
	};
}

struct service_moments
model_service(const struct model *model)
{
	const struct moments s =
	    model_service_between(model, -INFINITY, INFINITY);

	return (struct service_moments){.mean_s = s.m1, .square_s2 = s.m2};
}

/* Seconds of service, at speed 1, that all servers do in a second. */
static double
capacity(const struct model *model)
{
	double speed = 0;

	for (size_t i = 0; i < model->limits.lanes; i++)
		speed += model->speed[i];
	return speed * (double)model->slots;
}

double
model_rate_bound(const struct model *model)
{
	const double mean_s = model_service(model).mean_s;

	return mean_s > 0 ? capacity(model) / mean_s : INFINITY;
}

double
model_utilisation(const struct model *model)
{
	const double load = times(model->rate, model_service(model).mean_s);

	return load > 0 ? load / capacity(model) : 0;
}
