#include "common/clock.h"
#include "common/io.h"
#include "worker/spread_priv.h"

#include <stdlib.h>

/* A copy as one of its two ends saw it. */
struct contact {
	uint64_t client, t_usec, peer;
	bool is_out;
	bool passed;
};

static int
compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
by_client_and_time(const void *a, const void *b)
{
	const struct contact *x = a, *y = b;
	int r = compare(x->client, y->client);

	if (r == 0)
		r = compare(x->t_usec, y->t_usec);
	return r != 0 ? r : (int)x->is_out - (int)y->is_out;
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return compare(*x, *y);
}

static size_t
make_contacts(
    const struct spread_copy *copies, size_t n, struct contact *contacts)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		const struct spread_copy *c = &copies[i];

		contacts[k++] = (struct contact){
		    c->sender, c->t_usec, c->rcpt, true, c->passed};
		if (c->rcpt != 0)
			contacts[k++] = (struct contact){
			    c->rcpt, c->t_usec, c->sender, false, c->passed};
	}
	qsort(contacts, k, sizeof(*contacts), by_client_and_time);
	return k;
}

/* Each period in which the client sent it has one source more. */
static void
count_sources(struct spread_work *w, const struct contact *c, size_t n)
{
	size_t last = w->frame->n_periods;

	for (size_t i = 0; i < n; i++) {
		size_t p = spread_period_of(w->frame, c[i].t_usec);

		if (!c[i].is_out || p == w->frame->n_periods || p == last)
			continue;
		w->periods[p].sources++;
		last = p;
	}
}

/* From the first to the last copy that it is known to have had. */
static void
count_holding(struct spread_work *w, const struct contact *c, size_t n)
{
	const struct spread_frame *f = w->frame;
	bool is_any = false;
	uint64_t first = 0, last = 0;
	size_t to;

	for (size_t i = 0; i < n; i++) {
		if (!c[i].is_out && !c[i].passed)
			continue;
		first = is_any ? first : c[i].t_usec;
		last = c[i].t_usec;
		is_any = true;
	}
	to = spread_period_of(f, last);
	if (!is_any || to == f->n_periods)
		return;
	w->affected++;
	for (size_t i = first < f->begin_usec ? 0 : spread_period_of(f, first);
	     i <= to; i++)
		w->periods[i].holders++;
}

/* When it had it first: received before it sent, or sent. */
static uint64_t
had_since(const struct contact *c, size_t n, bool *ret_is_received)
{
	*ret_is_received = false;
	for (size_t i = 0; i < n; i++) {
		if (!c[i].is_out && !c[i].passed)
			continue;
		*ret_is_received = !c[i].is_out;
		return c[i].t_usec;
	}
	return 0;
}

static void
count_births(struct spread_work *w, const struct contact *c, size_t n)
{
	uint64_t sent = 0, last = 0, since;
	bool is_received;

	for (size_t i = 0; i < n; i++) {
		if (!c[i].is_out)
			continue;
		sent++;
		last = c[i].t_usec;
	}
	if (sent == 0)
		return;
	w->life->senders++;
	since = had_since(c, n, &is_received);
	if (last <= since)
		return;
	w->life->rates++;
	w->rate_sum +=
	    (double)sent * (double)(60 * USEC_PER_SEC) / (double)(last - since);
}

static uint64_t
count_different(uint64_t *numbers, size_t n)
{
	uint64_t different = 0;

	qsort(numbers, n, sizeof(*numbers), by_number);
	for (size_t i = 0; i < n; i++)
		different += i == 0 || numbers[i] != numbers[i - 1];
	return different;
}

static void
note_replicas(struct spread_work *w, uint64_t client, uint64_t replicas)
{
	if (replicas <= w->life->replicas)
		return;
	w->life->replicas = replicas;
	w->life->replicator = client;
}

/* To how many within one period, after it had got it itself?  peers: room for
 * n numbers. */
static void
count_replicas(
    struct spread_work *w, const struct contact *c, size_t n, uint64_t *peers)
{
	size_t last = w->frame->n_periods, k = 0;
	bool is_received;
	uint64_t since = had_since(c, n, &is_received);

	for (size_t i = 0; i < n && is_received; i++) {
		size_t p = spread_period_of(w->frame, c[i].t_usec);

		if (!c[i].is_out || c[i].t_usec <= since || c[i].peer == 0 ||
		    p == w->frame->n_periods)
			continue;
		if (p != last)
			note_replicas(
			    w, c[i].client, count_different(peers, k));
		k = p == last ? k : 0;
		last = p;
		peers[k++] = c[i].peer;
	}
	if (k > 0)
		note_replicas(w, c[0].client, count_different(peers, k));
}

static void
count_client(
    struct spread_work *w, const struct contact *c, size_t n, uint64_t *peers)
{
	size_t p = spread_period_of(w->frame, c[0].t_usec);

	count_sources(w, c, n);
	if (c[0].client == 0)
		return; /* the null sender is nobody */
	w->life->clients++;
	if (p < w->frame->n_periods)
		w->periods[p].new_clients++;
	count_holding(w, c, n);
	count_births(w, c, n);
	count_replicas(w, c, n, peers);
}

void
spread_clients(struct spread_work *w, const struct spread_copy *copies)
{
	struct contact *contacts = xcalloc(w->n_copies, 2 * sizeof(*contacts));
	uint64_t *peers = xcalloc(w->n_copies, 2 * sizeof(*peers));
	size_t n = make_contacts(copies, w->n_copies, contacts);
	size_t begin = 0;

	for (size_t i = 1; i <= n; i++) {
		if (i < n && contacts[i].client == contacts[begin].client)
			continue;
		count_client(w, contacts + begin, i - begin, peers);
		begin = i;
	}
	free(peers);
	free(contacts);
}
