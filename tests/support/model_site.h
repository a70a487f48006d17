/*
 * tests/support/model_site.h - the system that VirScan's authors published,
 * to be computed, simulated and varied.
 */
#ifndef SLUICE_TESTS_MODEL_SITE_H
#define SLUICE_TESTS_MODEL_SITE_H

#include "tools/sim/closed.h"
#include "tools/sim/model.h"
#include "tools/sim/sizes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DUAL "gaussmix:0.9,2000,400,0.1,50000,10000"

static const uint64_t default_limits[] = {2000, 10000, 50000};
static const uint64_t published_limits[] = {2062, 9622, 51904};

/* The published example, which every model here varies.  The caller frees
 * its sizes. */
static inline struct model
model_of(const char *spec, double rate, const uint64_t *limits)
{
	struct model m = {.policy = FEED_SIZE,
	    .rate = rate,
	    .fixed_s = 0.09,
	    .per_octet_s = 1. / 4700,
	    .slots = 1};
	struct sizes *sizes;
	char err[256];

	assert_int_equal(feed_limits_make(4, limits, 3, &m.limits), 0);
	assert_int_equal(sizes_parse(spec, &sizes, err, sizeof(err)), 0);
	for (size_t i = 0; i < m.limits.lanes; i++)
		m.speed[i] = 1;
	m.sizes = sizes;
	return m;
}

static inline void
model_done(struct model *m)
{
	(void)sizes_free((struct sizes *)(uintptr_t)m->sizes);
}

static inline struct closed
figures(const struct model *m)
{
	struct closed closed;

	closed_figures(m, &closed);
	return closed;
}

#endif
