/*
 * tests/bench/behaviour_fit.h - weights for names of calls, and the score from
 * which on a program is a hit, learned by liblinear from some rows of a table.
 *
 * A fit is the mean of logistic regressions on which calls were seen: half of
 * them keep few names (L1), at three strengths, and half spread the weight over
 * names that go together (L2).  Then the names that matter most are kept.
 * Nothing of it is chosen by looking at rows, so nothing must be held out for
 * a choice; picking one strength by held-out rows cost 0.3 % of accuracy.
 */
#ifndef SLUICE_TESTS_BEHAVIOUR_FIT_H
#define SLUICE_TESTS_BEHAVIOUR_FIT_H

#include "tests/bench/behaviour_table.h"

struct fit {
	double bias, threshold;
	double weights[TABLE_NAMES]; /* 0: not kept; of three decimals */
};

/*
 * Learn from the rows in use.  The threshold is what 4 % of the benign ones
 * reach when they are held out, cluster by cluster, within them; at least 0.
 */
void fit_learn(const struct table *table, const bool *use, struct fit *ret);

double fit_score(const struct fit *fit, const struct table_row *row);

#endif
