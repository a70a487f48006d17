#include "feed/propose.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "feed/mix.h"
#include "feed/model.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A reserved lane must save so much of the mean wait, or there is none:
 * without limits nothing can go wrong when mail changes. */
#define WORTH 0.03

/* Limits are made for that much more mail: the law is that of a sample, and
 * near a lane's capacity an error in its share would cost dearly. */
#define CAREFUL 1.03

/* Nested limits are chosen for at most this load: nearer to 1 a simulation
 * would have to be longer, and what is best at 0.8 is good there. */
#define NESTED_LOAD 0.8

/* Work of reserved lanes, as a multiple of their part of all lanes.  The best
 * found for many laws, rates and numbers of lanes lie between 0.85 and 2. */
static const double fills[] = {0.85, 1.0, 1.2, 1.5, 2.0};
static const size_t parts[] = {1, 2, 4, 6}; /* eighths of all lanes */

static void
no_limits(size_t lanes, struct feed_limits *ret_limits)
{
	*ret_limits = (struct feed_limits){.lanes = lanes};
	for (size_t i = 0; i < lanes; i++)
		ret_limits->max_bytes[i] = UINT64_MAX;
}

/* To three digits: people read them. */
static uint64_t
round_limit(double bytes)
{
	double unit = pow(10, floor(log10(bytes)) - 2);

	return (uint64_t)llround(unit > 1 ? round(bytes / unit) * unit : bytes);
}

/* The limit between point i and the next: in the middle of a gap. */
static uint64_t
limit_after(const struct mix_law *law, size_t i)
{
	const struct mix_point *p = &law->points[i];

	return round_limit(sqrt(p[0].high * p[1].low));
}

/* Sums over the first i points: share, service and its square. */
struct sums {
	double share[MIX_BUCKETS + 1];
	double service[MIX_BUCKETS + 1];
	double square[MIX_BUCKETS + 1];
};

static void
sum_up(const struct foresee *what, struct sums *ret)
{
	ret->share[0] = ret->service[0] = ret->square[0] = 0;
	for (size_t i = 0; i < what->law->n; i++) {
		const struct mix_point *p = &what->law->points[i];
		double s = what->line->fixed_usec +
			   what->line->usec_per_byte * p->mean;

		ret->share[i + 1] = ret->share[i] + p->share;
		ret->service[i + 1] = ret->service[i] + p->share * s;
		ret->square[i + 1] = ret->square[i] + p->share * s * s;
	}
}

/* Where in point i the work up to want ends. */
static uint64_t
limit_within(
    const struct mix_law *law, const struct sums *sums, size_t i, double want)
{
	const struct mix_point *p = &law->points[i];
	double inside = (want - sums->service[i]) /
			(sums->service[i + 1] - sums->service[i]);

	return round_limit(p->low + (p->high - p->low) * inside);
}

void
propose_equal_load(
    const struct foresee *what, size_t lanes, struct feed_limits *ret_limits)
{
	const size_t n = what->law->n;
	uint64_t last = 0;
	size_t lane = 0;
	struct sums sums;

	sum_up(what, &sums);
	no_limits(lanes, ret_limits);
	for (size_t i = 0; i < n; i++) {
		double want =
		    sums.service[n] * (double)(lane + 1) / (double)lanes;

		while (lane + 1 < lanes && sums.service[i + 1] >= want) {
			uint64_t limit =
			    limit_within(what->law, &sums, i, want);

			/* One size can be more than a lane's part. */
			ret_limits->max_bytes[lane++] = last =
			    limit > last ? limit : last + 1;
			want = sums.service[n] * (double)(lane + 1) /
			       (double)lanes;
		}
	}
}

/* The part of the mean wait of a lane for the points from .. to - 1. */
static double
part(const struct sums *sums, double rate, size_t from, size_t to)
{
	double room = 1 - rate * (sums->service[to] - sums->service[from]);

	if (room <= 0)
		return INFINITY;
	return (sums->share[to] - sums->share[from]) * rate *
	       (sums->square[to] - sums->square[from]) / (2 * room);
}

struct best {
	double wait[FEED_MAX_LANES][MIX_BUCKETS + 1];
	uint16_t from[FEED_MAX_LANES][MIX_BUCKETS + 1];
};

/*
 * best->wait[k][i]: the least for the first i points in k + 1 lanes, i > k.
 * Each lane gets a point, by force: what points save that have all but faded
 * away is lost in rounding.
 */
static void
search(const struct sums *sums, double rate, size_t n, size_t lanes,
    struct best *ret_best)
{
	for (size_t i = 0; i <= n; i++) {
		ret_best->wait[0][i] = part(sums, rate, 0, i);
		ret_best->from[0][i] = 0;
	}
	for (size_t k = 1; k < lanes; k++)
		for (size_t i = k + 1; i <= n; i++) {
			double *least = &ret_best->wait[k][i];

			*least = INFINITY;
			ret_best->from[k][i] = (uint16_t)k;
			for (size_t j = k; j < i; j++) {
				double wait = ret_best->wait[k - 1][j] +
					      part(sums, rate, j, i);

				if (wait < *least) {
					*least = wait;
					ret_best->from[k][i] = (uint16_t)j;
				}
			}
		}
}

