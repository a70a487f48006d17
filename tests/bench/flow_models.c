/*
 * flow_models FILE - what each kind of model is worth on real connections.
 *
 * For the whole file and without its one forwarder: judged in folds by place,
 * in time order (the last 40 % by what came before), and, only to show what
 * knowing the senders would bring, in random folds.
 *
 * How a model is trained is chosen anew for each training set, by trials
 * within it: no row that is judged has a say in how.
 */
#include "tests/bench/flow_rows.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "flow/draw.h"
#include "flow/learn.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SEED     1
#define TRAINING 0.6 /* of the rows, in time order */

/* 0: the kind's default. */
static const struct choice {
	enum flow_kind kind;
	struct flow_params change;
} choices[] = {
    {FLOW_BAYES, {.cuts = 4}},
    {FLOW_BAYES, {.cuts = 9}},
    {FLOW_BAYES, {.cuts = 19}},
    {FLOW_LINEAR, {.cuts = 7, .cost = 0.01}},
    {FLOW_LINEAR, {.cuts = 15, .cost = 0.01}},
    {FLOW_LINEAR, {.cuts = 15, .cost = 0.1}},
    {FLOW_LINEAR, {.cuts = 15, .cost = 1}},
    {FLOW_TREE, {.least = 5}},
    {FLOW_TREE, {.least = 20}},
    {FLOW_TREE, {.least = 60}},
    {FLOW_FOREST, {.least = 2}},
    {FLOW_FOREST, {.least = 10}},
    {FLOW_FOREST, {.least = 40}},
    {FLOW_BOOSTED, {.trees = 50, .depth = 2}},
    {FLOW_BOOSTED, {.trees = 150, .depth = 2}},
    {FLOW_BOOSTED, {.trees = 150, .depth = 4}},
    {FLOW_BOOSTED, {.trees = 300, .depth = 6}},
};

/* A training set, or rows to judge. */
struct set {
	const struct flow_sample **samples;
	size_t *rows; /* of the table */
	size_t n;
};

static struct flow_params
params_of(const struct choice *choice)
{
	struct flow_params p = flow_params_default(choice->kind);
	const struct flow_params *c = &choice->change;

	p.cuts = c->cuts ? c->cuts : p.cuts;
	p.cost = c->cost > 0 ? c->cost : p.cost;
	p.least = c->least ? c->least : p.least;
	p.trees = c->trees ? c->trees : p.trees;
	p.depth = c->depth ? c->depth : p.depth;
	return p;
}

static struct set
set_new(size_t room)
{
	return (struct set){xcalloc(room + 1, sizeof(struct flow_sample *)),
	    xcalloc(room + 1, sizeof(size_t)), 0};
}

static void
set_done(struct set *set)
{
	free(set->samples);
	free(set->rows);
}

/* Of a subset of the table (keep: which rows), those of a fold or the rest. */
static struct set
set_of(const struct flow_rows_table *t, const unsigned int *folds,
    unsigned int fold, bool is_fold)
{
	struct set set = set_new(t->n);

	for (size_t i = 0; i < t->n; i++)
		if ((folds[i] == fold) == is_fold) {
			set.rows[set.n] = i;
			set.samples[set.n++] = &t->samples[i];
		}
	return set;
}

/* Accuracy and AUC, whose sum chooses; balanced, as classes weigh. */
static double
worth(struct flow_judged *judged, size_t n)
{
	const struct flow_figures f = flow_figures_of(judged, n);

	return isnan(f.auc) ? 0 : f.accuracy + f.auc;
}

/* Has a training set what there is to tell apart? */
static bool
has_both(const struct set *set)
{
	size_t spam = 0;

	for (size_t i = 0; i < set->n; i++)
		spam += set->samples[i]->is_spam;
	return spam > 0 && spam < set->n;
}

static void
judge(const struct flow_model *model, const struct set *set,
    struct flow_judged *ret)
{
	for (size_t i = 0; i < set->n; i++)
		ret[i] = (struct flow_judged){
		    flow_model_score(model, set->samples[i]->x, NULL),
		    set->samples[i]->is_spam};
}

/* The last 40 % of a training set in time order judged by its first 60 %. */
static double
worth_in_time(
    const struct choice *c, const struct set *set, struct flow_judged *judged)
{
	const struct flow_params p = params_of(c);
	const size_t n = (size_t)(TRAINING * (double)set->n);
	const struct set begin = {set->samples, NULL, n};
	const struct set rest = {set->samples + n, NULL, set->n - n};
	struct flow_model *model;

	if (!has_both(&begin))
		return 0;
	model = flow_model_train(c->kind, &p, set->samples, n, SEED);
	judge(model, &rest, judged);
	(void)flow_model_free(model);
	return worth(judged, rest.n);
}

