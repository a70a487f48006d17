/*
 * vmm/backends.h - the back ends that are built in, best first.
 */
#ifndef SLUICE_VMM_BACKENDS_H
#define SLUICE_VMM_BACKENDS_H

#include <stddef.h>

struct vmm_ops;

extern const struct vmm_ops *const backends[];
extern const size_t backends_n;

#endif
