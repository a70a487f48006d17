#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "flow/ask.h"
#include "flow/lesson.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static int
parse(const char *text, struct lesson *ret)
{
	return lesson_parse(text, strlen(text), ret);
}

static void
a_connection_is_read_by_the_names_of_its_features(void **state)
{
	struct lesson l;

	(void)state;
	assert_int_equal(parse("judge client=192.0.2.7 port=4 start=17.5 "
			       "pkts_in=12 rtt_init=null jitter_var=2.5e-05",
			     &l),
	    0);
	assert_int_equal(l.verb, LESSON_JUDGE);
	assert_true(l.sample.x[FLOW_FEATURE_pkts_in] == 12);
	assert_true(l.sample.x[FLOW_FEATURE_jitter_var] == 2.5e-05);
	assert_true(isnan(l.sample.x[FLOW_FEATURE_rtt_init]));
	assert_true(isnan(l.sample.x[FLOW_FEATURE_win_zero]));
	assert_true(l.sample.client == flow_client("192.0.2.7"));
	assert_true(l.sample.peer == flow_peer("192.0.2.7"));
	assert_false(l.sample.is_spam);
	assert_true(isnan(l.ttl));
	assert_int_equal(parse("learn content=-0.1 pkts_in=1", &l), 0);
	assert_int_equal(l.verb, LESSON_LEARN);
	assert_true(l.content == -0.1);
	assert_true(l.sample.client == 0 && l.sample.peer == 0);
}

static void
an_operator_says_what_a_mail_was(void **state)
{
	struct lesson l;

	(void)state;
	assert_int_equal(parse("teach label=spam pkts_in=1", &l), 0);
	assert_int_equal(l.verb, LESSON_TEACH);
	assert_true(l.sample.is_spam && isnan(l.content));
	assert_int_equal(parse("teach label=ham content=1 pkts_in=1", &l), 0);
	assert_true(!l.sample.is_spam && l.content == 1);
}

static void
what_is_asked_of_the_learner_itself_has_no_words(void **state)
{
	const uint64_t seen[2] = {5, 7};
	char answer[LESSON_ANSWER_MAX];
	struct lesson l;

	(void)state;
	assert_int_equal(parse("status", &l), 0);
	assert_int_equal(l.verb, LESSON_STATUS);
	assert_int_equal(parse("retrain", &l), 0);
	assert_int_equal(l.verb, LESSON_RETRAIN);
	assert_int_equal(parse("status pkts_in=1", &l), -EINVAL);
	assert_int_equal(parse("retrained", &l), -EINVAL);
	assert_int_equal(parse("judge", &l), -EINVAL);
	(void)lesson_status(seen, NULL, NAN, "no model yet", answer);
	assert_string_equal(answer,
	    "status n_ham=5 n_spam=7 version=null accuracy=null "
	    "why=no model yet");
	(void)lesson_status(seen, "ab", 0.5, "", answer);
	assert_string_equal(
	    answer, "status n_ham=5 n_spam=7 version=ab accuracy=0.5 why=");
	(void)lesson_retrained(true, answer);
	assert_string_equal(answer, "retrained begun=1");
}

static void
messages_of_one_connection_are_known_to_be(void **state)
{
	struct lesson a, b;

	(void)state;
	assert_int_equal(
	    parse("judge client=::1 port=4 start=1.5 at=2 pkts_in=1", &a), 0);
	assert_int_equal(
	    parse("judge client=::1 port=4 start=1.5 at=9 pkts_in=7", &b), 0);
	assert_true(a.connection == b.connection);
	assert_int_equal(
	    parse("judge client=::1 port=4 start=1.6 pkts_in=1", &b), 0);
	assert_true(a.connection != b.connection);
	assert_int_equal(
	    parse("judge client=::1 port=5 start=1.5 pkts_in=1", &b), 0);
	assert_true(a.connection != b.connection);
}

