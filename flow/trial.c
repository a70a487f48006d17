#include "flow/trial.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "flow/draw.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define FOLDS 5u
#define Z     1.959964 /* 95 %, both sides */

static int
downwards(const void *a, const void *b)
{
	const double x = ((const struct flow_judged *)a)->score;
	const double y = ((const struct flow_judged *)b)->score;

	return (x < y) - (x > y);
}

static double
share(size_t part, size_t all)
{
	return all ? (double)part / (double)all : NAN;
}

/* judged falls; how many spams lie above the score that at most `ham` hams
 * exceed, and what is that score? */
static size_t
spam_above(
    const struct flow_judged *judged, size_t n, size_t ham, double *ret_score)
{
	size_t hams = 0, spams = 0, i = 0;

	*ret_score = INFINITY;
	while (i < n) {
		size_t h = 0, s = 0, k = i;

		/* Equal scores stay together. */
		for (; k < n && judged[k].score >= judged[i].score; k++) {
			h += !judged[k].is_spam;
			s += judged[k].is_spam;
		}
		*ret_score = judged[i].score;
		if (hams + h > ham)
			break;
		hams += h;
		spams += s;
		i = k;
	}
	if (i == n)
		*ret_score = -INFINITY;
	return spams;
}

static double
area(const struct flow_judged *judged, size_t n, size_t ham, size_t spam)
{
	size_t above = 0;
	double won = 0;

	for (size_t i = 0; i < n;) {
		size_t h = 0, s = 0;
		const double score = judged[i].score;

		for (; i < n && judged[i].score >= score; i++) {
			h += !judged[i].is_spam;
			s += judged[i].is_spam;
		}
		won += (double)h * ((double)above + (double)s / 2);
		above += s;
	}
	return ham && spam ? won / ((double)ham * (double)spam) : NAN;
}

struct flow_figures
flow_figures_of(struct flow_judged *judged, size_t n)
{
	struct flow_figures f = {.n_ham = 0};
	size_t called = 0, right = 0, caught = 0;
	double unused;

	qsort(judged, n, sizeof(*judged), downwards);
	for (size_t i = 0; i < n; i++) {
		const bool is_called = judged[i].score > 0;

		f.n_spam += judged[i].is_spam;
		called += is_called;
		right += is_called == judged[i].is_spam;
		caught += is_called && judged[i].is_spam;
	}
	f.n_ham = n - f.n_spam;
	f.accuracy = share(right, n);
	f.precision = share(caught, called);
	f.recall = share(caught, f.n_spam);
	f.auc = area(judged, n, f.n_ham, f.n_spam);
	f.tpr_001 =
	    share(spam_above(judged, n, f.n_ham / 1000, &unused), f.n_spam);
	f.tpr_01 = share(
	    spam_above(judged, n, f.n_ham / 100, &f.threshold_01), f.n_spam);
	if (f.n_ham == 0)
		f.tpr_001 = f.tpr_01 = NAN;
	return f;
}

/* The same peer always comes to the same fold. */
static unsigned int
fold_of(const struct flow_sample *sample, uint64_t *seed)
{
	uint64_t peer = sample->peer;

	return (unsigned int)flow_draw(peer ? &peer : seed, FOLDS);
}

/* At most so many, all with the same chance, in their old order. */
static size_t
thin(const struct flow_sample **samples, size_t n, size_t most, uint64_t *seed)
{
	size_t kept = 0;

	if (most == 0 || n <= most)
		return n;
	for (size_t i = 0; i < n; i++)
		if (flow_draw(seed, n - i) < most - kept)
			samples[kept++] = samples[i];
	return kept;
}

static int
judge_fold(enum flow_kind kind, const struct flow_params *params,
    const struct flow_sample *const *samples, const unsigned int *folds,
    size_t n, size_t most, unsigned int fold, uint64_t *seed,
    struct flow_judged *ret)
{
	CLEANUP(free_ptr)
	const struct flow_sample **seen =
	    xcalloc(n + 1, sizeof(struct flow_sample *));
	struct flow_model *model;
	size_t n_seen = 0, spam = 0;

	for (size_t i = 0; i < n; i++)
		if (folds[i] != fold)
			seen[n_seen++] = samples[i];
	if (n_seen == n)
		return 0; /* nobody to judge */
	n_seen = thin(seen, n_seen, most, seed);
	for (size_t i = 0; i < n_seen; i++)
		spam += seen[i]->is_spam;
	if (spam == 0 || spam == n_seen)
		return -ENODATA;
	model = flow_model_train(kind, params, seen, n_seen, *seed);
	for (size_t i = 0; i < n; i++)
		if (folds[i] == fold)
			ret[i] = (struct flow_judged){
			    flow_model_score(model, samples[i]->x, NULL),
			    samples[i]->is_spam};
	(void)flow_model_free(model);
	return 0;
}

int
flow_cross(enum flow_kind kind, const struct flow_params *params,
    const struct flow_sample *const *samples, size_t n, size_t most,
    uint64_t seed, struct flow_judged *ret_judged)
{
	CLEANUP(free_ptr) unsigned int *folds = xcalloc(n + 1, sizeof(*folds));
	size_t spam = 0;

	for (size_t i = 0; i < n; i++) {
		folds[i] = fold_of(samples[i], &seed);
		spam += samples[i]->is_spam;
	}
	if (spam < FOLDS || n - spam < FOLDS)
		return -ENODATA;
	for (unsigned int k = 0; k < FOLDS; k++)
		if (judge_fold(kind, params, samples, folds, n, most, k, &seed,
			ret_judged) < 0)
			return -ENODATA;
	return 0;
}

/* The middle of Wilson's interval, and half its width. */
static double
wilson(size_t hits, size_t n, double *ret_half)
{
	const double m = (double)n, p = (double)hits / m;

	*ret_half =
	    Z / (1 + Z * Z / m) * sqrt(p * (1 - p) / m + Z * Z / (4 * m * m));
	return (p + Z * Z / (2 * m)) / (1 + Z * Z / m);
}

double
flow_share_low(size_t hits, size_t n)
{
	double half, middle;

	if (n == 0)
		return 0;
	middle = wilson(hits, n, &half);
	return fmax(0, middle - half);
}

double
flow_share_high(size_t hits, size_t n)
{
	double half, middle;

	if (n == 0)
		return 1;
	middle = wilson(hits, n, &half);
	return fmin(1, middle + half);
}
