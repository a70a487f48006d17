/*
 * tests/prop/prop_detector.c - random reports: how they are cut into pieces
 * makes no difference, more of them never counts for less, and a number in a
 * row is so many.
 */
#include "vmm/detector.h"
#include "vmm/rules_priv.h"

#include "common/cleanup.h"
#include "tests/support/prop_draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RUNS   3000
#define EVENTS 30

/* Few files and small numbers, so that much is found. */
static const char text[] =
    "threshold 35\nclass d /d/*\n"
    "behaviour a 7 T1000 \"A\"\n"
    " when file.create path $ and path @d\n"
    " then process.start path $ within 100ms\n"
    "behaviour b 11 T1000 \"B\"\n when file.write times 6 different path\n"
    "behaviour c 13 T1000 \"C\"\n when file.write times 4 within 60ms\n"
    "behaviour d 17 T1000 \"D\"\n when file.write path not @new and path @d\n"
    " then file.delete\n"
    "behaviour e 19 T1000 \"E\"\n when file.delete base $ times 2 different "
    "dir\n"
    "behaviour f 23 T1000 \"F\"\n when process.start image /d/1 and args "
    "@new\n"
    "behaviour g 29 T1000 \"G\"\n when file.delete times 9\n";

static struct rules *
load(void)
{
	struct rules *rules = NULL;
	char err[300] = "";

	if (rules_parse(
		"t", text, strlen(text), NULL, &rules, err, sizeof(err)) < 0)
		fail_msg("%s", err);
	return rules;
}

static size_t
gen_report(char *ret, size_t size)
{
	static const char *const kinds[] = {"file.create", "file.write",
	    "file.delete", "process.start", "agent.note", "no.kind"};
	const size_t events = draw(EVENTS);
	unsigned int msec = 0;
	size_t n = 0;

	for (size_t i = 0; i < events; i++) {
		msec += (unsigned int)draw(30);
		n += (size_t)snprintf(ret + n, size - n,
		    "{\"t\":%u.%03u,\"pid\":%u,\"ev\":\"%s\",\"path\":"
		    "\"/%c/%u\",\"args\":\"x /d/%u\"}\n%s",
		    msec / 1000, msec % 1000, (unsigned int)draw(3),
		    kinds[draw(6)], draw(2) ? 'd' : 'e', (unsigned int)draw(4),
		    (unsigned int)draw(4), draw(9) ? "" : "\n{\n");
	}
	return n;
}

static struct detector *
fed(const struct rules *rules, const char *report, size_t n, size_t most)
{
	struct detector *d = detector_new(rules);

	while (n > 0) {
		size_t piece = most ? 1 + draw(most) : n;

		piece = piece < n ? piece : n;
		detector_feed(d, report, piece);
		report += piece;
		n -= piece;
	}
	return d;
}

static void
prop_pieces_make_no_difference(void **state)
{
	struct rules *rules = load();
	char report[EVENTS * 120];
	unsigned int found = 0;

	(void)state;
	for (int run = 0; run < RUNS; run++) {
		const size_t n = gen_report(report, sizeof(report));
		struct detector *a = fed(rules, report, n, 0);
		struct detector *b = fed(rules, report, n, 1 + draw(40));
		char *x = detector_evidence(a, 65536);
		char *y = detector_evidence(b, 65536);
		const char *why[2];

		assert_string_equal(x, y);
		assert_int_equal(detector_is_proven(a), detector_is_proven(b));
		assert_int_equal(detector_is_conclusive(a, false, &why[0]),
		    detector_is_conclusive(b, false, &why[1]));
		assert_ptr_equal(why[0], why[1]);
		found += detector_is_proven(a);
		free(x);
		free(y);
		detector_free(a);
		detector_free(b);
	}
	printf("%u of %d proven\n", found, RUNS);
	assert_true(found > 0 && found < RUNS);
	rules_free(rules);
}

static unsigned long
score(const struct detector *d)
{
	CLEANUP(free_ptr) char *evidence = detector_evidence(d, 65536);

	return strtoul(evidence + strlen("{\"score\":"), NULL, 10);
}

static void
prop_more_of_a_report_never_counts_for_less(void **state)
{
	struct rules *rules = load();
	char report[EVENTS * 120];

	(void)state;
	for (int run = 0; run < RUNS; run++) {
		const size_t n = gen_report(report, sizeof(report));
		const size_t cut = n ? draw(n) : 0;
		struct detector *a = fed(rules, report, cut, 0);
		const unsigned long before = score(a);
		const bool was = detector_is_proven(a);

		detector_feed(a, report + cut, n - cut);
		assert_true(score(a) >= before);
		assert_true(!was || detector_is_proven(a));
		assert_int_equal(detector_is_proven(a), score(a) >= 35);
		detector_free(a);
	}
	rules_free(rules);
}

static void
prop_n_is_so_many_in_a_row(void **state)
{
	struct rules *rules = load();

	(void)state;
	for (unsigned int n = 1; n < 20; n++) {
		struct detector *once = detector_new(rules);
		struct detector *each = detector_new(rules);
		char line[100];
		int length = snprintf(line, sizeof(line),
		    "{\"ev\":\"file.delete\",\"path\":\"/a\",\"n\":%u}\n", n);

		detector_feed(once, line, (size_t)length);
		length = snprintf(line, sizeof(line),
		    "{\"ev\":\"file.delete\",\"path\":\"/a\"}\n");
		for (unsigned int i = 0; i < n; i++)
			detector_feed(each, line, (size_t)length);
		assert_int_equal(score(once), score(each));
		assert_int_equal(score(once), n < 9 ? 0 : 29);
		detector_free(once);
		detector_free(each);
	}
	rules_free(rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prop_pieces_make_no_difference),
	    cmocka_unit_test(prop_more_of_a_report_never_counts_for_less),
	    cmocka_unit_test(prop_n_is_so_many_in_a_row),
	};

	draw_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
