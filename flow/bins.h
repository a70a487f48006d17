/*
 * flow/bins.h - features cut into bins, all that models see of them: scale,
 * outliers and nulls need no other treatment.  Pure.
 */
#ifndef SLUICE_FLOW_BINS_H
#define SLUICE_FLOW_BINS_H

#include "flow/sample.h"

#define FLOW_CUTS 31              /* of one feature at most */
#define FLOW_BINS (FLOW_CUTS + 2) /* bin 0 is null */

struct flow_bins {
	uint8_t n[FLOW_FEATURES];              /* cuts */
	double cuts[FLOW_FEATURES][FLOW_CUTS]; /* ascending */
};

/*
 * Cut each feature at quantiles of the samples that have it, between two
 * different values, at most max_cuts (1 to FLOW_CUTS) times; in fewer places
 * where many are equal.
 */
void flow_bins_make(const struct flow_sample *const *samples, size_t n,
    unsigned int max_cuts, struct flow_bins *ret);

/* 0 for NAN, else 1 plus the number of cuts that are not above x. */
unsigned int flow_bin(const struct flow_bins *bins, size_t feature, double x);

#endif
