/*
 * tools/sim/draw.c - the ziggurat of Marsaglia and Tsang, "The Ziggurat
 * Method for Generating Random Variables", J. Stat. Software 5(8), 2000.
 *
 * The area under a falling density f is cut into LAYERS pieces of equal area:
 * rectangles that lie on each other, and below them one with the tail.  A
 * layer is chosen evenly, then a place across it.  Left of where the layer
 * above ends the place is under f whatever its height, which settles all but
 * about one in a hundred.  As Doornik showed ("An Improved Ziggurat Method to
 * Generate Normal Random Samples", 2005), layer and place must not share
 * bits: here the layer is the low 8 of 64 bits, the sign the 9th, the place
 * the upper 53.
 */
#include "tools/sim/draw.h"

#include "tools/sim/rng.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LAYERS      256
#define SIGN_BIT    UINT64_C(0x100)
#define PLACE_SHIFT 11

/* Where the tail begins with 256 layers: the one value for which the topmost
 * layer ends at the top of f (Marsaglia and Tsang); build() checks it. */
static const double exponential_tail = 7.69711747013104972;
static const double normal_tail = 3.6541528853610088;

struct layer {
	double scale; /* its width in units of the place: width * 2^-53 */
	double sure;  /* left of it, every height is under f */
};

struct ziggurat {
	struct layer layers[LAYERS];
	double height[LAYERS + 1]; /* f at the lower edge of each layer */
	double tail;
};

static struct ziggurat exponential, normal;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static double
exponential_density(double x)
{
	return exp(-x);
}

static double
exponential_inverse(double y)
{
	return -log(y);
}

/* Without 1 / sqrt(2 pi), as all of the normal ziggurat: its top is 1. */
static double
normal_density(double x)
{
	return exp(-0.5 * x * x);
}

static double
normal_inverse(double y)
{
	return sqrt(-2 * log(y));
}

/* The layers upwards from the tail, each of the same area. */
static void
build(struct ziggurat *z, double tail, double area, double (*density)(double),
    double (*inverse)(double))
{
	double width = area / density(tail), height = density(tail);

	z->tail = tail;
	z->height[0] = 0;
	z->layers[0] = (struct layer){width * 0x1p-53, tail};
	width = tail;
	for (size_t i = 1; i < LAYERS; i++) {
		const double next = height + area / width;

		z->height[i] = height;
		z->layers[i].scale = width * 0x1p-53;
		width = next < 1 ? inverse(next) : 0;
		z->layers[i].sure = width;
		height = next;
	}
	assert(fabs(height - 1) < 1e-10);
	z->layers[LAYERS - 1].sure = 0;
	z->height[LAYERS] = 1;
}

static void
build_both(void)
{
	const double half = sqrt(M_PI_2); /* of the area of normal_density() */

	build(&exponential, exponential_tail,
	    (exponential_tail + 1) * exponential_density(exponential_tail),
	    exponential_density, exponential_inverse);
	build(&normal, normal_tail,
	    normal_tail * normal_density(normal_tail) +
		half * erfc(normal_tail * M_SQRT1_2),
	    normal_density, normal_inverse);
}

/* In (0, 1]: it has a logarithm. */
static double
positive_unit(struct rng *rng)
{
	return 1 - rng_unit(rng);
}

static double
place(const struct layer *layer, uint64_t bits)
{
	return (double)(int64_t)(bits >> PLACE_SHIFT) * layer->scale;
}

/* x, right of the sure part of a layer above the tail: is it under f? */
static bool
is_under(
    const struct ziggurat *z, size_t layer, double density, struct rng *rng)
{
	const double low = z->height[layer], high = z->height[layer + 1];

	return low + rng_unit(rng) * (high - low) < density;
}

/* What the first bits didn't settle; kept out of the loop over the batch. */
static __attribute__((noinline, cold)) double
exponential_unsure(struct rng *rng, uint64_t bits)
{
	double before = 0;

	for (;; bits = rng_next(rng)) {
		const size_t i = bits % LAYERS;
		const double x = place(&exponential.layers[i], bits);

		if (x < exponential.layers[i].sure)
			return before + x;
		/* The tail looks like the whole. */
		if (i == 0)
			before += exponential.tail;
		else if (is_under(&exponential, i, exp(-x), rng))
			return before + x;
	}
}

/* Marsaglia, "Generating a Variable from the Tail of the Normal
 * Distribution", Technometrics 6, 1964. */
static double
normal_beyond(struct rng *rng, double tail)
{
	double x, y;

	do {
		x = -log(positive_unit(rng)) / tail;
		y = -log(positive_unit(rng));
	} while (y + y < x * x);
	return tail + x;
}

/* The size; the sign is the caller's. */
static __attribute__((noinline, cold)) double
normal_unsure(struct rng *rng, uint64_t bits)
{
	for (;; bits = rng_next(rng)) {
		const size_t i = bits % LAYERS;
		const double x = place(&normal.layers[i], bits);

		if (x < normal.layers[i].sure)
			return x;
		if (i == 0)
			return normal_beyond(rng, normal.tail);
		if (is_under(&normal, i, normal_density(x), rng))
			return x;
	}
}

void
draw_exponential(struct rng *rng, double *ret, size_t n)
{
	struct rng here; /* a copy whose address nobody takes: registers */

	(void)pthread_once(&once, build_both);
	here = *rng;
	for (size_t i = 0; i < n; i++) {
		const uint64_t bits = rng_next(&here);
		const struct layer *layer = &exponential.layers[bits % LAYERS];

		ret[i] = place(layer, bits);
		if (__builtin_expect(ret[i] >= layer->sure, 0)) {
			*rng = here;
			ret[i] = exponential_unsure(rng, bits);
			here = *rng;
		}
	}
	*rng = here;
}

/* -x if the bit is set, without a branch that nothing could predict. */
static double
with_sign(double x, uint64_t bits)
{
	uint64_t raw;

	memcpy(&raw, &x, sizeof(raw));
	raw ^= (bits & SIGN_BIT) << 55;
	memcpy(&x, &raw, sizeof(x));
	return x;
}

void
draw_normal(struct rng *rng, double *ret, size_t n)
{
	struct rng here;

	(void)pthread_once(&once, build_both);
	here = *rng;
	for (size_t i = 0; i < n; i++) {
		const uint64_t bits = rng_next(&here);
		const struct layer *layer = &normal.layers[bits % LAYERS];
		double x = place(layer, bits);

		if (__builtin_expect(x >= layer->sure, 0)) {
			*rng = here;
			x = normal_unsure(rng, bits);
			here = *rng;
		}
		ret[i] = with_sign(x, bits);
	}
	*rng = here;
}
