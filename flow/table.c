#include "flow/table.h"

#include "flow/hash.h"

#include "common/io.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
/* A flow moves within its list at most so often: a second more or less of
 * silence makes no odds, and most packets then touch one flow alone. */
#define LIST_GRAIN_NSEC INT64_C(1000000000)
/* Flows that one packet may end by its time. */
#define EXPIRE_EACH 2
#define EXPIRE_TICK 4096

struct list {
	uint32_t newest, oldest, n;
};

struct flow_table {
	struct flow_limits limits;
	flow_end_fn *fn;
	void *arg;
	struct flow_hash_key key;
	struct flow *flows;
	uint32_t *buckets;
	uint32_t bucket_mask;
	uint32_t n_flows; /* of flows, ever used */
	uint32_t free;    /* linked by next */
	struct list lists[FLOW_LISTS];
	struct flow_budget budget;
	uint64_t serial;
	struct flow_table_stats stats;
};

const char *
flow_end_name(enum flow_end end)
{
	static const char *const names[] = {
	    "closed", "idle", "pushed-out", "replaced", "cut"};

	assert(end < FLOW_ENDS);
	return names[end];
}

static uint32_t
flows_max(const struct flow_limits *limits)
{
	return limits->proven_max + limits->unproven_max;
}

struct flow_table *
flow_table_new(const struct flow_limits *limits, flow_end_fn *fn, void *arg)
{
	struct flow_table *t = xcalloc(1, sizeof(*t));
	uint32_t n = 16;

	assert(limits->proven_max > 0 && limits->unproven_max > 0);
	assert(limits->n_ports <= FLOW_PORTS_MAX);
	while (n < flows_max(limits))
		n *= 2;
	t->limits = *limits;
	t->fn = fn;
	t->arg = arg;
	t->key = flow_hash_key_new();
	/* Zero pages that the kernel gives as they are touched. */
	t->flows = xcalloc(flows_max(limits), sizeof(*t->flows));
	t->buckets = xcalloc(n, sizeof(*t->buckets));
	memset(t->buckets, 0xff, n * sizeof(*t->buckets));
	t->bucket_mask = n - 1;
	t->free = NONE;
	t->budget.left_bytes = limits->budget_bytes;
	for (int i = 0; i < FLOW_LISTS; i++)
		t->lists[i].newest = t->lists[i].oldest = NONE;
	return t;
}

struct flow_table *
flow_table_free(struct flow_table *t)
{
	if (!t)
		return NULL;
	for (uint32_t i = 0; i < t->n_flows; i++) {
		follow_done(&t->flows[i].follow, &t->budget);
		dialogue_done(&t->flows[i].dialogue, &t->budget);
	}
	free(t->flows);
	free(t->buckets);
	free(t);
	return NULL;
}

static uint32_t
index_of(const struct flow_table *t, const struct flow *f)
{
	return (uint32_t)(f - t->flows);
}

static void
unlist(struct flow_table *t, struct flow *f)
{
	struct list *l = &t->lists[f->list];

	if (f->newer == NONE)
		l->newest = f->older;
	else
		t->flows[f->newer].older = f->older;
	if (f->older == NONE)
		l->oldest = f->newer;
	else
		t->flows[f->older].newer = f->newer;
	l->n--;
}

static void
enlist(struct flow_table *t, struct flow *f, enum flow_list list)
{
	struct list *l = &t->lists[list];
	const uint32_t i = index_of(t, f);

	f->list = (uint8_t)list;
	f->newer = NONE;
	f->older = l->newest;
	if (l->newest == NONE)
		l->oldest = i;
	else
		t->flows[l->newest].newer = i;
	l->newest = i;
	l->n++;
	f->listed_nsec = f->follow.last_nsec;
}

static bool
has_port(const struct flow_limits *limits, uint16_t port)
{
	for (size_t i = 0; i < limits->n_ports; i++)
		if (limits->ports[i] == port)
			return true;
	return false;
}

static int
end_order(const struct packet_end *a, const struct packet_end *b)
{
	const int r = memcmp(a->address, b->address, sizeof(a->address));

	return r ? r : (int)a->port - (int)b->port;
}

/* Of two ends, which the flow is found by: the one that isn't our server. */
static const struct packet_end *
handle_of(const struct flow_limits *limits, const struct packet_end *a,
    const struct packet_end *b)
{
	const bool a_is = has_port(limits, a->port);
	const bool b_is = has_port(limits, b->port);

	if (a_is != b_is)
		return a_is ? b : a;
	return end_order(a, b) > 0 ? a : b;
}

