/*
 * tools/sim/cmd_quantile.h - the waits that 50, 95, 99 % of messages don't
 * exceed, under the size policy with one message a worker at a time.
 *
 * Of a queue M/G/1 the wait is a sum of N residual services, N being
 * geometric (Pollaczek-Khinchine's transform, read as a series):
 *
 *   P(W <= x) = (1 - rho) * sum over n of rho^n * Fe^(n)(x)
 *
 * with Fe(y) = E[min(S, y)] / E[S].  On a grid of 2048 to 8192 steps the sum
 * is Panjer's recursion (1981); a quantile is good to about 1 %.
 */
#ifndef SLUICE_TOOLS_SIM_CMD_QUANTILE_H
#define SLUICE_TOOLS_SIM_CMD_QUANTILE_H

#include "tools/sim/closed.h"

/*
 * For each of n probabilities the wait in seconds of all mail that is not
 * exceeded with it.  NAN: not to be had this way (slots, an infinite mean, a
 * tail beyond the grid).  closed is of model, and stable.
 */
void cmd_quantiles(const struct model *model, const struct closed *closed,
    const double *probabilities, size_t n, double *ret_s);

#endif
