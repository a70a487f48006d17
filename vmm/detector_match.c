/*
 * vmm/detector_match.c - the current event against the rules' steps of its
 * kind.
 */
#include "vmm/detector_priv.h"

#include <string.h>

/* What an entry of the table is about: beside a step and its variable. */
enum about { ABOUT_REACHED = 1, ABOUT_COUNT, ABOUT_VALUE };

static uint64_t
key_of(enum about about, unsigned int step, uint64_t variable)
{
	const uint64_t numbers[] = {about, step, variable};
	const struct text text = {(const char *)numbers, sizeof(numbers)};

	return text_hash(0, &text);
}

static bool
is_sample(const struct detector *d, const struct text *word)
{
	const char *slash = memrchr(word->at, '/', word->length);
	const size_t skip = slash ? (size_t)(slash - word->at) + 1 : 0;

	return d->sample_length > 0 &&
	       word->length - skip == d->sample_length &&
	       memcmp(word->at + skip, d->sample, d->sample_length) == 0;
}

static bool item_fits(
    struct detector *d, unsigned int field, const struct rules_item *item);

static bool
class_fits(struct detector *d, unsigned int field, unsigned int class)
{
	const struct rules_class *c = &d->rules->classes[class];

	if (d->class_stamps[field][class] == d->stamp)
		return d->class_fits[field][class];
	d->class_stamps[field][class] = d->stamp;
	d->class_fits[field][class] = false;
	for (size_t i = 0; i < c->n_items; i++)
		if (item_fits(d, field, &c->items[i])) {
			d->class_fits[field][class] = true;
			break;
		}
	return d->class_fits[field][class];
}

/* The whole of a field, or one of its words. */
static bool
glob_item_fits(struct detector *d, unsigned int field, const struct glob *glob)
{
	const struct text *words;
	size_t n;

	/* What a word has, the whole has. */
	if (!glob_may_fit(glob, detector_marks(d, field)))
		return false;
	n = detector_words(d, field, &words);
	if (n > 1 && glob_is_open(glob))
		n = 1;
	for (size_t i = 0; i < n; i++)
		if (glob_fits(glob, words[i].at, words[i].length))
			return true;
	return false;
}

static bool
item_fits(struct detector *d, unsigned int field, const struct rules_item *item)
{
	const struct text *words;
	size_t n;

	if (item->type == ITEM_CLASS)
		return class_fits(d, field, item->class);
	if (item->type == ITEM_GLOB)
		return glob_item_fits(d, field, item->glob);
	n = detector_words(d, field, &words);
	for (size_t i = 0; i < n; i++)
		if (item->type == ITEM_NEW ? detector_is_new(d, &words[i])
					   : is_sample(d, &words[i]))
			return true;
	return false;
}

static bool
condition_fits(struct detector *d, const struct rules_condition *c)
{
	struct text text;
	bool fits = c->n_items == 0;

	if (!detector_text(d, c->field, &text))
		return c->negated;
	for (size_t i = 0; i < c->n_items && !fits; i++)
		fits = item_fits(d, c->field, &c->items[i]);
	return fits != c->negated;
}

static void
cite_step(struct detector *d, const struct rules_step *step)
{
	struct step_state *state = &d->steps[step->number];

	if (state->n_cited < DETECTOR_CITED)
		state->cited[state->n_cited++] = d->line;
}

/* How often did it happen that counts?  The same again is nothing different. */
static uint32_t
times_of(const struct detector *d, const struct rules_step *step)
{
	return step->different < 0 ? d->event.times : 1;
}

/* The moment so many times ago, if it was counted, and this one instead. */
static bool
window_is_full(struct detector *d, const struct rules_step *step)
{
	struct step_state *state = &d->steps[step->number];
	uint64_t *slots = d->windows + step->window;
	const uint64_t now = (uint64_t)d->event.msec + 1;
	const uint32_t times = times_of(d, step);
	uint64_t oldest;

	for (uint32_t i = 0; i < times && i < step->times; i++) {
		slots[state->next] = now;
		state->next = (state->next + 1) % step->times;
	}
	oldest = slots[state->next];
	return oldest != 0 && now - oldest <= step->span_msec;
}

