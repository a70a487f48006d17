/*
 * tools/sim/sizes_gauss.c - the laws that are made of normal numbers: a
 * mixture of Gaussians, and the lognormal.
 *
 * What of a Gaussian is below 0 counts as 0: no message is smaller.
 */
#include "tools/sim/draw.h"
#include "tools/sim/sizes_priv.h"

#include <math.h>
#include <string.h>

static const struct sizes_field mixture_fields[] = {
    {"W", 0, 1, true, "the component's share of the messages, 0 .. 1"},
    {"MU", 0, SIZES_MAX_BYTES, true, "its mean size in octets, above 0"},
    {"SD", 0, SIZES_MAX_BYTES, true,
	"its standard deviation in octets, above 0"},
};

static const struct sizes_field lognormal_fields[] = {
    {"MU", 0, 34.5, false,
	"the natural logarithm of the median size, 0 .. 34.5 (7.6 for 2000 "
	"octets)"},
    {"SIGMA", 0, 10, true,
	"the standard deviation of the natural logarithm, above 0, at most 10"},
};

/* ------------------------------------------------------- standard normal */

static double
phi(double x)
{
	return 0.3989422804014327 * exp(-0.5 * x * x);
}

/* P(a < Z <= b), taken from the side where the difference isn't lost. */
static double
between(double a, double b)
{
	if (a > 0)
		return 0.5 * (erfc(a * M_SQRT1_2) - erfc(b * M_SQRT1_2));
	if (b < 0)
		return 0.5 * (erfc(-b * M_SQRT1_2) - erfc(-a * M_SQRT1_2));
	return 0.5 * (erf(b * M_SQRT1_2) - erf(a * M_SQRT1_2));
}

/* x phi(x), 0 at both ends. */
static double
x_phi(double x)
{
	return isinf(x) ? 0 : x * phi(x);
}

/* ---------------------------------------------------- mixture of Gaussians */

/* Six digits each, as 0.333333 three times; and what adding them rounds. */
#define WEIGHTS_WITHIN (1e-6 + 1e-12)

/* Weights that are 1 but for how they were written become so. */
static int
weights_normalise(struct sizes_mixture *m, struct sizes_err err)
{
	double sum = 0;

	for (size_t i = 0; i < m->n; i++)
		sum += m->weights[i];
	if (fabs(sum - 1) > WEIGHTS_WITHIN)
		return sizes_complain(err,
		    "the weights W sum to %.9g; write ones that "
		    "sum to 1",
		    sum);
	for (size_t i = 0; i < m->n; i++)
		m->weights[i] /= sum;
	return 0;
}

static int
mixture_parse(struct sizes *sizes, const char *args, struct sizes_err err)
{
	struct sizes_mixture *m = &sizes->mixture;
	double values[3 * SIZES_MAX_COMPONENTS] = {0};
	int n, r;

	n = sizes_numbers(
	    args, mixture_fields, 3, values, 3 * SIZES_MAX_COMPONENTS, err);
	if (n < 0)
		return n;
	if (n % 3 != 0)
		return sizes_complain(err,
		    "%d values; write three (W, MU, SD) for each component", n);
	m->n = (size_t)n / 3;
	for (size_t i = 0; i < m->n; i++) {
		m->weights[i] = values[3 * i];
		m->components[i] = (struct sizes_component){
		    values[3 * i + 1], values[3 * i + 2]};
	}
	r = weights_normalise(m, err);
	if (r == 0)
		sizes_alias_init(&m->alias, m->weights, m->n);
	return r;
}

static void
mixture_done(struct sizes *sizes)
{
	sizes_alias_done(&sizes->mixture.alias);
}

/* Of one component; low is -INFINITY or above 0. */
static struct moments
component_moments(const struct sizes_component *c, double low, double high)
{
	const double a = (fmax(low, 0) - c->mu) / c->sd;
	const double b = (high - c->mu) / c->sd;
	const double p = between(a, b), d = phi(a) - phi(b);
	const double g = p + x_phi(a) - x_phi(b);

	return (struct moments){
	    .m0 = isinf(low) ? between(-INFINITY, b) : p,
	    .m1 = c->mu * p + c->sd * d,
	    .m2 = c->mu * c->mu * p + 2 * c->mu * c->sd * d + c->sd * c->sd * g,
	};
}