/* false: no limits at bounds are stable. */
static bool
best_at_bounds(
    const struct foresee *what, size_t lanes, struct feed_limits *ret_limits)
{
	size_t n = what->law->n, to = n;
	size_t used = lanes < n ? lanes : n; /* a lane needs a point */
	CLEANUP(free_ptr) struct best *best = xcalloc(1, sizeof(*best));
	struct sums sums;

	sum_up(what, &sums);
	search(&sums, what->rate, n, used, best);
	if (isinf(best->wait[used - 1][n]))
		return false;
	no_limits(lanes, ret_limits);
	for (size_t k = used; k-- > 1;) {
		to = best->from[k][to];
		ret_limits->max_bytes[k - 1] = limit_after(what->law, to - 1);
	}
	return true;
}

static void
propose_size(
    const struct foresee *what, size_t lanes, struct feed_limits *ret_limits)
{
	struct foresee careful = *what;
	struct feed_limits best;
	struct foresight sight_best, sight_equal;

	careful.rate *= CAREFUL;
	propose_equal_load(what, lanes, ret_limits);
	if (!best_at_bounds(&careful, lanes, &best))
		return;
	foresee_wait(&careful, &best, &sight_best);
	foresee_wait(&careful, ret_limits, &sight_equal);
	if (sight_best.wait_usec < sight_equal.wait_usec)
		*ret_limits = best;
}

/* How much there is around the bound after point i: little in a gap. */
static double
density(const struct mix_law *law, size_t i)
{
	const struct mix_point *p = &law->points[i];
	double gap = p[0].high > 0 ? log2(p[1].low / p[0].high) : 1;

	return (p[0].share + p[1].share) / (1 + MIX_STEPS * gap);
}

/* Where about that part of the work is below: of bounds that are near it the
 * one with the least mail around.  n: there is none. */
static size_t
bound_at(const struct mix_law *law, const struct sums *sums, double want)
{
	size_t found = law->n;

	for (size_t i = 0; i + 1 < law->n; i++) {
		double load = sums->service[i + 1] / sums->service[law->n];

		if (load < want * 0.9 || load > want * 1.1)
			continue;
		if (found == law->n || density(law, i) < density(law, found))
			found = i;
	}
	return found;
}

static void
reserve(const struct mix_law *law, size_t lanes, size_t reserved, size_t after,
    struct feed_limits *ret_limits)
{
	no_limits(lanes, ret_limits);
	for (size_t i = 0; i < reserved; i++)
		ret_limits->max_bytes[i] = limit_after(law, after) + i;
}

/* Try each fill of that many reserved lanes; keep what waits less. */
static void
try_reserved(const struct foresee *what, const struct sums *sums, size_t lanes,
    size_t reserved, struct feed_limits *best, double *least)
{
	size_t before = what->law->n;

	for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
		size_t after = bound_at(what->law, sums,
		    fills[i] * (double)reserved / (double)lanes);
		struct feed_limits limits;
		struct foresight sight;

		if (after == what->law->n || after == before)
			continue;
		before = after;
		reserve(what->law, lanes, reserved, after, &limits);
		foresee_wait(what, &limits, &sight);
		if (sight.wait_usec < *least) {
			*least = sight.wait_usec;
			*best = limits;
		}
	}
}

static void
propose_nested(
    const struct foresee *what, size_t lanes, struct feed_limits *ret_limits)
{
	struct foresee at = *what;
	struct foresight sight;
	struct sums sums;
	size_t tried = 0;
	double least, most = foresee_rate(what, lanes, NESTED_LOAD);

	if (at.rate > most)
		at.rate = most;
	sum_up(&at, &sums);
	no_limits(lanes, ret_limits);
	foresee_wait(&at, ret_limits, &sight);
	least = sight.wait_usec * (1 - WORTH);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t reserved = (lanes * parts[i] + 4) / 8;

		if (reserved == tried || reserved == 0 || reserved == lanes)
			continue;
		tried = reserved;
		try_reserved(&at, &sums, lanes, reserved, ret_limits, &least);
	}
}

void
propose_limits(
    const struct foresee *what, size_t lanes, struct feed_limits *ret_limits)
{
	assert(what->law->n > 0 && lanes > 0);
	switch (what->policy) {
	case FEED_SIZE:
		propose_size(what, lanes, ret_limits);
		return;
	case FEED_SIZE_LOAD:
	case FEED_STEAL:
	case FEED_SMALL_FIRST:
		propose_nested(what, lanes, ret_limits);
		return;
	case FEED_LEAST_WORK:
	case FEED_POLICIES:
		break;
	}
	no_limits(lanes, ret_limits);
}
