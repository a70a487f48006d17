#include "feed/model.h"

#include <assert.h>

#define KEEP   (1.0 - 1.0 / 384) /* of the past, at each sample */
#define PULL   2.0 /* average samples that the pull on a is worth, */
#define PULL_B 8.0 /* and on b, else one size alone would tilt the line */
/* What the line is drawn to keeps that of its past: longer than a flood. */
#define KEEP_LINE (1.0 - 1.0 / 1024)
#define TINY      1e-6
#define CLIP      4.0 /* see model.h */
#define MAX_USEC  UINT64_C(3600000000)

void
model_init(struct model *model, struct line prior)
{
	assert(prior.fixed_usec > 0 && prior.usec_per_byte > 0);
	*model = (struct model){
	    .scale_bytes = prior.fixed_usec / prior.usec_per_byte,
	    .line = prior,
	    .prior_part = 1,
	};
}

uint64_t
line_predict(struct line line, uint64_t bytes)
{
	double usec = line.fixed_usec + line.usec_per_byte * (double)bytes;

	if (usec >= (double)MAX_USEC)
		return MAX_USEC;
	return usec < 1 ? 1 : (uint64_t)usec;
}

static double
clip(double usec, double expected)
{
	if (usec > expected * CLIP)
		return expected * CLIP;
	if (usec < expected / CLIP)
		return expected / CLIP;
	return usec;
}

/*
 * The part of the fixed cost, squared.  Only the line's shape enters, not its
 * height: were it the height, a lasting slow-down would weigh less than the
 * faster past.
 */
static double
weight(const struct model *m, double x)
{
	double b = m->line.usec_per_byte * m->scale_bytes;
	double floor = (m->line.fixed_usec + b) / 1000;
	double a = m->line.fixed_usec > floor ? m->line.fixed_usec : floor;
	double part = a / (a + b * x);

	return part * part;
}

/* What the line is drawn to. */
static struct line
model_target(const struct model *m, struct line prior)
{
	return (struct line){
	    m->past.fixed_usec + m->prior_part * prior.fixed_usec,
	    m->past.usec_per_byte + m->prior_part * prior.usec_per_byte,
	};
}

/* The prior gives way to the line as it is now. */
static void
model_fade(struct model *m)
{
	const double part = 1 - KEEP_LINE;

	m->prior_part *= KEEP_LINE;
	m->past.fixed_usec =
	    m->past.fixed_usec * KEEP_LINE + part * m->line.fixed_usec;
	m->past.usec_per_byte =
	    m->past.usec_per_byte * KEEP_LINE + part * m->line.usec_per_byte;
}

/*
 * Solve the two normal equations.  The determinant is positive whatever the
 * samples are, by Cauchy and Schwarz and the pulls.  A line never falls and
 * never starts below zero: the better of the two lines at that edge is taken.
 */
static void
model_solve(struct model *m, struct line target)
{
	double pull_a = PULL * m->n / m->count;
	double pull_b = PULL_B * m->xx / m->count + TINY * pull_a;
	double n = m->n + pull_a, xx = m->xx + pull_b;
	double y = m->y + pull_a * target.fixed_usec;
	double xy = m->xy + pull_b * target.usec_per_byte * m->scale_bytes;
	double det = n * xx - m->x * m->x;
	double a = (y * xx - m->x * xy) / det;
	double b = (n * xy - m->x * y) / det;

	if (b < 0) {
		b = 0;
		a = y / n;
	} else if (a < 0) {
		a = 0;
		b = xy / xx;
	}
	m->line.fixed_usec = a;
	m->line.usec_per_byte = b / m->scale_bytes;
}

void
model_learn(struct model *m, struct line prior, uint64_t bytes, uint64_t usec)
{
	double x = (double)bytes / m->scale_bytes;
	double w = weight(m, x);
	double y = clip((double)usec, (double)line_predict(m->line, bytes));

	m->count = m->count * KEEP + 1;
	m->n = m->n * KEEP + w;
	m->x = m->x * KEEP + w * x;
	m->y = m->y * KEEP + w * y;
	m->xx = m->xx * KEEP + w * x * x;
	m->xy = m->xy * KEEP + w * x * y;
	model_solve(m, model_target(m, prior));
	model_fade(m);
}
