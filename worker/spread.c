#include "worker/spread.h"

#include "common/clock.h"
#include "common/io.h"
#include "worker/spread_priv.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define MINUTE_USEC ((double)(60 * USEC_PER_SEC))
#define DAY_USEC    ((double)(86400 * USEC_PER_SEC))

size_t
spread_periods(uint64_t begin_usec, uint64_t end_usec, uint64_t period_usec)
{
	assert(period_usec > 0);
	if (end_usec <= begin_usec)
		return 1;
	return (size_t)((end_usec - begin_usec - 1) / period_usec) + 1;
}

size_t
spread_period_of(const struct spread_frame *frame, uint64_t t_usec)
{
	uint64_t i;

	if (t_usec < frame->begin_usec)
		return frame->n_periods;
	i = (t_usec - frame->begin_usec) / frame->period_usec;
	return i < frame->n_periods ? (size_t)i : frame->n_periods;
}

/* The terms fall from x on, for x is above the mean: the sum ends soon. */
static double
upper_sum(double n, double x, double q)
{
	double term = exp(lgamma(n + 1) - lgamma(x + 1) - lgamma(n - x + 1) +
			  x * log(q) + (n - x) * log1p(-q));
	double sum = 0;

	for (double k = x; k <= n && term > sum * 1e-12; k++) {
		sum += term;
		term *= (n - k) / (k + 1) * (q / (1 - q));
	}
	return sum < 1 ? sum : 1;
}

double
spread_tail(uint64_t n, uint64_t x, double q)
{
	assert(q >= 0 && q <= 1);
	if (x == 0)
		return 1;
	if (x > n || q <= 0)
		return 0;
	if (q >= 1)
		return 1;
	if ((double)x > (double)n * q)
		return upper_sum((double)n, (double)x, q);
	return 1 - upper_sum((double)n, (double)(n - x + 1), 1 - q);
}

static int
compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
by_message(const void *a, const void *b)
{
	const struct spread_copy *const *x = a, *const *y = b;

	return compare((*x)->message, (*y)->message);
}

/* One period's length: the last one is still under way. */
static double
length_of(const struct spread_frame *f, size_t i)
{
	uint64_t begin = f->begin_usec + i * f->period_usec;
	uint64_t left = f->end_usec > begin ? f->end_usec - begin : 0;

	return (double)(left < f->period_usec ? left : f->period_usec);
}

static void
count_messages(struct spread_work *w, const struct spread_copy *copies)
{
	const size_t n = w->n_copies;
	const struct spread_copy **order = xcalloc(n, sizeof(*order));

	for (size_t i = 0; i < n; i++)
		order[i] = &copies[i];
	qsort(order, n, sizeof(*order), by_message);
	for (size_t i = 0; i < n; i++) {
		size_t p = spread_period_of(w->frame, order[i]->t_usec);

		if (i > 0 && order[i]->message == order[i - 1]->message)
			continue;
		w->life->messages++;
		if (p < w->frame->n_periods)
			w->periods[p].messages++;
	}
	free(order);
}

static void
count_copies(struct spread_work *w, const struct spread_copy *copies)
{
	struct spread_life *l = w->life;

	l->first_usec = l->last_usec = copies[0].t_usec;
	for (size_t i = 0; i < w->n_copies; i++) {
		const struct spread_copy *c = &copies[i];
		size_t p = spread_period_of(w->frame, c->t_usec);

		l->copies++;
		l->blocked += !c->passed;
		if (c->t_usec < l->first_usec)
			l->first_usec = c->t_usec;
		if (c->t_usec > l->last_usec)
			l->last_usec = c->t_usec;
		if (p == w->frame->n_periods)
			continue;
		w->periods[p].copies++;
		w->periods[p].blocked += !c->passed;
	}
}

/* Mail with other attachments in period i, and one: never zero. */
static double
exposure(const struct spread_work *w, size_t i)
{
	const uint64_t all = w->frame->messages[i];
	const uint64_t own = w->periods[i].messages;

	return (double)(all > own ? all - own : 0) + 1;
}

/* Was anything of period i logged? */
static bool
is_covered(const struct spread_frame *f, size_t i)
{
	return f->begin_usec + (i + 1) * f->period_usec > f->log_begin_usec;
}

static void
test_burst(struct spread_work *w, size_t i)
{
	struct spread_period *p = &w->periods[i];
	size_t birth = spread_period_of(w->frame, w->life->first_usec);
	uint64_t now = p->sources, past = 0;
	double e = exposure(w, i), e_past = 0;

	for (size_t k = i - SPREAD_PAST; k < i; k++) {
		if (!is_covered(w->frame, k))
			continue;
		past += w->periods[k].sources - (k == birth);
		e_past += exposure(w, k);
	}
	now -= i == birth;
	p->p = spread_tail(past + now, now, e / (e + e_past));
	p->is_burst = now > 0 && p->p <= w->frame->alarm;
}

static double
ratio(double a, double b)
{
	return b > 0 ? a / b : NAN;
}

static void
make_rates(struct spread_work *w)
{
	const double clients = (double)w->frame->clients;
	struct spread_life *l = w->life;

	for (size_t i = 0; i < w->frame->n_periods; i++) {
		struct spread_period *p = &w->periods[i];
		double usec = length_of(w->frame, i);

		p->births_per_minute =
		    ratio((double)p->copies, usec / MINUTE_USEC);
		p->incidence =
		    ratio((double)p->new_clients, clients * usec / DAY_USEC);
		p->prevalence = ratio((double)p->holders, clients);
		p->p = 1;
		if (i >= SPREAD_PAST && p->sources > 0)
			test_burst(w, i);
	}
	l->births_per_minute = ratio((double)l->copies,
	    (double)(l->last_usec - l->first_usec) / MINUTE_USEC);
	l->spread = ratio(w->rate_sum, (double)l->rates);
	l->affected = ratio((double)w->affected, clients);
	l->is_replicating =
	    l->replicator != 0 && l->replicas >= w->frame->replicas;
}

void
spread_compute(const struct spread_frame *frame,
    const struct spread_copy *copies, size_t n, struct spread_life *ret_life,
    struct spread_period *ret_periods)
{
	struct spread_work w = {.frame = frame,
	    .life = ret_life,
	    .periods = ret_periods,
	    .n_copies = n};

	assert(n > 0 && frame->n_periods > 0 && frame->period_usec > 0);
	*ret_life = (struct spread_life){0};
	for (size_t i = 0; i < frame->n_periods; i++)
		ret_periods[i] = (struct spread_period){0};
	count_copies(&w, copies);
	count_messages(&w, copies);
	spread_clients(&w, copies);
	make_rates(&w);
}
