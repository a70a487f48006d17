/*
 * tools/sim/plot.h - a picture, drawn by gnuplot.
 *
 * gnuplot runs as a child, without a shell: its script comes from memory and
 * its picture goes into a new file, which takes the output's name when whole.
 */
#ifndef SLUICE_TOOLS_SIM_PLOT_H
#define SLUICE_TOOLS_SIM_PLOT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct plot {
	FILE *script; /* write gnuplot's commands to it */
	char *text;
	size_t len;
	const char *output; /* borrowed */
};

/* 0, or -EINVAL with err: the name ends neither in .svg nor in .png. */
int plot_check(const char *output, char *err, size_t err_size);

/* Begin a picture of that size in points; output has passed plot_check(). */
void plot_begin(struct plot *plot, const char *output, unsigned int width,
    unsigned int height);

/* text as a string of gnuplot's, quotes included, markup without effect. */
void plot_string(struct plot *plot, const char *text);

/* A vertical line with a label, in the next `plot` command's first axes. */
void plot_mark(struct plot *plot, double x, const char *label);

/*
 * Draw and free.  0; -ENOENT: no gnuplot here, err says what to install; or
 * another -errno with err.  Blocks until gnuplot ends.
 */
int plot_end(struct plot *plot, char *err, size_t err_size);

/* Throw away what was begun.  Harmless after plot_end(). */
void plot_done(struct plot *plot);

#endif