/* Has this value been counted already (within the span)? */
static bool
is_counted(struct detector *d, const struct rules_step *step, uint64_t variable)
{
	struct text text = {"", 0};
	struct seen *seen;
	bool was;

	if (step->different < 0)
		return false;
	(void)detector_text(d, (unsigned int)step->different, &text);
	seen = seen_at(&d->seen,
	    key_of(ABOUT_VALUE, step->number, text_hash(variable, &text)),
	    true);
	if (!seen)
		return true;
	was = seen->count > 0 &&
	      (step->span_msec == 0 ||
		  d->event.msec - seen->msec <= step->span_msec);
	seen->count = 1;
	if (!was)
		seen->msec = d->event.msec;
	return was;
}

/* Is this the time that makes them enough? */
static bool
is_enough(struct detector *d, const struct rules_step *step, uint64_t variable)
{
	struct seen *seen;
	uint64_t count;

	if (step->times == 1)
		return true;
	/* "path $ times 5 different path": so many paths, each of which came
	 * through the steps before. */
	if (step->different == step->variable)
		variable = 0;
	if (is_counted(d, step, variable))
		return false;
	cite_step(d, step);
	if (step->span_msec)
		return window_is_full(d, step);
	seen = seen_at(
	    &d->seen, key_of(ABOUT_COUNT, step->number, variable), true);
	if (!seen)
		return false;
	count = (uint64_t)seen->count + times_of(d, step);
	seen->count = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
	return seen->count >= step->times;
}

/* The entry that the step before left, if it was reached in time. */
static const struct seen *
before(struct detector *d, const struct rules_step *step, uint64_t variable)
{
	const bool shares = step->variable >= 0 && step->is_after_variable;
	const struct seen *seen = seen_at(&d->seen,
	    key_of(ABOUT_REACHED, step->number - 1, shares ? variable : 0),
	    false);

	if (!seen || (step->times == 1 && step->span_msec &&
			 d->event.msec - seen->msec > step->span_msec))
		return NULL;
	return seen;
}

static void
reach(struct detector *d, const struct rules_step *step, uint64_t variable)
{
	struct seen *seen = seen_at(
	    &d->seen, key_of(ABOUT_REACHED, step->number, variable), true);

	if (!seen)
		return;
	seen->line = d->line;
	seen->msec = d->event.msec;
}

static void
fitted(struct detector *d, const struct rules_step *step, uint64_t variable)
{
	const struct step_state *state = &d->steps[step->number];
	const struct seen *prior = NULL;

	if (step->position > 0 && !(prior = before(d, step, variable)))
		return;
	if (!is_enough(d, step, variable))
		return;
	if (!step->is_last) {
		reach(d, step, variable);
		if (variable != 0)
			reach(d, step, 0);
		return;
	}
	if (prior)
		detector_cite(d, step->behaviour, prior->line);
	for (uint32_t i = 0; i < state->n_cited; i++)
		detector_cite(d, step->behaviour, state->cited[i]);
	detector_cite(d, step->behaviour, d->line);
	detector_found(d, step->behaviour);
}

static void
try_step(struct detector *d, const struct rules_step *step)
{
	const struct text *words;
	size_t n;

	/* The dearest question last. */
	if (step->position > 0 &&
	    !(step->variable >= 0 && step->is_after_variable) &&
	    !before(d, step, 0))
		return;
	for (size_t i = 0; i < step->n_conditions; i++)
		if (!condition_fits(d, &step->conditions[i]))
			return;
	if (step->variable < 0) {
		fitted(d, step, 0);
		return;
	}
	n = detector_words(d, (unsigned int)step->variable, &words);
	for (size_t i = 0; i < n; i++)
		if (words[i].length > 0)
			fitted(d, step, text_hash(1, &words[i]) | 1);
}

void
detector_match(struct detector *d)
{
	const enum guest_kind kind = d->event.kind;
	const struct rules *rules = d->rules;

	for (size_t i = 0; i < rules->n_by_kind[kind]; i++) {
		const struct rules_step *step =
		    &rules->steps[rules->by_kind[kind][i]];

		if (!d->found[step->behaviour].is_found)
			try_step(d, step);
	}
}
