/*
 * tools/sim/sizes_list.c - sizes that were measured, each as likely.
 */
#include "tools/sim/sizes_priv.h"

#include "common/io.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* Sums are kept for every so many of the sorted sizes. */
#define BLOCK 64
/* The density's histogram has about sqrt(n) bins of equal counts. */
#define MAX_BINS 200

static const struct sizes_field field = {"size", 0, SIZES_MAX_BYTES, false,
    "one size in octets on each line, 0 or more"};

static int
by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of the sizes from the start'th on, to before the end'th. */
static struct moments
sum_of(const struct sizes_list *list, size_t start, size_t end)
{
	struct moments sum = {0, 0, 0};

	for (size_t i = start; i < end; i++) {
		sum.m1 += list->sorted[i];
		sum.m2 += list->sorted[i] * list->sorted[i];
	}
	sum.m0 = (double)(end - start);
	return sum;
}

static void
sum_blocks(struct sizes_list *list)
{
	const size_t blocks = list->n / BLOCK;

	list->below = xcalloc(blocks + 1, sizeof(*list->below));
	for (size_t i = 0; i < blocks; i++) {
		const struct moments sum =
		    sum_of(list, i * BLOCK, (i + 1) * BLOCK);

		list->below[i + 1].m1 = list->below[i].m1 + sum.m1;
		list->below[i + 1].m2 = list->below[i].m2 + sum.m2;
	}
}

/*
 * Bins from one order statistic to another; one whose sizes are all equal
 * would have no width and grows until it has.
 */
static void
smooth(struct sizes_list *list)
{
	const size_t want = (size_t)fmin(ceil(sqrt((double)list->n)), MAX_BINS);
	struct sizes_bin *bins = xcalloc(want + 1, sizeof(*bins));
	double low = list->sorted[0];
	size_t n = 0, counted = 0;

	for (size_t i = 1; i <= want; i++) {
		const size_t end = list->n * i / want;
		const double high = list->sorted[end - 1];

		if (!(high > low))
			continue;
		bins[n++] =
		    (struct sizes_bin){low, high, (double)(end - counted)};
		low = high;
		counted = end;
	}
	if (n == 0)
		bins[n++] =
		    (struct sizes_bin){fmax(low - 0.5, 0), low + 0.5, 1};
	else
		bins[n - 1].share += (double)(list->n - counted);
	sizes_bins_init(&list->bins, bins, n);
}

void
sizes_list_init(struct sizes_list *list, double *bytes, size_t n)
{
	assert(n > 0);
	for (size_t i = 0; i < n; i++)
		assert(bytes[i] >= 0 && bytes[i] <= SIZES_MAX_BYTES);
	qsort(bytes, n, sizeof(*bytes), by_size);
	list->n = n;
	list->sorted = bytes;
	sum_blocks(list);
	smooth(list);
}

static int
list_parse(struct sizes *sizes, const char *args, struct sizes_err err)
{
	double *bytes;
	size_t n;
	const int r = sizes_rows_read(
	    args, "one size in octets each", &field, 1, NULL, &bytes, &n, err);

	if (r == 0)
		sizes_list_init(&sizes->list, bytes, n);
	return r;
}

static void
list_done(struct sizes *sizes)
{
	sizes_bins_done(&sizes->list.bins);
	free(sizes->list.below);
	free(sizes->list.sorted);
}

/* How many are at most bytes. */
static size_t
count_up_to(const struct sizes_list *list, double bytes)
{
	size_t low = 0, high = list->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (list->sorted[middle] <= bytes)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Of the first count. */
static struct moments
sum_up_to(const struct sizes_list *list, size_t count)
{
	const struct moments whole = list->below[count / BLOCK];
	const struct moments rest = sum_of(list, count / BLOCK * BLOCK, count);

	return (struct moments){
	    (double)count, whole.m1 + rest.m1, whole.m2 + rest.m2};
}

static struct moments
list_moments(const struct sizes *sizes, double low, double high)
{
	const struct sizes_list *list = &sizes->list;
	const struct moments a = sum_up_to(list, count_up_to(list, low));
	const struct moments b = sum_up_to(list, count_up_to(list, high));
	const double n = (double)list->n;

	return (struct moments){
	    (b.m0 - a.m0) / n,
	    (b.m1 - a.m1) / n,
	    (b.m2 - a.m2) / n,
	};
}

static double
list_density(const struct sizes *sizes, double bytes)
{
	return sizes_bins_density(&sizes->list.bins, bytes);
}

static double
list_quantile(const struct sizes *sizes, double p)
{
	const struct sizes_list *list = &sizes->list;
	const double n = (double)list->n;
	size_t count = (size_t)(p * n);

	/* The product is rounded: one more or less, as the division says. */
	while (count > 1 && (double)(count - 1) / n >= p)
		count--;
	while (count < list->n && (double)count / n < p)
		count++;
	return list->sorted[count > 0 ? count - 1 : 0];
}

static void
list_draw(const struct sizes *sizes, struct rng *rng, double *ret, size_t n)
{
	const struct sizes_list *list = &sizes->list;
	struct rng here = *rng;

	for (size_t i = 0; i < n; i++) {
		const unsigned __int128 product =
		    (unsigned __int128)rng_next(&here) * list->n;

		ret[i] = list->sorted[(uint64_t)(product >> 64)];
	}
	*rng = here;
}

static double
list_least(const struct sizes *sizes)
{
	return sizes->list.sorted[0];
}

static double
list_largest(const struct sizes *sizes)
{
	return sizes->list.sorted[sizes->list.n - 1];
}

const struct sizes_law sizes_law_list = {
    .name = "list",
    .form = "list:FILE",
    .parse = list_parse,
    .done = list_done,
    .moments = list_moments,
    .density = list_density,
    .quantile = list_quantile,
    .draw = list_draw,
    .least = list_least,
    .largest = list_largest,
};
