/*
 * tools/sim/sizes_bins.c - sizes counted in bins, even within each; they may
 * leave gaps.
 */
#include "tools/sim/sizes_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <math.h>
#include <stdlib.h>

#define FORM "LOW HIGH COUNT, in octets and messages"

static const struct sizes_field fields[] = {
    {"LOW", 0, SIZES_MAX_BYTES, false, FORM ", with LOW 0 or more"},
    {"HIGH", 0, SIZES_MAX_BYTES, true, FORM ", with HIGH above LOW"},
    {"COUNT", 0, SIZES_MAX_BYTES, false, FORM ", with COUNT 0 or more"},
};

/* Of the part of a bin that is in (low, high]. */
static struct moments
bin_moments(const struct sizes_bin *bin, double low, double high)
{
	const double a = fmax(low, bin->low), b = fmin(high, bin->high);
	const double density = bin->share / (bin->high - bin->low);

	if (!(a < b))
		return (struct moments){0, 0, 0};
	return (struct moments){
	    density * (b - a),
	    density * (b - a) * (a + b) / 2,
	    density * (b - a) * (a * a + a * b + b * b) / 3,
	};
}

static struct moments
add(struct moments a, struct moments b)
{
	return (struct moments){a.m0 + b.m0, a.m1 + b.m1, a.m2 + b.m2};
}

void
sizes_bins_init(struct sizes_bins *bins, struct sizes_bin *bin, size_t n)
{
	CLEANUP(free_ptr) double *shares = xcalloc(n, sizeof(*shares));
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += bin[i].share;
	bins->n = n;
	bins->bins = bin;
	bins->below = xcalloc(n + 1, sizeof(*bins->below));
	for (size_t i = 0; i < n; i++) {
		shares[i] = bin[i].share /= sum;
		bins->below[i + 1] =
		    add(bins->below[i], bin_moments(&bin[i], 0, INFINITY));
	}
	sizes_alias_init(&bins->alias, shares, n);
}

void
sizes_bins_done(struct sizes_bins *bins)
{
	sizes_alias_done(&bins->alias);
	free(bins->below);
	free(bins->bins);
}

/* The first bin that ends at bytes or above it; n: none. */
static size_t
bin_of(const struct sizes_bins *bins, double bytes)
{
	size_t low = 0, high = bins->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (bins->bins[middle].high < bytes)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

double
sizes_bins_density(const struct sizes_bins *bins, double bytes)
{
	const size_t i = bin_of(bins, bytes);

	if (i == bins->n || bytes < bins->bins[i].low)
		return 0;
	return bins->bins[i].share / (bins->bins[i].high - bins->bins[i].low);
}

/* ------------------------------------------------------------- hist:FILE */

static int
row_check(const double *row, const double *before, struct sizes_err err)
{
	if (row[1] <= row[0])
		return sizes_complain(err,
		    "HIGH is %.9g, LOW is %.9g; write HIGH above LOW", row[1],
		    row[0]);
	if (before && row[0] < before[1])
		return sizes_complain(err,
		    "LOW is %.9g, but the bin before ends at %.9g; write bins "
		    "that ascend and do not overlap",
		    row[0], before[1]);
	return 0;
}

static int
hist_parse(struct sizes *sizes, const char *args, struct sizes_err err)
{
	CLEANUP(free_ptr) double *rows = NULL;
	struct sizes_bin *bin;
	double sum = 0;
	size_t n;
	int r;

	r = sizes_rows_read(
	    args, "LOW HIGH COUNT", fields, 3, row_check, &rows, &n, err);
	if (r < 0)
		return r;
	err.where = args;
	for (size_t i = 0; i < n; i++)
		sum += rows[3 * i + 2];
	if (!(sum > 0))
		return sizes_complain(
		    err, "every COUNT is 0; write at least one above 0");
	bin = xcalloc(n, sizeof(*bin));
	for (size_t i = 0; i < n; i++)
		bin[i] = (struct sizes_bin){
		    rows[3 * i], rows[3 * i + 1], rows[3 * i + 2]};
	sizes_bins_init(&sizes->bins, bin, n);
	return 0;
}

static void
hist_done(struct sizes *sizes)
{
	sizes_bins_done(&sizes->bins);
}

/* From 0 to bytes. */
static struct moments
hist_up_to(const struct sizes_bins *bins, double bytes)
{
	const size_t i = bin_of(bins, bytes);

	if (i == bins->n)
		return bins->below[i];
	return add(bins->below[i], bin_moments(&bins->bins[i], 0, bytes));
}

static struct moments
hist_moments(const struct sizes *sizes, double low, double high)
{
	const struct moments a = hist_up_to(&sizes->bins, low);
	const struct moments b = hist_up_to(&sizes->bins, high);

	return (struct moments){b.m0 - a.m0, b.m1 - a.m1, b.m2 - a.m2};
}

static double
hist_density(const struct sizes *sizes, double bytes)
{
	return sizes_bins_density(&sizes->bins, bytes);
}

static void
hist_draw(const struct sizes *sizes, struct rng *rng, double *ret, size_t n)
{
	const struct sizes_bins *bins = &sizes->bins;
	struct rng here = *rng;

	for (size_t i = 0; i < n; i++) {
		const struct sizes_bin *bin = &bins->bins[sizes_alias_pick(
		    &bins->alias, rng_next(&here))];

		ret[i] = bin->low + rng_unit(&here) * (bin->high - bin->low);
	}
	*rng = here;
}

/* Where the first bin with a message in it begins. */
static double
hist_least(const struct sizes *sizes)
{
	const struct sizes_bin *bin = sizes->bins.bins;

	while (bin->share <= 0)
		bin++;
	return bin->low;
}

static double
hist_largest(const struct sizes *sizes)
{
	const struct sizes_bin *bin = &sizes->bins.bins[sizes->bins.n - 1];

	while (bin->share <= 0)
		bin--;
	return bin->high;
}

const struct sizes_law sizes_law_hist = {
    .name = "hist",
    .form = "hist:FILE",
    .parse = hist_parse,
    .done = hist_done,
    .moments = hist_moments,
    .density = hist_density,
    .draw = hist_draw,
    .least = hist_least,
    .largest = hist_largest,
};
