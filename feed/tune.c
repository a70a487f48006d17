#include "feed/tune.h"

#include "common/io.h"
#include "feed/fade.h"
#include "feed/foresee.h"
#include "feed/mix.h"
#include "feed/model.h"
#include "feed/propose.h"
#include "feed/spell.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define MIX_HALF_LIFE  8192.0 /* messages: the mean of 20000 */
#define RATE_INTERVALS 2.0    /* half-life of the rate */
#define LEAST_MESSAGES 200.0
#define LONGEST_WAIT   (3600 * USEC_PER_SEC)
#define LEAST_LOAD     0.5 /* that limits are made for; see tune.h */
#define MOST_LOAD      0.9

#define GAIN       0.10 /* of the mean wait, and */
#define GAIN_FLOOR 0.02 /* of the mean service, or it isn't worth it */
#define CHANGED    0.05 /* a limit is another one */
#define IN_A_ROW   3    /* evaluations that find it better */

#define SPELL_LEAST 400  /* measured waits to judge by */
#define TRIAL_LEAST 800  /* to be content with a change */
#define TRIAL_MOST  24   /* intervals: then it stays, unproved */
#define WORSE       0.15 /* longer waits than before, and */
#define WORSE_FLOOR 0.10 /* of the mean service, and */
#define ERRORS      3.0  /* standard errors */
#define SAME_LOAD   1.25
#define HOLD_FIRST  12 /* evaluations after a change was taken back */
#define HOLD_MOST   (HOLD_FIRST << 10)

struct tune {
	size_t lanes;
	struct mix mix;
	struct fade_mean wait, lane_wait[FEED_MAX_LANES];
	struct fade_rate rate;
	uint64_t interval_usec;

	bool known; /* policy and limits are set */
	enum feed_policy policy;
	struct feed_limits limits; /* in force, as of the last evaluation */
	struct spell spell;        /* since they are */

	struct spell before; /* the last whole one under the same limits */
	struct feed_limits limits_before;
	struct feed_limits told; /* of the last TUNE_WOULD; 0 lanes: none */
	unsigned int in_a_row;
	bool trial;
	uint64_t hold, next_hold;
	struct tune_report report;
};

static const char *const modes[TUNE_MODES] = {
    [TUNE_OFF] = "off",
    [TUNE_DRY_RUN] = "dry-run",
    [TUNE_ON] = "on",
};

static const char *const names[TUNE_STATES] = {
    [TUNE_LEARNING] = "learning",
    [TUNE_SETTLED] = "settled",
    [TUNE_WATCHING] = "watching",
    [TUNE_PROPOSING] = "proposing",
    [TUNE_MEASURING] = "measuring",
    [TUNE_TRIAL] = "trial",
    [TUNE_HOLDING] = "holding",
};

const char *
tune_mode_name(enum tune_mode mode)
{
	return mode < TUNE_MODES ? modes[mode] : "unknown";
}

const char *
tune_state_name(enum tune_state state)
{
	return state < TUNE_STATES ? names[state] : "unknown";
}

struct tune *
tune_new(size_t lanes, uint64_t interval_usec, struct mono now)
{
	struct tune *tune = xcalloc(1, sizeof(*tune));

	assert(lanes > 0 && lanes <= FEED_MAX_LANES && interval_usec > 0);
	tune->lanes = lanes;
	tune->interval_usec = interval_usec;
	fade_rate_init(
	    &tune->rate, RATE_INTERVALS * (double)interval_usec, now);
	tune->next_hold = HOLD_FIRST;
	mix_init(&tune->mix, MIX_HALF_LIFE);
	spell_begin(&tune->spell, now);
	return tune;
}

void
tune_set_interval(struct tune *tune, uint64_t interval_usec)
{
	assert(interval_usec > 0);
	tune->interval_usec = interval_usec;
	tune->rate.half_life_usec = RATE_INTERVALS * (double)interval_usec;
}

struct tune *
tune_free(struct tune *tune)
{
	free(tune);
	return NULL;
}

void
tune_saw(struct tune *tune, struct mono now, uint64_t bytes)
{
	fade_rate_add(&tune->rate, now);
	mix_add(&tune->mix, bytes);
	spell_arrived(&tune->spell, bytes);
}

void
tune_measured(struct tune *tune, struct mono now, size_t lane,
    uint64_t wait_usec, uint64_t service_usec)
{
	assert(lane < tune->lanes);
	if (wait_usec > LONGEST_WAIT)
		return;
	fade_mean_add(&tune->wait, (double)wait_usec);
	fade_mean_add(&tune->lane_wait[lane], (double)wait_usec);
	/* Limits aren't to blame for what came before them. */
	if (mono_span(tune->spell.since, now) > wait_usec &&
	    mono_span(tune->spell.since, now) - wait_usec > service_usec)
		spell_waited(&tune->spell, wait_usec);
}

