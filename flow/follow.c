#include "flow/follow.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define NSEC_PER_SEC 1e9

static void
moments_add(struct follow_moments *m, double x)
{
	const double off = x - m->mean;

	m->n++;
	m->mean += off / m->n;
	m->squares += off * (x - m->mean);
}

static double
variance(const struct follow_moments *m)
{
	return m->n > 0 ? m->squares / m->n : NAN;
}

static double
seconds(int64_t from, int64_t to)
{
	return (double)(to - from) / NSEC_PER_SEC;
}

/* Sequence numbers wrap; the nearest to what was seen last is meant. */
static int64_t
offset_of(const struct follow_side *side, uint32_t seq)
{
	const int64_t near = side->spans.frontier;
	const uint32_t there = side->base + (uint32_t)near;

	return near + (int32_t)(seq - there);
}

static void
count16(uint16_t *count)
{
	if (*count < UINT16_MAX)
		(*count)++;
}

/* Highest offset of data that this side has sent. */
static int64_t
highest(const struct follow_side *side)
{
	const struct spans *s = &side->spans;

	return s->n > 0 ? s->above[s->n - 1].to : s->frontier;
}

static void
see_syn(struct follow *f, const struct packet *p, struct follow_side *side)
{
	if (side->has_syn) {
		count16(&f->syn_rxmt);
		return;
	}
	side->has_syn = true;
	side->syn_seq = p->seq;
	side->scale = p->scale;
}

/* Where the stream of a side begins: behind its SYN, or where it is seen. */
static void
see_base(const struct packet *p, struct follow_side *side)
{
	if (side->has_base || (p->flags & TCP_RST))
		return;
	side->has_base = true;
	side->base = p->flags & TCP_SYN ? p->seq + 1 : p->seq;
}

static void
see_handshake(struct follow *f, const struct packet *p, bool is_in)
{
	if (p->flags & TCP_SYN) {
		if (is_in && !f->in.has_syn) {
			f->syn_nsec = p->nsec;
			f->win_init = p->window;
		}
		if (!is_in && !f->has_handshake)
			f->syn_ack_nsec = p->nsec;
		see_syn(f, p, is_in ? &f->in : &f->out);
		return;
	}
	if (!is_in || !(p->flags & TCP_ACK) || (p->flags & TCP_RST) ||
	    f->has_handshake || !f->out.has_syn ||
	    (int32_t)(p->ack - (f->out.syn_seq + 1)) < 0)
		return;
	f->has_handshake = true;
	f->ack_nsec = p->nsec;
}

static void
see_gap(struct follow *f, const struct packet *p)
{
	if (f->in.packets > 0) {
		const int64_t gap = p->nsec - f->in_nsec;

		moments_add(&f->gaps, seconds(f->in_nsec, p->nsec));
		if (gap > f->idle_max_nsec)
			f->idle_max_nsec = gap;
	}
	f->in_nsec = p->nsec;
}

static void
see_window(struct follow *f, const struct packet *p)
{
	const bool is_scaled = f->in.has_syn && f->out.has_syn &&
			       f->in.scale != PACKET_NO_SCALE &&
			       f->out.scale != PACKET_NO_SCALE;
	const uint32_t window = (uint32_t)p->window
				<< (is_scaled ? f->in.scale : 0);

	if (p->flags & (TCP_SYN | TCP_RST))
		return;
	if (!f->has_win_min || window < f->win_min)
		f->win_min = window;
	f->has_win_min = true;
	f->win_zero += p->window == 0;
}

/* An ACK covers segments of ours: they are timed, and forgotten. */
static void
time_sent(struct follow *f, int64_t acked, int64_t nsec)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < f->n_sent; i++) {
		const struct follow_sent *s = &f->sent[i];

		if (s->to > acked)
			f->sent[kept++] = *s;
		else if (!s->is_twice)
			moments_add(&f->rtt, seconds(s->nsec, nsec));
	}
	f->n_sent = kept;
}

