/*
 * feed/load.h - when each feed queue is expected to be empty.
 *
 * Two things in one: a model of the service time, S = a + b * octets for each
 * kind of work, learned from what the workers measured, and the sum of what
 * it predicts for everything that waits in a lane.
 *
 * The sum is kept in integers, message by message: what a message added is
 * remembered and is what its departure takes away, so nothing drifts however
 * the model changes meanwhile.  Each call but load_sweep() costs the same
 * with one message waiting and with a hundred thousand.
 *
 * Pure: the caller passes the time in.  The simulator links it too.
 */
#ifndef SLUICE_FEED_LOAD_H
#define SLUICE_FEED_LOAD_H

#include "common/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line;
struct load;

/* The kind of work, as far as the top Content-Type tells. */
enum load_kind {
	LOAD_TEXT,      /* text, also what has no Content-Type */
	LOAD_MULTIPART, /* multipart and message: parts within */
	LOAD_OTHER,     /* application, image, ...: one attachment */
	LOAD_UNKNOWN,   /* not looked at; predicted by the mean of all kinds */
	LOAD_KINDS
};

/* The kind of a Content-Type's value; "" stands for a missing one. */
enum load_kind load_kind_of(const char *content_type);

/* What is believed before anything was measured; both above zero. */
struct load_prior {
	double fixed_usec;    /* a */
	double usec_per_byte; /* b */
};

/* 2 ms a message and 10 ns an octet: a worker with clamd, order of magnitude */
#define LOAD_PRIOR ((struct load_prior){2000.0, 0.010})

/*
 * slots  messages that one lane serves side by side at full speed; 1 where
 *        a message's service time is its own share of the worker's
 * Never fails but for memory, as does no function here.
 */
struct load *load_new(size_t lanes, size_t slots, struct load_prior prior);
struct load *load_free(struct load *load);

/* Predicted service of one message in microseconds, 1 .. one hour. */
uint64_t load_predict(
    const struct load *load, enum load_kind kind, uint64_t bytes);

/*
 * Message id (up to 39 characters) now waits behind the others of lane.  One
 * that was placed already is moved there: it is never counted twice.
 */
void load_place(struct load *load, const char *id, size_t lane,
    enum load_kind kind, uint64_t bytes);

/*
 * A worker measured: message id has left its lane after service_usec of
 * service.  Learns from it; an unknown id teaches the mean of all kinds.
 */
void load_finished(
    struct load *load, const char *id, uint64_t bytes, uint64_t service_usec);

/* Message id has left, unmeasured.  false: it was not counted. */
bool load_left(struct load *load, const char *id);

/*
 * The worker of lane has its oldest count messages in service, as if it had
 * served them one by one since then: what is predicted for them shrinks as
 * time goes.
 */
void load_serving(
    struct load *load, size_t lane, size_t count, struct mono since);

/*
 * When lane is expected to be empty, in microseconds from now.  However late
 * it is, each message in service has one more to go, so that only a lane with
 * nothing to do is at 0.
 */
uint64_t load_empty_usec(const struct load *load, size_t lane, struct mono now);

/* Messages in lane, those in service included. */
size_t load_count(const struct load *load, size_t lane);

/* One that waits, for who would take it elsewhere. */
struct load_waiting {
	const char *id; /* valid until the load changes */
	enum load_kind kind;
	uint64_t usec; /* what it adds to its lane */
};

/*
 * The message that has waited nth longest in lane, from 0, those in service
 * left out.  false: so many don't wait.  Costs nth steps.
 */
bool load_waiting(const struct load *load, size_t lane, size_t nth,
    struct load_waiting *ret_waiting);

/*
 * Reconcile with a directory: load_mark(), then load_seen() for each message
 * found, then load_sweep(), which drops what was placed before the mark and
 * not seen since, and returns its number.  load_seen() returns false for an
 * id that is not counted in that lane: the caller may place it.
 */
void load_mark(struct load *load, size_t lane);
bool load_seen(struct load *load, const char *id, size_t lane);
size_t load_sweep(struct load *load, size_t lane);

/*
 * What one lane has to do, without the messages: for who keeps those himself
 * and asks some million times a second, as the simulator does.  The lanes of
 * struct load are such sums, so there is one arithmetic for both; it is
 * inline, and the struct not opaque, for a call would cost as much again.
 * Zero is an empty lane.
 */
struct load_sum {
	uint64_t waiting_usec; /* of those that wait */
	uint64_t left_usec;    /* of those in service, at left_at */
	struct mono left_at;
};

/* A message of usec waits. */
static inline void
load_sum_wait(struct load_sum *sum, uint64_t usec)
{
	sum->waiting_usec += usec;
}

/* One that waited doesn't any more: begun, or gone. */
static inline void
load_sum_begin(struct load_sum *sum, uint64_t usec)
{
	sum->waiting_usec -= usec;
}

/* What is in service needs left_usec more, as of now. */
static inline void
load_sum_serving(struct load_sum *sum, uint64_t left_usec, struct mono now)
{
	sum->left_usec = left_usec;
	sum->left_at = now;
}

/* All of it as of now, for one server.  What is late may come to 0: to count
 * it as the microsecond that load_empty_usec() promises is the caller's. */
static inline uint64_t
load_sum_usec(const struct load_sum *sum, struct mono now)
{
	uint64_t at = sum->left_at.usec;
	uint64_t gone = now.usec > at ? now.usec - at : 0;
	uint64_t left = sum->left_usec > gone ? sum->left_usec - gone : 0;

	return sum->waiting_usec + left;
}

/* The service line of all kinds together (feed/model.h), as learned so far. */
struct line load_line(const struct load *load);

#endif
