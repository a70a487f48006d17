#include "feed/foresee.h"
#include "feed/mix.h"
#include "feed/model.h"
#include "feed/propose.h"
#include "feed/spell.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A calibration of Perry and Thomas 2002, "Optimal Queueing Strategies for
 * E-mail Virus Scanning", that reproduces their figures: 90 % N(2000, 400),
 * 10 % N(50000, 10000) octets, and this line in microseconds. */
static const struct line line = {90000, 1e6 / 4700};
#define RATE 1.39e-6 /* messages a microsecond */

static uint64_t state = 42;

static double
uniform(void)
{
	state = state * UINT64_C(6364136223846793005) +
		UINT64_C(1442695040888963407);
	return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal(double mean, double sd)
{
	double x = sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());

	return fmax(1, mean + sd * x);
}

static double
two_humps(void)
{
	return uniform() < 0.9 ? normal(2000, 400) : normal(50000, 10000);
}

static double
exponential(void)
{
	return -6800 * log(uniform());
}

static struct mix_law
law_of(double (*draw)(void))
{
	struct mix mix;
	struct mix_law law;

	mix_init(&mix, 100000);
	for (int i = 0; i < 200000; i++)
		mix_add(&mix, (uint64_t)draw());
	mix_law(&mix, &law);
	return law;
}

static void
assert_near(double got, double expected, double part)
{
	if (!(fabs(got - expected) <= part * expected))
		fail_msg("%g is not within %g of %g", got, part, expected);
}

static struct feed_limits
limits_of(size_t lanes, const uint64_t *max_bytes, size_t count)
{
	struct feed_limits limits;

	assert_int_equal(feed_limits_make(lanes, max_bytes, count, &limits), 0);
	return limits;
}

static double
seconds(const struct foresee *what, const struct feed_limits *limits)
{
	struct foresight sight;

	foresee_wait(what, limits, &sight);
	return sight.wait_usec / 1e6;
}

static void
the_histogram_keeps_sizes_and_shares(void **unused)
{
	struct mix mix;
	struct mix_law law;
	double share = 0, mean = 0;

	(void)unused;
	mix_init(&mix, 1e9);
	for (uint64_t bytes = 0; bytes <= 4096; bytes++)
		mix_add(&mix, bytes);
	mix_add(&mix, UINT64_MAX);
	assert_near(mix_count(&mix), 4098, 1e-6);
	mix_law(&mix, &law);
	for (size_t i = 0; i + 1 < law.n; i++) {
		const struct mix_point *p = &law.points[i];

		share += p->share;
		mean += p->share * p->mean;
		assert_true(p->low <= p->mean && p->mean <= p->high);
		assert_true(p->high <= p[1].low);
	}
	assert_near(share, 4097.0 / 4098, 1e-9);
	assert_near(mean, 2048, 1e-3);
	assert_near(law.points[law.n - 1].mean, 1.8446744e19, 1e-6);
}

static void
the_histogram_forgets(void **unused)
{
	struct mix mix;
	struct mix_law law;

	(void)unused;
	mix_init(&mix, 100);
	for (int i = 0; i < 100000; i++) /* beyond any double, unscaled */
		mix_add(&mix, 1000);
	for (int i = 0; i < 200; i++)
		mix_add(&mix, 9000);
	mix_law(&mix, &law);
	assert_int_equal(law.n, 2);
	assert_near(law.points[0].share, 0.25, 1e-3);
	assert_near(law.points[0].mean, 1000, 1e-9);
	assert_near(mix_count(&mix), 2 * 100 / M_LN2, 0.01);
}

static void
an_empty_histogram_is_no_law(void **unused)
{
	struct mix mix;
	struct mix_law law;

	(void)unused;
	mix_init(&mix, 100);
	mix_law(&mix, &law);
	assert_int_equal(law.n, 0);
	assert_true(mix_count(&mix) == 0);
}

static void
size_limits_wait_as_the_formula_says(void **unused)
{
	struct mix_law law = law_of(two_humps);
	struct foresee what = {FEED_SIZE, &law, &line, RATE};
	const uint64_t first[] = {2000, 10000, 50000};
	const uint64_t best[] = {2062, 9622, 51904};
	struct feed_limits limits = limits_of(4, first, 3);
	struct foresight sight;

	(void)unused;
	/* The last lane is 86 % busy: a percent more of it is 7 % more wait. */
	assert_near(seconds(&what, &limits), 2.4917, 0.10);
	foresee_wait(&what, &limits, &sight);
	assert_near(sight.lane_share[0], 0.45, 0.02);
	assert_near(sight.lane_wait_usec[0], 0.08818e6, 0.04);
	assert_near(sight.lane_wait_usec[2], 7.764e6, 0.10);
	limits = limits_of(4, best, 3);
	assert_near(seconds(&what, &limits), 1.708, 0.05);
	/* The largest stable rates of both: 1.6095 and 1.8561. */
	what.rate = 1.70e-6;
	assert_true(isfinite(seconds(&what, &limits)));
	limits = limits_of(4, first, 3);
	assert_true(isinf(seconds(&what, &limits)));
	what.rate = 0;
	assert_true(seconds(&what, &limits) == 0);
}

