#include "tools/sim/cmd_quantile.h"

#include "tools/sim/simulate.h"
#include "tools/sim/sizes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* What cmd_quantile.h promises. */
#define ACCURACY 0.01

static const double probabilities[] = {0.5, 0.95, 0.99};

static struct model
model_of(const char *spec, size_t lanes, const uint64_t *limits)
{
	struct model m = {.slots = 1, .rate = 0.5};
	struct sizes *sizes = NULL;
	char err[200];

	assert_int_equal(
	    feed_limits_make(lanes, limits, lanes - 1, &m.limits), 0);
	assert_int_equal(sizes_parse(spec, &sizes, err, sizeof(err)), 0);
	m.sizes = sizes;
	for (size_t i = 0; i < lanes; i++)
		m.speed[i] = 1;
	return m;
}

static void
quantiles(const struct model *model, double *ret_s)
{
	struct closed closed;

	closed_figures(model, &closed);
	assert_true(closed.stable);
	cmd_quantiles(model, &closed, probabilities, 3, ret_s);
}

static void
free_sizes(struct model *model)
{
	(void)sizes_free((struct sizes *)(uintptr_t)model->sizes);
}

/* M/M/1: P(W > x) = rho exp(-(1 - rho) x / E[S]). */
static void
exponential_service_has_exponential_waits(void **state)
{
	static const double loads[] = {0.3, 0.6, 0.95};
	struct model m = model_of("exp:1000", 1, NULL);

	(void)state;
	m.per_octet_s = 1e-3;
	for (size_t i = 0; i < 3; i++) {
		double got[3];

		m.rate = loads[i];
		quantiles(&m, got);
		for (size_t k = 0; k < 3; k++) {
			double want = log(loads[i] / (1 - probabilities[k])) /
				      (1 - loads[i]);

			if (want <= 0)
				assert_true(got[k] == 0);
			else
				assert_true(fabs(got[k] / want - 1) < ACCURACY);
		}
	}
	free_sizes(&m);
}

/* M/D/1 with a service of 1 s (Crommelin 1932). */
static double
fixed_service_upto(double rate, double x)
{
	double sum = 0, factorial = 1;

	for (int k = 0; k <= (int)x; k++) {
		double t = rate * (k - x);

		factorial *= k > 0 ? k : 1;
		sum += pow(t, k) / factorial * exp(-t);
	}
	return (1 - rate) * sum;
}

static void
fixed_service_waits_as_crommelin_found(void **state)
{
	struct model m = model_of("exp:1000", 1, NULL);
	double got[3];

	(void)state;
	m.fixed_s = 1;
	m.rate = 0.7;
	quantiles(&m, got);
	for (size_t k = 0; k < 3; k++) {
		assert_true(fixed_service_upto(0.7, got[k] * (1 - ACCURACY)) <=
			    probabilities[k]);
		assert_true(fixed_service_upto(0.7, got[k] * (1 + ACCURACY)) >=
			    probabilities[k]);
	}
	free_sizes(&m);
}

/* Of two lanes one has hardly any work: its mail doesn't wait, so the other's
 * quantiles come at higher probabilities. */
static void
lanes_are_mixed_by_their_shares(void **state)
{
	static const uint64_t limit = 10;
	struct sizes *sizes = sizes_of_list((double[]){1, 1, 1, 2000}, 4);
	struct model m = model_of("exp:1", 2, &limit);
	double got[3], rate = 0.7;

	(void)state;
	free_sizes(&m);
	m.sizes = sizes;
	m.per_octet_s = 1 / 2000.0;
	m.rate = 4 * rate; /* a quarter of it for the second lane */
	quantiles(&m, got);
	assert_true(got[0] == 0);
	for (size_t k = 1; k < 3; k++) {
		double p = 1 - (1 - probabilities[k]) * 4;

		assert_true(fixed_service_upto(rate, got[k] * (1 - ACCURACY)) <=
			    p + 0.001);
		assert_true(fixed_service_upto(rate, got[k] * (1 + ACCURACY)) >=
			    p - 0.001);
	}
	(void)sizes_free(sizes);
}

/* Few detonations are most of the work of the mail that is small, far above
 * its mean wait; against a simulation. */
static void
rare_long_services_are_within_the_grid(void **state)
{
	static const uint64_t limits[] = {2000, 10000, 50000};
	static const double tails[][3] = {
	    {0.5, 0.02, 5}, {0.5, 0.01, 5}, {1, 0.01, 5}, {1, 0.001, 60}};
	const struct simulate_options options = {
	    .seed = 3, .max_messages = 2000000};
	struct model m =
	    model_of("gaussmix:0.9,2000,400,0.1,50000,10000", 4, limits);

	(void)state;
	m.fixed_s = 0.09;
	m.per_octet_s = 0.01 / 47;
	for (size_t i = 0; i < 4; i++) {
		struct simulation *s = calloc(1, sizeof(*s));
		double got[3];

		m.rate = tails[i][0];
		m.tail_share = tails[i][1];
		m.tail_s = tails[i][2];
		quantiles(&m, got);
		assert_int_equal(simulate(&m, &options, s), 0);
		for (size_t k = 1; k < 3; k++) {
			double want = k == 1 ? s->all.p95_s : s->all.p99_s;

			assert_true(fabs(got[k] / want - 1) < 0.03);
		}
		free(s);
	}
	free_sizes(&m);
}

static void
what_it_cannot_tell_is_nan(void **state)
{
	struct model m = model_of("pareto:1.5,1000", 1, NULL);
	double got[3];

	(void)state;
	m.per_octet_s = 1e-6;
	quantiles(&m, got); /* the mean wait is infinite */
	assert_true(isnan(got[0]) && isnan(got[2]));
	free_sizes(&m);
	m = model_of("exp:1000", 1, NULL);
	m.per_octet_s = 1e-3;
	m.slots = 2;
	quantiles(&m, got);
	assert_true(isnan(got[0]) && isnan(got[2]));
	free_sizes(&m);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exponential_service_has_exponential_waits),
	    cmocka_unit_test(fixed_service_waits_as_crommelin_found),
	    cmocka_unit_test(lanes_are_mixed_by_their_shares),
	    cmocka_unit_test(rare_long_services_are_within_the_grid),
	    cmocka_unit_test(what_it_cannot_tell_is_nan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
