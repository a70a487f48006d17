/*
 * tools/sluice/flow_report.c - `sluice flow report`: what the learner is worth
 * on this site's mail.
 *
 * Two trials.  Each kept sample is judged by a model that saw nothing of its
 * peer; that gives the figures.  And the record tells what was said of mail
 * when it came; that gives the weight, and what the content filter missed.
 */
#include "tools/sluice/flow.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <math.h>

#define MISSED_BELOW 5.0 /* SpamAssassin's required_score */

struct options {
	struct flow_options flow;
	bool models;
};

static const size_t curve[] = {100, 200, 500, 1000, 2000};

struct report {
	const struct flow_learner *learner;
	const struct flow_sample **samples;
	size_t n;
};

/* False, figures without values: there is too little to try a model with. */
static bool
figures(const struct report *r, enum flow_kind kind, size_t most,
    struct flow_figures *ret)
{
	CLEANUP(free_ptr)
	struct flow_judged *judged = xcalloc(r->n + 1, sizeof(*judged));
	const bool is_tried =
	    flow_cross(kind, NULL, r->samples, r->n, most, 1, judged) == 0;

	*ret = flow_figures_of(judged, is_tried ? r->n : 0);
	return is_tried;
}

static json_t *
figures_json(const struct report *r, const struct flow_figures *f)
{
	uint64_t seen[2];

	flow_learner_seen(r->learner, seen);
	return json_pack("{sI sI so so so so so so}", "n_ham",
	    (json_int_t)seen[0], "n_spam", (json_int_t)seen[1], "accuracy",
	    flow_real(f->accuracy), "precision", flow_real(f->precision),
	    "recall", flow_real(f->recall), "auc", flow_real(f->auc),
	    "tpr_at_fpr_0.001", flow_real(f->tpr_001), "tpr_at_fpr_0.01",
	    flow_real(f->tpr_01));
}

static void
print_row(struct table *t, const struct flow_figures *f)
{
	const double cells[] = {f->accuracy, f->precision, f->recall, f->auc,
	    f->tpr_001, f->tpr_01};

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		table_cell(t, "%.3f", cells[i]);
}

/* A table borrows its titles. */
#define FIGURES \
	">accuracy", ">precision", ">recall", ">AUC", ">TPR at 0.1 %", \
	    ">TPR at 1 %"
static const char *const by_samples[] = {"learned from", FIGURES};
static const char *const by_model[] = {"model", FIGURES};

static void
print_curve(const struct report *r, enum flow_kind kind)
{
	struct table *t = table_new(ARRAY_SIZE(by_samples), by_samples);
	struct flow_figures f;

	for (size_t i = 0; i < ARRAY_SIZE(curve); i++) {
		if (curve[i] * 5 > r->n * 4 || !figures(r, kind, curve[i], &f))
			continue;
		table_cell(t, "%zu", curve[i]);
		print_row(t, &f);
	}
	if (figures(r, kind, 0, &f)) {
		table_cell(t, "%zu", r->n * 4 / 5);
		print_row(t, &f);
	}
	table_print(t, stdout);
}

static void
print_models(const struct report *r)
{
	struct table *t = table_new(ARRAY_SIZE(by_model), by_model);
	struct flow_figures f;

	for (unsigned int k = 0; k < FLOW_KINDS; k++) {
		(void)figures(r, (enum flow_kind)k, 0, &f);
		table_cell(t, "%s", flow_kind_name((enum flow_kind)k));
		print_row(t, &f);
	}
	table_print(t, stdout);
}

/* Of spam that the content filter let through, how much would points have
 * caught, and how much ham with it?  By the threshold of this very record. */
