/*
 * tools/sim/sizes.h - how large messages are: a law of sizes in octets.
 *
 * What a Gaussian has below 0 octets counts as 0.  An integral from 0 on takes
 * in what is at 0.
 *
 * SPEC is one of
 *   exp:MEAN                       exponential
 *   gaussmix:W,MU,SD[,W,MU,SD...]  mixture of Gaussians, weights sum to 1
 *   lognormal:MU,SIGMA             of the natural logarithm of the size
 *   pareto:ALPHA,XMIN[,XMAX]       cut off at XMAX where there is one
 *   hist:FILE                      lines "LOW HIGH COUNT", even within a bin
 *   list:FILE                      one size a line, each as likely
 * Numbers are plain decimals, sizes at most 1e15.  In files, empty lines and
 * those that begin with # are left out.
 */
#ifndef SLUICE_TOOLS_SIM_SIZES_H
#define SLUICE_TOOLS_SIM_SIZES_H

#include <stddef.h>
#include <stdint.h>

struct rng;
struct sizes;

/*
 * 0, or -EINVAL: err names the part of spec (or file and line) that is wrong
 * and what to write; -ENOENT and others of open(2), in err too.
 */
int sizes_parse(
    const char *spec, struct sizes **ret_sizes, char *err, size_t err_size);
/* Each of n sizes as likely, n > 0, all from 0 to 1e15; copied. */
struct sizes *sizes_of_list(const double *bytes, size_t n);
struct sizes *sizes_free(struct sizes *sizes);

/* The text it was parsed from; "list" for sizes_of_list(). */
const char *sizes_spec(const struct sizes *sizes);

/* Integrals of f(x), x f(x), x^2 f(x) over (low, high], in octets^k; high may
 * be INFINITY.  m2 of a law without a variance (Pareto, ALPHA <= 2) is
 * INFINITY where the interval is unbounded, as is m1 for ALPHA <= 1. */
struct moments {
	double m0, m1, m2;
};

struct moments sizes_moments(
    const struct sizes *sizes, double low, double high);

/* Distribution, density (0 for hist: between bins, list: smoothed by a
 * histogram), and the least size that a share p of messages doesn't exceed. */
double sizes_cdf(const struct sizes *sizes, double bytes);
double sizes_density(const struct sizes *sizes, double bytes);
double sizes_quantile(const struct sizes *sizes, double p);

/* n draws, as the law has them but from 0 to 2^62, and rounded to whole octets,
 * at least 1.  In batches, since a call for each would cost as much as the rest
 * of the simulation.  The same calls give the same sizes; the same number of
 * draws in other batches may not. */
void sizes_draw(const struct sizes *sizes, struct rng *rng, double *ret_octets,
    uint64_t *ret_bytes, size_t n);

#endif