static void
what_is_no_lesson_is_refused(void **state)
{
	static const char *const wrong[] = {"", "judge", "judge ", "forget",
	    "judgement pkts_in=1", "judge pkts_in",
	    "judge pkts_in=", "judge pkts_in=-1", "judge pkts_in=inf",
	    "judge pkts_in=nan", "judge pkts_in=0x1", "judge pkts_in=1e999",
	    "judge pkts_in=1x", "judge pkts=1", "judge client=192.0.2.7",
	    "judge =1", "judge client=host.test pkts_in=1", "learn pkts_in=1",
	    "learn content=null pkts_in=1", "learn content=13",
	    "judge content=13 pkts_in=1", "judge label=ham pkts_in=1",
	    "judge ttl=256 pkts_in=1", "judge ttl=-1 pkts_in=1",
	    "judge ttl=null pkts_in=1", "teach pkts_in=1",
	    "teach label=egg pkts_in=1",
	    "learn content=13 label=ham pkts_in=1"};
	struct lesson l = {.content = 5};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (parse(wrong[i], &l) != -EINVAL || l.content != 5)
			fail_msg("'%s' was taken", wrong[i]);
	assert_int_equal(lesson_parse("judge pkts_in=1\0", 16, &l), -EINVAL);
}

static void
a_lesson_has_a_greatest_length(void **state)
{
	char text[LESSON_MAX + 2];
	struct lesson l;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "judge pkts_in=1", 15);
	assert_int_equal(lesson_parse(text, LESSON_MAX, &l), 0);
	assert_int_equal(lesson_parse(text, LESSON_MAX + 1, &l), -EINVAL);
}

static void
on_end(void *arg, struct flow *flow, enum flow_end end)
{
	(void)arg;
	(void)flow;
	(void)end;
}

/* The worker passes on what the other daemon says, from client= on. */
static void
the_answer_about_a_flow_is_a_lesson(void **state)
{
	static const struct flow_limits limits = {
	    .ports = {25}, .n_ports = 1, .proven_max = 1, .unproven_max = 1};
	struct flow_records *records = flow_records_new(4);
	struct flow_table *table = flow_table_new(&limits, on_end, NULL);
	struct flow_record record = {
	    .client_address = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1},
	    .client_port = 4000,
	    .ordinal = 1,
	    .has_queue = 1,
	    .ttl = 57,
	    .start_nsec = INT64_C(1700000000500000000)};
	struct flow_question q = {.not_before_nsec = 0};
	char answer[FLOW_ANSWER_MAX];
	enum flow_by by;
	size_t n;

	(void)state;
	for (int f = 0; f < FLOW_FEATURES; f++)
		record.features.value[f] = f % 3 ? 2.0 * f : (double)NAN;
	(void)flow_key_of_queue("ABCD", 4, &record.queue);
	flow_records_put(records, &record);
	assert_int_equal(flow_ask_parse("queue=ABCD", 10, &q), 0);
	n = flow_answer(table, records, &q, answer, &by);
	answer[n] = '\0';
	assert_non_null(strstr(
	    answer, " client=192.0.2.1 port=4000 start=1700000000.500000000 "));
	{
		CLEANUP(free_ptr)
		char *text = xasprintf("judge%s", strstr(answer, " client="));
		struct lesson l;

		assert_int_equal(parse(text, &l), 0);
		assert_true(l.ttl == 57);
		for (int f = 0; f < FLOW_FEATURES; f++)
			assert_true(f % 3 ? l.sample.x[f] == 2 * f
					  : isnan(l.sample.x[f]));
	}
	(void)flow_table_free(table);
	(void)flow_records_free(records);
}

static void
answers_say_what_came_of_it(void **state)
{
	struct flow_opinion o = {
	    .score = 2.25, .points = 3, .why = "idle_max (+0.8)"};
	char buf[LESSON_ANSWER_MAX];

	(void)state;
	assert_int_equal(lesson_opinion(&o, 2, buf), 55);
	assert_string_equal(
	    buf, "opinion score=2.25 points=3 above=1 why=idle_max (+0.8)");
	o = (struct flow_opinion){.score = NAN, .why = "too few"};
	(void)lesson_opinion(&o, INFINITY, buf);
	assert_string_equal(
	    buf, "opinion score=null points=0 above=0 why=too few");
	(void)lesson_learned(LESSON_SPAM, NULL, buf);
	assert_string_equal(buf, "learned label=spam");
	(void)lesson_learned(LESSON_REFUSED, "NAT", buf);
	assert_string_equal(buf, "refused why=NAT");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_connection_is_read_by_the_names_of_its_features),
	    cmocka_unit_test(an_operator_says_what_a_mail_was),
	    cmocka_unit_test(what_is_asked_of_the_learner_itself_has_no_words),
	    cmocka_unit_test(messages_of_one_connection_are_known_to_be),
	    cmocka_unit_test(what_is_no_lesson_is_refused),
	    cmocka_unit_test(a_lesson_has_a_greatest_length),
	    cmocka_unit_test(the_answer_about_a_flow_is_a_lesson),
	    cmocka_unit_test(answers_say_what_came_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
