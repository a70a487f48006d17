/*
 * tests/support/flow_site.h - made-up connections of ham and spam.
 *
 * Ham has short round trips and few retransmissions, spam long and many, and
 * both overlap; numbers are of tests/support/prop_draw.h or of flow/draw.h.
 */
#ifndef SLUICE_TESTS_FLOW_SITE_H
#define SLUICE_TESTS_FLOW_SITE_H

#include "flow/draw.h"
#include "flow/learn.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 0 to 1. */
static inline double
site_share(uint64_t *seed)
{
	return (double)flow_draw(seed, 1u << 20) / (1u << 20);
}

static inline struct flow_sample
site_null(bool is_spam)
{
	struct flow_sample s = {.is_spam = is_spam};

	for (size_t f = 0; f < FLOW_FEATURES; f++)
		s.x[f] = NAN;
	return s;
}

/* One of either; apart: how much the classes differ, 0 not at all. */
static inline struct flow_sample
site_sample(uint64_t *seed, bool is_spam, double apart)
{
	struct flow_sample s = site_null(is_spam);
	const double shift = is_spam ? apart : 0;

	s.x[FLOW_FEATURE_rtt_init] = 0.01 + 0.2 * (site_share(seed) + shift);
	s.x[FLOW_FEATURE_rxmt_in] = floor(5 * (site_share(seed) + shift));
	s.x[FLOW_FEATURE_jitter_var] = 2 * site_share(seed);
	s.x[FLOW_FEATURE_win_init] = flow_draw(seed, 2) ? 5840 : 65535;
	if (flow_draw(seed, 4))
		s.x[FLOW_FEATURE_rtt_var] = site_share(seed);
	s.client = s.peer = 1 + flow_draw(seed, 1u << 20);
	return s;
}

/* n samples by turns of ham and spam, and pointers to them. */
struct site_set {
	struct flow_sample *samples;
	const struct flow_sample **at;
	size_t n;
};

static inline struct site_set
site_set(uint64_t *seed, size_t n, double apart)
{
	struct site_set set = {xcalloc(n, sizeof(*set.samples)),
	    xcalloc(n, sizeof(struct flow_sample *)), n};

	for (size_t i = 0; i < n; i++) {
		set.samples[i] = site_sample(seed, i % 2, apart);
		set.at[i] = &set.samples[i];
	}
	return set;
}

static inline void
site_set_done(struct site_set *set)
{
	free(set->samples);
	free(set->at);
}

#endif
