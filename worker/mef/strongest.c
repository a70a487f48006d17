#include "worker/mef/strongest.h"

#include "worker/mef/model_priv.h"

#include <math.h>

static void
put(struct mef_strong *list, size_t *n, size_t room,
    const struct mef_strong *one)
{
	size_t at = *n;

	while (at > 0 && fabs(list[at - 1].log_odds) < fabs(one->log_odds)) {
		if (at < room)
			list[at] = list[at - 1];
		at--;
	}
	if (at < room)
		list[at] = *one;
	if (*n < room)
		(*n)++;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void
look(const struct mef_model *model, enum mef_family family,
    const struct mef_features *f, struct mef_strong *list, size_t *n,
    size_t room)
{
	const struct mef_cell *cells = mef_model_cells(model, family);
	const struct mef_table *table = &model->head.tables[family];
	const double rest = log((double)table->n[MEF_BENIGN] + 2) -
			    log((double)table->n[MEF_MALICIOUS] + 2);

	if (!cells || table->n[MEF_BENIGN] == 0 || table->n[MEF_MALICIOUS] == 0)
		return;
	for (uint32_t i = 0; i < f->n; i++) {
		const struct mef_cell *a =
		    cells + mef_first_cell(f->at[i], table->log_cells);
		const struct mef_cell *b =
		    cells + mef_second_cell(f->at[i], table->log_cells);
		struct mef_strong one = {.family = family, .hash = f->at[i]};

		for (int c = 0; c < MEF_CLASSES; c++)
			one.n[c] = least(a->n[c], b->n[c]);
		if (one.n[0] + (uint64_t)one.n[1] == 0)
			continue;
		one.log_odds = log(((double)one.n[MEF_MALICIOUS] + 1) /
				   ((double)one.n[MEF_BENIGN] + 1)) +
			       rest;
		put(list, n, room, &one);
	}
}

size_t
mef_model_strongest(const struct mef_model *model, const struct mef_bag *bag,
    struct mef_strong *ret, size_t room)
{
	size_t n = 0;

	for (int f = 0; f < MEF_FAMILIES; f++)
		look(model, (enum mef_family)f, &bag->family[f], ret, &n, room);
	return n;
}
