/*
 * feed/tune.h - when to change the limits, to which, and when to go back.
 *
 * It hears of each message that comes and of what each has waited, and is
 * asked once an interval.  What it would take is feed/propose.h's; how much
 * that would save is feed/foresee.h's; whether it did save is measured.
 *
 * - Limits are made for a load between 0.5 and 0.9, whatever it is now: a
 *   mean hides the bursts, and it is in them that mail waits.
 * - A change must promise a tenth less mean wait, several times in a row.
 * - A change is on trial at first.  Should mail that came after it wait longer
 *   than before, by more than chance explains and under no more load, then it
 *   is taken back, and the next one has to wait: twice as long each time.
 *
 * Pure: the caller passes time, line and limits in.
 */
#ifndef SLUICE_FEED_TUNE_H
#define SLUICE_FEED_TUNE_H

#include "common/clock.h"
#include "feed/sort.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line;
struct tune;

/* feed.tune: may it change the limits? */
enum tune_mode {
	TUNE_OFF,
	TUNE_DRY_RUN, /* it only says what it would take */
	TUNE_ON,
	TUNE_MODES
};

/* "off", "dry-run", "on" */
const char *tune_mode_name(enum tune_mode mode);

enum tune_state {
	TUNE_LEARNING,  /* too few messages so far */
	TUNE_SETTLED,   /* no other limits are better by enough */
	TUNE_WATCHING,  /* others are, but not for long enough yet */
	TUNE_PROPOSING, /* and would be taken, were it allowed */
	TUNE_MEASURING, /* and will be, once enough has been measured */
	TUNE_TRIAL,     /* they were taken: better in fact? */
	TUNE_HOLDING,   /* they were not: nothing is changed for a while */
	TUNE_STATES
};

/* "learning", "settled", ... */
const char *tune_state_name(enum tune_state state);

enum tune_action {
	TUNE_NONE,
	TUNE_WOULD,     /* would change the limits, were it allowed */
	TUNE_CHANGE,    /* take *ret_limits; they are on trial */
	TUNE_KEEP,      /* the trial is over: they stay */
	TUNE_TAKE_BACK, /* take *ret_limits, those of before */
};

/* What is known, for people; waits in microseconds, INFINITY: without end. */
struct tune_report {
	enum tune_state state;
	double messages;         /* that the proposal rests on */
	double per_second, load; /* of late; load 1: all workers are busy */
	bool has_proposal;       /* else the limits are not set */
	struct feed_limits proposed;
	double gain; /* part of the mean wait that it would save, when busy */
	/* Mean waits foreseen for the rate of late, and measured. */
	double foreseen_usec, proposed_usec, measured_usec;
	double lane_foreseen_usec[FEED_MAX_LANES];
	double lane_measured_usec[FEED_MAX_LANES];
	/* The trial, or the last one: measured before and since. */
	double before_usec, since_usec;
	uint64_t hold; /* evaluations until a change is thought of again */
};

/* interval_usec  about the time between two evaluations */
struct tune *tune_new(size_t lanes, uint64_t interval_usec, struct mono now);
struct tune *tune_free(struct tune *tune);
void tune_set_interval(struct tune *tune, uint64_t interval_usec);

/* A message of so many octets has come. */
void tune_saw(struct tune *tune, struct mono now, uint64_t bytes);

/* One has left its lane.  wait_usec: for others, since it came.  One that
 * waited for more than an hour doesn't count: it was let out of a quarantine,
 * or the site was down. */
void tune_measured(struct tune *tune, struct mono now, size_t lane,
    uint64_t wait_usec, uint64_t service_usec);

/*
 * Once an interval; in state TUNE_TRIAL better several times, since a change
 * for the worse can do harm quickly.  Takes some ten milliseconds, with 64
 * lanes some hundred; in a trial one.
 *
 * limits      those in force; others than it gave last are a person's, and
 *             the best there is until something better shows
 * may_change  false: nothing but TUNE_WOULD and TUNE_NONE is answered
 * ret_limits  set for TUNE_CHANGE, TUNE_TAKE_BACK and TUNE_WOULD
 */
enum tune_action tune_evaluate(struct tune *tune, struct mono now,
    enum feed_policy policy, const struct line *line,
    const struct feed_limits *limits, bool may_change,
    struct feed_limits *ret_limits);

const struct tune_report *tune_report(const struct tune *tune);

#endif
