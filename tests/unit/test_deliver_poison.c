/*
 * tests/unit/test_deliver_poison.c - messages that engines cannot finish, and
 * all the others, whom that must not hold up.
 */
#include "tests/support/deliver_site.h"

#define UNKNOWN "no answer from clamd in time"

static void
put(struct site *s, const char *id, uint32_t begun)
{
	const char *reason;
	struct claim claim;

	tmpspool_put(s->spool, SPOOL_FEED1, id);
	if (begun == 0)
		return; /* the role may have it already */
	assert_int_equal(
	    claim_take(s->spool, SPOOL_FEED1, id, &claim, &reason), 0);
	assert_int_equal(tries_write(&claim, (struct tries){0, begun}), 0);
	claim_drop(&claim);
}

static void
unknown(struct site *s, uint64_t job)
{
	site_answer(s, job, "clamd", ANSWER_UNKNOWN_SYSTEM, UNKNOWN, "{}");
}

static void
what_engines_cannot_finish_is_no_outage_while_others_are_judged(void **state)
{
	struct site *s = *state;
	struct wire_job poison, slow, next;
	bool is_back;

	put(s, "wAA00001", 0);
	site_start(s, "");
	poison = site_job(s);
	put(s, "wAA00002", 0);
	slow = site_job(s);
	put(s, "wAA00003", 0);
	site_clean(s, site_job(s).job);
	site_arrives(s, SPOOL_OUT, "wAA00003");
	unknown(s, poison.job);
	/* In an outage nothing would begin while wAA00002 is judged. */
	put(s, "wAA00004", 0);
	next = site_job(s);
	/* Its pause may be over when a busy machine gets to the new one. */
	is_back = strcmp(next.id, "wAA00001") == 0;
	if (is_back) {
		poison = next;
		next = site_job(s);
	}
	assert_string_equal(next.id, "wAA00004");
	site_clean(s, next.job);
	site_arrives(s, SPOOL_OUT, "wAA00004");
	site_clean(s, slow.job);
	site_arrives(s, SPOOL_OUT, "wAA00002");
	if (is_back)
		unknown(s, poison.job);
	/* The poison alone: nobody else was answered meanwhile. */
	assert_string_equal((poison = site_job(s)).id, "wAA00001");
	unknown(s, poison.job);
	site_clean(s, site_job(s).job);
	site_arrives(s, SPOOL_OUT, "wAA00001");
	site_stop(s);
	site_logged(s, "waiting: " UNKNOWN);
}

static void
the_death_of_a_cell_does_not_end_an_outage(void **state)
{
	struct site *s = *state;
	uint64_t job;

	put(s, "wAA00001", 0);
	site_start(s, "");
	unknown(s, site_job(s).job);
	job = site_job(s).job;
	put(s, "wAA00002", 0);
	put(s, "wAA00003", 0);
	site_answer(
	    s, job, "reading", ANSWER_UNKNOWN_MESSAGE, "its cell died", "{}");
	job = site_job(s).job;
	site_no_job(s, 300); /* still one alone */
	site_clean(s, job);
	site_clean(s, site_job(s).job);
}

static void
what_was_left_unfinished_often_lets_the_others_go_first(void **state)
{
	struct site *s = *state;
	const struct mono begun = mono_now();
	int n_others = 0;

	put(s, "wAA00001", 4); /* 1 s */
	put(s, "wAA00002", 1);
	put(s, "wAA00003", 1);
	site_start(s, "");
	for (int i = 0; i < 3; i++) {
		const struct wire_job job = site_job(s);
		const uint64_t spent = mono_span(begun, mono_now());

		if (strcmp(job.id, "wAA00001") != 0)
			n_others++;
		else /* a busy machine may need that long for the others */
			assert_true(spent > USEC_PER_SEC);
		site_clean(s, job.job);
	}
	assert_int_equal(n_others, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, site_setup, site_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(
		what_engines_cannot_finish_is_no_outage_while_others_are_judged),
	    TEST(the_death_of_a_cell_does_not_end_an_outage),
	    TEST(what_was_left_unfinished_often_lets_the_others_go_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
