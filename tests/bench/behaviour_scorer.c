/*
 * tests/bench/behaviour_scorer.c - learn the scorer of etc/behaviours-api.conf
 * and judge it, both from a table of programs (tests/bench/behaviour_table.h).
 *
 *   behaviour_scorer TABLE judge [DEALS]
 *     The table's own folds: four teach, the fifth is judged, by the detector
 *     itself, fed with the calls as a guest reports them.  The threshold is
 *     found within the four.  DEALS: so many more, with the clusters
 *     dealt to folds anew.  Exit status 1: the bars are missed.
 *   behaviour_scorer TABLE write
 *     Learn from all rows and write the block.
 *   behaviour_scorer TABLE check RULES
 *     Judge a rule file on the rows: those that it was learned from.
 */
#include "tests/bench/behaviour_fit.h"
#include "vmm/detector_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAR_ACCURACY 0.94
#define BAR_FALSE    0.045

struct verdict {
	bool is_hit;
	double score;
};

static void
write_block(FILE *out, const struct table *table, const struct fit *fit,
    const char *weight)
{
	(void)fprintf(out,
	    "scorer api-calls %s T1106 \"Calls Windows as malicious programs "
	    "do\"\n\tbias %.3f\n\tscore %.3f\n\tleast 2\n",
	    weight, fit->bias, fit->threshold);
	for (size_t i = 0; i < table->n_names; i++)
		if (fit->weights[i] != 0)
			(void)fprintf(out, "\tweight %.3f %s\n",
			    fit->weights[i], table->names[i]);
}

static struct rules *
rules_of(const struct table *table, const struct fit *fit)
{
	CLEANUP(free_ptr) char *text = NULL;
	struct rules *rules = NULL;
	size_t n;
	char err[300];
	FILE *out = open_memstream(&text, &n);

	if (!out)
		abort();
	write_block(out, table, fit, "100");
	(void)fclose(out);
	if (rules_parse("scorer", text, n, NULL, &rules, err, sizeof(err)) <
	    0) {
		(void)fprintf(stderr, "behaviour_scorer: %s\n", err);
		exit(111);
	}
	return rules;
}

static void
feed(struct detector *d, const char *line)
{
	detector_feed(d, line, strlen(line));
}

/* What the detector says to a program that makes these calls. */
static struct verdict
judge(const struct rules *rules, const struct table *table,
    const struct table_row *row)
{
	struct detector *d = detector_new(rules);
	struct verdict verdict;
	char line[300];

	feed(d, "{\"ev\":\"agent.start\",\"name\":\"a.exe\",\"how\":\"wine\"}"
		"\n");
	for (size_t i = 0; i < row->n; i++) {
		(void)snprintf(line, sizeof(line),
		    "{\"t\":0.1,\"by\":\"wine\",\"pid\":1,\"ev\":\"api.call\","
		    "\"name\":\"%s\"}\n",
		    table->names[row->calls[i]]);
		feed(d, line);
	}
	feed(d, "{\"ev\":\"agent.end\",\"how\":\"exit\",\"code\":0}\n");
	verdict.is_hit = *detector_reason(d) != '\0';
	verdict.score =
	    rules->scorer.bias + d->scored.score - rules->scorer.threshold;
	(void)detector_free(d);
	return verdict;
}

struct figures {
	double accuracy, detection, false_positives, area;
	size_t n_false, n_benign;
};

/* Share of pairs in which the malicious one has the higher score. */
static double
area_of(const struct table *table, const struct verdict *verdicts)
{
	double above = 0, pairs = 0;

	for (size_t i = 0; i < table->n; i++)
		for (size_t k = 0; table->rows[i].is_malicious && k < table->n;
		     k++) {
			if (table->rows[k].is_malicious)
				continue;
			pairs++;
			above += verdicts[i].score > verdicts[k].score   ? 1
				 : verdicts[i].score < verdicts[k].score ? 0
									 : 0.5;
		}
	return above / pairs;
}

static struct figures
figures_of(const struct table *table, const struct verdict *verdicts)
{
	struct figures f = {.area = area_of(table, verdicts)};
	size_t found = 0;

	for (size_t i = 0; i < table->n; i++) {
		const bool is = table->rows[i].is_malicious;

		f.n_benign += !is;
		found += is && verdicts[i].is_hit;
		f.n_false += !is && verdicts[i].is_hit;
	}
	f.detection = (double)found / (double)(table->n - f.n_benign);
	f.false_positives = (double)f.n_false / (double)f.n_benign;
	f.accuracy =
	    (double)(found + f.n_benign - f.n_false) / (double)table->n;
	return f;
}