static bool
is_other(const struct feed_limits *a, const struct feed_limits *b, double by)
{
	for (size_t i = 0; i < a->lanes; i++) {
		double x = (double)a->max_bytes[i], y = (double)b->max_bytes[i];

		if (fabs(x - y) > by * fmin(x, y))
			return true;
	}
	return a->lanes != b->lanes;
}

/* Limits that others have set: nothing that was measured is about them. */
static void
adopt(struct tune *tune, struct mono now, enum feed_policy policy,
    const struct feed_limits *limits)
{
	if (tune->known && policy == tune->policy &&
	    !is_other(limits, &tune->limits, 0))
		return;
	tune->known = true;
	tune->policy = policy;
	tune->limits = *limits;
	tune->trial = false;
	tune->in_a_row = 0;
	tune->hold = 0;
	tune->next_hold = HOLD_FIRST;
	tune->told.lanes = 0;
	spell_begin(&tune->spell, now);
	spell_begin(&tune->before, now);
	tune->report = (struct tune_report){0};
}

static double
clamp(double value, double least, double most)
{
	return value < least ? least : value > most ? most : value;
}

/* What is foreseen at the rate of late, for the report. */
static void
foresee_now(struct tune *tune, struct mono now, struct foresee *what)
{
	struct tune_report *report = &tune->report;
	struct foresight sight;

	what->rate = fade_rate_get(&tune->rate, now);
	report->messages = mix_count(&tune->mix);
	report->per_second = what->rate * (double)USEC_PER_SEC;
	report->load = what->rate / foresee_rate(what, tune->lanes, 1);
	foresee_wait(what, &tune->limits, &sight);
	report->foreseen_usec = sight.wait_usec;
	report->measured_usec = fade_mean_get(&tune->wait);
	for (size_t i = 0; i < tune->lanes; i++) {
		report->lane_foreseen_usec[i] = sight.lane_wait_usec[i];
		report->lane_measured_usec[i] =
		    fade_mean_get(&tune->lane_wait[i]);
	}
}

/* Are there limits that are better by enough?  Fills the report's proposal
 * and leaves in what the rate that it is made for. */
static bool
look_for_better(struct tune *tune, struct foresee *what)
{
	struct tune_report *report = &tune->report;
	double rate = what->rate;
	struct foresight now, old, new;

	what->rate = foresee_rate(
	    what, tune->lanes, clamp(report->load, LEAST_LOAD, MOST_LOAD));
	propose_limits(what, tune->lanes, &report->proposed);
	foresee_wait(what, &tune->limits, &old);
	foresee_wait(what, &report->proposed, &new);
	report->has_proposal = true;
	report->gain = 0;
	if (new.wait_usec < old.wait_usec)
		report->gain = isinf(old.wait_usec)
				   ? 1
				   : 1 - new.wait_usec / old.wait_usec;
	what->rate = rate;
	foresee_wait(what, &report->proposed, &now);
	report->proposed_usec = now.wait_usec;
	what->rate = foresee_rate(
	    what, tune->lanes, clamp(report->load, LEAST_LOAD, MOST_LOAD));
	return report->gain >= GAIN &&
	       old.wait_usec - new.wait_usec >=
		   GAIN_FLOOR *foresee_service_usec(what) &&
	       is_other(&report->proposed, &tune->limits, CHANGED);
}

/* Does the proposal differ from what was said last in what it brings?  In a
 * gap of sizes a limit may wander. */
static bool
is_news(const struct tune *tune, const struct foresee *what)
{
	struct foresight told, new;

	if (tune->told.lanes == 0)
		return true;
	foresee_wait(what, &tune->told, &told);
	foresee_wait(what, &tune->report.proposed, &new);
	return new.wait_usec < told.wait_usec *(1 - GAIN);
}

static enum tune_action
answer(struct tune *tune, enum tune_state state, enum tune_action action)
{
	tune->report.state = state;
	return action;
}

/* New limits from now on. */
static void
put(struct tune *tune, struct mono now, const struct feed_limits *limits,
    struct feed_limits *ret_limits)
{
	tune->limits = *ret_limits = *limits;
	tune->in_a_row = 0;
	tune->told.lanes = 0;
	spell_begin(&tune->spell, now);
}

