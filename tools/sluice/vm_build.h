/*
 * tools/sluice/vm_build.h - make a reference: its scripts for kernel and
 * initial RAM disk, then one boot of it.
 */
#ifndef SLUICE_TOOLS_VM_BUILD_H
#define SLUICE_TOOLS_VM_BUILD_H

#include <stdbool.h>
#include <stddef.h>

struct vmm_ops;
struct vmm_options;

struct vm_build {
	const struct vmm_ops *ops; /* the back end that boots it */
	const char *state;   /* directory of the references; made if missing */
	const char *name;    /* "linux", ...: a recipe's */
	const char *agent;   /* NULL: the sluice-agent that is installed */
	const char *cache;   /* of packages; NULL: state/packages */
	const char *program; /* the back end's own; NULL: default */
	bool is_forced;      /* even if what is there fits */
};

/*
 * Build it beside the one that is there and put it in its place as a whole,
 * or, unless is_forced, leave one that fits.  Says its progress on standard
 * output ("PERCENT text" lines) and what is wrong on standard error.
 *
 * Returns 0, 1: it was there and fits, or -errno.  Blocks for a minute.
 */
int vm_build(const struct vm_build *build);

/*
 * Open a reference and make one clone of it.  Returns 0 and the microseconds
 * that this took, or -errno with words.  Blocks for a second.
 */
int vm_try(const struct vmm_ops *ops, const struct vmm_options *options,
    unsigned long *ret_usec, char *err, size_t err_size);

#endif