static struct flow_params
choose(enum flow_kind kind, const struct set *training, bool in_time)
{
	CLEANUP(free_ptr)
	struct flow_judged *judged = xcalloc(training->n + 1, sizeof(*judged));
	struct flow_params best = flow_params_default(kind);
	double most = -1;

	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		const struct flow_params p = params_of(&choices[i]);
		double w = 0;

		if (choices[i].kind != kind)
			continue;
		if (in_time)
			w = worth_in_time(&choices[i], training, judged);
		else if (flow_cross(kind, &p, training->samples, training->n, 0,
			     SEED, judged) == 0)
			w = worth(judged, training->n);
		if (w > most) {
			most = w;
			best = p;
		}
	}
	return best;
}

/* Judge every row by models that saw nothing of its fold. */
static void
in_folds(const struct flow_rows_table *t, enum flow_kind kind,
    const unsigned int *folds, struct flow_judged *ret)
{
	CLEANUP(free_ptr)
	struct flow_judged *some = xcalloc(t->n + 1, sizeof(*some));

	for (unsigned int k = 0; k < FLOW_ROWS_FOLDS; k++) {
		struct set training = set_of(t, folds, k, false);
		struct set fold = set_of(t, folds, k, true);
		const struct flow_params p = choose(kind, &training, false);
		struct flow_model *model = flow_model_train(
		    kind, &p, training.samples, training.n, SEED);

		judge(model, &fold, some);
		for (size_t i = 0; i < fold.n; i++)
			ret[fold.rows[i]] = some[i];
		(void)flow_model_free(model);
		set_done(&training);
		set_done(&fold);
	}
}

static void
print(
    const char *what, enum flow_kind kind, struct flow_judged *judged, size_t n)
{
	const struct flow_figures f = flow_figures_of(judged, n);

	(void)printf("  %-24s %-8s %5zu %5zu   %.3f    %.3f  %.3f\n", what,
	    flow_kind_name(kind), f.n_ham, f.n_spam, f.accuracy, f.auc,
	    f.tpr_01);
	(void)fflush(stdout);
}

static void
in_time(const struct flow_rows_table *t, enum flow_kind kind,
    struct flow_judged *judged)
{
	static const size_t curve[] = {100, 200, 500, 1000, 2000};
	const size_t n = (size_t)(TRAINING * (double)t->n);
	CLEANUP(free_ptr) unsigned int *all = xcalloc(t->n, sizeof(*all));
	struct set set = set_of(t, all, 0, true);
	const struct set rest = {set.samples + n, NULL, set.n - n};

	for (size_t i = 0; i <= ARRAY_SIZE(curve); i++) {
		const size_t first = i < ARRAY_SIZE(curve) ? curve[i] : n;
		const struct set training = {set.samples, NULL, first};
		struct flow_model *model;
		struct flow_params p;
		char what[40];

		if (first > n || !has_both(&training))
			continue;
		p = choose(kind, &training, true);
		model =
		    flow_model_train(kind, &p, training.samples, first, SEED);
		judge(model, &rest, judged);
		(void)flow_model_free(model);
		(void)snprintf(
		    what, sizeof(what), "time, the first %zu", first);
		print(what, kind, judged, rest.n);
	}
	set_done(&set);
}

static void
all_of(const struct flow_rows_table *t, bool is_one_place)
{
	CLEANUP(free_ptr)
	struct flow_judged *judged = xcalloc(t->n + 1, sizeof(*judged));
	CLEANUP(free_ptr) unsigned int *dealt = xcalloc(t->n, sizeof(*dealt));
	uint64_t seed = SEED;

	for (size_t i = 0; i < t->n; i++)
		dealt[i] = (unsigned int)flow_draw(&seed, FLOW_ROWS_FOLDS);
	(void)printf("  judged                   model      ham  spam   "
		     "accuracy AUC    TPR at 1 %%\n");
	for (unsigned int k = 0; k < FLOW_KINDS; k++) {
		const enum flow_kind kind = (enum flow_kind)k;

		if (!is_one_place) {
			in_folds(t, kind, t->folds, judged);
			print("by place", kind, judged, t->n);
		}
		in_time(t, kind, judged);
		in_folds(t, kind, dealt, judged);
		print("in random folds", kind, judged, t->n);
	}
}

