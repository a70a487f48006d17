/*
 * worker/mef/score.c - what counts and moments say of a document.
 */
#include "worker/mef/model_priv.h"

#include "common/io.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define MILLION 1e6

/*
 * Beside the linear judgement, whose scale is 2 between the classes, counts
 * speak as the mean over a document's features, as if it had a few more that
 * say nothing: the bare sum grows with its length and runs into thousands.
 * Of 0, 0.1, 0.3 and 0.5 the first are a little better on programs like those
 * that were learned, and wrong on those of compilers that were not.
 */
#define EVIDENCE    0.5
#define SAY_NOTHING 10.0

const char *const mef_label_names[] = {"benign", "malicious", "borderline"};

/* Counts are small, mostly, and there are thousands of features. */
#define LOGS 256u

struct logs {
	double of[LOGS]; /* of the number itself; [0] is unused */
};

static void
logs_init(struct logs *logs)
{
	logs->of[0] = 0;
	for (unsigned int i = 1; i < LOGS; i++)
		logs->of[i] = log(i);
}

static double
log_of(const struct logs *logs, uint64_t n)
{
	return n < LOGS ? logs->of[n] : log((double)n);
}

/* A table is larger than caches: cells are asked for so many features ahead. */
#define AHEAD 32u

/* The second cell of a feature. */
struct place {
	uint32_t cell, feature;
};

#define CELLS_OF_PAGE (MEF_PAGE / sizeof(struct mef_cell))

/* In the order of the hashes, so these are in order as well. */
static uint32_t
read_first(const struct mef_cell *cells, const struct mef_features *f,
    unsigned int log_cells, struct mef_cell *ret_counts,
    struct place *ret_places)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->n; i++) {
		const struct mef_cell cell =
		    cells[mef_first_cell(f->at[i], log_cells)];

		if (f->n - i > AHEAD)
			__builtin_prefetch(
			    cells +
			    mef_first_cell(f->at[i + AHEAD], log_cells));
		ret_counts[i] = cell;
		ret_places[n] =
		    (struct place){mef_second_cell(f->at[i], log_cells), i};
		n += (cell.n[0] | cell.n[1]) != 0;
	}
	return n;
}

/*
 * By page and not at random: else each cell costs the way through the tables
 * of pages, which is longer than that to the cell.
 */
static struct place *
order_places(const struct place *places, uint32_t n, unsigned int log_cells)
{
	const size_t pages = ((size_t)1 << log_cells) / CELLS_OF_PAGE + 1;
	struct place *ordered = xcalloc((size_t)n + 1, sizeof(*ordered));
	CLEANUP(free_ptr) uint32_t *at = xcalloc(pages + 1, sizeof(*at));

	for (uint32_t i = 0; i < n; i++)
		at[places[i].cell / CELLS_OF_PAGE + 1]++;
	for (size_t i = 0; i < pages; i++)
		at[i + 1] += at[i];
	for (uint32_t i = 0; i < n; i++)
		ordered[at[places[i].cell / CELLS_OF_PAGE]++] = places[i];
	return ordered;
}

static uint32_t
lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void
read_second(const struct mef_cell *cells, const struct place *places,
    uint32_t n, struct mef_cell *counts)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct mef_cell *cell = cells + places[i].cell;
		struct mef_cell *of = counts + places[i].feature;

		if (n - i > AHEAD)
			__builtin_prefetch(cells + places[i + AHEAD].cell);
		for (int c = 0; c < MEF_CLASSES; c++)
			of->n[c] = lesser(of->n[c], cell->n[c]);
	}
}

/* Counts of features, one each, in their order; the caller frees them. */
static struct mef_cell *
counts_of(const struct mef_cell *cells, const struct mef_features *f,
    unsigned int log_cells)
{
	struct mef_cell *counts = xcalloc((size_t)f->n + 1, sizeof(*counts));
	CLEANUP(free_ptr)
	struct place *places = xcalloc((size_t)f->n + 1, sizeof(*places));
	CLEANUP(free_ptr) struct place *ordered = NULL;
	const uint32_t n = read_first(cells, f, log_cells, counts, places);

	ordered = order_places(places, n, log_cells);
	read_second(cells, ordered, n, counts);
	return counts;
}