/* A tenth better, and for long enough?  Then change, or say so. */
static enum tune_action
consider(struct tune *tune, struct mono now, const struct foresee *what,
    bool may_change, struct feed_limits *ret_limits)
{
	const struct feed_limits *proposed = &tune->report.proposed;

	if (++tune->in_a_row < IN_A_ROW)
		return answer(tune, TUNE_WATCHING, TUNE_NONE);
	if (!may_change) {
		if (!is_news(tune, what))
			return answer(tune, TUNE_PROPOSING, TUNE_NONE);
		tune->told = *ret_limits = *proposed;
		return answer(tune, TUNE_PROPOSING, TUNE_WOULD);
	}
	if (tune->before.measured < SPELL_LEAST)
		return answer(tune, TUNE_MEASURING, TUNE_NONE);
	tune->limits_before = tune->limits;
	tune->trial = true;
	put(tune, now, proposed, ret_limits);
	return answer(tune, TUNE_TRIAL, TUNE_CHANGE);
}

/* Do those that came since the change wait longer, beyond doubt? */
static bool
is_worse(const struct tune *tune, double service_usec)
{
	double before = spell_mean(&tune->before);
	double error =
	    hypot(spell_error(&tune->before), spell_error(&tune->spell));

	return spell_mean(&tune->spell) > before * (1 + WORSE) +
					      WORSE_FLOOR * service_usec +
					      ERRORS * error;
}

static enum tune_action
judge(struct tune *tune, struct mono now, const struct line *line,
    double service_usec, struct feed_limits *ret_limits)
{
	/* By one line: a change that makes service slower is no excuse. */
	double load = spell_load(&tune->spell, line, now);
	double load_before = spell_load(&tune->before, line, now);
	uint64_t span_usec = mono_span(tune->spell.since, now);
	bool is_enough = tune->spell.measured >= SPELL_LEAST;

	tune->report.before_usec = spell_mean(&tune->before);
	tune->report.since_usec = spell_mean(&tune->spell);
	if (is_enough && load <= load_before * SAME_LOAD &&
	    is_worse(tune, service_usec)) {
		tune->trial = false;
		tune->report.hold = tune->hold = tune->next_hold;
		if (tune->next_hold < HOLD_MOST)
			tune->next_hold *= 2;
		put(tune, now, &tune->limits_before, ret_limits);
		spell_begin(&tune->before, now);
		return answer(tune, TUNE_HOLDING, TUNE_TAKE_BACK);
	}
	/* What piles up slowly shows late. */
	if (span_usec < tune->interval_usec ||
	    (span_usec < TRIAL_MOST * tune->interval_usec &&
		(tune->spell.measured < TRIAL_LEAST ||
		    load < load_before / SAME_LOAD)))
		return answer(tune, TUNE_TRIAL, TUNE_NONE);
	tune->trial = false;
	tune->next_hold = HOLD_FIRST;
	return answer(tune, TUNE_SETTLED, TUNE_KEEP);
}

/* Keep the last spell that says something; a change is measured by it. */
static void
turn_spell(struct tune *tune, struct mono now)
{
	if (tune->spell.measured < SPELL_LEAST)
		return;
	tune->before = tune->spell;
	spell_end(&tune->before, now);
	spell_begin(&tune->spell, now);
}

enum tune_action
tune_evaluate(struct tune *tune, struct mono now, enum feed_policy policy,
    const struct line *line, const struct feed_limits *limits, bool may_change,
    struct feed_limits *ret_limits)
{
	struct mix_law law;
	struct foresee what = {.policy = policy, .law = &law, .line = line};
	bool is_better;

	assert(limits->lanes == tune->lanes);
	adopt(tune, now, policy, limits);
	if (mix_count(&tune->mix) < LEAST_MESSAGES)
		return answer(tune, TUNE_LEARNING, TUNE_NONE);
	mix_law(&tune->mix, &law);
	foresee_now(tune, now, &what);
	if (!may_change)
		tune->trial = false; /* what is in force stays */
	if (tune->trial)
		return judge(
		    tune, now, line, foresee_service_usec(&what), ret_limits);
	turn_spell(tune, now);
	is_better = look_for_better(tune, &what);
	tune->report.hold = tune->hold;
	if (tune->hold > 0) {
		tune->hold--;
		return answer(tune, TUNE_HOLDING, TUNE_NONE);
	}
	if (!is_better) {
		tune->in_a_row = 0;
		tune->told.lanes = 0;
		return answer(tune, TUNE_SETTLED, TUNE_NONE);
	}
	return consider(tune, now, &what, may_change, ret_limits);
}

const struct tune_report *
tune_report(const struct tune *tune)
{
	return &tune->report;
}