/* Keep the rows of the forwarder, or all others. */
static void
keep_only(struct flow_rows_table *t, bool is_forwarder)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->is_forwarder[i] == is_forwarder) {
			t->samples[n] = t->samples[i];
			t->folds[n] = t->folds[i];
			t->is_forwarder[n++] = is_forwarder;
		}
	t->n = n;
}

static void
speed(const struct flow_rows_table *t)
{
	CLEANUP(free_ptr) unsigned int *all = xcalloc(t->n, sizeof(*all));
	struct set set = set_of(t, all, 0, true);

	for (unsigned int k = 0; k < FLOW_KINDS; k++) {
		const clock_t begin = clock();
		struct flow_model *model = flow_model_train(
		    (enum flow_kind)k, NULL, set.samples, set.n, SEED);
		const clock_t trained = clock();
		double sum = 0, contributions[FLOW_FEATURES];

		for (size_t i = 0; i < t->n; i++)
			sum += flow_model_score(
			    model, t->samples[i].x, contributions);
		(void)printf("  %-8s trained in %.3f s, judges in %.2f us "
			     "(mean score %.1f)\n",
		    flow_kind_name((enum flow_kind)k),
		    (double)(trained - begin) / CLOCKS_PER_SEC,
		    (double)(clock() - trained) * 1e6 / CLOCKS_PER_SEC /
			(double)t->n,
		    sum / (double)t->n);
		(void)flow_model_free(model);
	}
	set_done(&set);
}

/*
 * The learner itself, in time order, with the labels for content verdicts:
 * what its guards say of a real site, and whether it earns any weight.
 */
static void
live(const struct flow_rows_table *t)
{
	struct flow_learner *l = flow_learner_new(&flow_rules_default, SEED);
	CLEANUP(free_ptr)
	struct flow_heard *records = xcalloc(FLOW_RECORDS, sizeof(*records));
	CLEANUP(free_ptr)
	struct flow_judged *judged = xcalloc(FLOW_RECORDS, sizeof(*judged));
	const char *why = NULL;
	size_t refused = 0, n, points[2] = {0, 0};

	for (size_t i = 0; i < t->n; i++) {
		struct flow_sample s = t->samples[i];
		struct flow_opinion o;

		s.client = s.peer;
		flow_learner_saw(l, &s, NAN);
		flow_learner_judge(l, &s, &o);
		points[s.is_spam] += o.points > 0;
		refused += !flow_learner_hear(l, &s, NAN);
		if (flow_learner_is_due(l))
			flow_learner_retrain(l);
		if (flow_learner_why(l) != why)
			(void)printf("  row %4zu: %s\n", i,
			    flow_learner_why(l) ? flow_learner_why(l)
						: "earned weight");
		why = flow_learner_why(l);
	}
	n = flow_learner_records(l, records);
	for (size_t i = 0; i < n; i++)
		judged[i] = records[i].judged;
	print("live, the last 2000", FLOW_FOREST, judged, n);
	(void)printf("  %zu rows refused by guards, points for %zu spam and "
		     "%zu ham\n",
	    refused, points[1], points[0]);
	(void)flow_learner_free(l);
}

int
main(int argc, char **argv)
{
	static const char *const sets[] = {"features of the connection",
	    "with TTL, OS, throughput, hour, place and neighbours"};
	struct flow_rows_table t;

	for (unsigned int with = 0; argc == 2 && with < 2; with++)
		for (int part = 0; part < 3; part++) {
			int r = flow_rows_load(
			    argv[1], (enum flow_rows_with)with, &t);

			if (r < 0) {
				(void)fprintf(stderr, "flow_models: %s: %s\n",
				    argv[1], strerror(-r));
				return 111;
			}
			if (part > 0)
				keep_only(&t, part == 2);
			(void)printf("%s, %s: %zu rows\n",
			    part == 0   ? "the whole file"
			    : part == 1 ? "without the forwarder"
					: "the forwarder alone",
			    sets[with], t.n);
			/* Within one place trials are sample by sample. */
			for (size_t i = 0; part == 2 && i < t.n; i++)
				t.samples[i].peer = 0;
			if (part == 0 && with == 0)
				speed(&t);
			if (part < 2)
				live(&t);
			all_of(&t, part == 2);
			flow_rows_done(&t);
		}
	return argc == 2 ? 0 : 100;
}
