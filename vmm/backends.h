/*
 * vmm/backends.h - the back ends that are built in, best first.
 */
#ifndef SLUICE_VMM_BACKENDS_H
#define SLUICE_VMM_BACKENDS_H

#include <stddef.h>

struct vmm_ops;
struct vmm_options;

extern const struct vmm_ops *const backends[];
extern const size_t backends_n;

/* The one of that name; NULL: not built in. */
const struct vmm_ops *backends_find(const char *name);

/*
 * The first whose probe() finds that it can work here, among all ("auto") or
 * of that name, and how it works in words; NULL: there is none, and why.
 * Blocks for the start of a program.
 */
const struct vmm_ops *backends_choose(const char *name,
    const struct vmm_options *options, char *why, size_t why_size);

#endif
