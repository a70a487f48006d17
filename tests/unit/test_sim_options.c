#include "tools/sim/options.h"

#include "tools/sim/options_value.h"
#include "tools/sim/output.h"
#include "tools/sim/progress.h"
#include "tools/sim/sizes.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const struct value_rule rate = {
    "--rate", 0, 1e9, true, "messages a second"};

/* The error names the option, the value, and what to write. */
static void
complains(const char *err, const char *option, const char *value)
{
	if (!strstr(err, option) || !strstr(err, value) ||
	    !strstr(err, "write "))
		fail_msg("no %s, %s or advice in: %s", option, value, err);
}

static void
a_number_is_plain_decimal(void **state)
{
	static const struct {
		const char *text;
		double value;
	} good[] = {{"1.39", 1.39}, {"4e8", 4e8}, {"+2", 2}, {"1e-3", 1e-3}};
	static const char *const bad[] = {"", " 1", "1 ", "1x", "0x10", "nan",
	    "inf", "1e999", "--1", "1,2", "e", "."};
	char err[200];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		double x = 0;

		assert_int_equal(
		    value_number(&rate, good[i].text, &x, err, sizeof(err)), 0);
		assert_true(x == good[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		double x = 7;

		assert_int_equal(
		    value_number(&rate, bad[i], &x, err, sizeof(err)), -EINVAL);
		complains(err, "--rate", bad[i]);
		assert_true(x == 7);
	}
}

static void
a_number_keeps_its_bounds(void **state)
{
	static const struct value_rule share = {
	    "--hits", 0, 1, false, "a share"};
	static const struct value_rule whole = {
	    "--slots", 1, 8, false, "a whole number"};
	char err[200];
	uint64_t n = 0;
	double x;

	(void)state;
	assert_int_equal(value_number(&share, "0", &x, err, sizeof(err)), 0);
	assert_int_equal(value_number(&share, "1", &x, err, sizeof(err)), 0);
	assert_int_equal(
	    value_number(&share, "1.01", &x, err, sizeof(err)), -EINVAL);
	complains(err, "--hits", "1.01");
	assert_int_equal(
	    value_number(&share, "-0.1", &x, err, sizeof(err)), -EINVAL);
	assert_int_equal(
	    value_number(&rate, "0", &x, err, sizeof(err)), -EINVAL);
	complains(err, "--rate", "not above 0");
	assert_int_equal(value_count(&whole, "8e0", &n, err, sizeof(err)), 0);
	assert_int_equal(n, 8);
	assert_int_equal(
	    value_count(&whole, "2.5", &n, err, sizeof(err)), -EINVAL);
	complains(err, "--slots", "2.5");
	assert_int_equal(
	    value_count(&whole, "9", &n, err, sizeof(err)), -EINVAL);
}

static void
a_list_has_so_many_numbers(void **state)
{
	static const struct value_rule rule = {
	    "--service", 0, 1e6, false, "two numbers"};
	char err[200];
	double x[2];
	size_t n;

	(void)state;
	assert_int_equal(
	    value_numbers(&rule, "0.09,2e-4", 2, 2, x, &n, err, sizeof(err)),
	    0);
	assert_true(n == 2 && x[0] == 0.09 && x[1] == 2e-4);
	assert_int_equal(
	    value_numbers(&rule, "0.09", 2, 2, x, &n, err, sizeof(err)),
	    -EINVAL);
	complains(err, "--service", "0.09");
	assert_int_equal(
	    value_numbers(&rule, "1,2,3", 2, 2, x, &n, err, sizeof(err)),
	    -EINVAL);
	assert_int_equal(
	    value_numbers(&rule, "1,", 2, 2, x, &n, err, sizeof(err)), -EINVAL);
}

static void
limits_ascend_and_end_in_none(void **state)
{
	static const char *const bad[] = {
	    "2000,1000", "5,5", "0", "-1", "1.5", "none,5", "1,,2", "x", ""};
	uint64_t limits[FEED_MAX_LANES];
	char err[300];
	char many[400] = "1";
	size_t n = 0;

	(void)state;
	assert_int_equal(
	    value_limits("2000,10000,50000", limits, &n, err, sizeof(err)), 0);
	assert_true(n == 3 && limits[0] == 2000 && limits[2] == 50000);
	assert_int_equal(
	    value_limits("6431,none,none", limits, &n, err, sizeof(err)), 0);
	assert_true(n == 1 && limits[0] == 6431);
	assert_int_equal(value_limits("none", limits, &n, err, sizeof(err)), 0);
	assert_int_equal(n, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    value_limits(bad[i], limits, &n, err, sizeof(err)),
		    -EINVAL);
		assert_non_null(strstr(err, "--limits"));
		assert_non_null(strstr(err, "write "));
	}
	for (int i = 2; i <= FEED_MAX_LANES; i++)
		(void)snprintf(
		    many + strlen(many), sizeof(many) - strlen(many), ",%d", i);
	assert_int_equal(
	    value_limits(many, limits, &n, err, sizeof(err)), -EINVAL);
	complains(err, "--limits", "63");
}

static void
policies_have_names_and_come_once(void **state)
{
	enum feed_policy p[FEED_POLICIES];
	char err[300];
	size_t n = 0;

	(void)state;
	assert_int_equal(
	    value_policies("steal,size+load", p, &n, err, sizeof(err)), 0);
	assert_true(n == 2 && p[0] == FEED_STEAL && p[1] == FEED_SIZE_LOAD);
	assert_int_equal(value_policies("all", p, &n, err, sizeof(err)), 0);
	assert_true(n == FEED_POLICIES && p[n - 1] == FEED_POLICIES - 1);
	assert_int_equal(
	    value_policies("size,fifo", p, &n, err, sizeof(err)), -EINVAL);
	complains(err, "--policy", "fifo");
	assert_non_null(strstr(err, "small-first"));
	assert_int_equal(
	    value_policies("size,size", p, &n, err, sizeof(err)), -EINVAL);
	complains(err, "twice", "size");
	assert_int_equal(value_policies("", p, &n, err, sizeof(err)), -EINVAL);
}