static uint32_t *
bucket_of(struct flow_table *t, const struct packet_end *handle)
{
	uint8_t octets[18];

	memcpy(octets, handle->address, 16);
	memcpy(octets + 16, &handle->port, 2);
	return &t->buckets[flow_hash(t->key, octets, sizeof(octets)) &
			   t->bucket_mask];
}

static bool
same_end(const struct packet_end *a, const struct packet_end *b)
{
	return a->port == b->port &&
	       memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static void
end_flow(struct flow_table *t, struct flow *f, enum flow_end end)
{
	uint32_t *link =
	    bucket_of(t, handle_of(&t->limits, &f->client, &f->server));
	const uint32_t i = index_of(t, f);

	t->stats.ends[end]++;
	if (end == FLOW_END_PUSHED && f->list == FLOW_UNPROVEN)
		t->stats.unproven_pushed++;
	t->fn(t->arg, f, end);
	while (*link != i)
		link = &t->flows[*link].next;
	*link = f->next;
	unlist(t, f);
	follow_done(&f->follow, &t->budget);
	dialogue_done(&f->dialogue, &t->budget);
	memset(f, 0, sizeof(*f));
	f->next = t->free;
	t->free = i;
}

static void
push_out(struct flow_table *t, enum flow_list list)
{
	end_flow(t, &t->flows[t->lists[list].oldest], FLOW_END_PUSHED);
}

/* So that one more fits into a list. */
static void
make_room(struct flow_table *t, enum flow_list list)
{
	const struct list *l = t->lists;

	if (list == FLOW_UNPROVEN) {
		if (l[FLOW_UNPROVEN].n == t->limits.unproven_max)
			push_out(t, FLOW_UNPROVEN);
	} else if (l[FLOW_PROVEN].n + l[FLOW_ENDED].n == t->limits.proven_max) {
		push_out(t, l[FLOW_ENDED].n > 0 ? FLOW_ENDED : FLOW_PROVEN);
	}
}

static bool
sends_as_client(const struct flow_limits *limits, const struct packet *p)
{
	const bool from = has_port(limits, p->from.port);

	if (p->flags & TCP_SYN)
		return !(p->flags & TCP_ACK);
	if (from != has_port(limits, p->to.port))
		return !from;
	return p->from.port > p->to.port;
}

static struct flow *
begin_flow(struct flow_table *t, const struct packet *p, uint32_t *bucket)
{
	const bool is_in = sends_as_client(&t->limits, p);
	struct flow *f;

	make_room(t, FLOW_UNPROVEN);
	if (t->free != NONE) {
		f = &t->flows[t->free];
		t->free = f->next;
	} else {
		assert(t->n_flows < flows_max(&t->limits));
		f = &t->flows[t->n_flows++];
	}
	f->client = is_in ? p->from : p->to;
	f->server = is_in ? p->to : p->from;
	f->serial = ++t->serial;
	f->next = *bucket;
	*bucket = index_of(t, f);
	f->follow.last_nsec = p->nsec;
	enlist(t, f, FLOW_UNPROVEN);
	t->stats.flows++;
	return f;
}

/* A SYN belongs to the flow that it began, if it is that one again, or late. */
static bool
is_syn_of(const struct flow *f, const struct packet *p)
{
	const struct follow_side *in = &f->follow.in;

	if (!same_end(&f->client, &p->from))
		return false;
	if (in->has_syn)
		return in->syn_seq == p->seq;
	return f->follow.state < FOLLOW_CLOSED &&
	       (!in->has_base || in->base == p->seq + 1);
}

/* Does a segment fit the handshake that an unproven flow is in? */
static bool
fits_handshake(const struct flow *f, const struct packet *p)
{
	const struct follow_side *in = &f->follow.in, *out = &f->follow.out;

	if (!same_end(&f->client, &p->from))
		return (p->flags & TCP_ACK) && p->ack == in->syn_seq + 1;
	return p->seq == in->syn_seq + 1 &&
	       (!out->has_syn || p->ack == out->syn_seq + 1);
}

/*
 * Of the flows between the same two ends, newest first, the one that is
 * meant: the newest, but while that is not proven it may be forged, and what
 * doesn't fit it belongs to the one before.
 */
static struct flow *
choose(struct flow_table *t, const struct packet *p, uint32_t first)
{
	const bool is_syn = (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	struct flow *newest = NULL;

	for (uint32_t i = first; i != NONE; i = t->flows[i].next) {
		struct flow *f = &t->flows[i];

		if (!(same_end(&f->client, &p->from) &&
			same_end(&f->server, &p->to)) &&
		    !(same_end(&f->server, &p->from) &&
			same_end(&f->client, &p->to)))
			continue;
		if (is_syn) {
			if (is_syn_of(f, p))
				return f;
		} else if (newest) {
			return fits_handshake(newest, p) ? newest : f;
		} else if (f->list != FLOW_UNPROVEN) {
			return f;
		} else {
			newest = f;
		}
	}
	return newest;
}

static enum flow_list
list_of(const struct flow *f)
{
	if (!f->follow.is_proven)
		return FLOW_UNPROVEN;
	return f->follow.state >= FOLLOW_CLOSED ? FLOW_ENDED : FLOW_PROVEN;
}

/* A new connection of the same ends is real: the one before was lost. */
static void
replace_older(struct flow_table *t, const struct flow *f)
{
	uint32_t i = f->next;

	while (i != NONE) {
		struct flow *older = &t->flows[i];

		i = older->next;
		if (older->list == FLOW_PROVEN &&
		    same_end(&older->client, &f->client) &&
		    same_end(&older->server, &f->server))
			end_flow(t, older, FLOW_END_REPLACED);
	}
}

static void
relist(struct flow_table *t, struct flow *f)
{
	const enum flow_list list = list_of(f);

	if (list == f->list &&
	    f->follow.last_nsec - f->listed_nsec < LIST_GRAIN_NSEC)
		return;
	if (f->list == FLOW_UNPROVEN && list != FLOW_UNPROVEN) {
		replace_older(t, f);
		make_room(t, list);
	}
	unlist(t, f);
	enlist(t, f, list);
}

/* Is the longest silent of a list silent for too long?  One that isn't, but
 * is listed so, goes to its place. */
static bool
expire_oldest(struct flow_table *t, enum flow_list list, int64_t nsec)
{
	static const enum flow_end ends[] = {
	    FLOW_END_IDLE, FLOW_END_IDLE, FLOW_END_CLOSED};
	const int64_t limits[] = {t->limits.unproven_nsec, t->limits.idle_nsec,
	    t->limits.closed_nsec};
	struct flow *f;

	if (limits[list] == 0 || t->lists[list].oldest == NONE)
		return false;
	f = &t->flows[t->lists[list].oldest];
	if (nsec - f->listed_nsec < limits[list])
		return false;
	if (nsec - f->follow.last_nsec >= limits[list]) {
		end_flow(t, f, ends[list]);
	} else {
		unlist(t, f);
		enlist(t, f, list);
	}
	return true;
}

static void
expire(struct flow_table *t, int64_t nsec, int each)
{
	for (int list = 0; list < FLOW_LISTS; list++)
		for (int i = 0; i < each; i++)
			if (!expire_oldest(t, (enum flow_list)list, nsec))
				break;
}

void
flow_table_expire(struct flow_table *t, int64_t nsec)
{
	expire(t, nsec, EXPIRE_TICK);
}

struct flow *
flow_table_see(struct flow_table *t, const struct packet *p, bool *ret_is_in)
{
	const struct packet_end *handle;
	struct flow *f;
	uint32_t *bucket;

	t->stats.packets++;
	if (!has_port(&t->limits, p->from.port) &&
	    !has_port(&t->limits, p->to.port)) {
		t->stats.strangers++;
		return NULL;
	}
	expire(t, p->nsec, EXPIRE_EACH);
	handle = handle_of(&t->limits, &p->from, &p->to);
	bucket = bucket_of(t, handle);
	f = choose(t, p, *bucket);
	if (!f)
		f = begin_flow(t, p, bucket);
	*ret_is_in = same_end(&f->client, &p->from);
	follow_segment(&f->follow, p, *ret_is_in, &t->budget);
	relist(t, f);
	return f;
}

void
flow_table_end_all(struct flow_table *t, enum flow_end end)
{
	for (int list = 0; list < FLOW_LISTS; list++)
		while (t->lists[list].oldest != NONE)
			end_flow(t, &t->flows[t->lists[list].oldest],
			    list == FLOW_ENDED ? FLOW_END_CLOSED : end);
}

struct flow *
flow_table_find(struct flow_table *t, const struct packet_end *client)
{
	struct flow *found = NULL;

	for (uint32_t i = *bucket_of(t, client); i != NONE;
	     i = t->flows[i].next) {
		struct flow *f = &t->flows[i];

		if (!same_end(&f->client, client))
			continue;
		if (f->list != FLOW_UNPROVEN)
			return f;
		if (!found)
			found = f;
	}
	return found;
}

struct flow_budget *
flow_table_budget(struct flow_table *t)
{
	return &t->budget;
}

struct flow_table_stats
flow_table_stats(const struct flow_table *t)
{
	struct flow_table_stats stats = t->stats;

	for (int i = 0; i < FLOW_LISTS; i++)
		stats.now[i] = t->lists[i].n;
	stats.budget_left_bytes = t->budget.left_bytes;
	return stats;
}
