/*
 * tools/sim/cmd_plot_priv.h - the kinds of pictures, one file each.
 */
#ifndef SLUICE_TOOLS_SIM_CMD_PLOT_PRIV_H
#define SLUICE_TOOLS_SIM_CMD_PLOT_PRIV_H

#include "tools/sim/cmd_priv.h"
#include "tools/sim/cmd_trace_priv.h"
#include "tools/sim/plot.h"

struct progress;
struct plot_options;

/* Draw into o->output.  0, or -errno; err is set where the caller's strerror()
 * would say too little. */
typedef int plot_kind(struct plot_options *o, char *err, size_t err_size);

plot_kind plot_wait;
plot_kind plot_sizes;
plot_kind plot_trace;

struct plot_options {
	struct sim_options sim; /* first: options_parse() */
	struct trace_options from;
	const char *output;
	plot_kind *draw;
	struct progress *progress;
	bool is_drawn; /* all is read: what fails now is gnuplot */
};

#endif
