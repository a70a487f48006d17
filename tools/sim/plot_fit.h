/*
 * tools/sim/plot_fit.h - an exponential law beside another.
 */
#ifndef SLUICE_TOOLS_SIM_PLOT_FIT_H
#define SLUICE_TOOLS_SIM_PLOT_FIT_H

struct sizes;

/*
 * The mean in octets of the exponential law whose distribution is nearest to
 * that of sizes: the least mean square of the difference over all sizes that
 * matter.  That is what VirScan's paper drew beside its mixture.
 */
double plot_exponential_fit(const struct sizes *sizes);

#endif
