/*
 * tests/bench/behaviour_fit.h - weights for names of calls, and the score from
 * which on a program is a hit, learned by liblinear from some rows of a table.
 *
 * A fit is the mean of two logistic regressions on which calls were seen: one
 * that keeps few names (L1) and one that spreads the weight over names that go
 * together (L2).  Then the names that matter most are kept.
 */
#ifndef SLUICE_TESTS_BEHAVIOUR_FIT_H
#define SLUICE_TESTS_BEHAVIOUR_FIT_H

#include "tests/bench/behaviour_table.h"

struct recipe {
	double few, spread; /* C of the two regressions */
	size_t kept;        /* names */
};

struct fit {
	double bias, threshold;
	double weights[TABLE_NAMES]; /* 0: not kept; of three decimals */
};

/* The menu that fit_pick() picks from. */
extern const struct recipe fit_recipes[];
extern const size_t fit_n_recipes;

/*
 * Learn from the rows in use by the recipe whose accuracy is best on rows
 * that were held out, cluster by cluster, within them; the threshold is what
 * 4 % of the held-out benign rows reach, but at least 0.  Returns the recipe's
 * number.
 */
size_t fit_pick(const struct table *table, const bool *use, struct fit *ret);

double fit_score(const struct fit *fit, const struct table_row *row);

#endif
