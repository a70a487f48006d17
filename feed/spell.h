/*
 * feed/spell.h - what was measured while the same limits were in force: mean
 * wait with its error, and the load meanwhile.
 *
 * The error of the mean is that of batch means, since waits of neighbours are
 * alike: at most SPELL_BATCHES batches, which double in length as they get
 * too many (Law and Carson 1979).  Pure.
 */
#ifndef SLUICE_FEED_SPELL_H
#define SLUICE_FEED_SPELL_H

#include "common/clock.h"

#include <stddef.h>
#include <stdint.h>

struct line;

#define SPELL_BATCHES 32 /* even */

struct spell {
	struct mono since;
	uint64_t span_usec;        /* once it is over; else 0 */
	uint64_t arrived, bytes;   /* messages, and their octets */
	uint64_t measured;         /* waits */
	uint64_t batch, n_batches; /* waits in each; complete ones */
	double sums[SPELL_BATCHES + 1], sum;
};

void spell_begin(struct spell *spell, struct mono now);
void spell_end(struct spell *spell, struct mono now);
void spell_arrived(struct spell *spell, uint64_t bytes);
void spell_waited(struct spell *spell, uint64_t wait_usec);

/* Microseconds; 0 where nothing was measured. */
double spell_mean(const struct spell *spell);
/* The standard error of the mean; INFINITY with fewer than 8 batches. */
double spell_error(const struct spell *spell);
/* Work that came in, in workers, by now or by its end: 1 keeps one busy. */
double spell_load(
    const struct spell *spell, const struct line *line, struct mono now);

#endif
