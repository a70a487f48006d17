/*
 * feed/fade.h - means and rates that forget.  Pure; zero is nothing so far.
 */
#ifndef SLUICE_FEED_FADE_H
#define SLUICE_FEED_FADE_H

#include "common/clock.h"

/* A mean that forgets by halves in FADE_HALF_LIFE values. */
#define FADE_HALF_LIFE 512.0

struct fade_mean {
	double weight, sum;
};

void fade_mean_add(struct fade_mean *mean, double value);
double fade_mean_get(const struct fade_mean *mean); /* 0: of nothing */

/* Events a microsecond, forgotten by halves in half_life_usec: the events
 * over the time, both faded, so that it is right from the start. */
struct fade_rate {
	double half_life_usec, count, span_usec;
	struct mono at;
};

void fade_rate_init(
    struct fade_rate *rate, double half_life_usec, struct mono now);
void fade_rate_add(struct fade_rate *rate, struct mono now);
double fade_rate_get(struct fade_rate *rate, struct mono now);

#endif
