/*
 * tools/sluice/vm_bench_priv.h - what `sluice vm bench` measures, and how it
 * is shown.
 */
#ifndef SLUICE_TOOLS_VM_BENCH_PRIV_H
#define SLUICE_TOOLS_VM_BENCH_PRIV_H

#include "tools/sluice/vm_host.h"
#include "tools/sluice/vm_measure.h"
#include "tools/sluice/vm_rate.h"
#include "vmm/vmm.h"

#include <stdio.h>

/* Twice as many wait in line; an asker may have 256 runs. */
#define RATE_CLONES_MAX 100
#define RATES_MAX       24

struct bench_options {
	struct vm_options vm;
	size_t clones, samples, files;
	const char *plot, *file;
};

struct bench {
	struct bench_options options;
	struct conf *conf;
	const struct vmm_ops *ops;
	const char *reference;
	struct vmm_sample sample;
	int fd;
	struct stages stages;
	size_t live_max;
	char live_why[256]; /* no more; "" as many as were asked for */
	struct rate rates[RATES_MAX];
	size_t n_rates;
};

void bench_json(const struct bench *bench, FILE *out);
void bench_table(const struct bench *bench, FILE *out);
/* Files a second by clones.  0, or -errno with err. */
int bench_plot(const struct bench *bench, char *err, size_t err_size);

#endif
