/*
 * tests/bench/mef_joined.c - can a judgement by counts be one that joining
 * harmless features to harmful ones does not lower, and what does that cost?
 *
 * Reads rows (tests/bench/mef_rows.h).  Judges each fold by the counts of the
 * others, in several ways, with the threshold that calls 2 % of the harmless
 * malicious within those others, fold by fold as well.  Prints for each way
 * how many malicious lists of the fold are found alone, and joined with one
 * and three harmless ones of the same fold; and how many harmless ones are
 * called malicious, alone and joined in pairs.
 */
#include "tests/bench/mef_rows.h"

#include "common/io.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FALSE_POSITIVES 0.02

static const struct way {
	const char *name;
	double benign;    /* weight of what speaks for harmless */
	size_t strongest; /* only so many features; 0: all */
	bool is_mean;
} ways[] = {
    {"log-odds, sum", 1, 0, false},
    {"log-odds, mean", 1, 0, true},
    {"harmless at a tenth, sum", 0.1, 0, false},
    {"harmless at a tenth, mean", 0.1, 0, true},
    {"malice alone, sum", 0, 0, false},
    {"malice alone, mean", 0, 0, true},
    {"malice alone, strongest", 0, 1, false},
    {"malice alone, 3 strongest", 0, 3, false},
    {"malice alone, 10 strongest", 0, 10, false},
    {"malice alone, 30 strongest", 0, 30, false},
    {"malice alone, 100 strongest", 0, 100, false},
};
#define WAYS ARRAY_SIZE(ways)

enum { ALONE, WITH_ONE, WITH_THREE, HARMLESS, PAIR, CASES };

struct tally {
	size_t called[WAYS][CASES], n[CASES];
};

