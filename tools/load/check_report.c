/* tools/load/check_report.c - tell people and programs what was found. */
#include "check.h"
#include "jrec.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

const char *
finding_name(enum finding f)
{
	static const char *const names[FIND_COUNT] = {
	    [FIND_ONCE] = "once",
	    [FIND_STOPPED] = "stopped",
	    [FIND_REFUSED] = "refused",
	    [FIND_BROKEN] = "broken",
	    [FIND_BROKEN_CAME] = "broken_delivered",
	    [FIND_EXCUSED] = "excused",
	    [FIND_RETURNED] = "returned",
	    [FIND_MISSING] = "missing",
	    [FIND_DUPLICATED] = "duplicated",
	    [FIND_LEAKED] = "leaked",
	    [FIND_UNACCEPTED] = "unaccepted",
	    [FIND_ALTERED] = "altered",
	    [FIND_SENT_TWICE] = "sent_twice",
	    [FIND_FOREIGN] = "foreign",
	};

	assert(f < FIND_COUNT);
	return names[f];
}

static double
percentile(const struct check_report *r, double p)
{
	size_t i = (size_t)(p * (double)r->latency_count);

	if (r->latency_count == 0)
		return 0;
	if (i >= r->latency_count)
		i = r->latency_count - 1;
	return r->latency[i];
}

static void
add_counts(struct jrec *j, const struct check_class *c)
{
	jrec_int(j, "sent", c->sent);
	jrec_int(j, "accepted", c->accepted);
	jrec_int(j, "rejected", c->rejected);
	jrec_int(j, "deferred", c->deferred);
	for (int f = 0; f < FIND_COUNT; f++)
		jrec_int(j, finding_name((enum finding)f), c->count[f]);
}

static void
add_latency(struct jrec *j, const struct check_report *r)
{
	struct jrec *child = jrec_child(j, "latency");

	jrec_real(child, "p50", percentile(r, 0.5));
	jrec_real(child, "p90", percentile(r, 0.9));
	jrec_real(child, "p99", percentile(r, 0.99));
	jrec_real(child, "max", percentile(r, 1));
}

static void
print_json(const struct check_report *r)
{
	struct jrec *j = jrec_new();
	struct jrec *classes;

	jrec_bool(j, "ok", r->is_ok);
	add_counts(j, &r->total);
	jrec_int(j, "received", r->received);
	jrec_int(j, "bad_lines", r->bad_lines);
	add_latency(j, r);
	classes = jrec_child(j, "classes");
	for (size_t i = 0; i < r->class_count; i++)
		add_counts(
		    jrec_child(classes, r->classes[i].name), &r->classes[i]);
	for (size_t i = 0; i < r->problem_count; i++) {
		struct jrec *p = jrec_append(j, "problems");

		jrec_str(p, "kind", finding_name(r->problems[i].finding));
		jrec_str(p, "id", r->problems[i].id);
	}
	if (jrec_print(stdout, j) < 0)
		die(EXIT_SYSTEM, "can't write the report");
	(void)jrec_free(j);
}

static const enum finding columns[] = {FIND_ONCE, FIND_STOPPED, FIND_REFUSED,
    FIND_MISSING, FIND_DUPLICATED, FIND_LEAKED, FIND_UNACCEPTED, FIND_ALTERED};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void
print_row(const struct check_class *c, const char *name)
{
	(void)printf(
	    "%-12s %8" PRIu64 " %8" PRIu64, name, c->sent, c->accepted);
	for (size_t i = 0; i < COLUMNS; i++)
		(void)printf(" %10" PRIu64, c->count[columns[i]]);
	(void)putchar('\n');
}

static void
print_table(const struct check_report *r)
{
	(void)printf("%-12s %8s %8s", "class", "sent", "accepted");
	for (size_t i = 0; i < COLUMNS; i++)
		(void)printf(" %10s", finding_name(columns[i]));
	(void)putchar('\n');
	for (size_t i = 0; i < r->class_count; i++)
		print_row(&r->classes[i], r->classes[i].name);
	print_row(&r->total, "all");
}

static void
print_rest(const struct check_report *r)
{
	const uint64_t *n = r->total.count;

	(void)printf("at the sink %" PRIu64 "; broken %" PRIu64
		     ", of these arrived %" PRIu64 "; twice but excused "
		     "%" PRIu64 "; returned %" PRIu64 "; foreign %" PRIu64
		     "; ids sent twice "
		     "%" PRIu64 "; unreadable lines %" PRIu64 "\n",
	    r->received, n[FIND_BROKEN] + n[FIND_BROKEN_CAME],
	    n[FIND_BROKEN_CAME], n[FIND_EXCUSED], n[FIND_RETURNED],
	    n[FIND_FOREIGN], n[FIND_SENT_TWICE], r->bad_lines);
	(void)printf("latency p50 %.1f, p90 %.1f, p99 %.1f, max %.1f ms\n",
	    percentile(r, 0.5) * 1e3, percentile(r, 0.9) * 1e3,
	    percentile(r, 0.99) * 1e3, percentile(r, 1) * 1e3);
	for (size_t i = 0; i < r->problem_count; i++)
		(void)printf("%s: %s\n", finding_name(r->problems[i].finding),
		    r->problems[i].id ? r->problems[i].id : "(no id)");
	(void)puts(r->is_ok ? "all is well" : "not well");
}

void
check_report_print(const struct check_report *r, bool as_json)
{
	if (as_json) {
		print_json(r);
		return;
	}
	print_table(r);
	print_rest(r);
	if (fflush(stdout) != 0)
		die(EXIT_SYSTEM, "can't write the report");
}
