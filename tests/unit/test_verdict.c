/* Every combination of answers, not a sample: 2 * 7^6 for each required set. */
#include "worker/verdict.h"

#include "common/cleanup.h"
#include "common/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ENGINES 7
#define ABSENT  ANSWER_COUNT /* the engine gave no answer at all */

static const char *const names[ENGINES] = {"reading", "policy", "clamd", "spam",
    "vm", "mef", "other"}; /* only warns */
static const char *const required_sets[] = {"policy clamd spam mef vm", "vm",
    "clamd mef", "policy clamd spam", "policy clamd", "clamd spam", "clamd",
    "policy", "spam", ""};

struct combination {
	enum answer of[ENGINES];
	struct engine_answer answers[ENGINES];
	size_t n;
};

/* Each engine's answers, made once. */
static struct engine_answer made[ENGINES][ANSWER_COUNT];

static int
make_answers(void **state)
{
	(void)state;
	for (int e = 0; e < ENGINES; e++)
		for (int a = 0; a < ANSWER_COUNT; a++)
			answer_set(&made[e][a], names[e], (enum answer)a,
			    "%s says so", names[e]);
	return 0;
}

/* The number-th combination; false: there are no more.  The last engine warns,
 * or it is not there. */
static bool
make(struct combination *c, unsigned int number)
{
	c->n = 0;
	for (int e = 0; e < ENGINES - 1; e++, number /= ANSWER_COUNT + 1)
		c->of[e] = (enum answer)(number % (ANSWER_COUNT + 1));
	c->of[ENGINES - 1] = number % 2 ? ANSWER_WARN : ABSENT;
	for (int e = 0; e < ENGINES; e++)
		if (c->of[e] != ABSENT)
			c->answers[c->n++] = made[e][c->of[e]];
	return number < 2;
}

static bool
does_not_know(enum answer a)
{
	return a == ABSENT || a == ANSWER_UNKNOWN_SYSTEM ||
	       a == ANSWER_UNKNOWN_MESSAGE;
}

typedef void check_fn(const struct combination *c, const char *required,
    enum verdict v, const char *reason);

static void
for_all(check_fn *check)
{
	struct combination c;

	for (size_t s = 0; s < ARRAY_SIZE(required_sets); s++)
		for (unsigned int i = 0; make(&c, i); i++) {
			const struct engine_answer *by;
			enum verdict v;

			v = verdict_of(c.answers, c.n, required_sets[s], &by);
			check(&c, required_sets[s], v, by->reason);
		}
}

static void
check_unknown(const struct combination *c, const char *required, enum verdict v,
    const char *reason)
{
	enum spool_dir dir = SPOOL_ERROR;

	(void)reason;
	if (!verdict_place(v, &dir) || dir != SPOOL_OUT)
		return;
	for (int e = 0; e < ENGINES; e++)
		if (e == 0 || conf_has_word(required, names[e]))
			assert_false(does_not_know(c->of[e]));
}

static void
test_unknown_never_becomes_out(void **state)
{
	(void)state;
	for_all(check_unknown);
}

static void
check_hit(const struct combination *c, const char *required, enum verdict v,
    const char *reason)
{
	(void)required;
	(void)reason;
	if (c->of[2] == ANSWER_HIT || c->of[4] == ANSWER_HIT)
		assert_int_equal(v, VERDICT_VIRUS);
	else
		assert_int_not_equal(v, VERDICT_VIRUS);
	if (v == VERDICT_CLEAN)
		for (int e = 0; e < ENGINES; e++)
			assert_true(
			    c->of[e] != ANSWER_WARN && c->of[e] != ANSWER_HIT);
}

static void
test_a_virus_outranks_everything_and_no_hit_is_clean(void **state)
{
	(void)state;
	for_all(check_hit);
}