static void
times_are_seconds_or_dates(void **state)
{
	static const struct {
		const char *text;
		double sec;
	} good[] = {{"0", 0}, {"1700000000.5", 1700000000.5},
	    {"1970-01-02", 86400}, {"1970-01-01 01:30", 5400},
	    {"1970-01-01T00:00:07", 7}};
	static const char *const bad[] = {"", "-1", "2026-02-30", "2026-13-01",
	    "tomorrow", "12:00", "2026-11-21 25:00", "2026-11-21x"};
	uint64_t t, today;
	char err[300];

	(void)state;
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(
		    value_time("--to", good[i].text, &t, err, sizeof(err)), 0);
		assert_true((double)t == good[i].sec * 1e6);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    value_time("--to", bad[i], &t, err, sizeof(err)), -EINVAL);
		complains(err, "--to", bad[i]);
	}
	assert_int_equal(
	    value_time("--to", "today", &today, err, sizeof(err)), 0);
	assert_int_equal(
	    value_time("--from", "yesterday", &t, err, sizeof(err)), 0);
	assert_int_equal(today % (86400 * USEC_PER_SEC), 0);
	assert_int_equal(today - t, 86400 * USEC_PER_SEC);
}

static void
only_four_workers_have_default_limits(void **state)
{
	struct sim_options o;
	struct feed_limits l;
	char err[300];

	(void)state;
	options_init(&o);
	assert_int_equal(options_limits(&o, 4, true, &l, err, sizeof(err)), 0);
	assert_true(l.lanes == 4 && l.max_bytes[0] == 2000 &&
		    l.max_bytes[2] == 50000 && l.max_bytes[3] == UINT64_MAX);
	assert_int_equal(
	    options_limits(&o, 5, true, &l, err, sizeof(err)), -EINVAL);
	complains(err, "--limits", "5");
	assert_int_equal(options_limits(&o, 5, false, &l, err, sizeof(err)), 0);
	assert_int_equal(options_limits(&o, 1, true, &l, err, sizeof(err)), 0);
	o.has_limits = true;
	o.limits[0] = 10;
	o.limits[1] = 20;
	o.n_limits = 2;
	assert_int_equal(options_limits(&o, 3, true, &l, err, sizeof(err)), 0);
	assert_int_equal(
	    options_limits(&o, 2, true, &l, err, sizeof(err)), -EINVAL);
	complains(err, "--limits", "too many for 2");
	options_done(&o);
}

static void
a_model_needs_rate_service_and_sizes(void **state)
{
	struct sim_options o;
	struct model m;
	char err[300];

	(void)state;
	options_init(&o);
	assert_int_equal(
	    options_need(&o, NEED_MODEL, err, sizeof(err)), -EINVAL);
	complains(err, "--rate", "--rate 1.39");
	o.has_rate = true;
	assert_int_equal(
	    options_need(&o, NEED_MODEL, err, sizeof(err)), -EINVAL);
	complains(err, "--service", "missing");
	o.has_service = true;
	assert_int_equal(
	    options_need(&o, NEED_MODEL, err, sizeof(err)), -EINVAL);
	complains(err, "--sizes", "missing");
	o.sizes = sizes_of_list((double[]){1, 2}, 2);
	assert_int_equal(options_need(&o, NEED_MODEL, err, sizeof(err)), 0);
	o.n_speeds = 3;
	assert_int_equal(
	    options_model(&o, FEED_STEAL, &m, err, sizeof(err)), -EINVAL);
	complains(err, "--speeds", "3 speeds for 4");
	o.n_speeds = 0;
	assert_int_equal(
	    options_model(&o, FEED_STEAL, &m, err, sizeof(err)), 0);
	assert_true(m.policy == FEED_STEAL && m.sizes == o.sizes &&
		    m.limits.lanes == 4 && m.slots == 1 && m.speed[63] == 1);
	options_done(&o);
}

static void
time_left_is_in_proportion(void **state)
{
	(void)state;
	assert_true(isnan(progress_left_s(10, 0)));
	assert_true(progress_left_s(10, 0.25) == 30);
	assert_true(progress_left_s(10, 1) == 0);
}

static void
seconds_are_shown_in_fitting_units(void **state)
{
	static const struct {
		double s;
		const char *text;
	} rows[] = {{0.01234, "12.3 ms"}, {2.4917, "2.49 s"}, {600, "10 min"},
	    {7200, "2 h"}, {NAN, "-"}, {0, "0 ms"}};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(
		    output_seconds(rows[i].s, buf, sizeof(buf)), rows[i].text);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_is_plain_decimal),
	    cmocka_unit_test(a_number_keeps_its_bounds),
	    cmocka_unit_test(a_list_has_so_many_numbers),
	    cmocka_unit_test(limits_ascend_and_end_in_none),
	    cmocka_unit_test(policies_have_names_and_come_once),
	    cmocka_unit_test(times_are_seconds_or_dates),
	    cmocka_unit_test(only_four_workers_have_default_limits),
	    cmocka_unit_test(a_model_needs_rate_service_and_sizes),
	    cmocka_unit_test(time_left_is_in_proportion),
	    cmocka_unit_test(seconds_are_shown_in_fitting_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
