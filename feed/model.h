/*
 * feed/model.h - S = a + b * octets, fitted while samples come in.
 *
 * Least squares of the relative error (the spread of service times grows with
 * their mean), weighted by age, with a pull that is worth two samples: at first
 * towards a prior, then, as that fades, towards what the line has been itself.
 * So nothing is left of a prior that was wrong, and samples that tell little,
 * such as a flood of one size, still don't tilt the line.  A sample counts as
 * at most four times, and at least a quarter, of what was expected: one outlier
 * moves the line by a percent, and a lasting change moves it all the way within
 * some hundred samples.
 */
#ifndef SLUICE_FEED_MODEL_H
#define SLUICE_FEED_MODEL_H

#include <stdint.h>

struct line {
	double fixed_usec;
	double usec_per_byte;
};

struct model {
	double scale_bytes;     /* size whose octets cost as much as the rest */
	double count;           /* of samples, faded */
	double n, x, y, xx, xy; /* weighted sums; x in scale_bytes */
	struct line line;
	double prior_part; /* of what the line is drawn to, 1 .. 0; the rest: */
	struct line past;  /* lines that were, faded, as a sum of that weight */
};

/* Start with what the prior says; both its values above zero. */
void model_init(struct model *model, struct line prior);

/* Learn one sample; prior is what the line is drawn to before it has a past of
 * some thousand samples, and may change. */
void model_learn(
    struct model *model, struct line prior, uint64_t bytes, uint64_t usec);

/* The line at bytes, 1 .. one hour. */
uint64_t line_predict(struct line line, uint64_t bytes);

#endif
