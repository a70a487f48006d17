#include "feed/foresee.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "feed/mix.h"
#include "feed/model.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Nothing is counted before the queues have filled. */
#define WARM_UP (FORESEE_MESSAGES / 16)

static double
service(const struct line *line, double bytes)
{
	return line->fixed_usec + line->usec_per_byte * bytes;
}

double
foresee_service_usec(const struct foresee *what)
{
	double sum = 0;

	for (size_t i = 0; i < what->law->n; i++)
		sum += what->law->points[i].share *
		       service(what->line, what->law->points[i].mean);
	return sum;
}

double
foresee_rate(const struct foresee *what, size_t lanes, double load)
{
	return (double)lanes * load / foresee_service_usec(what);
}

/* What goes to each class: its part of the messages, E and F. */
struct class_sum {
	double share, service, square;
};

static void
add_part(
    struct class_sum *sum, const struct line *line, double share, double bytes)
{
	double s = service(line, bytes);

	sum->share += share;
	sum->service += share * s;
	sum->square += share * s * s;
}

/* Sizes within an interval are taken as even. */
static void
sum_classes(const struct foresee *what, const struct feed_limits *limits,
    struct class_sum *ret_sums)
{
	size_t lane = 0;

	memset(ret_sums, 0, limits->lanes * sizeof(*ret_sums));
	for (size_t i = 0; i < what->law->n; i++) {
		const struct mix_point *p = &what->law->points[i];
		double low = p->low, width = p->high - p->low;

		while ((double)limits->max_bytes[lane] < p->high &&
		       lane + 1 < limits->lanes) {
			double limit = (double)limits->max_bytes[lane];

			if (limit > low && width > 0) {
				add_part(&ret_sums[lane], what->line,
				    p->share * (limit - low) / width,
				    (low + limit) / 2);
				low = limit;
			}
			lane++;
		}
		if (low > p->low)
			add_part(&ret_sums[lane], what->line,
			    p->share * (p->high - low) / width,
			    (low + p->high) / 2);
		else
			add_part(
			    &ret_sums[lane], what->line, p->share, p->mean);
	}
}

static void
foresee_size(const struct foresee *what, const struct feed_limits *limits,
    struct foresight *ret)
{
	struct class_sum sums[FEED_MAX_LANES];

	sum_classes(what, limits, sums);
	for (size_t i = 0; i < limits->lanes; i++) {
		double room = 1 - what->rate * sums[i].service;

		ret->lane_share[i] = sums[i].share;
		ret->lane_wait_usec[i] =
		    room > 0 ? what->rate * sums[i].square / (2 * room)
			     : INFINITY;
		if (sums[i].share > 0)
			ret->wait_usec +=
			    sums[i].share * ret->lane_wait_usec[i];
	}
}

/* Nested limits bear the rate if and only if, for each class, the lanes from
 * it on can serve what is at least as large. */
static bool
nested_is_stable(const struct foresee *what, const struct feed_limits *limits)
{
	struct class_sum sums[FEED_MAX_LANES];
	double load = 0;

	if (what->policy == FEED_LEAST_WORK)
		return what->rate * foresee_service_usec(what) <
		       (double)limits->lanes;
	sum_classes(what, limits, sums);
	for (size_t i = limits->lanes; i-- > 0;) {
		load += what->rate * sums[i].service;
		if (load >= (double)(limits->lanes - i))
			return false;
	}
	return true;
}

/* Messages of a simulation; what comes first isn't counted. */
struct mail {
	double gaps[FORESEE_MESSAGES]; /* before each, 1 on average */
	double bytes[FORESEE_MESSAGES];
};

/* One value of each of as many equal parts of (0, 1): so the load of every
 * simulation is right to a hair, and only the order is left to chance. */
static double
even(size_t i)
{
	return ((double)i + 0.5) / FORESEE_MESSAGES;
}

static void
draw_gaps(double *ret_gaps)
{
	for (size_t i = 0; i < FORESEE_MESSAGES; i++)
		ret_gaps[i] = -log(even(i));
}

static void
draw_sizes(const struct mix_law *law, double *ret_bytes)
{
	const struct mix_point *p = law->points;
	double below = 0;

	for (size_t i = 0; i < FORESEE_MESSAGES; i++) {
		double u = even(i), part;

		while (u > below + p->share && p < &law->points[law->n - 1])
			below += p++->share;
		part = (u - below) / p->share;
		if (part > 1)
			part = 1; /* shares add up to 1 but for rounding */
		ret_bytes[i] = p->low + (p->high - p->low) * part;
	}
}

/* Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
 * generators", section 3. */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void
shuffle(double *values, uint64_t *state)
{
	for (size_t i = FORESEE_MESSAGES - 1; i > 0; i--) {
		size_t j = (size_t)(next_random(state) % (i + 1));
		double value = values[i];

		values[i] = values[j];
		values[j] = value;
	}
}

static struct mail *
mail_new(const struct mix_law *law)
{
	struct mail *mail = xcalloc(1, sizeof(*mail));
	uint64_t state = 1;

	draw_gaps(mail->gaps);
	draw_sizes(law, mail->bytes);
	shuffle(mail->gaps, &state);
	shuffle(mail->bytes, &state);
	return mail;
}

static void
pass_time(uint64_t *work_usec, size_t lanes, uint64_t usec)
{
	for (size_t i = 0; i < lanes; i++)
		work_usec[i] = work_usec[i] > usec ? work_usec[i] - usec : 0;
}

/* Service and gaps in 1/1024 us: a fast worker's are few microseconds. */
#define FINE 1024.0
#define LONG 1e18 /* fits an integer, and all the work there is, in it */

/* When hardly any mail comes, a gap can be longer than any integer. */
static uint64_t
whole(double fine)
{
	return (uint64_t)(fine < LONG ? fine : LONG);
}

static void
simulate(const struct foresee *what, const struct feed_limits *limits,
    struct foresight *ret)
{
	enum feed_policy policy =
	    what->policy == FEED_LEAST_WORK ? FEED_LEAST_WORK : FEED_SIZE_LOAD;
	uint64_t work[FEED_MAX_LANES] = {0};
	CLEANUP(free_ptr) struct mail *mail = mail_new(what->law);
	const double count = FORESEE_MESSAGES - WARM_UP;

	for (size_t i = 0; i < FORESEE_MESSAGES; i++) {
		double gap = mail->gaps[i] / what->rate;
		double size = mail->bytes[i];
		size_t lane;

		pass_time(work, limits->lanes, whole(gap * FINE));
		lane = feed_pick(policy, limits, work, (uint64_t)size);
		if (i >= WARM_UP) {
			double wait = (double)work[lane] / FINE;

			ret->lane_share[lane] += 1 / count;
			ret->lane_wait_usec[lane] += wait;
			ret->wait_usec += wait / count;
		}
		work[lane] += (uint64_t)(service(what->line, size) * FINE);
	}
	for (size_t i = 0; i < limits->lanes; i++)
		if (ret->lane_share[i] > 0)
			ret->lane_wait_usec[i] /= ret->lane_share[i] * count;
}

void
foresee_wait(const struct foresee *what, const struct feed_limits *limits,
    struct foresight *ret_foresight)
{
	assert(what->law->n > 0);
	*ret_foresight = (struct foresight){0};
	if (!(what->rate > 0))
		return; /* no mail: it waits for nobody */
	if (what->policy == FEED_SIZE) {
		foresee_size(what, limits, ret_foresight);
		return;
	}
	if (nested_is_stable(what, limits))
		simulate(what, limits, ret_foresight);
	else
		ret_foresight->wait_usec = INFINITY;
}