/* Before a warning everything else goes, and nothing but clean is behind. */
static void
check_warning(const struct combination *c, const char *required, enum verdict v,
    const char *reason)
{
	struct combination without = *c;
	const struct engine_answer *by;
	bool wants = false;

	for (size_t i = 0; i < without.n; i++)
		if (without.answers[i].answer == ANSWER_WARN) {
			without.answers[i].answer = ANSWER_CLEAN;
			wants = true;
		}
	(void)reason;
	if (c->of[0] == ANSWER_WARN) /* the reading has no such answer */
		assert_int_not_equal(v, VERDICT_CLEAN);
	else if (verdict_of(without.answers, without.n, required, &by) !=
		 VERDICT_CLEAN)
		assert_int_not_equal(v, VERDICT_WARN);
	else
		assert_int_equal(v, wants ? VERDICT_WARN : VERDICT_CLEAN);
}

static void
test_a_warning_comes_after_all_that_stops_and_before_clean(void **state)
{
	(void)state;
	for_all(check_warning);
}

static void
check_reason(const struct combination *c, const char *required, enum verdict v,
    const char *reason)
{
	(void)c;
	(void)required;
	assert_true((v == VERDICT_CLEAN) == (*reason == '\0'));
}

static void
test_every_verdict_but_clean_has_a_reason(void **state)
{
	(void)state;
	for_all(check_reason);
}

static void
test_a_message_that_kills_its_cell_is_charged_during_an_outage(void **state)
{
	struct engine_answer a[3];
	const struct engine_answer *by;

	(void)state;
	answer_set(&a[0], "clamd", ANSWER_UNKNOWN_SYSTEM, "down");
	answer_set(&a[1], "reading", ANSWER_UNKNOWN_MESSAGE, "died");
	answer_set(&a[2], "policy", ANSWER_UNKNOWN_MESSAGE, "no reading");
	assert_int_equal(
	    verdict_of(a, 3, "policy clamd", &by), VERDICT_UNKNOWN_MESSAGE);
	assert_string_equal(by->reason, "died");
}

static void
test_what_the_model_holds_is_in_ext(void **state)
{
	struct engine_answer a[3];
	const struct engine_answer *by;

	(void)state;
	answer_set(&a[0], "reading", ANSWER_CLEAN, "%s", "");
	answer_set(&a[1], "mef", ANSWER_HIT, "malicious");
	answer_set(&a[2], "spam", ANSWER_HIT, "9 points");
	assert_int_equal(verdict_of(a, 3, "spam mef", &by), VERDICT_EXT);
	assert_string_equal(by->reason, "malicious");
}

static void
test_each_verdict_has_its_place(void **state)
{
	static const struct {
		enum verdict v;
		enum spool_dir dir;
	} rows[] = {{VERDICT_CLEAN, SPOOL_OUT}, {VERDICT_VIRUS, SPOOL_VIRUS},
	    {VERDICT_EXT, SPOOL_EXT}, {VERDICT_AMBIGUOUS, SPOOL_EXT},
	    {VERDICT_SPAM, SPOOL_SPAM}, {VERDICT_WARN, SPOOL_OUT}};
	enum spool_dir dir;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(verdict_place(rows[i].v, &dir));
		assert_int_equal(dir, rows[i].dir);
	}
	assert_false(verdict_place(VERDICT_UNKNOWN_SYSTEM, &dir));
	assert_false(verdict_place(VERDICT_UNKNOWN_MESSAGE, &dir));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unknown_never_becomes_out),
	    cmocka_unit_test(
		test_a_virus_outranks_everything_and_no_hit_is_clean),
	    cmocka_unit_test(
		test_a_warning_comes_after_all_that_stops_and_before_clean),
	    cmocka_unit_test(test_every_verdict_but_clean_has_a_reason),
	    cmocka_unit_test(
		test_a_message_that_kills_its_cell_is_charged_during_an_outage),
	    cmocka_unit_test(test_what_the_model_holds_is_in_ext),
	    cmocka_unit_test(test_each_verdict_has_its_place),
	};

	return cmocka_run_group_tests(tests, make_answers, NULL);
}
