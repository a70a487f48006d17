#include "tools/sim/output.h"

#include "tools/sim/simulate.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct wait_summary unknown = {NAN, NAN, NAN, NAN, NAN};

void
result_init(struct result *r, const struct model *model)
{
	*r = (struct result){
	    .policy = model->policy,
	    .limits = model->limits,
	    .wait = unknown,
	    .ci99_s = NAN,
	    .utilisation = NAN,
	    .messages_per_s = NAN,
	    .patience =
		model->policy == FEED_SMALL_FIRST ? model->patience : NAN,
	    .bound_s = NAN,
	    .target_p99_s = NAN,
	};
	for (size_t i = 0; i < model->limits.lanes; i++) {
		r->queues[i] = (struct lane_figures){NAN, NAN, NAN};
		if (model->policy == FEED_LEAST_WORK)
			r->limits.max_bytes[i] = UINT64_MAX;
	}
}

static void
hide_waits(struct result *r)
{
	r->wait = unknown;
	r->ci99_s = NAN;
	for (size_t i = 0; i < r->limits.lanes; i++)
		r->queues[i].wait_mean_s = NAN;
}

void
result_of_closed(
    struct result *ret, const struct model *model, const struct closed *closed)
{
	result_init(ret, model);
	ret->stable = closed->stable;
	ret->utilisation = ret->load = closed->utilisation;
	ret->wait.mean_s = closed->wait_mean_s;
	/* No chance in it. */
	ret->is_formula = closed->stable && isfinite(closed->wait_mean_s);
	ret->ci99_s = ret->is_formula ? 0 : NAN;
	for (size_t i = 0; i < model->limits.lanes; i++)
		ret->queues[i] = closed->lanes[i];
	if (!ret->stable)
		hide_waits(ret);
}

void
result_of_trace(
    struct result *ret, const struct model *model, const struct simulation *s)
{
	const struct wait_figures *all = &s->all;

	result_init(ret, model);
	ret->stable = s->stable;
	ret->utilisation = s->utilisation;
	ret->load = s->load;
	ret->is_short = s->is_short;
	ret->wait = (struct wait_summary){
	    all->mean_s, all->p50_s, all->p95_s, all->p99_s, all->max_s};
	ret->ci99_s = s->ci99_s;
	ret->messages = all->messages;
	if (s->seconds > 0)
		ret->messages_per_s = (double)s->messages / s->seconds;
	for (size_t i = 0; i < model->limits.lanes; i++) {
		const struct wait_figures *lane = &s->lanes[i];

		ret->queues[i].utilisation = s->lane_utilisation[i];
		if (all->messages > 0)
			ret->queues[i].share =
			    (double)lane->messages / (double)all->messages;
		if (lane->messages > 0)
			ret->queues[i].wait_mean_s = lane->mean_s;
	}
}

void
result_of_simulation(
    struct result *ret, const struct model *model, const struct simulation *s)
{
	result_of_trace(ret, model, s);
	if (!ret->stable)
		hide_waits(ret);
}

/* JSON has no infinity; neither has anybody who waits for it. */
static void
put_number(json_t *o, const char *key, double x)
{
	(void)json_object_set_new(
	    o, key, isfinite(x) ? json_real(x) : json_null());
}

