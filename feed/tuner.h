/*
 * feed/tuner.h - the tuner in the daemon: hands feed/tune.h what it wants to
 * know, asks it now and then, and does what it says, as feed.tune allows.
 *
 * Limits that it has set are in memory only: a start or a reload of the
 * configuration begins with the configured ones again.
 */
#ifndef SLUICE_FEED_TUNER_H
#define SLUICE_FEED_TUNER_H

#include <stddef.h>
#include <stdint.h>

struct conf;
struct feed;
struct lane_sample;
struct tuner;

/* Take over feed.tune and feed.tune_interval; at first make the tuner. */
void tuner_configure(struct feed *feed, const struct conf *conf);
struct tuner *tuner_free(struct tuner *tuner);

/* A message was placed; one has left its lane. */
void tuner_saw(struct feed *feed, uint64_t bytes);
void tuner_measured(
    struct feed *feed, size_t lane, const struct lane_sample *sample);

/* Once a second: evaluate if it is time, and change feed->limits if it is
 * good and allowed. */
void tuner_tick(struct feed *feed);

/* Fill its part of feed->counts. */
void tuner_show(struct feed *feed);

#endif
