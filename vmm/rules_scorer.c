/*
 * vmm/rules_scorer.c - the block of learned weights in a rule file:
 *
 *   scorer ID WEIGHT ATTACK "NAME"
 *     bias NUMBER
 *     score NUMBER               from which on it is found
 *     least NUMBER               calls that must be known, fewer say nothing
 *     weight NUMBER [ least NUMBER of ] CALL ...
 *
 * A weight counts when at least so many (1) of its calls were seen.
 */
#include "vmm/rules_parse_priv.h"

#include "common/io.h"

#include <stdlib.h>
#include <string.h>

int
rules_parse_scorer(struct rules_parser *p)
{
	struct rules_scorer *scorer = &p->rules->scorer;
	int r;

	if (scorer->is_there)
		return rules_wrong(p, "a second scorer: take one away");
	r = rules_open_behaviour(p, true);
	if (r < 0)
		return r;
	scorer->is_there = p->is_scorer = true;
	scorer->behaviour = (unsigned int)p->rules->n_behaviours - 1;
	return 0;
}

static struct rules_call *
find_or_add(struct rules_scorer *scorer, const char *name)
{
	struct rules_call *call;

	for (size_t i = 0; i < scorer->n_calls; i++)
		if (strcmp(scorer->calls[i].name, name) == 0)
			return &scorer->calls[i];
	if (scorer->n_calls == RULES_CALLS)
		return NULL;
	scorer->calls =
	    rules_grow(scorer->calls, scorer->n_calls, sizeof(*scorer->calls));
	call = &scorer->calls[scorer->n_calls++];
	call->name = xstrdup(name);
	return call;
}

static int
parse_call(struct rules_parser *p, unsigned int feature)
{
	const char *name = rules_peek(p);
	struct rules_call *call;

	if (!*name || strlen(name) > 100)
		return rules_wrong(p, "write the name of a call");
	call = find_or_add(&p->rules->scorer, name);
	if (!call)
		return rules_wrong(
		    p, "more than %u names of calls", RULES_CALLS);
	for (size_t i = 0; i < call->n_features; i++)
		if (call->features[i] == feature)
			return rules_wrong(p, "%s twice: write it once", name);
	call->features = rules_grow(
	    call->features, call->n_features, sizeof(*call->features));
	call->features[call->n_features++] = feature;
	p->at++;
	return 0;
}

static int
parse_weight(struct rules_parser *p)
{
	struct rules_scorer *scorer = &p->rules->scorer;
	const unsigned int number = (unsigned int)scorer->n_features;
	struct rules_feature f = {.least = 1};
	int r = rules_real(p, "weight", &f.weight);

	if (number == RULES_FEATURES)
		return rules_wrong(
		    p, "more than %u weights: take some away", RULES_FEATURES);
	if (r == 0 && rules_take(p, "least")) {
		r = rules_number(p, "least", 1, RULES_FEATURE_MAX, &f.least);
		if (r == 0 && !rules_take(p, "of"))
			return rules_wrong(p, "write \"of\" behind least and "
					      "its number");
	}
	if (r == 0 && p->n_words - p->at < f.least)
		return rules_wrong(p,
		    "weight of fewer than %u calls: write "
		    "their names behind it",
		    f.least);
	while (r == 0 && p->at < p->n_words)
		r = parse_call(p, number);
	scorer->features = rules_grow(
	    scorer->features, scorer->n_features, sizeof(*scorer->features));
	scorer->features[scorer->n_features++] = f;
	return r;
}

int
rules_parse_scored(struct rules_parser *p, bool *ret_known)
{
	struct rules_scorer *scorer = &p->rules->scorer;
	int r;

	*ret_known = true;
	if (rules_take(p, "weight"))
		return parse_weight(p);
	if (rules_take(p, "bias"))
		r = rules_real(p, "bias", &scorer->bias);
	else if (rules_take(p, "score"))
		r = rules_real(p, "score", &scorer->threshold);
	else if (rules_take(p, "least"))
		r = rules_number(p, "least", 1, RULES_CALLS, &scorer->least);
	else {
		*ret_known = false;
		return 0;
	}
	return r < 0 ? r : rules_end(p);
}

static int
compare_calls(const void *a, const void *b)
{
	return strcmp(((const struct rules_call *)a)->name,
	    ((const struct rules_call *)b)->name);
}

int
rules_close_scorer(struct rules_parser *p)
{
	struct rules_scorer *scorer = &p->rules->scorer;

	p->is_scorer = false;
	if (scorer->n_features == 0)
		return rules_wrong(p, "a scorer without a \"weight\": write "
				      "some below it");
	qsort(scorer->calls, scorer->n_calls, sizeof(*scorer->calls),
	    compare_calls);
	return 0;
}
