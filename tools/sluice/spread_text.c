#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sluice/spread.h"
#include "tools/sluice/util.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Digits of a hash in the table; --hash takes them. */
#define HEX_SHOWN 12

struct spread_table {
	size_t limit, n;
	struct spread_told *rows; /* descending; without periods */
};

struct spread_table *
spread_table_new(size_t limit)
{
	struct spread_table *t = xcalloc(1, sizeof(*t));

	t->limit = limit;
	t->rows = xcalloc(limit + 1, sizeof(*t->rows));
	return t;
}

/* Alarms first, then who reaches most. */
static bool
is_before(const struct spread_told *a, const struct spread_told *b)
{
	if (spread_is_alarm(a) != spread_is_alarm(b))
		return spread_is_alarm(a);
	if (a->new_clients != b->new_clients)
		return a->new_clients > b->new_clients;
	return a->life.copies > b->life.copies;
}

void
spread_table_add(struct spread_table *table, const struct spread_told *told)
{
	struct spread_told row = *told;
	size_t i = table->n;

	while (i > 0 && is_before(&row, &table->rows[i - 1]))
		i--;
	if (i == table->limit)
		return;
	row.periods = NULL;
	row.replicator = told->replicator ? xstrdup(told->replicator) : NULL;
	memmove(
	    &table->rows[i + 1], &table->rows[i], (table->n - i) * sizeof(row));
	table->rows[i] = row;
	if (table->n < table->limit)
		table->n++;
	else
		free(table->rows[table->limit].replicator);
}

struct spread_table *
spread_table_free(struct spread_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free(table->rows[i].replicator);
	free(table->rows);
	free(table);
	return NULL;
}

static const char *
rate_text(double rate, char *buf, size_t size)
{
	if (isfinite(rate))
		(void)snprintf(buf, size, "%.3g", rate);
	else
		(void)snprintf(buf, size, "-");
	return buf;
}

static const char *
alarm_text(const struct spread_told *told)
{
	if (told->bursts > 0)
		return told->life.is_replicating ? "BURST+REPL" : "BURST";
	return told->life.is_replicating ? "REPLICATION" : "-";
}

static void
print_row(struct table *table, const struct spread_told *t)
{
	char hex[DIGEST_HEX], span[32], births[24], spread[24], incidence[24];

	table_cell(table, "%.*s", HEX_SHOWN, digest_hex(&t->digest, hex));
	table_cell(table, "%s", alarm_text(t));
	table_cell(table, "%s", t->verdict);
	table_cell(table, "%" PRIu64, t->life.copies);
	table_cell(table, "%" PRIu64, t->life.blocked);
	table_cell(table, "%" PRIu64, t->life.senders);
	table_cell(table, "%" PRIu64, t->new_clients);
	table_cell(
	    table, "%s", rate_text(t->incidence, incidence, sizeof(incidence)));
	table_cell(table, "%s",
	    rate_text(t->life.births_per_minute, births, sizeof(births)));
	table_cell(
	    table, "%s", rate_text(t->life.spread, spread, sizeof(spread)));
	table_cell(table, "%s",
	    util_span(
		t->life.last_usec - t->life.first_usec, span, sizeof(span)));
	table_cell(table, "%s", t->name);
}

static void
print_replicators(const struct spread_table *t)
{
	char hex[DIGEST_HEX];

	for (size_t i = 0; i < t->n; i++) {
		const struct spread_told *row = &t->rows[i];

		if (!row->life.is_replicating || !row->replicator)
			continue;
		(void)printf("%.*s was sent on by ", HEX_SHOWN,
		    digest_hex(&row->digest, hex));
		for (const char *p = row->replicator; *p; p++)
			(void)putchar(*p >= ' ' && *p <= '~' ? *p : '?');
		(void)printf(
		    " to %" PRIu64 " within a period\n", row->life.replicas);
	}
}

void
spread_table_print(struct spread_table *table, const struct spread_wish *wish)
{
	static const char *const titles[] = {"FILE", "ALARM", "VERDICT",
	    ">COPIES", ">BLOCKED", ">SENDERS", ">NEW", ">INCIDENCE",
	    ">BIRTHS/MIN", ">SPREAD", ">LIFESPAN", "NAME"};
	struct table *t = table_new(ARRAY_SIZE(titles), titles);

	for (size_t i = 0; i < table->n; i++)
		print_row(t, &table->rows[i]);
	table_print(t, stdout);
	print_replicators(table);
	(void)printf("clients: %" PRIu64 "; NEW: clients that had it not "
		     "before; INCIDENCE: of these, a client and day\n",
	    wish->frame.clients);
	(void)spread_table_free(table);
}

static void
print_period(struct table *table, const struct spread_frame *f, size_t i,
    const struct spread_period *p)
{
	char when[40], text[24];

	table_cell(table, "%.16s",
	    util_time(f->begin_usec + i * f->period_usec, when, sizeof(when)));
	table_cell(table, "%" PRIu64, p->copies);
	table_cell(table, "%" PRIu64, p->blocked);
	table_cell(table, "%" PRIu64, p->sources);
	table_cell(table, "%" PRIu64, p->new_clients);
	table_cell(table, "%s", rate_text(p->incidence, text, sizeof(text)));
	table_cell(table, "%s", rate_text(p->prevalence, text, sizeof(text)));
	table_cell(
	    table, "%s", rate_text(p->births_per_minute, text, sizeof(text)));
	table_cell(table, "%s", rate_text(p->p, text, sizeof(text)));
	table_cell(table, "%s", p->is_burst ? "BURST" : "-");
}

void
spread_print_periods(
    const struct spread_wish *wish, const struct spread_told *told)
{
	static const char *const titles[] = {"PERIOD", ">COPIES", ">BLOCKED",
	    ">SENDERS", ">NEW", ">INCIDENCE", ">PREVALENCE", ">BIRTHS/MIN",
	    ">CHANCE", "ALARM"};
	struct table *t = table_new(ARRAY_SIZE(titles), titles);
	const struct spread_frame *f = &wish->frame;
	char hex[DIGEST_HEX];

	(void)printf("%s\n", digest_hex(&told->digest, hex));
	for (size_t i = SPREAD_PAST; i < f->n_periods; i++)
		if (told->periods[i].copies > 0 || told->periods[i].holders > 0)
			print_period(t, f, i, &told->periods[i]);
	table_print(t, stdout);
	(void)putchar('\n');
}
