/*
 * worker/mef/merge.c - whole models added and taken away, and views of them.
 */
#include "worker/mef/model_priv.h"

#include "common/io.h"

#include <errno.h>
#include <string.h>

static bool
have_one_layout(const struct mef_model *a, const struct mef_model *b)
{
	for (int f = 0; f < MEF_FAMILIES; f++)
		if (a->head.tables[f].log_cells != b->head.tables[f].log_cells)
			return false;
	return a->head.set == b->head.set &&
	       a->head.moments_dims == b->head.moments_dims;
}

/* Room for the sum of known documents, and no count beyond 32 bits. */
static int
check_sum(const struct mef_model *model, const struct mef_model *other)
{
	for (int c = 0; c < MEF_CLASSES; c++)
		if (other->head.n_documents[c] >
		    MEF_DOCUMENTS_MAX - model->head.n_documents[c])
			return -EOVERFLOW;
	/* A file may claim cells that its documents can't have. */
	for (int f = 0; f < MEF_FAMILIES; f++) {
		const struct mef_table *table = &model->head.tables[f];
		const struct mef_cell *a =
		    mef_model_cells(model, (enum mef_family)f);
		const struct mef_cell *b =
		    mef_model_cells(other, (enum mef_family)f);

		for (uint64_t i = 0; a && i < UINT64_C(1) << table->log_cells;
		     i++)
			for (int c = 0; c < MEF_CLASSES; c++)
				if (b[i].n[c] > UINT32_MAX - a[i].n[c])
					return -EOVERFLOW;
	}
	return 0;
}

static bool
has_known(const struct mef_model *model, const struct mef_model *other)
{
	const struct mef_known *theirs = mef_model_known(other);

	for (uint64_t i = 0; i < other->head.n_known; i++) {
		bool is_there;
		const uint64_t at =
		    mef_known_place(model, &theirs[i].digest, &is_there);
		const struct mef_known *ours = mef_model_known(model) + at;

		if (!is_there || ours->n[0] < theirs[i].n[0] ||
		    ours->n[1] < theirs[i].n[1])
			return false;
	}
	return true;
}

static int
check_rest(const struct mef_model *model, const struct mef_model *other)
{
	for (int c = 0; c < MEF_CLASSES; c++)
		if (other->head.n_documents[c] > model->head.n_documents[c])
			return -EINVAL;
	for (int f = 0; f < MEF_FAMILIES; f++) {
		const struct mef_table *ours = &model->head.tables[f];
		const struct mef_table *theirs = &other->head.tables[f];
		const struct mef_cell *a =
		    mef_model_cells(model, (enum mef_family)f);
		const struct mef_cell *b =
		    mef_model_cells(other, (enum mef_family)f);

		if (theirs->n[0] > ours->n[0] || theirs->n[1] > ours->n[1])
			return -EINVAL;
		for (uint64_t i = 0; a && i < UINT64_C(1) << ours->log_cells;
		     i++)
			if (b[i].n[0] > a[i].n[0] || b[i].n[1] > a[i].n[1])
				return -EINVAL;
	}
	return has_known(model, other) ? 0 : -EINVAL;
}

static void
merge_known(struct mef_model *model, const struct mef_model *other, int sign)
{
	const struct mef_known *ours = mef_model_known(model);
	const struct mef_known *theirs = mef_model_known(other);
	const uint64_t n = model->head.n_known, m = other->head.n_known;
	struct mef_known *sum = xcalloc(n + m + 1, sizeof(*sum)), *at = sum;
	uint64_t i = 0, k = 0;

	while (i < n || k < m) {
		const int order =
		    i == n   ? 1
		    : k == m ? -1
			     : memcmp(&ours[i].digest, &theirs[k].digest,
				   sizeof(ours[i].digest));

		*at = order <= 0 ? ours[i++] : theirs[k];
		if (order == 0)
			for (int c = 0; c < MEF_CLASSES; c++)
				at->n[c] +=
				    (uint32_t)(sign * (int64_t)theirs[k].n[c]);
		k += order >= 0;
		at += at->n[0] != 0 || at->n[1] != 0;
	}
	free(model->known);
	model->known = sum;
	model->known_room = n + m + 1;
	model->head.n_known = (uint64_t)(at - sum);
}

static void
merge(struct mef_model *model, const struct mef_model *other, int sign)
{
	for (int f = 0; f < MEF_FAMILIES; f++) {
		struct mef_table *table = &model->head.tables[f];
		struct mef_cell *a = mef_cells(model, (enum mef_family)f);
		const struct mef_cell *b =
		    mef_model_cells(other, (enum mef_family)f);

		for (int c = 0; c < MEF_CLASSES; c++)
			table->n[c] +=
			    (uint64_t)sign * other->head.tables[f].n[c];
		for (uint64_t i = 0; a && i < UINT64_C(1) << table->log_cells;
		     i++)
			for (int c = 0; c < MEF_CLASSES; c++)
				if (b[i].n[c] != 0)
					a[i].n[c] += (uint32_t)sign * b[i].n[c];
	}
	for (int c = 0; c < MEF_CLASSES; c++) {
		struct moments a = mef_moments(model, (enum mef_class)c);
		struct moments b = mef_moments(other, (enum mef_class)c);

		for (uint64_t i = 0;
		     model->head.moments_dims > 0 && i < MOMENT_SUMS; i++)
			if (b.sums[i] != 0)
				a.sums[i] = (int64_t)((uint64_t)a.sums[i] +
						      (uint64_t)sign *
							  (uint64_t)b.sums[i]);
		model->head.n_documents[c] +=
		    (uint64_t)sign * other->head.n_documents[c];
	}
	merge_known(model, other, sign);
}

static int
merge_checked(struct mef_model *model, const struct mef_model *other, int sign)
{
	int r;

	if (other->head.flags & MEF_PRUNED)
		return -EROFS;
	if (!have_one_layout(model, other))
		return -EINVAL;
	r = sign > 0 ? check_sum(model, other) : check_rest(model, other);
	if (r == 0)
		r = mef_model_write(model);
	if (r == 0)
		merge(model, other, sign);
	return r;
}

int
mef_model_merge(struct mef_model *model, const struct mef_model *other)
{
	return merge_checked(model, other, 1);
}

int
mef_model_subtract(struct mef_model *model, const struct mef_model *other)
{
	return merge_checked(model, other, -1);
}

int
mef_model_prune(struct mef_model *model, uint32_t floor)
{
	uint64_t kept = 0;
	int r = mef_model_write(model);

	if (r < 0)
		return r;
	for (int f = 0; f < MEF_FAMILIES; f++) {
		struct mef_cell *a = mef_cells(model, (enum mef_family)f);

		for (uint64_t i = 0;
		     a && i < UINT64_C(1) << model->head.tables[f].log_cells;
		     i++)
			/* No page is touched that is a hole already. */
			if ((a[i].n[0] | a[i].n[1]) != 0 &&
			    (uint64_t)a[i].n[0] + a[i].n[1] < floor)
				a[i] = (struct mef_cell){{0, 0}};
	}
	for (uint64_t i = 0; i < model->head.n_known; i++)
		if (model->known[i].n[MEF_MALICIOUS] > 0)
			model->known[kept++] = model->known[i];
	model->head.n_known = kept;
	model->head.flags |= MEF_PRUNED;
	model->head.floor = floor;
	return 0;
}