static void
put_count(json_t *o, const char *key, uint64_t n)
{
	(void)json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void
put_bool(json_t *o, const char *key, bool is)
{
	(void)json_object_set_new(o, key, json_boolean(is));
}

static void
put_waits(json_t *o, const struct wait_summary *w)
{
	put_number(o, "wait_p50_s", w->p50_s);
	put_number(o, "wait_p95_s", w->p95_s);
	put_number(o, "wait_p99_s", w->p99_s);
	put_number(o, "wait_max_s", w->max_s);
}

static bool
has_limit(const struct result *r, size_t lane)
{
	return r->limits.max_bytes[lane] != UINT64_MAX;
}

static void
put_queues(json_t *o, const struct result *r)
{
	json_t *limits = json_array(), *queues = json_array();

	for (size_t i = 0; i < r->limits.lanes; i++) {
		const struct lane_figures *f = &r->queues[i];
		json_int_t bytes = (json_int_t)r->limits.max_bytes[i];
		json_t *q = json_object();

		if (has_limit(r, i))
			(void)json_array_append_new(
			    limits, json_integer(bytes));
		(void)json_object_set_new(q, "limit_bytes",
		    has_limit(r, i) ? json_integer(bytes) : json_null());
		put_number(q, "share", f->share);
		put_number(q, "utilisation", f->utilisation);
		put_number(q, "wait_mean_s", f->wait_mean_s);
		(void)json_array_append_new(queues, q);
	}
	(void)json_object_set_new(o, "limits", limits);
	put_count(o, "workers", r->limits.lanes);
	(void)json_object_set_new(o, "queues", queues);
}

/* Limits of another arrangement that make mail wait less. */
static void
put_better(json_t *o, const struct result *r)
{
	json_t *better = json_object(), *limits = json_array();

	for (size_t i = 0; i + 1 < r->better_limits.lanes; i++)
		(void)json_array_append_new(limits,
		    json_integer((json_int_t)r->better_limits.max_bytes[i]));
	(void)json_object_set_new(better, "limits", limits);
	put_number(better, "wait_mean_s", r->better_wait_s);
	(void)json_object_set_new(o, "better", better);
}

static void
put_extras(json_t *o, const struct result *r)
{
	if (r->better_limits.lanes > 0)
		put_better(o, r);
	if (!isnan(r->patience))
		put_number(o, "patience", r->patience);
	if (r->evaluations > 0)
		put_count(o, "evaluations", r->evaluations);
	if (!isnan(r->bound_s)) {
		put_number(o, "bound_s", r->bound_s);
		put_number(o, "gap", output_gap(r));
		put_bool(o, "best", r->is_best);
		put_bool(o, "recommended", r->is_recommended);
	}
	if (r->measured) {
		json_t *m = json_object();

		put_number(m, "wait_mean_s", r->measured->mean_s);
		put_waits(m, r->measured);
		(void)json_object_set_new(o, "measured", m);
	}
	if (!isnan(r->target_p99_s)) {
		put_number(o, "target_p99_s", r->target_p99_s);
		put_bool(o, "meets_target", r->meets_target);
	}
}

static void
print_json(const struct result *r)
{
	json_t *o = json_object();
	char *text;

	(void)json_object_set_new(
	    o, "policy", json_string(feed_policy_name(r->policy)));
	put_bool(o, "stable", r->stable);
	put_number(o, "wait_mean_s", r->wait.mean_s);
	put_number(o, "ci99_s", r->ci99_s);
	put_waits(o, &r->wait);
	put_number(o, "utilisation", r->utilisation);
	put_queues(o, r);
	put_count(o, "messages", r->messages);
	put_number(o, "messages_per_s", r->messages_per_s);
	put_extras(o, r);
	text = json_dumps(
	    o, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
	if (!text)
		abort(); /* we only build what can be written */
	(void)puts(text);
	free(text);
	json_decref(o);
}

/* Comma and number, or a comma alone. */
static void
csv_number(double x)
{
	(void)putchar(',');
	if (isfinite(x))
		(void)printf("%.9g", x);
}

static void
csv_waits(const struct wait_summary *w)
{
	csv_number(w->mean_s);
	csv_number(w->p50_s);
	csv_number(w->p95_s);
	csv_number(w->p99_s);
	csv_number(w->max_s);
}

/* A row for all mail, then one for each queue. */
static void
print_csv(const struct result *r)
{
	const char *name = feed_policy_name(r->policy);

	(void)printf("%s,all,,1", name);
	csv_number(r->utilisation);
	csv_waits(&r->wait);
	csv_number(r->ci99_s);
	(void)printf(",%d\n", r->stable);
	for (size_t i = 0; i < r->limits.lanes; i++) {
		const struct lane_figures *q = &r->queues[i];

		(void)printf("%s,%zu,", name, i + 1);
		if (has_limit(r, i))
			(void)printf("%ju", (uintmax_t)r->limits.max_bytes[i]);
		csv_number(q->share);
		csv_number(q->utilisation);
		csv_number(q->wait_mean_s);
		(void)printf(",,,,,,%d\n", r->stable);
	}
}

void
output_results(enum output_form form, const struct result *results, size_t n)
{
	if (form == OUTPUT_TABLE)
		output_table(results, n);
	if (form == OUTPUT_CSV)
		(void)puts("policy,queue,limit_bytes,share,utilisation,"
			   "wait_mean_s,wait_p50_s,wait_p95_s,wait_p99_s,"
			   "wait_max_s,ci99_s,stable");
	for (size_t i = 0; i < n; i++) {
		if (form == OUTPUT_JSON)
			print_json(&results[i]);
		if (form == OUTPUT_CSV)
			print_csv(&results[i]);
	}
	(void)fflush(stdout);
}
