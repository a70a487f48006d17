#include "flow/guard.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <math.h>
#include <stdio.h>

#define ENOUGH    100
#define HIDDEN    0.5 /* share of one client: behind it are others */
#define FORWARDER 0.2
#define RTT_NEAR  0.1 /* of the median */
#define RTT_SHARE 0.9
#define TTL_SHARE 0.95
#define STAYS     0.8 /* of these shares */

void
flow_paths_add(struct flow_paths *paths, const struct flow_path *path)
{
	paths->ring[paths->next] = *path;
	paths->next = (paths->next + 1) % FLOW_PATHS;
	if (paths->n < FLOW_PATHS)
		paths->n++;
}

static double
share_of(const struct flow_paths *paths, uint64_t client)
{
	size_t known = 0, its = 0;

	for (size_t i = 0; i < paths->n; i++) {
		known += paths->ring[i].client != 0;
		its += paths->ring[i].client == client;
	}
	return known < ENOUGH ? 0 : (double)its / (double)known;
}

/* Who may have more than half: Boyer and Moore's vote. */
static uint64_t
majority(const struct flow_paths *paths)
{
	uint64_t who = 0;
	size_t lead = 0;

	for (size_t i = 0; i < paths->n; i++) {
		const uint64_t client = paths->ring[i].client;

		if (client == 0)
			continue;
		if (lead == 0)
			who = client;
		lead = client == who ? lead + 1 : lead - 1;
	}
	return who;
}

static int
upwards(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Share of the known ones that lie within `near` of the median, a part of it;
 * 0 of too few. */
static double
share_near_median(double *values, size_t n, double near, double *ret_median)
{
	size_t k = 0;

	*ret_median = NAN;
	if (n < ENOUGH)
		return 0;
	qsort(values, n, sizeof(*values), upwards);
	*ret_median = values[n / 2];
	for (size_t i = 0; i < n; i++)
		k += fabs(values[i] - *ret_median) <= near * *ret_median;
	return (double)k / (double)n;
}

bool
flow_paths_are_hidden(
    const struct flow_paths *paths, bool was, char *why, size_t why_size)
{
	const double ease = was ? STAYS : 1;
	const uint64_t who = majority(paths);
	double rtts[FLOW_PATHS], ttls[FLOW_PATHS], share, median;
	size_t n_rtt = 0, n_ttl = 0;

	share = who ? share_of(paths, who) : 0;
	if (share > ease * HIDDEN) {
		(void)snprintf(why, why_size,
		    "one client carries %.0f %% of the connections, so they "
		    "come through a proxy or NAT",
		    100 * share);
		return true;
	}
	for (size_t i = 0; i < paths->n; i++) {
		if (!isnan(paths->ring[i].rtt))
			rtts[n_rtt++] = paths->ring[i].rtt;
		if (!isnan(paths->ring[i].ttl))
			ttls[n_ttl++] = paths->ring[i].ttl;
	}
	share = share_near_median(rtts, n_rtt, RTT_NEAR, &median);
	if (share >= ease * RTT_SHARE) {
		(void)snprintf(why, why_size,
		    "%.0f %% of the round-trip times are %.3g s, within a "
		    "tenth, so they end at a proxy or balancer",
		    100 * share, median);
		return true;
	}
	share = share_near_median(ttls, n_ttl, 0, &median);
	if (share >= ease * TTL_SHARE) {
		(void)snprintf(why, why_size,
		    "%.0f %% of the packets have TTL %.0f, so they come from "
		    "a proxy or balancer",
		    100 * share, median);
		return true;
	}
	return false;
}

bool
flow_paths_is_forwarder(
    const struct flow_paths *paths, uint64_t client, char *why, size_t why_size)
{
	const double share = client ? share_of(paths, client) : 0;

	if (share <= FORWARDER)
		return false;
	(void)snprintf(why, why_size,
	    "its client carries %.0f %% of the connections: a forwarder, which "
	    "says nothing about senders",
	    100 * share);
	return true;
}

/* Values of a feature, upwards; null is -1, since all others are from 0. */
static double *
sorted(const struct flow_sample *const *samples, size_t n, size_t f)
{
	double *x = xcalloc(n + 1, sizeof(*x));

	for (size_t i = 0; i < n; i++)
		x[i] = isnan(samples[i]->x[f]) ? -1 : samples[i]->x[f];
	qsort(x, n, sizeof(*x), upwards);
	return x;
}

static double
distance(const double *a, size_t n_a, const double *b, size_t n_b)
{
	size_t i = 0, k = 0;
	double most = 0;

	while (i < n_a && k < n_b) {
		const double at = a[i] < b[k] ? a[i] : b[k];

		while (i < n_a && a[i] <= at)
			i++;
		while (k < n_b && b[k] <= at)
			k++;
		most = fmax(most,
		    fabs((double)i / (double)n_a - (double)k / (double)n_b));
	}
	return most;
}

double
flow_distance(const struct flow_sample *const *a, size_t n_a,
    const struct flow_sample *const *b, size_t n_b, size_t *ret_feature)
{
	double most = 0;

	*ret_feature = 0;
	for (size_t f = 0; f < FLOW_FEATURES; f++) {
		CLEANUP(free_ptr) double *x = sorted(a, n_a, f);
		CLEANUP(free_ptr) double *y = sorted(b, n_b, f);
		const double d = distance(x, n_a, y, n_b);

		if (d > most) {
			most = d;
			*ret_feature = f;
		}
	}
	return most;
}
