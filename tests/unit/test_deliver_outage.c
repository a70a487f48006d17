/*
 * tests/unit/test_deliver_outage.c - what the deliver role does while engines
 * do not answer: the real role, in a process of its own.
 */
#include "tests/support/deliver_site.h"

#define UNKNOWN "clamd is not there"

static void
unknown(struct site *s, uint64_t job)
{
	site_answer(s, job, "clamd", ANSWER_UNKNOWN_SYSTEM, UNKNOWN, "{}");
}

static void
a_required_engine_that_says_nothing_is_waited_for(void **state)
{
	struct site *s = *state;

	site_put(s, "wAA00001");
	site_start(s, "worker { engines = \"policy clamd spam\" }");
	site_clean(s, site_job(s).job);
	site_answer(s, site_job(s).job, "spam", ANSWER_CLEAN, "", "{}");
	site_arrives(s, SPOOL_OUT, "wAA00001");
	assert_string_equal(site_noted(s, "wAA00001", EVENT_WAIT).reason,
	    "a required engine gave no answer");
}

static void
what_the_system_cannot_know_waits_uncharged(void **state)
{
	struct site *s = *state;
	struct tries tries;

	site_put(s, "wAA00001");
	site_start(s, "");
	for (int i = 0; i < 3; i++) {
		unknown(s, site_job(s).job);
		site_no_job(s, 150); /* it pauses */
		assert_true(site_is_in(s, SPOOL_FEED1, "wAA00001"));
		tries = site_tries(s, SPOOL_FEED1, "wAA00001");
		assert_int_equal(tries.died + tries.begun, 0);
	}
	site_clean(s, site_job(s).job);
	site_arrives(s, SPOOL_OUT, "wAA00001");
	assert_int_equal(site_noted(s, "wAA00001", EVENT_WAIT).count, 1);
	assert_string_equal(
	    site_noted(s, "wAA00001", EVENT_WAIT).reason, UNKNOWN);
	assert_int_equal(site_noted(s, "wAA00001", EVENT_DIED).count, 0);
	site_stop(s);
	site_logged(s, "waiting: " UNKNOWN "; mail is kept in feed1");
	site_logged(s, "going on: all engines answer again");
}

static void
in_an_outage_one_message_asks_for_all(void **state)
{
	struct site *s = *state;
	uint64_t jobs[5];
	char id[16];

	site_put(s, "wAA00000");
	site_start(s, "");
	unknown(s, site_job(s).job);
	for (int i = 1; i < 5; i++) {
		(void)snprintf(id, sizeof(id), "wAA%05d", i);
		site_put(s, id);
	}
	for (int i = 0; i < 2; i++) {
		const uint64_t job = site_job(s).job;

		site_no_job(s, 400); /* one alone */
		unknown(s, job);
		site_no_job(s, 150); /* and not at once again */
	}
	site_clean(s, site_job(s).job);
	/* Now the others, without one waiting for another.  The last may
	 * still have its own pause to make. */
	for (int i = 0; i < 4; i++)
		jobs[i] = site_job(s).job;
	for (int i = 0; i < 4; i++)
		site_clean(s, jobs[i]);
	for (int i = 0; i < 5; i++) {
		(void)snprintf(id, sizeof(id), "wAA%05d", i);
		site_arrives(s, SPOOL_OUT, id);
	}
	site_stop(s);
}

/* All engines answered for another one meanwhile: it is this one's own. */
static void
the_trouble_of_one_message_is_no_outage(void **state)
{
	struct site *s = *state;
	uint64_t job;

	site_start(s, "");
	site_put(s, "wAA00001");
	job = site_job(s).job;
	site_put(s, "wAA00002");
	site_clean(s, site_job(s).job);
	site_arrives(s, SPOOL_OUT, "wAA00002");
	unknown(s, job);
	site_put(s, "wAA00003");
	site_put(s, "wAA00004");
	for (int i = 0; i < 3; i++) /* nobody waits for anybody */
		(void)site_job(s);
	assert_int_equal(site_tries(s, SPOOL_FEED1, "wAA00001").died, 0);
}

/* That a cell died of a message says nothing of the engines. */
static void
a_death_ends_no_outage(void **state)
{
	struct site *s = *state;

	site_put(s, "wAA00001");
	site_start(s, "");
	unknown(s, site_job(s).job);
	site_put(s, "wAA00002");
	site_put(s, "wAA00003");
	site_answer(s, site_job(s).job, "reading", ANSWER_UNKNOWN_MESSAGE,
	    "its cell died", "{}");
	(void)site_job(s);
	site_no_job(s, 400); /* still one alone */
}

static void
the_longest_hold_ends_in_error(void **state)
{
	struct site *s = *state;
	const struct mono begun = mono_now();
	struct noted n = {.count = 0};

	site_put(s, "wAA00001");
	site_start(s, "worker { hold_max = 1s backoff_max = 1s }");
	while (!site_is_in(s, SPOOL_ERROR, "wAA00001")) {
		struct wire_job job;

		assert_true(mono_span(begun, mono_now()) < 5 * USEC_PER_SEC);
		if (!site_job_within(s, 50, &job))
			continue;
		ipc_drop_fds(&s->msg);
		unknown(s, job.job);
	}
	assert_true(mono_span(begun, mono_now()) > USEC_PER_SEC);
	site_arrives(s, SPOOL_ERROR, "wAA00001");
	n = site_noted(s, "wAA00001", EVENT_MOVE);
	assert_string_equal(n.verdict, "error");
	assert_string_equal(n.reason, UNKNOWN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, site_setup, site_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_required_engine_that_says_nothing_is_waited_for),
	    TEST(what_the_system_cannot_know_waits_uncharged),
	    TEST(in_an_outage_one_message_asks_for_all),
	    TEST(the_trouble_of_one_message_is_no_outage),
	    TEST(a_death_ends_no_outage),
	    TEST(the_longest_hold_ends_in_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