static uint64_t
draw(uint64_t below)
{
	static uint64_t state = UINT64_C(88172645463325252); /* xorshift64 */

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

/* Log-odds of features, of the documents that are in neither fold. */
static double *
learn(const struct mef_rows *rows, unsigned int a, unsigned int b)
{
	double *weights = xcalloc(rows->n_features, sizeof(*weights));
	CLEANUP(free_ptr)
	uint32_t *n = xcalloc(2 * rows->n_features, sizeof(*n));
	double documents[MEF_CLASSES] = {0};

	for (size_t i = 0; i < rows->n; i++) {
		const struct mef_row *row = &rows->at[i];

		if (row->fold == a || row->fold == b)
			continue;
		documents[row->class]++;
		for (size_t k = 0; k < row->n; k++)
			n[2 * row->features[k] + row->class]++;
	}
	for (size_t i = 0; i < rows->n_features; i++)
		if (n[2 * i] + n[2 * i + 1] > 0)
			weights[i] = log((n[2 * i + MEF_MALICIOUS] + 1.0) /
					 (n[2 * i + MEF_BENIGN] + 1.0)) +
				     log((documents[MEF_BENIGN] + 2) /
					 (documents[MEF_MALICIOUS] + 2));
	return weights;
}

static int
by_weight(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

static void
judge(const struct mef_row *row, const double *weights, double ret[WAYS])
{
	CLEANUP(free_ptr) double *all = xcalloc(row->n + 1, sizeof(*all));

	for (size_t i = 0; i < row->n; i++)
		all[i] = weights[row->features[i]];
	qsort(all, row->n, sizeof(*all), by_weight);
	for (size_t w = 0; w < WAYS; w++) {
		const size_t n = ways[w].strongest && ways[w].strongest < row->n
				     ? ways[w].strongest
				     : row->n;

		ret[w] = 0;
		for (size_t i = 0; i < n; i++)
			ret[w] += all[i] > 0 ? all[i] : ways[w].benign * all[i];
		if (ways[w].is_mean)
			ret[w] /= (double)row->n_all + 10;
	}
}

/* Thresholds within all folds but one. */
static void
set_thresholds(const struct mef_rows *rows, unsigned int fold, double ret[WAYS])
{
	double *scores[WAYS];
	size_t n = 0, may;

	for (size_t w = 0; w < WAYS; w++)
		scores[w] = xcalloc(rows->n, sizeof(**scores));
	for (unsigned int k = 0; k < rows->folds; k++) {
		CLEANUP(free_ptr) double *weights = learn(rows, fold, k);

		for (size_t i = 0; i < rows->n && k != fold; i++) {
			double one[WAYS];

			if (rows->at[i].fold != k ||
			    rows->at[i].class != MEF_BENIGN)
				continue;
			judge(&rows->at[i], weights, one);
			for (size_t w = 0; w < WAYS; w++)
				scores[w][n] = one[w];
			n++;
		}
	}
	may = (size_t)(FALSE_POSITIVES * (double)n);
	for (size_t w = 0; w < WAYS; w++) {
		qsort(scores[w], n, sizeof(**scores), by_weight);
		ret[w] = n > may ? scores[w][may] : 0;
		free(scores[w]);
	}
}

static int
by_number(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* What a list has that is all of both. */
static void
join(struct mef_row *row, const struct mef_row *other)
{
	const size_t all = row->n + other->n;
	size_t n = 0;

	row->n_all += other->n_all - other->n - row->n;
	row->features =
	    realloc(row->features, (all + 1) * sizeof(*row->features));
	if (!row->features)
		abort();
	memcpy(row->features + row->n, other->features,
	    other->n * sizeof(*row->features));
	qsort(row->features, all, sizeof(*row->features), by_number);
	for (size_t i = 0; i < all; i++)
		if (n == 0 || row->features[n - 1] != row->features[i])
			row->features[n++] = row->features[i];
	row->n = n;
	row->n_all += n;
}

static const struct mef_row *
draw_harmless(const struct mef_rows *rows, const struct mef_row *not_this)
{
	const struct mef_row *row;

	do {
		row = &rows->at[draw(rows->n)];
	} while (row == not_this || row->fold != not_this->fold ||
		 row->class != MEF_BENIGN);
	return row;
}

static void
count(struct tally *tally, int which, const struct mef_row *row,
    const double *weights, const double thresholds[WAYS])
{
	double scores[WAYS];

	judge(row, weights, scores);
	tally->n[which]++;
	for (size_t w = 0; w < WAYS; w++)
		tally->called[w][which] += scores[w] > thresholds[w];
}

static void
try(const struct mef_rows *rows, const struct mef_row *row,
    const double *weights, const double thresholds[WAYS], struct tally *tally)
{
	static const int cases[MEF_CLASSES][4] = {
	    [MEF_BENIGN] = {HARMLESS, PAIR, -1, -1},
	    [MEF_MALICIOUS] = {ALONE, WITH_ONE, -1, WITH_THREE}};
	struct mef_row joined = *row;

	joined.features = xcalloc(row->n + 1, sizeof(*row->features));
	if (row->n > 0)
		memcpy(joined.features, row->features,
		    row->n * sizeof(*row->features));
	for (int more = 0; more < 4; more++) {
		if (more > 0)
			join(&joined, draw_harmless(rows, row));
		if (cases[row->class][more] >= 0)
			count(tally, cases[row->class][more], &joined, weights,
			    thresholds);
	}
	free(joined.features);
}

static void
print(const struct tally *tally)
{
	(void)printf("%-28s %8s %8s %8s %8s %8s\n", "percent called malicious",
	    "alone", "with 1", "with 3", "harmless", "pairs");
	for (size_t w = 0; w < WAYS; w++) {
		(void)printf("%-28s", ways[w].name);
		for (int c = 0; c < CASES; c++)
			(void)printf(" %8.2f", 100 *
						   (double)tally->called[w][c] /
						   (double)tally->n[c]);
		(void)printf("\n");
	}
}

int
main(void)
{
	struct tally tally = {{{0}}, {0}};
	struct mef_rows rows;

	mef_rows_read(&rows);
	for (unsigned int fold = 0; fold < rows.folds; fold++) {
		CLEANUP(free_ptr) double *weights = learn(&rows, fold, fold);
		double thresholds[WAYS];

		set_thresholds(&rows, fold, thresholds);
		for (size_t i = 0; i < rows.n; i++)
			if (rows.at[i].fold == fold)
				try(&rows, &rows.at[i], weights, thresholds,
				    &tally);
	}
	print(&tally);
	mef_rows_done(&rows);
	return 0;
}