static struct moments
mixture_moments(const struct sizes *sizes, double low, double high)
{
	const struct sizes_mixture *mix = &sizes->mixture;
	struct moments sum = {0, 0, 0};

	for (size_t i = 0; i < mix->n; i++) {
		const struct moments m =
		    component_moments(&mix->components[i], low, high);

		sum.m0 += mix->weights[i] * m.m0;
		sum.m1 += mix->weights[i] * m.m1;
		sum.m2 += mix->weights[i] * m.m2;
	}
	return sum;
}

static double
mixture_density(const struct sizes *sizes, double bytes)
{
	const struct sizes_mixture *m = &sizes->mixture;
	double sum = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct sizes_component *c = &m->components[i];

		sum += m->weights[i] * phi((bytes - c->mu) / c->sd) / c->sd;
	}
	return sum;
}

static void
mixture_draw(const struct sizes *sizes, struct rng *rng, double *ret, size_t n)
{
	const struct sizes_mixture *m = &sizes->mixture;
	struct rng here;

	draw_normal(rng, ret, n);
	here = *rng;
	for (size_t i = 0; i < n; i++) {
		const struct sizes_component *c =
		    &m->components[sizes_alias_pick(
			&m->alias, rng_next(&here))];

		ret[i] = c->mu + c->sd * ret[i];
	}
	*rng = here;
}

static double
from_zero(const struct sizes *sizes)
{
	(void)sizes;
	return 0;
}

static double
without_end(const struct sizes *sizes)
{
	(void)sizes;
	return INFINITY;
}

const struct sizes_law sizes_law_gaussmix = {
    .name = "gaussmix",
    .form = "gaussmix:W,MU,SD[,W,MU,SD...]",
    .parse = mixture_parse,
    .done = mixture_done,
    .moments = mixture_moments,
    .density = mixture_density,
    .draw = mixture_draw,
    .least = from_zero,
    .largest = without_end,
};

/* --------------------------------------------------------------- lognormal */

static int
lognormal_parse(struct sizes *sizes, const char *args, struct sizes_err err)
{
	double values[2] = {0};
	const int n = sizes_numbers(args, lognormal_fields, 2, values, 2, err);

	if (n < 0)
		return n;
	if (n != 2)
		return sizes_complain(err, "SIGMA is missing; write %s",
		    lognormal_fields[1].want);
	sizes->lognormal.mu = values[0];
	sizes->lognormal.sigma = values[1];
	return 0;
}

/* x^k times the density is that of another lognormal, k sigma^2 further. */
static double
lognormal_moment(const struct sizes *sizes, double low, double high, double k)
{
	const double mu = sizes->lognormal.mu, sigma = sizes->lognormal.sigma;
	const double a = low > 0 ? (log(low) - mu) / sigma : -INFINITY;
	const double b = high > 0 ? (log(high) - mu) / sigma : -INFINITY;

	if (!(a < b))
		return 0;
	return exp(k * mu + 0.5 * k * k * sigma * sigma) *
	       between(a - k * sigma, b - k * sigma);
}

static struct moments
lognormal_moments(const struct sizes *sizes, double low, double high)
{
	return (struct moments){
	    lognormal_moment(sizes, low, high, 0),
	    lognormal_moment(sizes, low, high, 1),
	    lognormal_moment(sizes, low, high, 2),
	};
}

static double
lognormal_density(const struct sizes *sizes, double bytes)
{
	const double sigma = sizes->lognormal.sigma;

	if (bytes <= 0)
		return 0;
	return phi((log(bytes) - sizes->lognormal.mu) / sigma) /
	       (sigma * bytes);
}

static void
lognormal_draw(
    const struct sizes *sizes, struct rng *rng, double *ret, size_t n)
{
	draw_normal(rng, ret, n);
	for (size_t i = 0; i < n; i++)
		ret[i] =
		    exp(sizes->lognormal.mu + sizes->lognormal.sigma * ret[i]);
}

const struct sizes_law sizes_law_lognormal = {
    .name = "lognormal",
    .form = "lognormal:MU,SIGMA",
    .parse = lognormal_parse,
    .moments = lognormal_moments,
    .density = lognormal_density,
    .draw = lognormal_draw,
    .least = from_zero,
    .largest = without_end,
};
