#include "flow/learn_priv.h"

#include "common/conf.h"
#include "common/io.h"
#include "flow/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HORIZON 10 /* a reservoir fades over so many times its room */
#define REFRESH 50 /* mails after which the guards think again */

const struct flow_rules flow_rules_default = {.spam_score = 12,
    .ham_score = 0.1,
    .points = 3,
    .room = 2000,
    .every = 100,
    .kind = FLOW_FOREST};

struct flow_rules
flow_rules_of(const struct conf *conf)
{
	struct flow_rules rules = flow_rules_default;

	rules.spam_score = conf->flow.learn_spam;
	rules.ham_score = conf->flow.learn_ham;
	rules.points = conf->flow.weight;
	return rules;
}

struct flow_learner *
flow_learner_new(const struct flow_rules *rules, uint64_t seed)
{
	struct flow_learner *l = xcalloc(1, sizeof(*l));

	l->rules = *rules;
	l->seed = seed;
	l->threshold = INFINITY;
	for (size_t c = 0; c < 2; c++)
		l->of[c].kept = xcalloc(rules->room, sizeof(*l->of[c].kept));
	return l;
}

struct flow_learner *
flow_learner_free(struct flow_learner *l)
{
	if (!l)
		return NULL;
	(void)flow_model_free(l->model);
	free(l->of[0].kept);
	free(l->of[1].kept);
	free(l);
	return NULL;
}

bool
flow_label_of(
    const struct flow_rules *rules, double content_score, bool *ret_is_spam)
{
	if (content_score >= rules->spam_score)
		*ret_is_spam = true;
	else if (content_score <= rules->ham_score)
		*ret_is_spam = false;
	else
		return false;
	return true;
}

/* Vitter: Random sampling with a reservoir, 1985, algorithm R.  From HORIZON
 * times the room on `seen` stands still, so that older ones fade. */
void
flow_reservoir_add(struct flow_reservoir *r, size_t room,
    const struct flow_kept *kept, uint64_t *seed)
{
	uint64_t at;

	if (r->seen < HORIZON * (uint64_t)room)
		r->seen++;
	if (r->n < room) {
		r->kept[r->n++] = *kept;
		return;
	}
	at = flow_draw(seed, r->seen);
	if (at < room)
		r->kept[at] = *kept;
}

void
flow_learner_refresh(struct flow_learner *l)
{
	l->threshold = flow_earned(l->records, l->n_records);
	if (!flow_paths_are_hidden(
		&l->paths, *l->hidden != '\0', l->hidden, sizeof(l->hidden)))
		l->hidden[0] = '\0';
}

void
flow_learner_saw(
    struct flow_learner *l, const struct flow_sample *sample, double ttl)
{
	const struct flow_path path = {
	    sample->client, sample->x[FLOW_FEATURE_rtt_init], ttl};

	flow_paths_add(&l->paths, &path);
	if (l->paths.next % REFRESH == 0)
		flow_learner_refresh(l);
}

static void
record(struct flow_learner *l, const struct flow_sample *sample, double content)
{
	if (!l->model)
		return;
	l->records[l->next_record] = (struct flow_heard){
	    {flow_model_score(l->model, sample->x, NULL), sample->is_spam},
	    content, sample->peer};
	l->next_record = (l->next_record + 1) % FLOW_RECORDS;
	if (l->n_records < FLOW_RECORDS)
		l->n_records++;
	if (l->next_record % REFRESH == 0)
		flow_learner_refresh(l);
}

static void
take(struct flow_learner *l, const struct flow_kept *kept)
{
	flow_reservoir_add(
	    &l->of[kept->sample.is_spam], l->rules.room, kept, &l->seed);
	l->since++;
}

bool
flow_learner_hear(
    struct flow_learner *l, const struct flow_sample *sample, double content)
{
	const struct flow_kept kept = {*sample, ++l->number};
	char why[200];

	if (*l->hidden || flow_paths_is_forwarder(
			      &l->paths, sample->client, why, sizeof(why)))
		return false;
	record(l, sample, content);
	if (!*l->frozen)
		take(l, &kept);
	flow_drift_note(l, &kept);
	return !*l->frozen;
}

static bool
is_same(const struct flow_sample *a, const struct flow_sample *b)
{
	for (size_t f = 0; f < FLOW_FEATURES; f++)
		if (!(a->x[f] == b->x[f] || (isnan(a->x[f]) && isnan(b->x[f]))))
			return false;
	return a->peer == b->peer;
}

static void
forget(struct flow_reservoir *r, const struct flow_sample *sample)
{
	for (size_t i = 0; i < r->n; i++)
		if (is_same(&r->kept[i].sample, sample)) {
			r->kept[i] = r->kept[--r->n];
			return;
		}
}

void
flow_learner_teach(
    struct flow_learner *l, const struct flow_sample *sample, double content)
{
	const struct flow_kept kept = {*sample, ++l->number};

	record(l, sample, content);
	forget(&l->of[!sample->is_spam], sample);
	take(l, &kept);
}

bool
flow_learner_is_due(const struct flow_learner *l)
{
	const size_t n = l->of[0].n + l->of[1].n;

	if (l->of[0].n < FLOW_BEGIN || l->of[1].n < FLOW_BEGIN)
		return false;
	/* Of few samples, when there are half as many again. */
	return !l->model || l->since >= l->rules.every || 3 * l->since >= n;
}

