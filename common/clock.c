#include "common/clock.h"

#include <sys/time.h>
#include <time.h>

static uint64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts); /* cannot fail for these two clocks */
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

struct mono
mono_now(void)
{
	return (struct mono){read_clock(CLOCK_MONOTONIC)};
}

struct wall
wall_now(void)
{
	return (struct wall){read_clock(CLOCK_REALTIME)};
}

uint64_t
mono_span(struct mono a, struct mono b)
{
	return b.usec > a.usec ? b.usec - a.usec : 0;
}

struct timeval
span_timeval(uint64_t usec)
{
	return (struct timeval){
	    (time_t)(usec / USEC_PER_SEC), (suseconds_t)(usec % USEC_PER_SEC)};
}
