/*
 * worker/spread.h - how fast a file spreads among those who write to each
 * other (docs/decisions/0016-spread.md: definitions and sources).
 *
 * Pure: copies in, measures out; no clock, no file.  Times are microseconds
 * since 1970, numbers of clients are the caller's, 0 is nobody.
 */
#ifndef SLUICE_WORKER_SPREAD_H
#define SLUICE_WORKER_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Periods that a burst is measured against: at least a day by the hour, and
 * with 24 a new file needs four senders to be one in 10,000. */
#define SPREAD_PAST 24

/* One message that has the file, to one recipient. */
struct spread_copy {
	uint64_t t_usec;
	uint64_t message;      /* a number of it, the same for all its copies */
	uint64_t sender, rcpt; /* 0: the null sender; no known recipient */
	bool passed;           /* was let through */
};

/*
 * What is looked at.  Period i is [begin + i * period, begin + (i + 1) *
 * period), the last one only up to end.  Of the first SPREAD_PAST no alarm is
 * given: they are the past of the others.
 */
struct spread_frame {
	uint64_t begin_usec, end_usec, period_usec;
	size_t n_periods;
	uint64_t log_begin_usec;  /* what lies before was not logged */
	uint64_t clients;         /* N; 0 makes rates by client undefined */
	const uint64_t *messages; /* with any attachment, by period */
	double alarm;             /* P of a burst at or below which it alarms */
	uint64_t replicas;        /* different recipients that are too many */
};

/* Undefined rates are NAN. */
struct spread_period {
	uint64_t copies, blocked, messages;
	uint64_t sources;     /* different senders */
	uint64_t new_clients; /* incidents */
	uint64_t holders;
	double births_per_minute;
	double incidence; /* per client and day */
	double prevalence;
	double p; /* that so many sources are chance; 1 for the past */
	bool is_burst;
};

struct spread_life {
	uint64_t first_usec, last_usec; /* of all copies, before begin too */
	uint64_t copies, blocked, messages;
	uint64_t senders, clients; /* who sent; who sent or was sent it */
	double births_per_minute;  /* of the site as one client */
	double spread;             /* mean of the senders' births per minute */
	uint64_t rates;            /* senders for which that is defined */
	double affected;
	uint64_t replicator; /* who sent it on to most within a period; or 0 */
	uint64_t replicas;   /* to how many */
	bool is_replicating; /* at least frame->replicas */
};

/*
 * How many periods make up [begin, end).  At least one; the last may be short.
 */
size_t spread_periods(
    uint64_t begin_usec, uint64_t end_usec, uint64_t period_usec);

/* Which of the frame's periods has t?  n_periods when none has. */
size_t spread_period_of(const struct spread_frame *frame, uint64_t t_usec);

/*
 * P(X >= x) for X ~ Binomial(n, q), to some 9 digits where it is below 0.5;
 * q in [0, 1].
 */
double spread_tail(uint64_t n, uint64_t x, double q);

/*
 * The measures of one file.
 *
 * copies       in any order; none later than frame->end_usec.  Those before
 *              frame->begin_usec count for its life alone
 * n            at least 1
 * ret_life     set
 * ret_periods  frame->n_periods of them, set
 *
 * Dies without memory for 96 octets a copy.
 */
void spread_compute(const struct spread_frame *frame,
    const struct spread_copy *copies, size_t n, struct spread_life *ret_life,
    struct spread_period *ret_periods);

#endif
