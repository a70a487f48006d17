#include "tools/sim/sizes.h"

#include "tests/support/near.h"
#include "tests/support/sizes_site.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct refusal {
	const char *spec;
	int error;
	const char *says; /* a part of the complaint */
} refusals[] = {
    {"", -EINVAL, "\"\" is no law of sizes; write exp:MEAN, gaussmix:W"},
    {"exp", -EINVAL, "\"exp\" is no law"},
    {"expo:5", -EINVAL, "\"expo:5\" is no law"},
    {"ex:5", -EINVAL, "no law"},
    {"exp:", -EINVAL, "exp:MEAN: MEAN is missing; write a mean size"},
    {"exp:-5", -EINVAL, "MEAN is -5; write a mean size in octets, above 0"},
    {"exp:0", -EINVAL, "MEAN is 0;"},
    {"exp:nan", -EINVAL, "MEAN is \"nan\", which is not a plain number"},
    {"exp:inf", -EINVAL, "\"inf\""},
    {"exp:1e999", -EINVAL, "MEAN is 1e999; write"},
    {"exp:0x10", -EINVAL, "\"0x10\""},
    {"exp:10k", -EINVAL, "\"10k\""},
    {"exp: 5", -EINVAL, "\"?5\""},
    {"exp:5,6", -EINVAL, "more than 1 value; leave out \"6\""},
    {"exp:11111111111111111111111111111111111111111111", -EINVAL,
	"is not a plain number"},
    {"gaussmix:1,2000", -EINVAL, "2 values; write three (W, MU, SD)"},
    {"gaussmix:0.9,2000,400,0.2,1,1", -EINVAL,
	"the weights W sum to 1.1; write ones that sum to 1"},
    {"gaussmix:0.9,2000,400,0.099998,1,1", -EINVAL, "sum to 0.999998;"},
    {"gaussmix:-0.5,1,1,1.5,1,1", -EINVAL, "W of component 1 is -0.5;"},
    {"gaussmix:0.5,1,1,1.5,1,1", -EINVAL, "W of component 2 is 1.5;"},
    {"gaussmix:0.5,1,1,,1,1", -EINVAL, "W of component 2 is missing"},
    {"gaussmix:1,0,1", -EINVAL, "MU of component 1 is 0;"},
    {"gaussmix:1,5,0", -EINVAL, "SD of component 1 is 0;"},
    {"lognormal:8", -EINVAL, "SIGMA is missing; write"},
    {"lognormal:2000,400", -EINVAL, "MU is 2000; write the natural logarithm"},
    {"lognormal:8,0", -EINVAL, "SIGMA is 0;"},
    {"lognormal:8,1,2", -EINVAL, "more than 2 values"},
    {"pareto:2", -EINVAL, "XMIN is missing; write"},
    {"pareto:2,100,100", -EINVAL, "XMAX is 100; write a size above XMIN"},
    {"pareto:0,100", -EINVAL, "ALPHA is 0;"},
    {"pareto:2,0.5", -EINVAL, "XMIN is 0.5;"},
    {"hist:", -EINVAL, "hist:FILE: FILE is missing; write the name"},
    {"hist:@none", -ENOENT, "/none: No such file or directory"},
    {"list:@none", -ENOENT, "/none: No such file or directory"},
    {"list:@", -EISDIR, "is a directory; write the name of a file"},
    {"list:/dev/null", -EINVAL, "/dev/null: is not a regular file"},
    {"hist:@empty", -EINVAL, "/empty: no sizes in it; write lines of LOW"},
    {"list:@empty", -EINVAL, "/empty: no sizes in it; write"},
    {"list:@comments", -EINVAL, "no sizes in it"},
    {"list:@negative", -EINVAL, "/negative:2: size is -5; write"},
    {"list:@nan", -EINVAL, "/nan:2: size is \"nan\""},
    {"list:@huge", -EINVAL, "/huge:1: size is 1e16"},
    {"list:@words", -EINVAL, "/words:2: more than 1 number; write"},
    {"list:@binary", -EINVAL, "/binary:2: size is \"?[2J?x\", which"},
    {"hist:@narrow", -EINVAL, "/narrow:1: COUNT is missing; write LOW"},
    {"hist:@wide", -EINVAL, "/wide:1: more than 3 numbers; write LOW"},
    {"hist:@backward", -EINVAL, "/backward:2: HIGH is 10, LOW is 20; write"},
    {"hist:@point", -EINVAL, "/point:1: HIGH is 10, LOW is 10; write"},
    {"hist:@overlap", -EINVAL, "/overlap:3: LOW is 9, but the bin before"},
    {"hist:@nobody", -EINVAL, "/nobody: every COUNT is 0; write"},
    {"hist:@minus", -EINVAL, "/minus:1: COUNT is -1; write"},
};

static void
what_is_wrong_is_named_with_what_to_write(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *row = &refusals[i];
		CLEANUP(free_ptr) char *spec = spec_in(*state, row->spec);
		struct sizes *sizes = NULL;
		char err[400] = "";

		assert_int_equal(
		    sizes_parse(spec, &sizes, err, sizeof(err)), row->error);
		assert_null(sizes);
		if (!strstr(err, row->says))
			print_error("%s: %s\n", row->spec, err);
		assert_non_null(strstr(err, row->says));
	}
}

static void
a_complaint_fits_where_it_is_put(void **state)
{
	struct sizes *sizes = NULL;
	char err[8] = "abcdefg";

	(void)state;
	assert_int_equal(sizes_parse("exp:-1", &sizes, NULL, 0), -EINVAL);
	assert_int_equal(sizes_parse("exp:-1", &sizes, err, 4), -EINVAL);
	assert_string_equal(err, "exp");
	assert_string_equal(err + 4, "efg");
}

static void
weights_may_be_off_by_a_millionth(void **state)
{
	struct sizes *sizes =
	    parse(*state, "gaussmix:0.333333,10,1,0.333333,20,1,0.333333,30,1");

	assert_near(sizes_cdf(sizes, INFINITY), 1, 1e-15);
	assert_near(sizes_moments(sizes, 0, INFINITY).m1, 20, 1e-12);
	sizes_free(sizes);
	assert_null(sizes_free(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_wrong_is_named_with_what_to_write),
	    cmocka_unit_test(a_complaint_fits_where_it_is_put),
	    cmocka_unit_test(weights_may_be_off_by_a_millionth),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
