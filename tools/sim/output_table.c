/*
 * tools/sim/output_table.c - the figures for people.
 */
#include "tools/sim/output.h"

#include <math.h>
#include <stdio.h>

#define CELL 32

char *
output_seconds(double s, char *buf, size_t size)
{
	if (!isfinite(s)) /* not known, or known not at all */
		(void)snprintf(buf, size, "-");
	else if (s < 0.9995)
		(void)snprintf(buf, size, "%.3g ms", s * 1e3);
	else if (s < 119.5)
		(void)snprintf(buf, size, "%.3g s", s);
	else if (s < 7170)
		(void)snprintf(buf, size, "%.3g min", s / 60);
	else
		(void)snprintf(buf, size, "%.3g h", s / 3600);
	return buf;
}

static char *
percent(double share, char *buf, size_t size)
{
	if (!isfinite(share))
		(void)snprintf(buf, size, "-");
	else
		(void)snprintf(buf, size, "%.1f %%", 100 * share);
	return buf;
}

static void
cell_seconds(double s)
{
	char buf[CELL];

	(void)printf(" %11s", output_seconds(s, buf, sizeof(buf)));
}

static void
cell_percent(double share)
{
	char buf[CELL];

	(void)printf(" %8s", percent(share, buf, sizeof(buf)));
}

static void
waits_row(const char *name, const struct wait_summary *w, double ci99_s,
    bool is_formula)
{
	(void)printf("%-11s", name);
	cell_seconds(w->mean_s);
	if (is_formula)
		(void)printf(" %11s", "formula");
	else
		cell_seconds(ci99_s);
	cell_seconds(w->p50_s);
	cell_seconds(w->p95_s);
	cell_seconds(w->p99_s);
	cell_seconds(w->max_s);
}

double
output_gap(const struct result *r)
{
	double gap = r->wait.mean_s / r->bound_s - 1;

	/* A mean may be below by chance; the truth isn't. */
	return gap < 0 ? 0 : gap;
}

static bool
has_bounds(const struct result *results, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isnan(results[i].bound_s))
			return true;
	return false;
}

static void
policy_row(const struct result *r, bool bounds)
{
	waits_row(
	    feed_policy_name(r->policy), &r->wait, r->ci99_s, r->is_formula);
	cell_percent(r->utilisation);
	if (bounds)
		cell_percent(output_gap(r));
	if (!r->stable)
		(void)fputs("  UNSTABLE", stdout);
	if (bounds && r->is_recommended)
		(void)fputs("  <- recommended", stdout);
	else if (bounds && r->is_best)
		(void)fputs("  <- least wait", stdout);
	(void)putchar('\n');
}

static void
queue_row(const struct result *r, size_t i)
{
	const struct lane_figures *q = &r->queues[i];

	(void)printf("  feed%-6zu", i + 1);
	if (r->limits.max_bytes[i] == UINT64_MAX)
		(void)printf("%15s", "none");
	else
		(void)printf("%15ju", (uintmax_t)r->limits.max_bytes[i]);
	cell_percent(q->share);
	cell_percent(q->utilisation);
	cell_seconds(q->wait_mean_s);
	(void)puts(!r->stable && q->utilisation >= 1 ? "  OVERLOADED" : "");
}

static void
better_line(const struct result *r)
{
	char buf[CELL];

	(void)printf("\n  BETTER, by other limits than these lead to: ");
	for (size_t i = 0; i + 1 < r->better_limits.lanes; i++)
		(void)printf("%s%ju", i ? "," : "--limits ",
		    (uintmax_t)r->better_limits.max_bytes[i]);
	(void)printf(", mean wait %s\n",
	    output_seconds(r->better_wait_s, buf, sizeof(buf)));
}

static void
queue_table(const struct result *r)
{
	(void)printf("\n%s", feed_policy_name(r->policy));
	if (!isnan(r->target_p99_s))
		(void)printf(r->meets_target ? ", %zu workers are enough"
					     : ", %zu workers are too few",
		    r->limits.lanes);
	if (!isnan(r->patience))
		(void)printf(", patience %g", r->patience);
	if (r->messages > 0)
		(void)printf(", %ju messages measured", (uintmax_t)r->messages);
	if (isfinite(r->messages_per_s))
		(void)printf(
		    ", %.3g million a second", r->messages_per_s / 1e6);
	if (r->evaluations > 0)
		(void)printf(", %ju choices tried", (uintmax_t)r->evaluations);
	(void)printf("\n  %-10s%15s%9s%9s%12s\n", "QUEUE", "LIMIT, OCTETS",
	    "SHARE", "BUSY", "MEAN WAIT");
	for (size_t i = 0; i < r->limits.lanes; i++)
		queue_row(r, i);
	if (r->better_limits.lanes > 0)
		better_line(r);
}

void
output_table(const struct result *results, size_t n)
{
	bool bounds = has_bounds(results, n);

	(void)printf("%-11s%12s%12s%12s%12s%12s%12s%9s%s\n", "POLICY",
	    "MEAN WAIT", "+- (99 %)", "MEDIAN", "95 %", "99 %", "LONGEST",
	    "BUSY", bounds ? "   ABOVE BOUND" : "");
	for (size_t i = 0; i < n; i++)
		policy_row(&results[i], bounds);
	if (n > 0 && results[0].measured) {
		waits_row("(measured)", results[0].measured, NAN, false);
		(void)putchar('\n');
	}
	for (size_t i = 0; i < n; i++)
		queue_table(&results[i]);
}
