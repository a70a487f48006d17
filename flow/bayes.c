#include "flow/model_priv.h"

#include <math.h>
#include <string.h>

/*
 * Points of a bin are the logarithm of how much more often it is met in spam
 * than in ham, with params->prior added to each count (Lidstone).  A bin that
 * no sample was in says nothing, and doesn't count: else features that are
 * always null would speak for the larger class.
 */
void
flow_train_bayes(struct flow_model *model, const struct flow_rows *rows,
    const struct flow_params *params)
{
	double count[FLOW_BINS][2], total[2];

	for (size_t f = 0; f < FLOW_FEATURES; f++) {
		const unsigned int bins = model->bins.n[f] + 2u;

		memset(count, 0, sizeof(count));
		memset(total, 0, sizeof(total));
		for (size_t i = 0; i < rows->n; i++)
			count[rows->bins[i][f]][rows->is_spam[i]]++;
		for (unsigned int b = 0; b < bins; b++)
			for (unsigned int c = 0;
			     c < 2 && count[b][0] + count[b][1] > 0; c++)
				total[c] += count[b][c] + params->prior;
		for (unsigned int b = 0; b < bins; b++)
			if (count[b][0] + count[b][1] > 0)
				model->points[f][b] =
				    log((count[b][1] + params->prior) /
					total[1]) -
				    log((count[b][0] + params->prior) /
					total[0]);
	}
}
