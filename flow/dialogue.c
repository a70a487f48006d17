#include "flow/dialogue_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct dialogue_held {
	struct dialogue_held *next;
	size_t room_bytes;
	uint32_t seq, n;
	bool is_in;
	char octets[];
};

static void
drop_held(struct dialogue *d, struct flow_budget *budget)
{
	while (d->held) {
		struct dialogue_held *held = d->held;
		size_t room = held->room_bytes;

		d->held = held->next;
		(void)flow_budget_resize(budget, held, &room, 0);
	}
	d->n_held = 0;
}

void
dialogue_done(struct dialogue *d, struct flow_budget *budget)
{
	drop_held(d, budget);
	d->id = flow_budget_resize(budget, d->id, &d->id_room_bytes, 0);
}

void
smtp_stop(const struct reading *r, enum dialogue_mode mode)
{
	r->dialogue->mode = (uint8_t)mode;
	dialogue_done(r->dialogue, r->budget);
}

static bool
is_over(const struct dialogue *d)
{
	return d->mode >= DIALOGUE_TLS;
}

static size_t
held_octets(const struct dialogue *d)
{
	size_t n = 0;

	for (const struct dialogue_held *h = d->held; h; h = h->next)
		n += h->n;
	return n;
}

static void
hold(const struct reading *r, const struct packet *p, bool is_in)
{
	struct dialogue *d = r->dialogue;
	struct dialogue_held *held;
	size_t room = 0;

	if (d->n_held == DIALOGUE_HELD_MAX ||
	    held_octets(d) + p->length > DIALOGUE_HELD_BYTES) {
		smtp_stop(r, DIALOGUE_LOST);
		return;
	}
	held = flow_budget_resize(
	    r->budget, NULL, &room, sizeof(*held) + p->length);
	if (!held) {
		smtp_stop(r, DIALOGUE_LOST);
		return;
	}
	held->room_bytes = room;
	held->seq = p->seq;
	held->n = p->length;
	held->is_in = is_in;
	memcpy(held->octets, p->payload, p->length);
	held->next = d->held;
	d->held = held;
	d->n_held++;
}

/* Octets whose turn it is, as far as they are new. */
static void
pass(const struct reading *r, bool is_in, uint32_t seq, const char *at,
    uint32_t n)
{
	uint32_t *next = is_in ? &r->dialogue->next_in : &r->dialogue->next_out;
	const uint32_t old = *next - seq;

	if (old >= n)
		return;
	*next = seq + n;
	if (is_in)
		smtp_in(r, at + old, n - old);
	else
		smtp_out(r, at + old, n - old);
}

/* One that was held and has its turn now, or is of no use any more. */
static bool
pass_held(const struct reading *r)
{
	struct dialogue *d = r->dialogue;
	struct dialogue_held **link = &d->held, *held;
	size_t room;

	for (; *link; link = &(*link)->next) {
		const uint32_t next = (*link)->is_in ? d->next_in : d->next_out;

		if ((int32_t)((*link)->seq - next) <= 0)
			break;
	}
	held = *link;
	if (!held)
		return false;
	*link = held->next;
	d->n_held--;
	pass(r, held->is_in, held->seq, held->octets, held->n);
	room = held->room_bytes;
	(void)flow_budget_resize(r->budget, held, &room, 0);
	return true;
}

static void
begin(struct dialogue *d, const struct packet *p, bool is_in)
{
	bool *has = is_in ? &d->has_in : &d->has_out;

	if (*has)
		return;
	if (!d->has_in && !d->has_out)
		smtp_begin(d);
	*has = true;
	*(is_in ? &d->next_in : &d->next_out) = p->seq + 1;
}

void
dialogue_segment(struct dialogue *d, const struct packet *p, bool is_in,
    struct flow_budget *budget, const struct dialogue_sink *sink)
{
	const struct reading r = {d, budget, sink};
	const uint32_t next = is_in ? d->next_in : d->next_out;
	int32_t early;

	if (is_over(d) || (p->flags & TCP_RST))
		return;
	if (p->flags & TCP_SYN) {
		begin(d, p, is_in);
		return; /* data in it comes again */
	}
	if (p->length == 0)
		return;
	early = (int32_t)(p->seq - next);
	if (!(is_in ? d->has_in : d->has_out) ||
	    (p->captured < p->length && early + (int64_t)p->length > 0)) {
		smtp_stop(&r, DIALOGUE_LOST);
		return;
	}
	if (early > 0) {
		hold(&r, p, is_in);
		return;
	}
	pass(&r, is_in, p->seq, (const char *)p->payload, p->captured);
	while (!is_over(d) && d->held && pass_held(&r))
		;
}

const char *
dialogue_mode_name(const struct dialogue *d)
{
	return d->mode == DIALOGUE_LOST  ? "lost"
	       : d->mode == DIALOGUE_TLS ? "tls"
					 : "smtp";
}