static bool
is_pure_ack(const struct packet *p)
{
	return p->length == 0 && !(p->flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

static void
see_ack(struct follow *f, const struct packet *p)
{
	int64_t acked;

	if (!(p->flags & TCP_ACK) || (p->flags & TCP_RST))
		return;
	if (f->has_ack && is_pure_ack(p) && p->ack == f->ack &&
	    p->window == f->ack_window && highest(&f->out) > f->acked)
		f->dupack_in++;
	f->has_ack = true;
	f->ack = p->ack;
	f->ack_window = p->window;
	if (!f->out.has_base)
		return;
	acked = offset_of(&f->out, p->ack);
	if (!f->has_acked || acked > f->acked) {
		f->acked = acked;
		f->has_acked = true;
		time_sent(f, acked, p->nsec);
	}
}

static bool
has_sent_room(struct follow *f, struct flow_budget *budget)
{
	size_t n = f->sent_room_bytes / sizeof(*f->sent);
	struct follow_sent *moved;

	if (f->n_sent < n)
		return true;
	if (n == FOLLOW_SENT_MAX)
		return false;
	n = n ? 2 * n : 2;
	moved = flow_budget_resize(
	    budget, f->sent, &f->sent_room_bytes, n * sizeof(*f->sent));
	if (moved)
		f->sent = moved;
	return moved != NULL;
}

/* To be timed, unless it was sent before, in part or whole. */
static void
remember_sent(struct follow *f, struct follow_sent new, enum spans_was was,
    struct flow_budget *budget)
{
	if (was != SPANS_NEW) {
		for (uint16_t i = 0; i < f->n_sent; i++)
			f->sent[i].is_twice |= f->sent[i].from < new.to &&
					       f->sent[i].to > new.from;
		return;
	}
	if (!has_sent_room(f, budget)) {
		f->is_approximate = true;
		if (f->n_sent == 0)
			return;
		f->n_sent--;
		memmove(f->sent, f->sent + 1, f->n_sent * sizeof(*f->sent));
	}
	f->sent[f->n_sent++] = new;
}

static void
see_data(struct follow *f, const struct packet *p, bool is_in,
    struct flow_budget *budget)
{
	struct follow_side *side = is_in ? &f->in : &f->out;
	/* A SYN may bring data (RFC 7413); it takes a number before it. */
	const uint32_t seq = p->flags & TCP_SYN ? p->seq + 1 : p->seq;
	const int64_t from = offset_of(side, seq);
	const int64_t to = from + p->length;
	struct spans_told told;

	if (p->length == 0 || (p->flags & TCP_RST))
		return;
	told = spans_add(&side->spans, from, to, budget);
	f->is_approximate |= told.given_up > 0;
	side->rxmt += told.was == SPANS_SEEN;
	if (is_in) {
		f->bytes_in += told.fresh;
		f->ooo_in += told.in_order;
	} else {
		const struct follow_sent new = {from, to, p->nsec, false};

		remember_sent(f, new, told.was, budget);
	}
}

/*
 * To a forged segment our side answers nothing, a SYN-ACK or a RST; and who
 * forges his address doesn't get the number that the handshake ends with.
 */
static bool
proves(const struct follow *f, const struct packet *p, bool is_in)
{
	if (is_in)
		return f->has_handshake && f->ack - (f->out.syn_seq + 1) <=
					       (uint64_t)highest(&f->out);
	return (p->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK;
}

/* One that is out of place was forged, or comes too late to mean anything. */
static bool
resets(const struct follow_side *side, const struct packet *p)
{
	const int64_t off = offset_of(side, p->seq) - highest(side);

	return !side->has_base || (off >= -1 && off <= 1);
}

static void
see_state(struct follow *f, const struct packet *p, bool is_in)
{
	struct follow_side *side = is_in ? &f->in : &f->out;
	enum follow_state state = f->state;

	f->is_proven |= proves(f, p, is_in);
	if (state == FOLLOW_HALF_OPEN && f->is_proven)
		state = FOLLOW_OPEN;
	if (p->flags & TCP_FIN)
		count16(&side->fin);
	if (f->in.fin || f->out.fin)
		state = FOLLOW_CLOSING;
	if (f->in.fin && f->out.fin)
		state = FOLLOW_CLOSED;
	if (p->flags & TCP_RST) {
		count16(&side->rst);
		if (resets(side, p))
			state = FOLLOW_RESET;
	}
	if (state > f->state)
		f->state = (uint8_t)state;
}

void
follow_segment(struct follow *f, const struct packet *p, bool is_in,
    struct flow_budget *budget)
{
	struct follow_side *side = is_in ? &f->in : &f->out;

	if (f->in.packets + f->out.packets == 0)
		f->first_nsec = f->last_nsec = p->nsec;
	if (p->nsec > f->last_nsec)
		f->last_nsec = p->nsec;
	see_base(p, side);
	see_handshake(f, p, is_in);
	if (is_in) {
		if (side->packets == 0)
			f->ttl = p->ttl;
		see_gap(f, p);
		see_window(f, p);
		see_ack(f, p);
	}
	if (side->packets < UINT32_MAX)
		side->packets++;
	see_data(f, p, is_in, budget);
	see_state(f, p, is_in);
}

void
follow_features(const struct follow *f, struct flow_features *ret)
{
	double *v = ret->value;

	v[FLOW_FEATURE_pkts_in] = f->in.packets;
	v[FLOW_FEATURE_pkts_out] = f->out.packets;
	v[FLOW_FEATURE_bytes_in] = (double)f->bytes_in;
	v[FLOW_FEATURE_rxmt_in] = f->in.rxmt;
	v[FLOW_FEATURE_rxmt_out] = f->out.rxmt;
	v[FLOW_FEATURE_ooo_in] = f->ooo_in;
	v[FLOW_FEATURE_dupack_in] = f->dupack_in;
	v[FLOW_FEATURE_fin_in] = f->in.fin;
	v[FLOW_FEATURE_fin_out] = f->out.fin;
	v[FLOW_FEATURE_rst_in] = f->in.rst;
	v[FLOW_FEATURE_rst_out] = f->out.rst;
	v[FLOW_FEATURE_syn_rxmt] = f->syn_rxmt;
	v[FLOW_FEATURE_hs_time] = f->has_handshake && f->in.has_syn
				      ? seconds(f->syn_nsec, f->ack_nsec)
				      : NAN;
	v[FLOW_FEATURE_rtt_init] =
	    f->has_handshake ? seconds(f->syn_ack_nsec, f->ack_nsec) : NAN;
	v[FLOW_FEATURE_rtt_var] = variance(&f->rtt);
	v[FLOW_FEATURE_jitter_var] = variance(&f->gaps);
	v[FLOW_FEATURE_idle_max] =
	    f->gaps.n > 0 ? seconds(0, f->idle_max_nsec) : NAN;
	v[FLOW_FEATURE_win_init] = f->in.has_syn ? f->win_init : NAN;
	v[FLOW_FEATURE_win_min] = f->has_win_min ? (double)f->win_min : NAN;
	v[FLOW_FEATURE_win_zero] = f->win_zero;
}

const char *
follow_state_name(enum follow_state state)
{
	static const char *const names[] = {
	    "half-open", "open", "closing", "closed", "reset"};

	assert(state < sizeof(names) / sizeof(names[0]));
	return names[state];
}

void
follow_done(struct follow *f, struct flow_budget *budget)
{
	spans_done(&f->in.spans, budget);
	spans_done(&f->out.spans, budget);
	(void)flow_budget_resize(budget, f->sent, &f->sent_room_bytes, 0);
	f->sent = NULL;
	f->n_sent = 0;
}
