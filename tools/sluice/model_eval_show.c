/*
 * tools/sluice/model_eval_show.c - figures as JSON, tables and a picture.
 */
#include "tools/sluice/model_eval_priv.h"

#include "common/cleanup.h"
#include "tools/sim/plot.h"

struct sums {
	size_t judged[MEF_CLASSES], called[MEF_CLASSES],
	    signatures[MEF_CLASSES], borderline;
};

static void
add_fold(struct sums *sums, const struct fold *fold)
{
	for (int c = 0; c < MEF_CLASSES; c++) {
		sums->judged[c] += fold->judged[c];
		sums->called[c] += fold->called[c];
		sums->signatures[c] += fold->signatures[c];
	}
	sums->borderline += fold->borderline;
}

static double
share(size_t part, size_t all)
{
	return all > 0 ? (double)part / (double)all : 0;
}

static json_t *
sums_json(const struct sums *s, double auc)
{
	const size_t right = s->called[MEF_MALICIOUS] + s->judged[MEF_BENIGN] -
			     s->called[MEF_BENIGN];
	const size_t all = s->judged[0] + s->judged[1];

	return json_pack("{sf sf sf sf sI sI sf s{sf sf}}", "accuracy",
	    share(right, all), "detection",
	    share(s->called[MEF_MALICIOUS], s->judged[MEF_MALICIOUS]),
	    "false_positive",
	    share(s->called[MEF_BENIGN], s->judged[MEF_BENIGN]), "auc", auc,
	    "malicious", (json_int_t)s->judged[MEF_MALICIOUS], "benign",
	    (json_int_t)s->judged[MEF_BENIGN], "borderline",
	    share(s->borderline, all), "signature", "detection",
	    share(s->signatures[MEF_MALICIOUS], s->judged[MEF_MALICIOUS]),
	    "false_positive",
	    share(s->signatures[MEF_BENIGN], s->judged[MEF_BENIGN]));
}

static json_t *
eval_json(struct eval *e)
{
	json_t *folds = json_array(), *all;
	struct sums sums = {{0}, {0}, {0}, 0};

	for (unsigned int k = 0; k < e->options.folds; k++) {
		struct sums one = {{0}, {0}, {0}, 0};

		add_fold(&one, &e->folds[k]);
		add_fold(&sums, &e->folds[k]);
		(void)json_array_append_new(
		    folds, sums_json(&one, scores_auc(&e->folds[k].scores)));
	}
	all = sums_json(&sums, scores_auc(&e->scores));
	(void)json_object_set_new(all, "folds", folds);
	return all;
}

static double
real(const json_t *object, const char *key)
{
	return json_real_value(json_object_get(object, key));
}

static void
row(struct table *table, const char *name, const json_t *o)
{
	const json_t *signature = json_object_get(o, "signature");

	table_cell(table, "%s", name);
	table_cell(table, "%.2f", 100 * real(o, "accuracy"));
	table_cell(table, "%.2f", 100 * real(o, "detection"));
	table_cell(table, "%.2f", 100 * real(o, "false_positive"));
	table_cell(table, "%.4f", real(o, "auc"));
	table_cell(table, "%.2f", 100 * real(o, "borderline"));
	table_cell(table, "%.2f", 100 * real(signature, "detection"));
	table_cell(table, "%.2f", 100 * real(signature, "false_positive"));
}

static void
print_table(const json_t *all)
{
	static const char *const titles[] = {"fold", ">accuracy %",
	    ">detection %", ">false positives %", ">AUC", ">borderline %",
	    ">signatures: detection %", ">false positives %"};
	struct table *table = table_new(ARRAY_SIZE(titles), titles);
	const json_t *fold;
	size_t i;

	json_array_foreach (json_object_get(all, "folds"), i, fold) {
		char name[24];

		(void)snprintf(name, sizeof(name), "%zu", i);
		row(table, name, fold);
	}
	row(table, "all", all);
	table_print(table, stdout);
}

static void
write_point(void *arg, double threshold, double fp, double tp)
{
	(void)fprintf(arg, "%.6f\t%.6f\t%.6f\n", threshold, fp, tp);
}

static int
write_table(struct eval *e)
{
	FILE *out = fopen(e->table, "we");
	bool is_bad;

	if (!out)
		return util_fail(
		    STATUS_SYSTEM, e->corpus.command, "%s: %m", e->table);
	(void)fputs("logit\tfalse_positive\tdetection\n", out);
	scores_roc(&e->scores, write_point, out);
	is_bad = ferror(out) != 0;
	is_bad |= fclose(out) != 0;
	return is_bad ? util_fail(STATUS_SYSTEM, e->corpus.command, "%s: %m",
			    e->table)
		      : STATUS_FINE;
}

static void
plot_point(void *arg, double threshold, double fp, double tp)
{
	(void)threshold;
	(void)fprintf(arg, "%.6f %.6f\n", fp, tp);
}

static int
draw(struct eval *e)
{
	char err[200] = "";
	struct plot plot;

	plot_begin(&plot, e->plot, 600, 500);
	(void)fprintf(plot.script,
	    "set xlabel 'false positives'\nset ylabel 'detection'\n"
	    "set xrange [0:0.2]\nset yrange [0:1]\nset key bottom right\n"
	    "plot '-' using 1:2 with steps lw 2 title 'all folds, AUC %.4f'\n"
	    "0 0\n",
	    scores_auc(&e->scores));
	scores_roc(&e->scores, plot_point, plot.script);
	(void)fprintf(plot.script, "e\n");
	return plot_end(&plot, err, sizeof(err)) == 0
		   ? STATUS_FINE
		   : util_fail(STATUS_SYSTEM, e->corpus.command, "%s", err);
}

int
eval_show(struct eval *e)
{
	json_t *all = eval_json(e);
	int status = STATUS_FINE;

	if (e->table)
		status = write_table(e);
	if (status == STATUS_FINE && e->plot)
		status = draw(e);
	if (e->options.common.json) {
		util_json_line(stdout, all);
		return status;
	}
	print_table(all);
	json_decref(all);
	return status;
}
