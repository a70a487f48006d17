#include "worker/mef/moments.h"

#include "common/io.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Of a vector's numbers: three decimals, whose products sum in 64 bits. */
#define SCALE 1024.0

/*
 * The ridge is worth so many documents of the mean energy.  Tried: 52, 130,
 * 260, 520 on printable strings, 29, 145, 1450 on header fields; this serves
 * both.
 */
#define RIDGE_DOCUMENTS 256.0

static const struct block {
	enum mef_family family;
	unsigned int begin, size;
} blocks[] = {
    {MEF_WORDS, 0, MOMENT_WORDS},
    {MEF_STRINGS, MOMENT_WORDS, MOMENT_SHAPES},
    {MEF_IMPORTS, MOMENT_WORDS + MOMENT_SHAPES, MOMENT_IMPORTS},
    {MEF_HEADER, MOMENT_WORDS + MOMENT_SHAPES + MOMENT_IMPORTS, MOMENT_HEADER},
    {MEF_SCRIPT, MOMENT_WORDS + MOMENT_SHAPES + MOMENT_IMPORTS + MOMENT_HEADER,
	MOMENT_SCRIPT},
};

#define CONSTANT (MOMENT_DIMS - 1)

enum mef_family
moment_family(unsigned int place)
{
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (place - blocks[i].begin < blocks[i].size)
			return blocks[i].family;
	return MEF_WORDS;
}

/* Square roots and products are exact by IEEE 754, so on every host. */
static int32_t
whole(double value)
{
	return (int32_t)floor(value * SCALE + 0.5);
}

static void
hash_block(const struct mef_features *f, unsigned int begin, unsigned int size,
    int32_t *x)
{
	const double root = sqrt(f->n);
	int32_t *sums = x + begin;

	for (uint32_t i = 0; i < f->n; i++) {
		/* Bits 8 to 31 for the place, 40 for the sign. */
		const unsigned int place =
		    (unsigned int)((f->at[i] >> 8 & 0xffffff) % size);

		sums[place] += f->at[i] >> 40 & 1 ? 1 : -1;
	}
	for (unsigned int i = 0; i < size; i++)
		sums[i] = sums[i] ? whole(sums[i] / root) : 0;
}

/* The logarithm to base 2 with straight lines between powers. */
static double
rough_log(double value)
{
	int exponent;
	const double part = frexp(value, &exponent);

	return exponent - 2 + 2 * part;
}

static void
shape_block(const struct mef_features *f, unsigned int begin, int32_t *x)
{
	uint32_t counts[SHAPE_ROOM] = {0};

	if (f->n == 0)
		return;
	for (uint32_t i = 0; i < f->n; i++)
		counts[f->at[i] & (SHAPE_ROOM - 1)]++;
	for (unsigned int i = 0; i < SHAPES; i++) {
		x[begin + i] = whole(sqrt((double)counts[i] / f->n));
		x[begin + SHAPES + i] = whole(rough_log(counts[i] + 1.0) / 16);
	}
	x[begin + 2 * SHAPES] = whole(rough_log(f->n + 1.0) / 16);
}

void
moment_vector(const struct mef_bag *bag, int32_t x[MOMENT_DIMS])
{
	memset(x, 0, MOMENT_DIMS * sizeof(*x));
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		const struct mef_features *f = &bag->family[blocks[i].family];

		if (blocks[i].family == MEF_STRINGS)
			shape_block(f, blocks[i].begin, x);
		else if (f->n > 0)
			hash_block(f, blocks[i].begin, blocks[i].size, x);
	}
	x[CONSTANT] = (int32_t)SCALE;
}

static bool
is_zero(const int32_t *x, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (x[i] != 0)
			return false;
	return true;
}

