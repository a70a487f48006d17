#include "feed/tuner.h"

#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "feed/feed_priv.h"
#include "feed/late.h"
#include "feed/model.h"
#include "feed/tune.h"
#include "queues/lane.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIAL_LOOKS 8 /* an interval: a change for the worse shows soon */

struct tuner {
	struct tune *tune;
	enum tune_mode mode;
	uint64_t interval_usec;
	struct mono evaluated;
	uint64_t changes, taken_back;
};

static enum tune_mode
mode_of(const struct conf *conf)
{
	for (enum tune_mode mode = 0; mode < TUNE_MODES; mode++)
		if (strcmp(conf->feed.tune, tune_mode_name(mode)) == 0)
			return mode;
	assert(false && "conf_load() refuses others");
	return TUNE_OFF;
}

void
tuner_configure(struct feed *feed, const struct conf *conf)
{
	struct tuner *tuner = feed->tuner;

	if (!tuner) {
		tuner = feed->tuner = xcalloc(1, sizeof(*tuner));
		tuner->evaluated = mono_now();
		tuner->tune = tune_new(feed->limits.lanes,
		    conf->feed.tune_interval_usec, tuner->evaluated);
	}
	tuner->mode = mode_of(conf);
	tuner->interval_usec = conf->feed.tune_interval_usec;
	tune_set_interval(tuner->tune, tuner->interval_usec);
}

struct tuner *
tuner_free(struct tuner *tuner)
{
	if (!tuner)
		return NULL;
	(void)tune_free(tuner->tune);
	free(tuner);
	return NULL;
}

void
tuner_saw(struct feed *feed, uint64_t bytes)
{
	tune_saw(feed->tuner->tune, mono_now(), bytes);
}

void
tuner_measured(struct feed *feed, size_t lane, const struct lane_sample *sample)
{
	if (sample->wait_usec != LANE_NO_WAIT)
		tune_measured(feed->tuner->tune, mono_now(), lane,
		    sample->wait_usec, sample->service_usec);
}

/* Any limits and blanks: a list cut short would be read as another one. */
#define LIMITS_TEXT (FEED_MAX_LANES * sizeof("18446744073709551615"))

/* As in the configuration: those that there are. */
static const char *
limits_text(const struct feed_limits *limits, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i + 1 < limits->lanes && n < size; i++) {
		int r;

		if (limits->max_bytes[i] == UINT64_MAX)
			break;
		r = snprintf(buf + n, size - n, "%s%" PRIu64, i ? " " : "",
		    limits->max_bytes[i]);
		n += r > 0 ? (size_t)r : 0;
	}
	return buf;
}

static void
say(const struct feed *feed, const char *what, const struct feed_limits *to)
{
	const struct tune_report *r = tune_report(feed->tuner->tune);
	char old[LIMITS_TEXT], new[LIMITS_TEXT];

	log_info("tune %s policy=%s from=\"%s\" to=\"%s\" gain=%.2f "
		 "foreseen_usec=%.0f with_it_usec=%.0f measured_usec=%.0f "
		 "load=%.3f messages=%.0f",
	    what, feed_policy_name(feed->policy),
	    limits_text(&feed->limits, old, sizeof(old)),
	    limits_text(to, new, sizeof(new)), r->gain, r->foreseen_usec,
	    r->proposed_usec, r->measured_usec, r->load, r->messages);
}

static void
say_trial(const struct feed *feed, const char *what)
{
	const struct tune_report *r = tune_report(feed->tuner->tune);
	char text[LIMITS_TEXT];

	log_info("tune %s limits=\"%s\" before_usec=%.0f since_usec=%.0f "
		 "load=%.3f hold=%" PRIu64,
	    what, limits_text(&feed->limits, text, sizeof(text)),
	    r->before_usec, r->since_usec, r->load, r->hold);
}

static void
take(struct feed *feed, const struct feed_limits *limits)
{
	feed->limits = *limits;
	late_sort(feed->late, &feed->limits, feed->patience);
}

static void
act(struct feed *feed, enum tune_action action,
    const struct feed_limits *limits)
{
	switch (action) {
	case TUNE_NONE:
		return;
	case TUNE_WOULD:
		say(feed, "would-change", limits);
		return;
	case TUNE_CHANGE:
		say(feed, "change", limits);
		feed->tuner->changes++;
		take(feed, limits);
		return;
	case TUNE_KEEP:
		say_trial(feed, "keep");
		return;
	case TUNE_TAKE_BACK:
		say_trial(feed, "take-back");
		feed->tuner->taken_back++;
		take(feed, limits);
		return;
	}
}

void
tuner_tick(struct feed *feed)
{
	struct tuner *tuner = feed->tuner;
	bool is_trial = tune_report(tuner->tune)->state == TUNE_TRIAL;
	uint64_t due_usec = tuner->interval_usec / (is_trial ? TRIAL_LOOKS : 1);
	struct line line = load_line(feed->load);
	struct mono now = mono_now();
	struct feed_limits limits;
	enum tune_action action;

	if (tuner->mode == TUNE_OFF ||
	    mono_span(tuner->evaluated, now) < due_usec)
		return;
	tuner->evaluated = now;
	action = tune_evaluate(tuner->tune, now, feed->policy, &line,
	    &feed->limits, tuner->mode == TUNE_ON, &limits);
	act(feed, action, &limits);
}

static uint64_t
whole_usec(double usec)
{
	return usec < 1e15 ? (uint64_t)usec : UINT64_MAX;
}

void
tuner_show(struct feed *feed)
{
	const struct tuner *tuner = feed->tuner;
	const struct tune_report *r = tune_report(tuner->tune);
	struct board_tune *t = &feed->counts.tune;

	t->mode = tuner->mode;
	t->state = r->state;
	t->messages = (uint64_t)r->messages;
	t->load_ppm = whole_usec(r->load * 1e6);
	t->gain_ppm = whole_usec(r->gain * 1e6);
	t->foreseen_usec = whole_usec(r->foreseen_usec);
	t->proposed_usec = whole_usec(r->proposed_usec);
	t->measured_usec = whole_usec(r->measured_usec);
	t->hold = r->hold;
	t->changes = tuner->changes;
	t->taken_back = tuner->taken_back;
	t->has_proposal = r->has_proposal;
	for (size_t i = 0; i < feed->limits.lanes; i++)
		t->lane[i] = (struct board_tune_lane){
		    .proposed_bytes = r->proposed.max_bytes[i],
		    .foreseen_usec = whole_usec(r->lane_foreseen_usec[i]),
		    .measured_usec = whole_usec(r->lane_measured_usec[i]),
		};
}
