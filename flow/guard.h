/*
 * flow/guard.h - when connections tell nothing about senders, or something
 * other than mail has changed.  Pure.
 */
#ifndef SLUICE_FLOW_GUARD_H
#define SLUICE_FLOW_GUARD_H

#include "flow/sample.h"

#define FLOW_PATHS 500 /* connections that are looked back at */

/* What one connection says about the path. */
struct flow_path {
	uint64_t client; /* hash of its address; 0: unknown */
	double rtt, ttl; /* seconds, hops left; NAN: unknown */
};

/* The last ones; all zero is none. */
struct flow_paths {
	struct flow_path ring[FLOW_PATHS];
	size_t n, next;
};

void flow_paths_add(struct flow_paths *paths, const struct flow_path *path);

/*
 * Do the connections come through a NAT, proxy or balancer?  Of at least 100
 * whose value is known: one client has more than half; or nine tenths of the
 * first round-trip times lie within a tenth of their median; or 95 % of the
 * TTLs are one.
 *
 * was  they were so when last asked: a fifth less is enough to stay so, lest
 *      it goes to and fro
 * why  set when so: which of them, with its figures
 */
bool flow_paths_are_hidden(
    const struct flow_paths *paths, bool was, char *why, size_t why_size);

/* Does the client carry more than a fifth of at least 100 connections? */
bool flow_paths_is_forwarder(const struct flow_paths *paths, uint64_t client,
    char *why, size_t why_size);

/*
 * The largest distance between the distributions of one feature in two sets
 * of samples, of all features (Kolmogorov, Smirnov); null is below all
 * numbers.  0 for an empty set.  ret_feature: which.
 */
double flow_distance(const struct flow_sample *const *a, size_t n_a,
    const struct flow_sample *const *b, size_t n_b, size_t *ret_feature);

#endif
