/*
 * tests/unit/test_clamd_proof.c - that clamd tells what it leaves
 * out, and by which signatures it judged.
 */
#include "tests/support/clamd_site.h"

#include <sys/time.h>

static void
a_restart_without_alerts_is_noticed(void **state)
{
	struct world *w = *state;

	scan(w, "OK", ANSWER_CLEAN, "");
	w->fake = fake_clamd_free(w->fake);
	start_fake(w, VERSION, "OK");
	scan(w, "OK", ANSWER_UNKNOWN_SYSTEM, "AlertExceedsMax yes");
	assert_int_equal(fake_clamd_files(w->fake), 0);
}

static void
the_probe_takes_nothing_else_for_proof(void **state)
{
	static const char *const wrong[] = {"OK", "Eicar FOUND",
	    "Heuristics.Limits.Exceeded.Mine.UNOFFICIAL FOUND",
	    "Heuristics.Limits.Exceeded.MaxRecursion", "X ERROR", "!hang",
	    "!close", "!cut", "!raw2: fd[9]: OK", "!raw3: fd[9]: " LIMIT,
	    "!raw1: fd[9]: " LIMIT, "!raw" LIMIT, "!endless", "!slow"};
	struct world *w = *state;

	allow_only(w, USEC_PER_SEC / 2); /* for those without an answer */
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		fake_clamd_free(w->fake);
		start_fake(w, VERSION, wrong[i]);
		scan(w, "OK", ANSWER_UNKNOWN_SYSTEM, "");
		assert_int_equal(fake_clamd_files(w->fake), 0);
		assert_true(fake_clamd_probes(w->fake) > 0);
	}
	fake_clamd_free(w->fake);
	start_fake(w, "Sophos 1.0", LIMIT);
	scan(w, "OK", ANSWER_UNKNOWN_SYSTEM, "VERSION: 1: Sophos");
}

static void
a_session_is_proved_again_in_time(void **state)
{
	struct world *w = *state;

	clamd_prove_every(w->clamd, 100 * USEC_PER_MSEC);
	scan(w, "OK", ANSWER_CLEAN, "");
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_int_equal(fake_clamd_probes(w->fake), 1);
	run_for(w, 120);
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_int_equal(fake_clamd_probes(w->fake), 2);
	assert_int_equal(fake_clamd_connections(w->fake), 1);
	run_for(w, 120);
	fake_clamd_set_probe_answer(w->fake, "OK");
	scan(w, "OK", ANSWER_UNKNOWN_SYSTEM, "TemporaryDirectory");
	assert_int_equal(fake_clamd_files(w->fake), 3);
}

static void
the_context_is_known_after_the_first_proof(void **state)
{
	struct world *w = *state;
	char buf[100];

	assert_false(clamd_context(w->clamd, buf, sizeof(buf)));
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_true(clamd_context(w->clamd, buf, sizeof(buf)));
	assert_memory_equal(buf, "ClamAV 1.4.6 ", 13);
	assert_false(clamd_context(w->clamd, buf, 20)); /* never cut */
}

static void
changed_signatures_void_the_context_until_they_settled(void **state)
{
	struct world *w = *state;
	char a[100], b[100], path[120];

	w->options.settle_usec = 0;
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_true(clamd_context(w->clamd, a, sizeof(a)));

	clamd_free(w->clamd);
	w->options.settle_usec = 300 * USEC_PER_MSEC;
	w->clamd = clamd_new(w->base, &w->options);
	clamd_look_every(w->clamd, 0);
	run_for(w, 350);
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_true(clamd_context(w->clamd, b, sizeof(b)));
	assert_string_equal(a, b);

	write_file(w->sig, "B:0:*:6162\n"); /* the same size */
	assert_false(clamd_context(w->clamd, b, sizeof(b)));
	run_for(w, 150);
	assert_false(clamd_context(w->clamd, b, sizeof(b)));
	run_for(w, 200);
	assert_true(clamd_context(w->clamd, b, sizeof(b)));
	assert_string_not_equal(a, b);

	/* A file that is put in place with an old date counts as changed. */
	(void)snprintf(path, sizeof(path), "%s/new", w->dir);
	write_file(path, "C:0:*:6162\n");
	{
		const struct timeval old[2] = {
		    {1000000000, 0}, {1000000000, 0}};

		assert_int_equal(utimes(path, old), 0);
	}
	assert_int_equal(rename(path, w->sig), 0);
	assert_false(clamd_context(w->clamd, a, sizeof(a)));
	run_for(w, 350);
	assert_true(clamd_context(w->clamd, a, sizeof(a)));
	assert_string_not_equal(a, b);

	/* freshclam's own notes are no signatures. */
	(void)snprintf(path, sizeof(path), "%s/freshclam.dat", w->db);
	write_file(path, "x");
	assert_true(clamd_context(w->clamd, b, sizeof(b)));
	assert_string_equal(a, b);
}

static void
a_removed_signature_file_voids_the_context_too(void **state)
{
	struct world *w = *state;
	char buf[100], extra[120];

	(void)snprintf(extra, sizeof(extra), "%s/b.hdb", w->db);
	write_file(extra, "x\n");
	clamd_free(w->clamd);
	w->options.settle_usec = 200 * USEC_PER_MSEC;
	w->clamd = clamd_new(w->base, &w->options);
	clamd_look_every(w->clamd, 0);
	run_for(w, 250);
	scan(w, "OK", ANSWER_CLEAN, "");
	assert_true(clamd_context(w->clamd, buf, sizeof(buf)));
	assert_int_equal(unlink(extra), 0);
	assert_false(clamd_context(w->clamd, buf, sizeof(buf)));
	run_for(w, 250);
	assert_true(clamd_context(w->clamd, buf, sizeof(buf)));
	assert_int_equal(unlink(w->sig), 0); /* none left */
	assert_false(clamd_context(w->clamd, buf, sizeof(buf)));
	run_for(w, 250);
	assert_false(clamd_context(w->clamd, buf, sizeof(buf)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_restart_without_alerts_is_noticed),
	    TEST(the_probe_takes_nothing_else_for_proof),
	    TEST(a_session_is_proved_again_in_time),
	    TEST(the_context_is_known_after_the_first_proof),
	    TEST(changed_signatures_void_the_context_until_they_settled),
	    TEST(a_removed_signature_file_voids_the_context_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
