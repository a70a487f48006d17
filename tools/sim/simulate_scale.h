/*
 * tools/sim/simulate_scale.h - another unit of time for systems that whole
 * microseconds don't fit.
 */
#ifndef SLUICE_TOOLS_SIM_SIMULATE_SCALE_H
#define SLUICE_TOOLS_SIM_SIMULATE_SCALE_H

struct model;
struct simulation;

/*
 * How many times as slow model has to be so that a microsecond is little, and
 * 64 bits of them are enough: 1 for all but odd ones.  It makes *ret_model so
 * slow; the same, but for its unit of time.
 */
double scale_model(const struct model *model, struct model *ret_model);

/* What was seen of the slow model, in the time of the one it stands for. */
void scale_back(struct simulation *simulation, double scale);

#endif