/* The blocks in which a document has anything; the constant's is the last. */
static size_t
find_spans(
    const int32_t x[MOMENT_DIMS], struct block ret[ARRAY_SIZE(blocks) + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (!is_zero(x + blocks[i].begin, blocks[i].size))
			ret[n++] = blocks[i];
	ret[n++] = (struct block){MEF_WORDS, CONSTANT, 1};
	return n;
}

void
moments_count(struct moments moments, const int32_t x[MOMENT_DIMS], int sign)
{
	struct block spans[ARRAY_SIZE(blocks) + 1];
	const size_t n = find_spans(x, spans);
	int64_t *row = moments.sums;

	for (unsigned int i = 0; i < MOMENT_DIMS; row += ++i) {
		const int64_t factor = (int64_t)x[i] * sign;

		if (factor == 0)
			continue;
		for (size_t b = 0; b < n && spans[b].begin <= i; b++) {
			const unsigned int end = spans[b].begin + spans[b].size;

			for (unsigned int k = spans[b].begin; k < end && k <= i;
			     k++)
				row[k] += factor * x[k];
		}
	}
}

/* So that 32 products, and sums of them, are below 2^31. */
#define LOT_MOST 4095

/* Below this many, one after the other is less work. */
#define LOT_FEW 6u

bool
moments_put(struct moments_lot *lot, const int32_t x[MOMENT_DIMS], int sign)
{
	assert(lot->n < MOMENT_LOT && (lot->n == 0 || lot->sign == sign));
	for (unsigned int i = 0; i < MOMENT_DIMS; i++)
		if (x[i] > LOT_MOST || x[i] < -LOT_MOST)
			return false;
	for (unsigned int i = 0; i < MOMENT_DIMS; i++)
		lot->x[i][lot->n] = (int16_t)x[i];
	lot->sign = sign;
	lot->n++;
	return true;
}

/* Of 16-bit numbers: compilers know it as one instruction for eight. */
static int32_t
product(const int16_t a[MOMENT_LOT], const int16_t b[MOMENT_LOT])
{
	int32_t sum = 0;

	for (unsigned int i = 0; i < MOMENT_LOT; i++)
		sum += a[i] * b[i];
	return sum;
}

static void
count_one_by_one(struct moments moments, const struct moments_lot *lot)
{
	CLEANUP(free_ptr) int32_t *x = xcalloc(MOMENT_DIMS, sizeof(*x));

	for (unsigned int k = 0; k < lot->n; k++) {
		for (unsigned int i = 0; i < MOMENT_DIMS; i++)
			x[i] = lot->x[i][k];
		moments_count(moments, x, lot->sign);
	}
}

/* Places where any has something; others stay as they are. */
static unsigned int
find_used(const struct moments_lot *lot, uint16_t ret[MOMENT_DIMS])
{
	static const int16_t nothing[MOMENT_LOT];
	unsigned int n = 0;

	for (unsigned int i = 0; i < MOMENT_DIMS; i++)
		if (memcmp(lot->x[i], nothing, sizeof(nothing)) != 0)
			ret[n++] = (uint16_t)i;
	return n;
}

void
moments_count_lot(struct moments moments, struct moments_lot *lot)
{
	uint16_t used[MOMENT_DIMS];
	unsigned int n;

	if (lot->n < LOT_FEW) {
		count_one_by_one(moments, lot);
	} else {
		n = find_used(lot, used);
		for (unsigned int a = 0; a < n; a++) {
			const unsigned int i = used[a];
			int64_t *row = moments.sums + (size_t)i * (i + 1) / 2;

			for (unsigned int b = 0; b <= a; b++)
				row[used[b]] +=
				    lot->sign *
				    product(lot->x[i], lot->x[used[b]]);
		}
	}
	memset(lot, 0, sizeof(*lot));
}

/* The system of equations: a lower triangle, dense, and its right side. */
struct system {
	unsigned int n;
	unsigned int *places;
	double *rows; /* n by n */
	double *right;
};

static size_t
sum_at(unsigned int i, unsigned int k)
{
	return (size_t)i * (i + 1) / 2 + k;
}

static void
fill(struct system *s, const int64_t *sums, uint64_t documents, double sign)
{
	const double share = 0.5 / ((double)documents * SCALE * SCALE);

	for (unsigned int i = 0; i < s->n; i++) {
		const unsigned int a = s->places[i];

		for (unsigned int k = 0; k <= i; k++)
			s->rows[(size_t)i * s->n + k] +=
			    share * (double)sums[sum_at(a, s->places[k])];
		s->right[i] += sign * share * (double)sums[sum_at(CONSTANT, a)];
	}
}

/*
 * Cholesky's factor in place, column by column so that rows are streamed.  Not
 * LAPACK's: its sums depend on how it was built, and a second is enough.
 */
static void
factor(struct system *s)
{
	const size_t n = s->n;

	for (size_t i = 0; i < n; i++) {
		double *row = s->rows + i * n;

		for (size_t k = 0; k <= i; k++) {
			const double *other = s->rows + k * n;
			double sums[8] = {0}, sum = row[k];
			size_t j = 0;

			for (; j + 8 <= k; j += 8)
				for (size_t m = 0; m < 8; m++)
					sums[m] += row[j + m] * other[j + m];
			for (; j < k; j++)
				sum -= row[j] * other[j];
			for (size_t m = 0; m < 8; m++)
				sum -= sums[m];
			row[k] = k == i ? sqrt(sum) : sum / other[k];
		}
	}
}

static void
substitute(struct system *s)
{
	const size_t n = s->n;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++)
			s->right[i] -= s->rows[i * n + k] * s->right[k];
		s->right[i] /= s->rows[i * n + i];
	}
	for (size_t i = n; i-- > 0;) {
		s->right[i] /= s->rows[i * n + i];
		for (size_t k = 0; k < i; k++)
			s->right[k] -= s->rows[i * n + k] * s->right[i];
	}
}

static void
add_ridge(struct system *s, double documents)
{
	double trace = 0;

	for (size_t i = 0; i < s->n; i++)
		trace += s->rows[i * s->n + i];
	for (size_t i = 0; i < s->n; i++)
		s->rows[i * s->n + i] +=
		    RIDGE_DOCUMENTS / documents * trace / (double)s->n;
}

double *
moments_solve(const struct moments benign, const struct moments malicious,
    const uint64_t n[2])
{
	double *weights = xcalloc(MOMENT_DIMS, sizeof(*weights));
	CLEANUP(free_ptr)
	unsigned int *places = xcalloc(MOMENT_DIMS, sizeof(*places));
	CLEANUP(free_ptr) double *right = xcalloc(MOMENT_DIMS, sizeof(*right));
	CLEANUP(free_ptr) double *rows = NULL;
	struct system s = {.places = places, .right = right};

	if (n[0] == 0 || n[1] == 0)
		return weights;
	for (unsigned int i = 0; i < MOMENT_DIMS; i++)
		if (benign.sums[sum_at(i, i)] + malicious.sums[sum_at(i, i)])
			places[s.n++] = i;
	s.rows = rows = xcalloc((size_t)s.n * s.n, sizeof(*rows));
	fill(&s, benign.sums, n[0], -1);
	fill(&s, malicious.sums, n[1], 1);
	add_ridge(&s, (double)n[0] + (double)n[1]);
	factor(&s);
	substitute(&s);
	for (unsigned int i = 0; i < s.n; i++)
		weights[places[i]] = right[i] / SCALE;
	return weights;
}
