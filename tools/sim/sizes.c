#include "tools/sim/sizes.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sim/sizes_priv.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(struct sizes *, sizes_free);

static const struct sizes_law *const laws[] = {
    &sizes_law_exponential,
    &sizes_law_gaussmix,
    &sizes_law_lognormal,
    &sizes_law_pareto,
    &sizes_law_hist,
    &sizes_law_list,
};

static struct sizes *
sizes_new(const struct sizes_law *law, const char *spec)
{
	struct sizes *sizes = xcalloc(1, sizeof(*sizes));

	sizes->law = law;
	sizes->spec = xstrdup(spec);
	return sizes;
}

struct sizes *
sizes_free(struct sizes *sizes)
{
	if (!sizes)
		return NULL;
	if (sizes->law->done)
		sizes->law->done(sizes);
	free(sizes->spec);
	free(sizes);
	return NULL;
}

int
sizes_parse(
    const char *spec, struct sizes **ret_sizes, char *err, size_t err_size)
{
	struct sizes_err complaint = {.text = err, .size = err_size};
	const size_t len = strcspn(spec, ":");

	for (size_t i = 0; i < ARRAY_SIZE(laws) && spec[len] == ':'; i++) {
		CLEANUP(sizes_freep) struct sizes *sizes = NULL;
		int r;

		if (strlen(laws[i]->name) != len ||
		    strncmp(laws[i]->name, spec, len) != 0)
			continue;
		sizes = sizes_new(laws[i], spec);
		complaint.where = laws[i]->form;
		r = laws[i]->parse(sizes, spec + len + 1, complaint);
		if (r == 0)
			*ret_sizes = TAKE_PTR(sizes);
		return r;
	}
	return sizes_complain(complaint,
	    "\"%.40s\" is no law of sizes; write exp:MEAN, "
	    "gaussmix:W,MU,SD[,W,MU,SD...], lognormal:MU,SIGMA, "
	    "pareto:ALPHA,XMIN[,XMAX], hist:FILE or list:FILE",
	    spec);
}

struct sizes *
sizes_of_list(const double *bytes, size_t n)
{
	struct sizes *sizes = sizes_new(&sizes_law_list, "list");
	double *copy = xcalloc(n, sizeof(*copy));

	assert(n > 0);
	(void)memcpy(copy, bytes, n * sizeof(*copy));
	sizes_list_init(&sizes->list, copy, n);
	return sizes;
}

const char *
sizes_spec(const struct sizes *sizes)
{
	return sizes->spec;
}

/* A difference of two that are equal may be a rounding below 0. */
static double
at_least_0(double x)
{
	return x < 0 ? 0 : x;
}

struct moments
sizes_moments(const struct sizes *sizes, double low, double high)
{
	struct moments m;

	if (!(low < high) || high < 0)
		return (struct moments){0, 0, 0};
	m = sizes->law->moments(sizes, low > 0 ? low : -INFINITY, high);
	return (struct moments){
	    at_least_0(m.m0), at_least_0(m.m1), at_least_0(m.m2)};
}

double
sizes_cdf(const struct sizes *sizes, double bytes)
{
	return fmin(sizes_moments(sizes, -INFINITY, bytes).m0, 1);
}

double
sizes_density(const struct sizes *sizes, double bytes)
{
	return bytes >= 0 ? sizes->law->density(sizes, bytes) : 0;
}

/* The least double with at least p up to it. */
static double
bisect(const struct sizes *sizes, double p)
{
	double low = sizes->law->least(sizes), high = fmax(low, 1);

	if (sizes_cdf(sizes, low) >= p)
		return low;
	while (sizes_cdf(sizes, high) < p && high < 0x1p1000)
		high *= 2;
	for (;;) {
		const double middle = low + (high - low) / 2;

		if (middle <= low || middle >= high)
			return high;
		if (sizes_cdf(sizes, middle) < p)
			low = middle;
		else
			high = middle;
	}
}

double
sizes_quantile(const struct sizes *sizes, double p)
{
	if (!(p > 0))
		return sizes->law->least(sizes);
	if (p >= 1)
		return sizes->law->largest(sizes);
	return sizes->law->quantile ? sizes->law->quantile(sizes, p)
				    : bisect(sizes, p);
}

/* A Gaussian may be below 0, a Pareto beyond 64 bits. */
static double
within_64_bits(double octets)
{
	const double most = 0x1p62;

	octets = octets < most ? octets : most;
	return octets > 0 ? octets : 0;
}

static uint64_t
whole_octets(double octets)
{
	const int64_t whole = (int64_t)(octets + 0.5);

	return whole < 1 ? 1 : (uint64_t)whole;
}

void
sizes_draw(const struct sizes *sizes, struct rng *rng, double *ret_octets,
    uint64_t *ret_bytes, size_t n)
{
	while (n > 0) {
		const size_t now = n < SIZES_BATCH ? n : SIZES_BATCH;

		sizes->law->draw(sizes, rng, ret_octets, now);
		for (size_t i = 0; i < now; i++) {
			ret_octets[i] = within_64_bits(ret_octets[i]);
			ret_bytes[i] = whole_octets(ret_octets[i]);
		}
		ret_octets += now;
		ret_bytes += now;
		n -= now;
	}
}
