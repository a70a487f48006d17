/*
 * tools/sluice/vm_rate.h - how many files a second this host runs in clones,
 * by the same holder and pool as sluice-vmm.
 */
#ifndef SLUICE_TOOLS_VM_RATE_H
#define SLUICE_TOOLS_VM_RATE_H

#include <stddef.h>
#include <stdint.h>

struct conf;
struct vmm_ops;

struct rate {
	uint32_t cores, clones; /* processors used, clones that run at most */
	uint64_t files, failed; /* run, and those not to their end */
	uint64_t usec;
	double per_second; /* of those that ended */
};

/*
 * Run so many files, ask->clones at a time; conf is changed for it (clones,
 * ready).  what is the sample, in a sealed memfd.  Returns 0, or -errno with
 * err.  Restricts this process to ask->cores processors meanwhile.
 */
int rate_measure(struct conf *conf, const struct vmm_ops *ops,
    const char *reference, int fd, uint64_t bytes, struct rate *rate, char *err,
    size_t err_size);

#endif
