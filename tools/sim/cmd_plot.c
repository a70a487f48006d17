/*
 * tools/sim/cmd_plot.c - `sluice-sim plot KIND`: which curves, and into what.
 */
#include "tools/sim/cmd_plot_priv.h"

#include "common/cleanup.h"
#include "tools/sim/options_value.h"
#include "tools/sim/progress.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERR_MAX 512

static const char doc[] =
    "Draw curves with gnuplot. KIND is one of\n\n"
    "  wait    mean wait against load, a curve a policy\n"
    "  sizes   distribution and density of sizes, with the limits\n"
    "  trace   predicted against measured waits of a trace\v"
    "wait simulates each policy at loads from 10 to 95 % of what the workers "
    "can do; a curve ends where its policy is no longer stable; --rate, which "
    "isn't needed, is marked. sizes draws an exponential law beside a mixture "
    "of Gaussians: that whose distribution is nearest. trace replays a trace "
    "with the policy and limits given, which should be those of that time: "
    "points on the diagonal are predicted well.\n\n"
    "Examples:\n\n"
    "  sluice-sim plot wait --service 0.09,0.0002128 --sizes exp:6800 \\\n"
    "      --policy size,size+load,least-work --output wait.svg\n"
    "  sluice-sim plot sizes --sizes \\\n"
    "      gaussmix:0.9,2000,400,0.1,50000,10000 --output sizes.png\n"
    "  sluice-sim plot trace --ledger /var/lib/sluice/ledger.db \\\n"
    "      --from yesterday --to today --output day.svg\n\n"
    "Exit status: 0 fine; 100 wrong usage; 111 the system failed, or there "
    "is no gnuplot.";

static const struct {
	const char *name, *long_name;
	plot_kind *draw;
} kinds[] = {
    {"wait", "wait-against-load", plot_wait},
    {"sizes", "size-density", plot_sizes},
    {"trace", "predicted-against-measured", plot_trace},
};

enum option_key { OPT_OUTPUT = 5000 };

static const struct argp_child children[] = {
    {&trace_argp, 0, NULL, 0}, {&options_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}};

static void
set_kind(struct argp_state *state, struct plot_options *o, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(name, kinds[i].name) == 0 ||
		    strcmp(name, kinds[i].long_name) == 0)
			o->draw = kinds[i].draw;
	if (!o->draw)
		exit(options_fail(SIM_USAGE, state->name,
		    "\"%s\" is nothing that can be drawn: write wait, sizes "
		    "or trace",
		    name));
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct plot_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->from;
		state->child_inputs[1] = &o->sim;
		return 0;
	case OPT_OUTPUT:
		o->output = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (o->draw)
			return ARGP_ERR_UNKNOWN; /* the trace's file */
		set_kind(state, o, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
draw(const char *command, struct plot_options *o)
{
	struct progress progress;
	char err[ERR_MAX] = "";
	int r = -EINVAL;

	if (!o->draw)
		(void)snprintf(err, sizeof(err),
		    "what shall be drawn? write wait, sizes or trace");
	else
		r = plot_check(o->output, err, sizeof(err));
	if (r < 0)
		return options_fail(SIM_USAGE, command, "%s", err);
	progress_init(&progress, o->sim.progress, &o->sim.run);
	o->progress = &progress;
	r = o->draw(o, err, sizeof(err));
	progress_end(&progress);
	if (r < 0 && !err[0])
		return cmd_trouble(command, r, NULL);
	if (r < 0) /* -ENOENT for a trace; for gnuplot it is the system's */
		return options_fail(r == -ENOENT && o->is_drawn
					? SIM_SYSTEM
					: options_status_of(r),
		    command, "%s", err);
	return SIM_FINE;
}

int
cmd_plot(int argc, char **argv)
{
	static const struct argp_option own[] = {
	    {"output", OPT_OUTPUT, "FILE", 0,
		"the picture; its name ends in .svg or .png", 5},
	    {0}};
	static const struct argp argp = {
	    own, parse, "KIND [FILE]", doc, children, NULL, NULL};
	struct plot_options o = {0};
	int status;

	options_init(&o.sim);
	options_parse(&argp, argc, argv, &o);
	status = draw(argv[0], &o);
	options_done(&o.sim);
	return status;
}
