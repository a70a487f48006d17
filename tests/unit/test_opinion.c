#include "worker/opinion.h"

#include "common/cleanup.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct opinion usual = {.label = MEF_IS_MALICIOUS,
    .kind = MEF_PE,
    .p_malicious = 0.973123,
    .has_families = true,
    .family = {[MEF_BYTES] = -0.31,
	[MEF_WORDS] = 1.04,
	[MEF_IMPORTS] = 2.125,
	[MEF_HEADER] = 0.01}};

static void
people_read_the_strongest_families(void **state)
{
	char text[ANSWER_REASON_MAX];
	struct opinion o = usual;

	(void)state;
	opinion_text(&o, text);
	assert_string_equal(text,
	    "malicious, P 97.3 % (pe; imports +2.1, words +1.0, bytes -0.3)");
	o.has_families = false;
	opinion_text(&o, text);
	assert_string_equal(text, "malicious, P 97.3 % (pe)");
	o.by = OPINION_LISTED;
	opinion_text(&o, text);
	assert_non_null(strstr(text, "mef.known"));
	o.by = OPINION_LEARNED;
	opinion_text(&o, text);
	assert_non_null(strstr(text, "learned"));
}

static void
what_the_table_keeps_is_read_back(void **state)
{
	char text[TABLE_NAME_MAX], again[TABLE_NAME_MAX];
	struct opinion o;

	(void)state;
	for (int label = 0; label <= MEF_IS_BORDERLINE; label++) {
		struct opinion from = usual;

		from.label = (enum mef_label)label;
		opinion_keep(&from, text);
		assert_true(opinion_kept(text, &o));
		assert_int_equal(o.label, label);
		assert_int_equal(o.kind, MEF_PE);
		assert_true(fabs(o.p_malicious - 0.973123) < 1e-6);
		assert_true(fabs(o.family[MEF_IMPORTS] - 2.1) < 1e-9);
		assert_true(o.family[MEF_HEADER] == 0);
		opinion_keep(&o, again);
		assert_string_equal(text, again);
	}
}

static void
even_wild_numbers_fit_and_are_read_back(void **state)
{
	struct opinion from = usual, o;
	char text[TABLE_NAME_MAX];

	(void)state;
	from.label = MEF_IS_BORDERLINE;
	for (int f = 0; f < MEF_FAMILIES; f++)
		from.family[f] = f % 2 ? -1e300 : 1e300;
	from.family[MEF_LINES] = NAN;
	opinion_keep(&from, text);
	assert_true(opinion_kept(text, &o));
	assert_true(o.family[MEF_SCRIPT] < -999);
	assert_true(o.family[MEF_LINES] == 0);
}

static void
what_is_no_opinion_is_none(void **state)
{
	static const char *const none[] = {"", "Win.Test.EICAR_HDB-1",
	    "malicious", "malicious 0.5", "malicious 0.5 exe",
	    "malicious 1.5 pe", "malicious -0.1 pe", "malicious nan pe",
	    "malicious 0.5 pe words", "malicious 0.5 pe words+",
	    "malicious 0.5 pe words+1x", "malicious 0.5 pe words+inf",
	    "malicious 0.5 pe wurds+1.0", "malicious  0.5 pe"};
	struct opinion o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		if (opinion_kept(none[i], &o))
			fail_msg("'%s'", none[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(people_read_the_strongest_families),
	    cmocka_unit_test(what_the_table_keeps_is_read_back),
	    cmocka_unit_test(even_wild_numbers_fit_and_are_read_back),
	    cmocka_unit_test(what_is_no_opinion_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