static void
print_recovered(const struct flow_heard *records, size_t n, double threshold)
{
	size_t missed = 0, caught = 0, ham = 0, hit = 0;

	for (size_t i = 0; i < n; i++) {
		const bool is_above = records[i].judged.score > threshold;

		if (isnan(records[i].content))
			continue;
		if (!records[i].judged.is_spam) {
			ham++;
			hit += is_above;
		} else if (records[i].content < MISSED_BELOW) {
			missed++;
			caught += is_above;
		}
	}
	(void)printf("of %zu spams below %.0f points of the content filter "
		     "%zu are above the score that 1 %% of the ham exceeds, "
		     "and %zu of %zu ham\n",
	    missed, MISSED_BELOW, caught, hit, ham);
}

static void
print_record(const struct report *r, double points)
{
	CLEANUP(free_ptr)
	struct flow_heard *records = xcalloc(FLOW_RECORDS, sizeof(*records));
	CLEANUP(free_ptr)
	struct flow_judged *judged = xcalloc(FLOW_RECORDS, sizeof(*judged));
	const size_t n = flow_learner_records(r->learner, records);
	const char *why = flow_learner_why(r->learner);
	struct flow_figures f;

	for (size_t i = 0; i < n; i++)
		judged[i] = records[i].judged;
	f = flow_figures_of(judged, n);
	(void)printf("record: %zu ham and %zu spam judged before they were "
		     "learned, AUC %.3f, TPR at 1 %% %.3f\n",
	    f.n_ham, f.n_spam, f.auc, f.tpr_01);
	if (n > 0)
		print_recovered(records, n, f.threshold_01);
	if (why)
		(void)printf("weight: 0, since %s\n", why);
	else
		(void)printf("weight: %.1f points above score %.2f%s\n", points,
		    flow_learner_threshold(r->learner),
		    points > 0 ? "" : ": earned, but flow.weight is 0");
}

static int
report(const struct options *o, const struct report *r)
{
	const struct flow_model *model = flow_learner_model(r->learner);
	const enum flow_kind kind =
	    model ? flow_model_kind(model) : flow_rules_default.kind;
	struct flow_figures f;
	bool is_tried;

	if (o->flow.common.json) {
		is_tried = figures(r, kind, 0, &f);
		util_json_line(stdout, figures_json(r, &f));
		return is_tried ? STATUS_FINE : STATUS_UNKNOWN;
	}
	(void)printf("%zu mails are kept, judged by models that saw nothing of "
		     "their senders' networks:\n",
	    r->n);
	if (o->models)
		print_models(r);
	else
		print_curve(r, kind);
	print_record(r, o->flow.rules.points);
	(void)printf("labels are the content filter's and the operator's: no "
		     "figure is truer than they are\n");
	return STATUS_FINE;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	if (key != 'm')
		return flow_option(key, arg, &o->flow);
	o->models = true;
	return 0;
}

static const struct argp_option options[] = {
    {"models", 'm', NULL, 0, "all kinds of model, side by side", 0},
    FLOW_OPTION_STATE, OPTION_CONF, OPTION_JSON, {0}};

static const struct argp argp = {options, parse, NULL,
    "What the learner is worth on this site's mail, by how many mails it has "
    "learned from, and whether that has earned it any weight.\v"
    "JSON, one line: n_ham, n_spam, accuracy, precision, recall, auc, "
    "tpr_at_fpr_0.001, tpr_at_fpr_0.01; null where there is too little to "
    "try.\n"
    "Exit status: 0 fine, 2 there is too little (with --json).",
    NULL, NULL, NULL};

int
flow_report(int argc, char **argv)
{
	struct options o = {.models = false};
	CLEANUP(close_fd) int dir = -1;
	int status = STATUS_FINE;
	struct report r = {NULL, NULL, 0};
	struct flow_learner *l;

	util_parse(&argp, argc, argv, &o);
	l = flow_open("flow report", &o.flow, true, &dir, &status);
	if (!l)
		return status;
	r.learner = l;
	r.samples =
	    xcalloc(2 * o.flow.rules.room, sizeof(struct flow_sample *));
	r.n = flow_learner_samples(l, r.samples);
	status = report(&o, &r);
	free(r.samples);
	(void)flow_learner_free(l);
	return status;
}
