/*
 * tools/sluice/model_scores.c - what scores of both classes tell of a model.
 */
#include "tools/sluice/model.h"

#include "common/io.h"

#include <math.h>
#include <stdlib.h>

#define MILLION 1e6

void
scores_add(struct scores *scores, double score, enum mef_class class)
{
	if (scores->n == scores->room) {
		scores->room = 2 * scores->room + 64;
		scores->at =
		    realloc(scores->at, scores->room * sizeof(*scores->at));
		if (!scores->at)
			abort();
	}
	scores->at[scores->n++] = (struct scored){score, class};
}

void
scores_free(struct scores *scores)
{
	free(scores->at);
	*scores = (struct scores){NULL, 0, 0};
}

/* Greatest first. */
static int
by_score(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;

	return (x->score < y->score) - (x->score > y->score);
}

void
scores_roc(struct scores *scores, roc_visit *visit, void *arg)
{
	size_t n[MEF_CLASSES] = {0}, above[MEF_CLASSES] = {0};

	if (scores->n > 0)
		qsort(scores->at, scores->n, sizeof(*scores->at), by_score);
	for (size_t i = 0; i < scores->n; i++)
		n[scores->at[i].class]++;
	for (size_t i = 0; i < scores->n; i++) {
		above[scores->at[i].class]++;
		if (i + 1 < scores->n &&
		    scores->at[i + 1].score == scores->at[i].score)
			continue;
		visit(arg, scores->at[i].score,
		    n[0] ? (double)above[0] / (double)n[0] : 0,
		    n[1] ? (double)above[1] / (double)n[1] : 0);
	}
}

struct area {
	double sum, fp, tp;
};

static void
add_area(void *arg, double threshold, double fp, double tp)
{
	struct area *area = arg;

	(void)threshold;
	area->sum += (fp - area->fp) * (tp + area->tp) / 2;
	area->fp = fp;
	area->tp = tp;
}

double
scores_auc(struct scores *scores)
{
	struct area area = {0, 0, 0};

	scores_roc(scores, add_area, &area);
	return area.fp == 1 && area.tp == 1 ? area.sum : 0.5;
}

/* Between the last benign score that may be above and the next. */
static double
threshold_of(struct scores *scores, double false_positives)
{
	size_t n = 0, may, seen = 0;
	double last = 0;

	qsort(scores->at, scores->n, sizeof(*scores->at), by_score);
	for (size_t i = 0; i < scores->n; i++)
		n += scores->at[i].class == MEF_BENIGN;
	may = (size_t)floor(false_positives * (double)n);
	last = scores->at[0].score + 1;
	for (size_t i = 0; i < scores->n; i++) {
		if (scores->at[i].class != MEF_BENIGN)
			continue;
		if (seen++ == may)
			return (scores->at[i].score + last) / 2;
		last = scores->at[i].score;
	}
	return 0; /* no benign document: even odds */
}

/*
 * Derivative of the log-likelihood over the slope, classes weighed alike, with
 * a prior of one document of each class at the mean distance that is wrong.
 */
static double
pull(const struct scores *scores, double threshold, double slope)
{
	double sum[MEF_CLASSES] = {0}, away = 0;
	size_t n[MEF_CLASSES] = {0};

	for (size_t i = 0; i < scores->n; i++) {
		const double x = scores->at[i].score - threshold;
		const bool is_malicious = scores->at[i].class == MEF_MALICIOUS;

		sum[is_malicious] +=
		    x * (is_malicious - 1 / (1 + exp(-slope * x)));
		n[is_malicious]++;
		away += fabs(x) / (double)scores->n;
	}
	if (n[0] == 0 || n[1] == 0)
		return 0;
	return sum[0] / (double)n[0] + sum[1] / (double)n[1] -
	       away / (double)scores->n / (1 + exp(-slope * away));
}

struct mef_point
scores_point(struct scores *scores, double false_positives)
{
	struct mef_point point = {.slope = 1000000};
	double low = 1e-5, high = 1e5, threshold;

	if (scores->n == 0)
		return point;
	threshold = threshold_of(scores, false_positives);
	/* The likelihood has one summit: halve in the logarithm. */
	for (int i = 0; i < 60; i++) {
		const double middle = sqrt(low * high);

		if (pull(scores, threshold, middle) > 0)
			low = middle;
		else
			high = middle;
	}
	point.threshold = (int64_t)llround(threshold * MILLION);
	point.slope = (int64_t)ceil(low * MILLION);
	return point;
}