size_t
flow_learner_samples(
    const struct flow_learner *l, const struct flow_sample **ret)
{
	size_t n = 0;

	for (size_t c = 0; c < 2; c++)
		for (size_t i = 0; i < l->of[c].n; i++)
			ret[n++] = &l->of[c].kept[i].sample;
	return n;
}

void
flow_learner_retrain(struct flow_learner *l)
{
	const struct flow_sample **samples =
	    xcalloc(2 * l->rules.room, sizeof(struct flow_sample *));
	const size_t n = flow_learner_samples(l, samples);

	if (l->of[0].n >= FLOW_BEGIN && l->of[1].n >= FLOW_BEGIN) {
		(void)flow_model_free(l->model);
		l->model = flow_model_train(l->rules.kind, NULL, samples, n,
		    flow_draw(&l->seed, ~0ull));
		l->since = 0;
	}
	free(samples);
}

void
flow_learner_begin(struct flow_learner *l)
{
	/* The copy draws the same number; the next one is another. */
	(void)flow_draw(&l->seed, ~0ull);
	l->begun = l->since;
	l->since = 0;
}

void
flow_learner_adopt(struct flow_learner *l, struct flow_model *model)
{
	if (model) {
		(void)flow_model_free(l->model);
		l->model = model;
	} else {
		l->since += l->begun;
	}
	l->begun = 0;
}

/* The two features that speak most for spam. */
static void
name_reasons(struct flow_opinion *o)
{
	size_t first = 0, second = 1;

	for (size_t f = 1; f < FLOW_FEATURES; f++) {
		if (o->contributions[f] > o->contributions[first]) {
			second = first;
			first = f;
		} else if (second == first ||
			   o->contributions[f] > o->contributions[second]) {
			second = f;
		}
	}
	(void)snprintf(o->why, sizeof(o->why), "%s (%+.1f), %s (%+.1f)",
	    flow_feature_name(first), o->contributions[first],
	    flow_feature_name(second), o->contributions[second]);
}

void
flow_learner_judge(const struct flow_learner *l,
    const struct flow_sample *sample, struct flow_opinion *ret)
{
	const char *why = flow_learner_why(l);

	memset(ret, 0, sizeof(*ret));
	ret->score = NAN;
	if (l->model) {
		ret->bias = flow_model_bias(l->model);
		ret->score =
		    flow_model_score(l->model, sample->x, ret->contributions);
	}
	if (why) {
		(void)snprintf(ret->why, sizeof(ret->why), "%s", why);
		return;
	}
	if (flow_paths_is_forwarder(
		&l->paths, sample->client, ret->why, sizeof(ret->why)))
		return;
	name_reasons(ret);
	if (ret->score > l->threshold)
		ret->points = l->rules.points;
	else
		(void)snprintf(ret->why, sizeof(ret->why),
		    "not more like spam than one ham in %d is", FLOW_FALSE_IN);
}

const char *
flow_learner_why(const struct flow_learner *l)
{
	switch (flow_learner_standing(l)) {
	case FLOW_HIDDEN:
		return l->hidden;
	case FLOW_FROZEN:
		return l->frozen;
	case FLOW_YOUNG:
		return "too few mails of both classes were learned";
	case FLOW_UNEARNED:
		return "the record hasn't earned it any weight yet";
	case FLOW_EARNED:
	case FLOW_STANDINGS:
		break;
	}
	return NULL;
}

enum flow_standing
flow_learner_standing(const struct flow_learner *l)
{
	if (*l->hidden)
		return FLOW_HIDDEN;
	if (*l->frozen)
		return FLOW_FROZEN;
	if (!l->model)
		return FLOW_YOUNG;
	return l->threshold < INFINITY ? FLOW_EARNED : FLOW_UNEARNED;
}

const char *
flow_standing_name(enum flow_standing standing)
{
	static const char *const names[FLOW_STANDINGS] = {
	    [FLOW_HIDDEN] = "hidden",
	    [FLOW_FROZEN] = "frozen",
	    [FLOW_YOUNG] = "young",
	    [FLOW_UNEARNED] = "unearned",
	    [FLOW_EARNED] = "earned",
	};

	return standing < FLOW_STANDINGS ? names[standing] : "unknown";
}

const char *
flow_standing_text(enum flow_standing standing)
{
	static const char *const texts[FLOW_STANDINGS] = {
	    [FLOW_HIDDEN] = "off: connections come through a NAT or proxy, so "
			    "they tell nothing of senders",
	    [FLOW_FROZEN] = "frozen: something other than mail has changed",
	    [FLOW_YOUNG] = "learns: too few mails of both classes so far",
	    [FLOW_UNEARNED] = "learns: the record hasn't earned it any weight",
	    [FLOW_EARNED] = "has earned weight",
	};

	return standing < FLOW_STANDINGS ? texts[standing] : "unknown";
}

double
flow_learner_threshold(const struct flow_learner *l)
{
	return l->threshold;
}

void
flow_learner_seen(const struct flow_learner *l, uint64_t ret[2])
{
	ret[0] = l->of[0].seen;
	ret[1] = l->of[1].seen;
}

size_t
flow_learner_records(const struct flow_learner *l, struct flow_heard *ret)
{
	const size_t first = l->n_records < FLOW_RECORDS ? 0 : l->next_record;

	for (size_t i = 0; i < l->n_records; i++)
		ret[i] = l->records[(first + i) % FLOW_RECORDS];
	return l->n_records;
}

const struct flow_model *
flow_learner_model(const struct flow_learner *l)
{
	return l->model;
}
