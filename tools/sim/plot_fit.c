#include "tools/sim/plot_fit.h"

#include "tools/sim/sizes.h"

#include <math.h>

/* Beyond it the rest of a distribution no longer counts. */
#define REST  1e-7
#define STEPS 20000
/* Of the mean, in octets. */
#define ACCURACY 1e-3

/* Square of the difference, by the midpoint rule. */
static double
distance(const struct sizes *sizes, double high, double mean)
{
	double step = high / STEPS, sum = 0;

	for (int i = 0; i < STEPS; i++) {
		double x = (i + 0.5) * step;
		double d = sizes_cdf(sizes, x) + expm1(-x / mean);

		sum += d * d;
	}
	return sum * step;
}

double
plot_exponential_fit(const struct sizes *sizes)
{
	const double golden = (sqrt(5) - 1) / 2;
	double high = sizes_quantile(sizes, 1 - REST);
	double a = high / STEPS, b = high;
	double c = b - golden * (b - a), d = a + golden * (b - a);
	double at_c = distance(sizes, high, c), at_d = distance(sizes, high, d);

	while (b - a > ACCURACY) {
		if (at_c < at_d) {
			b = d;
			d = c;
			at_d = at_c;
			c = b - golden * (b - a);
			at_c = distance(sizes, high, c);
		} else {
			a = c;
			c = d;
			at_c = at_d;
			d = a + golden * (b - a);
			at_d = distance(sizes, high, d);
		}
	}
	return (a + b) / 2;
}
