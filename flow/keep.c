#include "flow/keep.h"

#include "flow/ask.h"

#include "common/io.h"
#include "common/log.h"
#include "common/metrics.h"

#include <stdlib.h>
#include <string.h>

struct flow_keep {
	struct flow_table *table;
	struct flow_records *records;
	struct flow_journal *journal;
	struct metrics *metrics;
	struct flow_table_stats told; /* to metrics */
	int64_t now_nsec;
	bool journal_fails;
};

struct event_of {
	struct flow_keep *keep;
	const struct flow *flow;
};

static void
write_down(struct flow_keep *k, const struct flow_record *record)
{
	int r;

	flow_records_put(k->records, record);
	if (!k->journal)
		return;
	r = flow_journal_write(k->journal, record, k->now_nsec);
	if (r < 0)
		metrics_add(k->metrics, METRIC_flow_journal_failures, 1);
	if (r < 0 && !k->journal_fails)
		log_error("flow journal: %s; what ends now is lost at the next "
			  "start",
		    strerror(-r));
	k->journal_fails = r < 0;
}

/* Who was never proven carried no mail, and may be anybody. */
static void
on_flow_end(void *arg, struct flow *flow, enum flow_end end)
{
	struct flow_record record;

	if (!flow->follow.is_proven)
		return;
	flow_record_of(flow, end, &record);
	write_down(arg, &record);
}

static void
on_message(void *arg, unsigned int ordinal, const struct flow_key *id)
{
	const struct event_of *e = arg;
	struct flow_record record;

	flow_record_of(e->flow, FLOW_END_CUT, &record);
	record.ordinal = (uint16_t)ordinal;
	if (id) {
		record.has_id = 1;
		record.id = *id;
	}
	metrics_add(e->keep->metrics, METRIC_flow_messages, 1);
	write_down(e->keep, &record);
}

/* The features stay those of the moment when it had arrived. */
static void
on_named(void *arg, unsigned int ordinal, const struct flow_key *queue)
{
	const struct event_of *e = arg;
	struct flow_record like, record;
	const struct flow_record *found;

	flow_record_of(e->flow, FLOW_END_CUT, &like);
	like.ordinal = (uint16_t)ordinal;
	found = flow_records_same(e->keep->records, &like);
	if (!found)
		return; /* so many came since */
	record = *found;
	record.has_queue = 1;
	record.queue = *queue;
	write_down(e->keep, &record);
}

struct flow_keep *
flow_keep_new(const struct flow_limits *limits, struct flow_records *records,
    struct flow_journal *journal, struct metrics *metrics)
{
	struct flow_keep *k = xcalloc(1, sizeof(*k));

	k->table = flow_table_new(limits, on_flow_end, k);
	k->records = records;
	k->journal = journal;
	k->metrics = metrics;
	return k;
}

struct flow_keep *
flow_keep_free(struct flow_keep *k)
{
	if (!k)
		return NULL;
	(void)flow_table_free(k->table);
	free(k);
	return NULL;
}

void
flow_keep_packet(void *keep, const struct packet *packet)
{
	struct flow_keep *k = keep;
	struct event_of event = {k, NULL};
	const struct dialogue_sink sink = {on_message, on_named, &event};
	struct flow *flow;
	bool is_in;
	uint8_t state;

	k->now_nsec = packet->nsec;
	flow = flow_table_see(k->table, packet, &is_in);
	if (!flow)
		return;
	event.flow = flow;
	state = flow->kept_state;
	dialogue_segment(
	    &flow->dialogue, packet, is_in, flow_table_budget(k->table), &sink);
	/* Closed, it stays for late segments; but it is safe from now on. */
	flow->kept_state = flow->follow.state;
	if (state < FOLLOW_CLOSED && flow->follow.state >= FOLLOW_CLOSED)
		on_flow_end(k, flow, FLOW_END_CLOSED);
}

void
flow_keep_tick(struct flow_keep *k, int64_t now_nsec)
{
	struct flow_table_stats now;
	const struct flow_table_stats *told = &k->told;

	k->now_nsec = now_nsec;
	flow_table_expire(k->table, now_nsec);
	now = flow_table_stats(k->table);
	metrics_add(k->metrics, METRIC_flow_packets,
	    now.packets - now.strangers - (told->packets - told->strangers));
	metrics_add(k->metrics, METRIC_flow_begun, now.flows - told->flows);
	metrics_add(k->metrics, METRIC_flow_pushed,
	    now.ends[FLOW_END_PUSHED] - now.unproven_pushed -
		(told->ends[FLOW_END_PUSHED] - told->unproven_pushed));
	metrics_set(k->metrics, METRIC_flow_open, now.now[FLOW_PROVEN]);
	metrics_set(k->metrics, METRIC_flow_unproven, now.now[FLOW_UNPROVEN]);
	metrics_set(
	    k->metrics, METRIC_flow_records, flow_records_count(k->records));
	k->told = now;
}

void
flow_keep_end(struct flow_keep *k)
{
	flow_table_end_all(k->table, FLOW_END_CUT);
}

struct flow_table *
flow_keep_table(struct flow_keep *k)
{
	return k->table;
}
