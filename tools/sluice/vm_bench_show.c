/*
 * tools/sluice/vm_bench_show.c - the numbers as JSON, tables and a picture.
 */
#include "tools/sluice/vm_bench_priv.h"

#include "common/cleanup.h"
#include "tools/sim/plot.h"

#include <sys/sysinfo.h>

static double
ms(uint64_t usec)
{
	return (double)usec / 1000;
}

static double
mean_ms(const struct measure *m)
{
	return ms(measure_mean(m));
}

static double
private_mb(const struct bench *b)
{
	return (double)measure_mean(&b->stages.private_bytes) / 1e6;
}

static double
best_rate(const struct bench *b)
{
	double best = 0;

	for (size_t i = 0; i < b->n_rates; i++)
		if (b->rates[i].per_second > best)
			best = b->rates[i].per_second;
	return best;
}

static json_t *
rates_json(const struct bench *b)
{
	json_t *rates = json_array();

	for (size_t i = 0; i < b->n_rates; i++)
		(void)json_array_append_new(
		    rates, json_pack("{si si sI sI sf}", "cores",
			       (int)b->rates[i].cores, "clones",
			       (int)b->rates[i].clones, "files",
			       (json_int_t)b->rates[i].files, "failed",
			       (json_int_t)b->rates[i].failed, "files_per_s",
			       b->rates[i].per_second));
	return rates;
}

static json_t *
stages_json(const struct stages *s)
{
	return json_pack("{sf sf sf sf sf sf sf sf sf sf sf}", "clone",
	    mean_ms(&s->clone), "make", mean_ms(&s->make), "fork",
	    mean_ms(&s->fork), "answer", mean_ms(&s->answer), "rehearse",
	    mean_ms(&s->rehearse), "inject", mean_ms(&s->inject), "take",
	    mean_ms(&s->take), "run", mean_ms(&s->run), "collect",
	    mean_ms(&s->collect), "reset",
	    s->reset.n ? mean_ms(&s->reset) + mean_ms(&s->answer)
		       : mean_ms(&s->destroy) + mean_ms(&s->clone),
	    "destroy", mean_ms(&s->destroy));
}

void
bench_json(const struct bench *bench, FILE *out)
{
	const struct stages *s = &bench->stages;

	util_json_line(out,
	    json_pack("{ss ss si sI sf sf sf sf sf so sf sI ss so}", "backend",
		bench->ops->name, "reference", bench->reference, "cores",
		get_nprocs(), "samples", (json_int_t)bench->options.samples,
		"take_ms_p50", ms(measure_at(&s->take, 50)), "take_ms_p95",
		ms(measure_at(&s->take, 95)), "cold_ms_p50",
		ms(measure_at(&s->clone, 50)), "cold_ms_p95",
		ms(measure_at(&s->clone, 95)), "private_mb", private_mb(bench),
		"stages", stages_json(s), "files_per_s", best_rate(bench),
		"live_max", (json_int_t)bench->live_max, "live_why",
		bench->live_why, "rates", rates_json(bench)));
}

static void
stage_row(struct table *t, const char *name, const struct measure *m)
{
	if (m->n == 0)
		return; /* the back end has no such */
	table_cell(t, "%s", name);
	table_cell(t, "%.2f", mean_ms(m));
	table_cell(t, "%.2f", ms(measure_at(m, 50)));
	table_cell(t, "%.2f", ms(measure_at(m, 95)));
	table_cell(t, "%.2f", ms(measure_at(m, 100)));
}

static void
print_stages(const struct bench *b, FILE *out)
{
	static const char *const titles[] = {
	    "stage", ">mean ms", ">p50", ">p95", ">max"};
	const struct stages *s = &b->stages;
	struct table *t = table_new(ARRAY_SIZE(titles), titles);

	stage_row(t, "clone (cold, to the agent's answer)", &s->clone);
	stage_row(t, "  make (create and fork)", &s->make);
	stage_row(t, "    the hypervisor's fork alone", &s->fork);
	stage_row(t, "  answer", &s->answer);
	stage_row(t, "rehearse (while nothing waits)", &s->rehearse);
	stage_row(t, "inject", &s->inject);
	stage_row(t, "take (ready, to the agent's answer)", &s->take);
	stage_row(t, "run", &s->run);
	stage_row(t, "collect", &s->collect);
	stage_row(t, "destroy", &s->destroy);
	stage_row(t, "reset (an answer follows)", &s->reset);
	table_print(t, out);
}

static void
print_rates(const struct bench *b, FILE *out)
{
	static const char *const titles[] = {
	    ">cores", ">clones", ">files", ">failed", ">files/s"};
	struct table *t = table_new(ARRAY_SIZE(titles), titles);

	for (size_t i = 0; i < b->n_rates; i++) {
		const struct rate *r = &b->rates[i];

		table_cell(t, "%u", r->cores);
		table_cell(t, "%u", r->clones);
		table_cell(t, "%llu", (unsigned long long)r->files);
		table_cell(t, "%llu", (unsigned long long)r->failed);
		table_cell(t, "%.1f", r->per_second);
	}
	table_print(t, out);
}

void
bench_table(const struct bench *bench, FILE *out)
{
	(void)fprintf(out,
	    "back end %s, reference %s, %d processors, %zu clones one after "
	    "the other\n\n",
	    bench->ops->name, bench->reference, get_nprocs(),
	    bench->options.samples);
	print_stages(bench, out);
	(void)fprintf(out,
	    "\nprivate memory of a clone that stands still: %.1f MB\n"
	    "live at once: %zu of %zu asked for%s%s\n\n",
	    private_mb(bench), bench->live_max, bench->options.clones,
	    bench->live_why[0] ? ": " : "", bench->live_why);
	print_rates(bench, out);
}

int
bench_plot(const struct bench *bench, char *err, size_t err_size)
{
	uint32_t cores = (uint32_t)get_nprocs();
	struct plot plot;

	plot_begin(&plot, bench->options.plot, 800, 500);
	(void)fprintf(plot.script,
	    "set xlabel 'clones that run at a time'\n"
	    "set ylabel 'files per second'\nset yrange [0:*]\n"
	    "set logscale x 2\n"
	    "plot '-' using 1:2 with linespoints lw 2 title '%u cores', "
	    "'-' using 1:2 with points pt 7 title 'fewer cores, two clones "
	    "each'\n",
	    cores);
	for (int part = 0; part < 2; part++) {
		bool any = false;

		for (size_t i = 0; i < bench->n_rates; i++) {
			const struct rate *r = &bench->rates[i];

			if ((r->cores == cores) != (part == 0))
				continue;
			any = true;
			(void)fprintf(
			    plot.script, "%u %.3f\n", r->clones, r->per_second);
		}
		/* gnuplot takes no empty list. */
		(void)fprintf(plot.script, "%se\n", any ? "" : "1 NaN\n");
	}
	return plot_end(&plot, err, err_size);
}
