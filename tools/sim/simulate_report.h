/*
 * tools/sim/simulate_report.h - from what was counted to what is told.
 */
#ifndef SLUICE_TOOLS_SIM_SIMULATE_REPORT_H
#define SLUICE_TOOLS_SIM_SIMULATE_REPORT_H

#include "tools/sim/simulate.h"

struct tally;

/* Nothing is known but utilisation: unstable, the mean wait without end. */
void report_unstable(double utilisation, struct simulation *ret_simulation);

/* The waits and utilisations of model's lanes and classes (tallies: first all
 * lanes, then all classes), counted over usec of the virtual clock. */
void report_tallies(const struct model *model, const struct tally *tallies,
    uint64_t usec, struct simulation *ret_simulation);

#endif
