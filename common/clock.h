/*
 * common/clock.h - instants that the compiler won't let us mix.
 *
 * struct mono counts microseconds since boot and never goes back: deadlines
 * and spans.  struct wall counts microseconds since 1970-01-01 UTC: what is
 * shown to people and written to disk.
 */
#ifndef SLUICE_COMMON_CLOCK_H
#define SLUICE_COMMON_CLOCK_H

#include <stdint.h>

struct timeval;

struct mono {
	uint64_t usec;
};

struct wall {
	uint64_t usec;
};

#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)

/* The current instant.  Never fails, never blocks. */
struct mono mono_now(void);
struct wall wall_now(void);

/* Microseconds from a to b; 0 when b is not later than a. */
uint64_t mono_span(struct mono a, struct mono b);

/* A span in microseconds as libevent and select(2) want it. */
struct timeval span_timeval(uint64_t usec);

#endif