static struct figures
say(const char *what, const struct table *table, const struct verdict *verdicts)
{
	const struct figures f = figures_of(table, verdicts);

	(void)printf("%-16s accuracy %.1f %%  detection %.1f %%  false "
		     "positives %.1f %% (%zu of %zu)  area %.3f\n",
	    what, 100 * f.accuracy, 100 * f.detection, 100 * f.false_positives,
	    f.n_false, f.n_benign, f.area);
	(void)fflush(stdout);
	return f;
}

/* Each fold judged by what the others teach. */
static void
judge_folds(
    const struct table *table, const unsigned int *fold, struct verdict *ret)
{
	CLEANUP(free_ptr) bool *use = xcalloc(table->n, sizeof(*use));
	struct fit fit;

	for (unsigned int k = 0; k < TABLE_FOLDS; k++) {
		struct rules *rules;

		for (size_t i = 0; i < table->n; i++)
			use[i] = fold[i] != k;
		fit_learn(table, use, &fit);
		rules = rules_of(table, &fit);
		for (size_t i = 0; i < table->n; i++)
			if (!use[i])
				ret[i] = judge(rules, table, &table->rows[i]);
		(void)rules_free(rules);
	}
}

static int
run_judge(const struct table *table, unsigned long deals)
{
	CLEANUP(free_ptr)
	unsigned int *fold = xcalloc(table->n, sizeof(*fold));
	CLEANUP(free_ptr) bool *all = xcalloc(table->n, sizeof(*all));
	CLEANUP(free_ptr)
	struct verdict *verdicts = xcalloc(table->n, sizeof(*verdicts));
	struct figures f;
	uint64_t seed = 9001;
	char what[40];

	for (size_t i = 0; i < table->n; i++) {
		all[i] = true;
		fold[i] = table->rows[i].fold;
	}
	judge_folds(table, fold, verdicts);
	f = say("the table's folds", table, verdicts);
	for (unsigned long i = 0; i < deals; i++) {
		table_deal(table, all, &seed, fold);
		judge_folds(table, fold, verdicts);
		(void)snprintf(what, sizeof(what), "dealt anew, %lu", i + 1);
		(void)say(what, table, verdicts);
	}
	return f.accuracy >= BAR_ACCURACY && f.false_positives <= BAR_FALSE ? 0
									    : 1;
}

static int
run_write(const struct table *table)
{
	CLEANUP(free_ptr) bool *all = xcalloc(table->n, sizeof(*all));
	struct fit fit;

	for (size_t i = 0; i < table->n; i++)
		all[i] = true;
	fit_learn(table, all, &fit);
	write_block(stdout, table, &fit, "40");
	return 0;
}

static int
run_check(const struct table *table, const char *path)
{
	CLEANUP(free_ptr)
	struct verdict *verdicts = xcalloc(table->n, sizeof(*verdicts));
	struct rules *rules = NULL;
	char err[300];

	if (rules_load(path, &rules, err, sizeof(err)) < 0) {
		(void)fprintf(stderr, "behaviour_scorer: %s\n", err);
		return 100;
	}
	for (size_t i = 0; i < table->n; i++)
		verdicts[i] = judge(rules, table, &table->rows[i]);
	(void)rules_free(rules);
	(void)say("as learned", table, verdicts);
	return 0;
}

int
main(int argc, char **argv)
{
	struct table *table = NULL;
	int r;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: behaviour_scorer TABLE judge "
				      "[DEALS] | write | check RULES\n");
		return 100;
	}
	r = table_load(argv[1], &table);
	if (r < 0) {
		(void)fprintf(stderr, "behaviour_scorer: %s: %s\n", argv[1],
		    strerror(-r));
		return 111;
	}
	if (strcmp(argv[2], "write") == 0)
		r = run_write(table);
	else if (strcmp(argv[2], "check") == 0 && argc > 3)
		r = run_check(table, argv[3]);
	else
		r = run_judge(table, argc > 3 ? strtoul(argv[3], NULL, 10) : 0);
	(void)table_free(table);
	return r;
}