static void
nested_limits_wait_as_simulated_at_length(void **unused)
{
	struct mix_law law = law_of(two_humps);
	struct foresee what = {FEED_SIZE_LOAD, &law, &line, RATE};
	const uint64_t theirs[] = {2891, 6431, 97328}, one[] = {6431};
	struct feed_limits limits = limits_of(4, theirs, 3);

	(void)unused;
	/* A short run: what is compared differs by far more. */
	assert_near(seconds(&what, &limits), 0.735, 0.25);
	limits = limits_of(4, one, 1);
	assert_near(seconds(&what, &limits), 0.183, 0.25);
	limits = limits_of(4, NULL, 0);
	assert_near(seconds(&what, &limits), 0.404, 0.25);
	what.rate = foresee_rate(&what, 4, 1.01);
	assert_true(isinf(seconds(&what, &limits)));
	what.policy = FEED_LEAST_WORK;
	assert_true(isinf(seconds(&what, &limits)));
	/* All of it is more than the last lane's: it must serve it alone. */
	what.policy = FEED_SIZE_LOAD;
	what.rate = RATE;
	limits = limits_of(4, (const uint64_t[]){1, 2, 3}, 3);
	assert_true(isinf(seconds(&what, &limits)));
}

static void
one_lane_waits_as_pollaczek_and_khinchine_say(void **unused)
{
	struct mix_law law = law_of(exponential);
	struct foresee what = {FEED_SIZE, &law, &line, 0};
	struct feed_limits limits = limits_of(1, NULL, 0);
	double formula;

	(void)unused;
	what.rate = foresee_rate(&what, 1, 0.5);
	formula = seconds(&what, &limits);
	what.policy = FEED_LEAST_WORK; /* simulated */
	assert_near(seconds(&what, &limits), formula, 0.10);
}

static void
equal_load_is_equal(void **unused)
{
	struct mix_law law = law_of(exponential);
	struct foresee what = {FEED_SIZE, &law, &line, 0};
	struct feed_limits limits;

	(void)unused;
	propose_equal_load(&what, 4, &limits);
	assert_near((double)limits.max_bytes[0], 6139, 0.03);
	assert_near((double)limits.max_bytes[1], 11010, 0.03);
	assert_near((double)limits.max_bytes[2], 17904, 0.03);
	assert_true(limits.max_bytes[3] == UINT64_MAX);
}

static void
size_limits_are_near_the_best(void **unused)
{
	struct mix_law law = law_of(exponential);
	struct foresee what = {FEED_SIZE, &law, &line, RATE};
	struct feed_limits limits;

	(void)unused;
	/* The least wait that any limits have, found numerically. */
	propose_limits(&what, 4, &limits);
	what.rate = 1.3014e-6;
	assert_near(seconds(&what, &limits), 0.8475, 0.04);
	law = law_of(two_humps);
	what.rate = RATE;
	propose_limits(&what, 4, &limits);
	/* Published: 2062, 9622 and 51904, with 1.71 s.  With one lane for
	 * small mail and three for large the least is 0.968 s. */
	assert_near(seconds(&what, &limits), 0.968, 0.05);
	what.rate = foresee_rate(&what, 4, 0.9);
	propose_limits(&what, 4, &limits);
	assert_true(isfinite(seconds(&what, &limits)));
}

static size_t
count_limits(const struct feed_limits *limits)
{
	size_t n = 0;

	while (n < limits->lanes && limits->max_bytes[n] < UINT64_MAX)
		n++;
	return n;
}

static void
a_gap_in_sizes_reserves_lanes_for_small_mail(void **unused)
{
	struct mix_law law = law_of(two_humps);
	struct foresee what = {FEED_SIZE_LOAD, &law, &line, RATE};
	struct feed_limits limits;

	(void)unused;
	propose_limits(&what, 4, &limits);
	assert_int_equal(count_limits(&limits), 1);
	assert_in_range(limits.max_bytes[0], 2900, 20000);
	what.policy = FEED_STEAL;
	what.rate *= 4;
	propose_limits(&what, 16, &limits);
	assert_in_range(count_limits(&limits), 2, 6);
	for (size_t i = 1; i < count_limits(&limits); i++)
		assert_int_equal(
		    limits.max_bytes[i], limits.max_bytes[i - 1] + 1);
	what.policy = FEED_LEAST_WORK;
	propose_limits(&what, 4, &limits);
	assert_int_equal(count_limits(&limits), 0);
}

