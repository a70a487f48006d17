#include "flow/learn_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * So much of a class has moved.  With 200 samples on either side chance does
 * less than once in 10^20 (Smirnov: 2 exp(-2 d^2 nm / (n + m)) = 4e-22 for
 * one feature).
 */
#define MOVED 0.5

#define ODDS  10   /* times more, or fewer, spams to a ham */
#define CHECK 50   /* automatic samples between two looks */
#define FADE  4000 /* labels that are remembered at most, then half */
#define ANEW  2000 /* frozen for so many: begin from nothing */

static size_t
older_than(const struct flow_reservoir *r, uint64_t number,
    const struct flow_sample **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->kept[i].number < number)
			ret[n++] = &r->kept[i].sample;
	return n;
}

static uint64_t
oldest(const struct flow_window *w)
{
	return w->ring[w->n < FLOW_WINDOW ? 0 : w->next].number;
}

/* Since which mail has a class come by other connections than before?  0: it
 * has not. */
static uint64_t
moved_since(const struct flow_learner *l, size_t class, char *why, size_t size)
{
	const struct flow_window *w = &l->recent[class];
	CLEANUP(free_ptr)
	const struct flow_sample **old =
	    xcalloc(l->rules.room, sizeof(struct flow_sample *));
	const struct flow_sample *new[FLOW_WINDOW];
	size_t n_old, f;
	double d;

	if (w->n < FLOW_WINDOW)
		return 0;
	n_old = older_than(&l->of[class], oldest(w), old);
	if (n_old < FLOW_WINDOW)
		return 0;
	for (size_t i = 0; i < FLOW_WINDOW; i++)
		new[i] = &w->ring[i].sample;
	d = flow_distance(new, FLOW_WINDOW, old, n_old, &f);
	if (d <= MOVED)
		return 0;
	(void)snprintf(why, size,
	    "frozen: %s of %s has moved by %.0f %% within %d mails",
	    flow_feature_name(f), class ? "spam" : "ham", 100 * d, FLOW_WINDOW);
	return oldest(w);
}

/* Since which mail is there suddenly much more spam, or much less?  0: there
 * is not. */
static uint64_t
turned_since(const struct flow_learner *l, char *why, size_t size)
{
	double now[2] = {1, 1}, before[2];
	double odds;

	if (l->n_labels < FLOW_WINDOW ||
	    l->before[0] + l->before[1] < 2 * FLOW_WINDOW)
		return 0;
	for (size_t i = 0; i < FLOW_WINDOW; i++)
		now[l->labels[i]]++;
	for (size_t c = 0; c < 2; c++)
		before[c] = (double)l->before[c] + 1;
	odds = now[1] / now[0] / (before[1] / before[0]);
	if (odds < ODDS && odds > 1.0 / ODDS)
		return 0;
	(void)snprintf(why, size,
	    "frozen: spam went from %.0f %% to %.0f %% of the labels within "
	    "%d mails",
	    100 * before[1] / (before[0] + before[1]),
	    100 * now[1] / (now[0] + now[1]), FLOW_WINDOW);
	return l->number - FLOW_WINDOW + 1;
}

/* Take out what came since then, of which the shift is made. */
static void
unlearn(struct flow_learner *l, uint64_t from)
{
	for (size_t c = 0; c < 2; c++) {
		struct flow_reservoir *r = &l->of[c];
		size_t n = 0;

		for (size_t i = 0; i < r->n; i++)
			if (r->kept[i].number < from)
				r->kept[n++] = r->kept[i];
		r->n = n;
	}
}

static void
begin_anew(struct flow_learner *l)
{
	for (size_t c = 0; c < 2; c++) {
		l->of[c].n = 0;
		l->of[c].seen = 0;
		l->recent[c].n = l->recent[c].next = 0;
		l->before[c] = 0;
	}
	l->n_labels = l->next_label = 0;
	l->n_records = l->next_record = 0;
	l->threshold = INFINITY;
	l->model = flow_model_free(l->model);
	l->frozen[0] = '\0';
}

static void
look(struct flow_learner *l)
{
	char why[sizeof(l->frozen)] = "";
	uint64_t since = moved_since(l, 0, why, sizeof(why));

	if (!since)
		since = moved_since(l, 1, why, sizeof(why));
	if (!since)
		since = turned_since(l, why, sizeof(why));
	if (!since) {
		l->frozen[0] = '\0';
		return;
	}
	if (!*l->frozen) {
		l->frozen_for = 0;
		unlearn(l, since);
	}
	memcpy(l->frozen, why, sizeof(why));
	if (l->frozen_for >= ANEW)
		begin_anew(l);
}

/* What was before fades, so that a slow change is none. */
static void
note_before(struct flow_learner *l, bool is_spam)
{
	l->before[is_spam]++;
	if (l->before[0] + l->before[1] < FADE)
		return;
	l->before[0] /= 2;
	l->before[1] /= 2;
}

void
flow_drift_note(struct flow_learner *l, const struct flow_kept *kept)
{
	struct flow_window *w = &l->recent[kept->sample.is_spam];

	w->ring[w->next] = *kept;
	w->next = (w->next + 1) % FLOW_WINDOW;
	w->n += w->n < FLOW_WINDOW;
	if (l->n_labels == FLOW_WINDOW && !*l->frozen)
		note_before(l, l->labels[l->next_label]);
	l->labels[l->next_label] = kept->sample.is_spam;
	l->next_label = (l->next_label + 1) % FLOW_WINDOW;
	l->n_labels += l->n_labels < FLOW_WINDOW;
	l->frozen_for++;
	if (l->next_label % CHECK == 0)
		look(l);
}
