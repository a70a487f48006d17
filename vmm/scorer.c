/*
 * vmm/scorer.c - learned weights over the names of calls.
 */
#include "vmm/detector_priv.h"

#include <stdlib.h>
#include <string.h>

static int
compare_name(const void *name, const void *call)
{
	return strcmp(name, ((const struct rules_call *)call)->name);
}

void
scorer_saw(struct detector *d, const char *name)
{
	const struct rules_scorer *scorer = &d->rules->scorer;
	const struct rules_call *call;
	size_t number;

	if (scorer->n_calls == 0)
		return;
	call = bsearch(name, scorer->calls, scorer->n_calls,
	    sizeof(*scorer->calls), compare_name);
	if (!call)
		return;
	number = (size_t)(call - scorer->calls);
	if (d->scored.calls[number])
		return;
	d->scored.calls[number] = true;
	d->scored.n_known++;
	for (size_t i = 0; i < call->n_features; i++) {
		const unsigned int f = call->features[i];

		if (++d->scored.counts[f] == scorer->features[f].least)
			d->scored.score += scorer->features[f].weight;
	}
}

bool
scorer_says(const struct detector *d)
{
	const struct rules_scorer *scorer = &d->rules->scorer;

	return scorer->is_there && d->scored.n_known >= scorer->least &&
	       d->scored.n_known > 0 &&
	       scorer->bias + d->scored.score >= scorer->threshold;
}