/*
 * Log-odds of one family: the sum over the features that the model has seen
 * of log P(feature|malicious) - log P(feature|benign), where P is (documents
 * with it + 1) / (documents + 2) (Laplace's rule).
 */
static double
evidence_of(const struct mef_model *model, enum mef_family family,
    const struct mef_features *f, const struct logs *logs)
{
	const struct mef_cell *cells = mef_model_cells(model, family);
	const struct mef_table *table = &model->head.tables[family];
	const double rest = log((double)table->n[MEF_BENIGN] + 2) -
			    log((double)table->n[MEF_MALICIOUS] + 2);
	CLEANUP(free_ptr) struct mef_cell *counts = NULL;
	double sum = 0;

	if (!cells || f->n == 0 || table->n[MEF_BENIGN] == 0 ||
	    table->n[MEF_MALICIOUS] == 0)
		return 0;
	counts = counts_of(cells, f, table->log_cells);
	for (uint32_t i = 0; i < f->n; i++)
		if ((counts[i].n[0] | counts[i].n[1]) != 0)
			sum += log_of(logs, (uint64_t)counts[i].n[1] + 1) -
			       log_of(logs, (uint64_t)counts[i].n[0] + 1) +
			       rest;
	return sum;
}

/* The linear judgement's parts by family; they sum to w.x. */
static void
add_linear(const struct mef_model *model, const struct mef_bag *bag,
    double family[MEF_FAMILIES])
{
	CLEANUP(free_ptr) int32_t *x = xcalloc(MOMENT_DIMS, sizeof(*x));

	moment_vector(bag, x);
	for (unsigned int i = 0; i < MOMENT_DIMS; i++)
		family[moment_family(i)] += model->weights[i] * x[i];
}

static bool
is_known_as(
    const struct mef_model *model, const struct digest *digest, double *ret_p)
{
	bool is_there;
	const uint64_t at = mef_known_place(model, digest, &is_there);
	const struct mef_known *known = mef_model_known(model) + at;

	if (!is_there ||
	    (known->n[MEF_BENIGN] > 0) == (known->n[MEF_MALICIOUS] > 0))
		return false;
	*ret_p = known->n[MEF_MALICIOUS] > 0 ? 1 : 0;
	return true;
}

void
mef_model_solve(struct mef_model *model)
{
	if (model->weights || model->head.moments_dims == 0)
		return;
	model->weights = moments_solve(mef_moments(model, MEF_BENIGN),
	    mef_moments(model, MEF_MALICIOUS), model->head.n_documents);
}

void
mef_model_score(const struct mef_model *model, const struct mef_bag *bag,
    const struct digest *digest, struct mef_score *ret_score)
{
	const struct mef_point *point = &model->head.point;
	struct mef_score score = {.total = 0};
	struct logs logs;

	logs_init(&logs);
	assert(model->weights || model->head.moments_dims == 0);
	for (int f = 0; f < MEF_FAMILIES; f++)
		score.family[f] =
		    evidence_of(
			model, (enum mef_family)f, &bag->family[f], &logs) *
		    (model->weights
			    ? EVIDENCE / (SAY_NOTHING + bag->family[f].n)
			    : 1);
	if (model->weights)
		add_linear(model, bag, score.family);
	for (int f = 0; f < MEF_FAMILIES; f++)
		score.total += score.family[f];
	score.p_malicious =
	    1 / (1 + exp(-(score.total - (double)point->threshold / MILLION) *
			 (double)point->slope / MILLION));
	if (digest && is_known_as(model, digest, &score.p_malicious))
		score.is_known = true;
	*ret_score = score;
}

enum mef_label
mef_label_of(const struct mef_score *score, double band)
{
	const double difference = 2 * score->p_malicious - 1;

	if (!score->is_known && fabs(difference) <= band)
		return MEF_IS_BORDERLINE;
	return difference > 0 ? MEF_IS_MALICIOUS : MEF_IS_BENIGN;
}
