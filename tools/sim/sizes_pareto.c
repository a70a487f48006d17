/*
 * tools/sim/sizes_pareto.c - the laws that are made of exponential numbers:
 * the exponential itself, and Pareto's, whose logarithm is exponential.
 */
#include "tools/sim/draw.h"
#include "tools/sim/sizes_priv.h"

#include <math.h>

static const struct sizes_field exponential_field = {
    "MEAN", 0, SIZES_MAX_BYTES, true, "a mean size in octets, above 0"};

static const struct sizes_field pareto_fields[] = {
    {"ALPHA", 0, 100, true, "the exponent of the tail, above 0, at most 100"},
    {"XMIN", 1, SIZES_MAX_BYTES, false, "the least size in octets, 1 or more"},
    {"XMAX", 1, SIZES_MAX_BYTES, true, "the largest size in octets"},
};

/* ------------------------------------------------------------- exponential */

static int
exponential_parse(struct sizes *sizes, const char *args, struct sizes_err err)
{
	const int n =
	    sizes_numbers(args, &exponential_field, 1, &sizes->mean, 1, err);

	return n < 0 ? n : 0;
}

/* The integral of y^k e^-y from 0 to t, for k of 0, 1 and 2.  Below 1 by its
 * series (DLMF 8.7.1), where the closed form would be a small difference. */
static double
gamma_up_to(int k, double t)
{
	double term, sum = 0;

	if (isinf(t))
		return k == 2 ? 2 : 1;
	if (t >= 1) {
		const double e = exp(-t);

		return k == 0   ? 1 - e
		       : k == 1 ? 1 - e * (1 + t)
				: 2 - e * (2 + t * (2 + t));
	}
	term = pow(t, k + 1) * exp(-t) / (k + 1);
	for (int i = 2; term > sum * 1e-17; i++) {
		sum += term;
		term *= t / (k + i);
	}
	return sum;
}

/* From low on it looks like the whole, but for its height. */
static struct moments
exponential_moments(const struct sizes *sizes, double low, double high)
{
	const double mean = sizes->mean, a = fmax(low, 0) / mean;
	const double t = high / mean - a, e = exp(-a);
	const double j0 = gamma_up_to(0, t), j1 = gamma_up_to(1, t);
	const double j2 = gamma_up_to(2, t);

	if (e <= 0) /* too far out for a to be a number, perhaps */
		return (struct moments){0, 0, 0};
	return (struct moments){
	    e * j0,
	    e * mean * (a * j0 + j1),
	    e * mean * mean * (a * a * j0 + 2 * a * j1 + j2),
	};
}

static double
exponential_density(const struct sizes *sizes, double bytes)
{
	return exp(-bytes / sizes->mean) / sizes->mean;
}

static double
exponential_quantile(const struct sizes *sizes, double p)
{
	return -sizes->mean * log1p(-p);
}

static void
exponential_draw(
    const struct sizes *sizes, struct rng *rng, double *ret, size_t n)
{
	const double mean = sizes->mean;

	draw_exponential(rng, ret, n);
	for (size_t i = 0; i < n; i++)
		ret[i] *= mean;
}

static double
exponential_least(const struct sizes *sizes)
{
	(void)sizes;
	return 0;
}

static double
exponential_largest(const struct sizes *sizes)
{
	(void)sizes;
	return INFINITY;
}

const struct sizes_law sizes_law_exponential = {
    .name = "exp",
    .form = "exp:MEAN",
    .parse = exponential_parse,
    .moments = exponential_moments,
    .density = exponential_density,
    .quantile = exponential_quantile,
    .draw = exponential_draw,
    .least = exponential_least,
    .largest = exponential_largest,
};

/* ------------------------------------------------------------------ Pareto */

static int
pareto_parse(struct sizes *sizes, const char *args, struct sizes_err err)
{
	double values[3] = {0};
	const int n = sizes_numbers(args, pareto_fields, 3, values, 3, err);

	if (n < 0)
		return n;
	if (n < 2)
		return sizes_complain(
		    err, "XMIN is missing; write %s", pareto_fields[1].want);
	if (n == 3 && values[2] <= values[1])
		return sizes_complain(err,
		    "XMAX is %.9g; write a size above XMIN, "
		    "which is %.9g, or leave it out",
		    values[2], values[1]);
	sizes->pareto.alpha = values[0];
	sizes->pareto.xmin = values[1];
	sizes->pareto.xmax = n == 3 ? values[2] : INFINITY;
	return 0;
}

/* Of x^-ALPHA from XMIN to XMAX: what the cut leaves of 1. */
static double
pareto_norm(const struct sizes *sizes)
{
	return -expm1(-sizes->pareto.alpha *
		      log(sizes->pareto.xmax / sizes->pareto.xmin));
}

/* The integral of x^(power - 1) over (low, high); close to power 0 too. */
static double
power_integral(double low, double high, double power)
{
	const double ratio = log(high / low);

	if (isinf(high))
		return power < 0 ? -pow(low, power) / power : INFINITY;
	if (power == 0)
		return ratio;
	return pow(low, power) * expm1(power * ratio) / power;
}

static struct moments
pareto_moments(const struct sizes *sizes, double low, double high)
{
	const double alpha = sizes->pareto.alpha, xmin = sizes->pareto.xmin;
	const double a = fmax(low, xmin) / xmin;
	const double b = fmin(high, sizes->pareto.xmax) / xmin;
	const double scale = alpha / pareto_norm(sizes);

	if (!(a < b))
		return (struct moments){0, 0, 0};
	/* In units of XMIN, which keeps the powers small. */
	return (struct moments){
	    scale * power_integral(a, b, -alpha),
	    scale * power_integral(a, b, 1 - alpha) * xmin,
	    scale * power_integral(a, b, 2 - alpha) * xmin * xmin,
	};
}

static double
pareto_density(const struct sizes *sizes, double bytes)
{
	const double alpha = sizes->pareto.alpha, xmin = sizes->pareto.xmin;

	if (bytes < xmin || bytes > sizes->pareto.xmax)
		return 0;
	return alpha / pareto_norm(sizes) * pow(bytes / xmin, -alpha) / bytes;
}

static double
pareto_quantile(const struct sizes *sizes, double p)
{
	const double log_x =
	    -log1p(-p * pareto_norm(sizes)) / sizes->pareto.alpha;

	return fmin(sizes->pareto.xmin * exp(log_x), sizes->pareto.xmax);
}

static void
pareto_draw(const struct sizes *sizes, struct rng *rng, double *ret, size_t n)
{
	const double alpha = sizes->pareto.alpha, xmin = sizes->pareto.xmin;
	/* XMAX as an exponential number; it has no memory, so what is left
	 * of one beyond it is distributed as those below it. */
	const double cut = alpha * log(sizes->pareto.xmax / xmin);

	draw_exponential(rng, ret, n);
	for (size_t i = 0; i < n; i++) {
		if (ret[i] > cut)
			ret[i] = fmod(ret[i], cut);
		ret[i] = xmin * exp(ret[i] / alpha);
	}
}

static double
pareto_least(const struct sizes *sizes)
{
	return sizes->pareto.xmin;
}

static double
pareto_largest(const struct sizes *sizes)
{
	return sizes->pareto.xmax;
}

const struct sizes_law sizes_law_pareto = {
    .name = "pareto",
    .form = "pareto:ALPHA,XMIN[,XMAX]",
    .parse = pareto_parse,
    .moments = pareto_moments,
    .density = pareto_density,
    .quantile = pareto_quantile,
    .draw = pareto_draw,
    .least = pareto_least,
    .largest = pareto_largest,
};
