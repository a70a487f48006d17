/*
 * tools/sim/model_priv.h - the service of the messages of some sizes.
 */
#ifndef SLUICE_TOOLS_SIM_MODEL_PRIV_H
#define SLUICE_TOOLS_SIM_MODEL_PRIV_H

#include "tools/sim/model.h"
#include "tools/sim/sizes.h"

/*
 * Of messages in (low, high] octets, at speed 1: m0 is their share of all;
 * m1 and m2 are the mean of the service s and of s^2, times that share.
 */
struct moments model_service_between(
    const struct model *model, double low, double high);

#endif
