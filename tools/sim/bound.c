/*
 * tools/sim/bound.c - two lower bounds of the mean wait W in queue.
 *
 * c servers (workers times slots), of speeds between v and V and sum T;
 * lambda messages a second; service S at speed 1.  By Little's law the mean
 * number that waits is Q = lambda W.
 *
 * 1. The arrivals bound.  A message stays S / V at least, so at any instant
 *    no fewer are in the system than if each had a server of speed V to
 *    itself.  That number is Poisson's with mean m = lambda E[S] / V
 *    (M/G/infinity), and at most c are in service:
 *
 *        Q >= E[max(0, n - c)],  n ~ Poisson(m).
 *
 * 2. The work bound.  Of messages up to size x alone, let M1 and M2 be lambda
 *    times the integrals of s and s^2.  The work that they have left in the
 *    system is at any instant no less than if nothing else came and one
 *    server of speed T did all of it (M/G/1): M2 / (2 (T - M1)) on average.
 *    What is left of those in service is M2 / (2 v) at most, for one that is
 *    never stopped contributes s^2 / (2 speed).  So of work that waits there
 *    is on average at least
 *
 *        B(x) = max over y <= x of M2(y)/2 (1 / (T - M1(y)) - 1 / v), or 0.
 *
 *    Each that waits holds s of it.  Fewest wait if the work is held by the
 *    largest, as far as B allows: Q >= integral of dB(x) / s(x).
 */
#include "tools/sim/bound.h"

#include "tools/sim/model_priv.h"

#include <math.h>

/* Parts of the sizes' range, even in the logarithm. */
#define PARTS 2000
/* Poisson's terms beyond that many standard deviations are left out. */
#define DEVIATIONS 12

struct servers {
	double count, slowest, fastest, total;
};

static struct servers
servers_of(const struct model *model)
{
	const double slots = (double)model->slots;
	struct servers s = {.slowest = INFINITY};

	for (size_t i = 0; i < model->limits.lanes; i++) {
		s.count += slots;
		s.total += slots * model->speed[i];
		s.slowest = fmin(s.slowest, model->speed[i]);
		s.fastest = fmax(s.fastest, model->speed[i]);
	}
	return s;
}

/* E[max(0, n - count)] of Poisson's n; by logarithms, for exp(-mean) may be
 * too small for a double. */
static double
poisson_above(double mean, double count)
{
	const double last = mean + count + DEVIATIONS * sqrt(mean) + 20;
	double sum = 0;

	for (double n = floor(count) + 1; n <= last; n++)
		sum += (n - count) * exp(n * log(mean) - mean - lgamma(n + 1));
	return sum;
}

static double
arrivals_bound(const struct model *model, const struct servers *servers)
{
	const double mean =
	    model->rate * model_service(model).mean_s / servers->fastest;

	return mean > 0 ? poisson_above(mean, servers->count) / model->rate : 0;
}

/* Service grows with the size only where nothing else decides it. */
static double
work_bound(const struct model *model, const struct servers *servers)
{
	const double low = sizes_quantile(model->sizes, 1e-4);
	const double high = sizes_quantile(model->sizes, 1 - 1e-7);
	const double step = pow(fmax(high / fmax(low, 1), 1), 1.0 / PARTS);
	double m1 = 0, m2 = 0, least = 0, waiting = 0, from = -INFINITY;

	if (model->tail_share > 0 || model->hit_share > 0)
		return 0;
	for (int i = 0; i <= PARTS; i++) {
		const double to =
		    i < PARTS ? fmax(low, 1) * pow(step, i) : high;
		const struct moments part =
		    model_service_between(model, from, to);
		double work;

		m1 += model->rate * part.m1;
		m2 += model->rate * part.m2;
		work =
		    m2 / 2 * (1 / (servers->total - m1) - 1 / servers->slowest);
		if (work > least) {
			waiting += (work - least) /
				   (model->fixed_s + model->per_octet_s * to);
			least = work;
		}
		from = to;
	}
	return waiting / model->rate;
}

double
bound_wait(const struct model *model)
{
	const struct servers servers = servers_of(model);

	if (!(model->rate > 0))
		return 0;
	if (!(model_utilisation(model) < 1))
		return INFINITY;
	return fmax(
	    arrivals_bound(model, &servers), work_bound(model, &servers));
}
