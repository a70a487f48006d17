/*
 * worker/mef/count.c - adding and taking away, of documents and of models.
 *
 * Everything is looked at before anything is changed, so that a failure
 * leaves the model as it was.
 */
#include "worker/mef/model_priv.h"

#include "common/io.h"

#include <errno.h>
#include <string.h>

/* The cells of a document, each once, so that no cell exceeds the documents. */
static void
cells_of(const struct mef_features *f, unsigned int log_cells,
    struct mef_bag *ret_cells)
{
	uint64_t before = UINT64_MAX;

	mef_bag_clear(ret_cells);
	for (uint32_t i = 0; i < f->n; i++) {
		/* In the order of the hashes, so they need no sorting. */
		const uint64_t cell = mef_first_cell(f->at[i], log_cells);

		if (cell != before)
			mef_bag_add(ret_cells, MEF_BYTES, cell);
		before = cell;
	}
	for (uint32_t i = 0; i < f->n; i++)
		mef_bag_add(ret_cells, MEF_STRINGS,
		    mef_second_cell(f->at[i], log_cells));
	mef_bag_finish_family(ret_cells, MEF_STRINGS);
}

static bool
have_all(const struct mef_cell *cells, const struct mef_features *places,
    enum mef_class class)
{
	for (uint32_t i = 0; i < places->n; i++)
		if (cells[places->at[i]].n[class] == 0)
			return false;
	return true;
}

static void
step(struct mef_cell *cells, const struct mef_features *places,
    enum mef_class class, uint32_t by)
{
	for (uint32_t i = 0; i < places->n; i++)
		cells[places->at[i]].n[class] += by;
}

/* sign 1 or -1; UINT32_MAX is -1 for unsigned addition. */
static void
count_families(struct mef_model *model, const struct mef_bag *bag,
    enum mef_class class, int sign)
{
	CLEANUP(mef_bag_freep) struct mef_bag *places = mef_bag_new();
	const uint32_t by = sign > 0 ? 1 : UINT32_MAX;

	for (int f = 0; f < MEF_FAMILIES; f++) {
		struct mef_cell *cells = mef_cells(model, (enum mef_family)f);
		struct mef_table *table = &model->head.tables[f];

		if (!cells || bag->family[f].n == 0)
			continue;
		cells_of(&bag->family[f], table->log_cells, places);
		step(cells, &places->family[MEF_BYTES], class, by);
		step(cells, &places->family[MEF_STRINGS], class, by);
		table->n[class] += (uint64_t)(int64_t)sign;
	}
}

static bool
has_families(const struct mef_model *model, const struct mef_bag *bag,
    enum mef_class class)
{
	CLEANUP(mef_bag_freep) struct mef_bag *places = mef_bag_new();

	for (int f = 0; f < MEF_FAMILIES; f++) {
		const struct mef_cell *cells =
		    mef_model_cells(model, (enum mef_family)f);

		if (!cells || bag->family[f].n == 0)
			continue;
		cells_of(
		    &bag->family[f], model->head.tables[f].log_cells, places);
		if (model->head.tables[f].n[class] == 0 ||
		    !have_all(cells, &places->family[MEF_BYTES], class) ||
		    !have_all(cells, &places->family[MEF_STRINGS], class))
			return false;
	}
	return true;
}

static void
count(struct mef_model *model, const struct mef_bag *bag, enum mef_class class,
    int sign)
{
	count_families(model, bag, class, sign);
	if (model->head.moments_dims > 0) {
		CLEANUP(free_ptr) int32_t *x = xcalloc(MOMENT_DIMS, sizeof(*x));

		moment_vector(bag, x);
		mef_moments_count(model, x, class, sign);
	}
	model->head.n_documents[class] += (uint64_t)(int64_t)sign;
}

uint64_t
mef_known_place(const struct mef_model *model, const struct digest *digest,
    bool *ret_is_there)
{
	const struct mef_known *known = mef_model_known(model);
	uint64_t low = 0, high = model->head.n_known;

	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;

		if (memcmp(&known[middle].digest, digest, sizeof(*digest)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_is_there =
	    low < model->head.n_known &&
	    memcmp(&known[low].digest, digest, sizeof(*digest)) == 0;
	return low;
}

static void
known_add(
    struct mef_model *model, const struct digest *digest, enum mef_class class)
{
	bool is_there;
	const uint64_t at = mef_known_place(model, digest, &is_there);

	if (!is_there) {
		if (model->head.n_known + 1 >= model->known_room) {
			model->known_room = 2 * model->known_room + 16;
			model->known = realloc(model->known,
			    model->known_room * sizeof(*model->known));
			if (!model->known)
				abort();
		}
		memmove(model->known + at + 1, model->known + at,
		    (model->head.n_known - at) * sizeof(*model->known));
		model->known[at] = (struct mef_known){.digest = *digest};
		model->head.n_known++;
	}
	model->known[at].n[class]++;
}

static void
known_remove(struct mef_model *model, uint64_t at, enum mef_class class)
{
	struct mef_known *known = model->known + at;

	known->n[class]--;
	if (known->n[MEF_BENIGN] + known->n[MEF_MALICIOUS] > 0)
		return;
	model->head.n_known--;
	memmove(known, known + 1, (model->head.n_known - at) * sizeof(*known));
}

int
mef_model_add(struct mef_model *model, const struct mef_bag *bag,
    const struct digest *digest, enum mef_class class)
{
	int r;

	if (model->head.n_documents[class] == MEF_DOCUMENTS_MAX)
		return -EOVERFLOW;
	r = mef_model_write(model);
	if (r < 0)
		return r;
	count(model, bag, class, 1);
	known_add(model, digest, class);
	return 0;
}

int
mef_model_remove(struct mef_model *model, const struct mef_bag *bag,
    const struct digest *digest, enum mef_class class)
{
	bool is_there;
	uint64_t at;
	int r = mef_model_write(model);

	if (r < 0)
		return r;
	at = mef_known_place(model, digest, &is_there);
	if (!is_there || model->known[at].n[class] == 0)
		return -ENOENT;
	if (!has_families(model, bag, class))
		return -EINVAL;
	count(model, bag, class, -1);
	known_remove(model, at, class);
	return 0;
}
