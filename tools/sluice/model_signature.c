/*
 * tools/sluice/model_signature.c - the baseline of `sluice model eval`.
 */
#include "tools/sluice/model_eval_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <stdlib.h>
#include <string.h>

struct features {
	uint64_t *at;
	size_t n;
};

static int
by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool
has(const struct features *f, uint64_t value)
{
	return f->n > 0 &&
	       bsearch(&value, f->at, f->n, sizeof(value), by_value);
}

/* One number for family and hash, so that all families are one set. */
static uint64_t
number_of(int family, uint64_t hash)
{
	return hash ^ (uint64_t)(family + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static struct features
benign_features(const struct corpus *corpus, const bool *is_learned)
{
	struct features all = {NULL, 0};
	size_t room = 0;

	for (size_t i = 0; i < corpus->n; i++) {
		const struct document *d = &corpus->at[i];

		if (!is_learned[i] || d->class != MEF_BENIGN || !d->bag)
			continue;
		for (int f = 0; f < MEF_FAMILIES; f++)
			for (uint32_t k = 0; k < d->bag->family[f].n; k++) {
				if (all.n == room) {
					room = 2 * room + 1024;
					all.at = realloc(
					    all.at, room * sizeof(*all.at));
					if (!all.at)
						abort();
				}
				all.at[all.n++] =
				    number_of(f, d->bag->family[f].at[k]);
			}
	}
	if (all.n > 0)
		qsort(all.at, all.n, sizeof(*all.at), by_value);
	return all;
}

/* Does the document have every feature of the other that is not benign? */
static bool
fits(const struct mef_bag *signature, const struct mef_bag *bag,
    const struct features *benign)
{
	size_t n = 0;

	for (int f = 0; f < MEF_FAMILIES; f++) {
		const struct features mine = {
		    bag->family[f].at, bag->family[f].n};

		for (uint32_t k = 0; k < signature->family[f].n; k++) {
			const uint64_t hash = signature->family[f].at[k];

			if (has(benign, number_of(f, hash)))
				continue;
			if (!has(&mine, hash))
				return false;
			n++;
		}
	}
	return n > 0;
}

void
eval_signatures(struct eval *eval, struct fold *fold, const bool *is_learned,
    const bool *is_test)
{
	const struct corpus *corpus = &eval->corpus;
	struct features benign = benign_features(corpus, is_learned);

	for (size_t i = 0; i < corpus->n; i++) {
		const struct document *d = &corpus->at[i];
		bool is_found = false;

		if (!is_test[i] || !d->bag)
			continue;
		for (size_t k = 0; !is_found && k < corpus->n; k++) {
			const struct document *other = &corpus->at[k];

			is_found = is_learned[k] && other->bag &&
				   other->class == MEF_MALICIOUS &&
				   fits(other->bag, d->bag, &benign);
		}
		fold->signatures[d->class] += is_found;
	}
	free(benign.at);
}