static void
where_it_saves_nothing_no_lane_is_reserved(void **unused)
{
	struct mix_law law = law_of(exponential);
	const struct line flat = {2000, 1e-6};
	struct foresee what = {FEED_SMALL_FIRST, &law, &flat, 0};
	struct feed_limits limits;

	(void)unused;
	what.rate = foresee_rate(&what, 4, 0.7);
	propose_limits(&what, 4, &limits);
	assert_int_equal(count_limits(&limits), 0);
	propose_limits(&what, 1, &limits);
	assert_int_equal(count_limits(&limits), 0);
}

/* All the mail of one size, few sizes, many lanes: no limits descend. */
static void
odd_laws_give_sane_limits(void **unused)
{
	struct mix mix;
	struct mix_law law;
	struct feed_limits limits;

	(void)unused;
	mix_init(&mix, 1000);
	for (int i = 0; i < 3000; i++) {
		mix_add(&mix, i < 1000 ? 0 : i < 2000 ? 1 : 5000);
		mix_law(&mix, &law);
		if (i % 997 != 0)
			continue;
		for (enum feed_policy p = 0; p < FEED_POLICIES; p++) {
			struct foresee what = {p, &law, &line, RATE};

			propose_limits(&what, 64, &limits);
			for (size_t k = 1; k < count_limits(&limits); k++)
				assert_true(limits.max_bytes[k] >
					    limits.max_bytes[k - 1]);
			assert_true(limits.max_bytes[63] == UINT64_MAX);
		}
	}
}

/* What has all but faded away costs a lane nothing, and saves nothing that a
 * double could tell: each lane has its sizes even so. */
static void
sizes_that_have_faded_get_lanes_too(void **unused)
{
	static const struct mix_law law = {
	    3, {{1962, 2048, 1 - 2.2e-9, 2000}, {2048, 2139, 1.1e-9, 2100},
		   {2139, 2234, 1.1e-9, 2200}}};
	struct foresee what = {FEED_SIZE, &law, &line, 0};
	struct feed_limits limits;

	(void)unused;
	what.rate = foresee_rate(&what, 1, 0.5);
	propose_limits(&what, 4, &limits);
	for (size_t k = 1; k < count_limits(&limits); k++)
		assert_true(limits.max_bytes[k] > limits.max_bytes[k - 1]);
	assert_true(isfinite(seconds(&what, &limits)));
}

/* After a week without any the rate is no zero, but a gap fits no integer. */
static void
hardly_any_mail_waits_for_nobody(void **unused)
{
	static const double rates[] = {1e-12, 1e-17, 1e-18, 1e-30, 1e-300};
	struct mix_law law = law_of(two_humps);
	struct foresee what = {FEED_SIZE_LOAD, &law, &line, 0};
	struct feed_limits limits = limits_of(4, (const uint64_t[]){6431}, 1);

	(void)unused;
	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		what.rate = rates[i];
		assert_true(seconds(&what, &limits) < 0.01);
	}
}

static void
a_spell_knows_its_mean_and_error(void **unused)
{
	struct spell spell;
	const double sd = 1000 / sqrt(12);

	(void)unused;
	spell_begin(&spell, (struct mono){1000000});
	assert_true(isinf(spell_error(&spell)) && spell_mean(&spell) == 0);
	for (int i = 0; i < 10000; i++)
		spell_waited(&spell, (uint64_t)(1000 * uniform()));
	assert_near(spell_mean(&spell), 500, 0.02);
	assert_near(spell_error(&spell), sd / 100, 0.5);
	for (int i = 0; i < 200; i++)
		spell_arrived(&spell, 47000);
	assert_near(spell_load(&spell, &line, (struct mono){1001000000}),
	    200 * 10.09 / 1000, 1e-6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_histogram_keeps_sizes_and_shares),
	    cmocka_unit_test(the_histogram_forgets),
	    cmocka_unit_test(an_empty_histogram_is_no_law),
	    cmocka_unit_test(size_limits_wait_as_the_formula_says),
	    cmocka_unit_test(nested_limits_wait_as_simulated_at_length),
	    cmocka_unit_test(one_lane_waits_as_pollaczek_and_khinchine_say),
	    cmocka_unit_test(equal_load_is_equal),
	    cmocka_unit_test(size_limits_are_near_the_best),
	    cmocka_unit_test(a_gap_in_sizes_reserves_lanes_for_small_mail),
	    cmocka_unit_test(where_it_saves_nothing_no_lane_is_reserved),
	    cmocka_unit_test(odd_laws_give_sane_limits),
	    cmocka_unit_test(sizes_that_have_faded_get_lanes_too),
	    cmocka_unit_test(hardly_any_mail_waits_for_nobody),
	    cmocka_unit_test(a_spell_knows_its_mean_and_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
