/*
 * tests/support/series.h - what is measured of each of many.
 */
#ifndef SLUICE_TESTS_SERIES_H
#define SLUICE_TESTS_SERIES_H

#include "common/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static inline int
series_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

struct series {
	const char *what;
	uint64_t *values;
	unsigned long n;
};

/* Of at most n values, in microseconds. */
static inline struct series
series_of(const char *what, unsigned long n)
{
	return (struct series){what, xcalloc(n, sizeof(uint64_t)), 0};
}

static inline void
add(struct series *s, uint64_t value)
{
	s->values[s->n++] = value;
}

/* Its median and ends, and free it. */
static inline void
say(struct series *s)
{
	qsort(s->values, s->n, sizeof(*s->values), series_compare);
	print_message("%s: p50 %.2f ms, p95 %.2f ms, max %.2f ms\n", s->what,
	    (double)s->values[s->n / 2] / 1000,
	    (double)s->values[s->n * 95 / 100] / 1000,
	    (double)s->values[s->n - 1] / 1000);
	free(s->values);
}

#endif
