/* The self-test of the engines role, against judgements made here. */
#include "worker/proof.h"

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/io.h"
#include "worker/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What the message holds as its attachment, as its hash in evidence. */
static void
evidence_of(const char *text, char *buf, size_t size)
{
	const char *begin = strstr(text, "\n\n") + 2;
	const char *end;
	struct digest digest;
	char hex[DIGEST_HEX];

	begin = strstr(begin, "\n\n") + 2;
	end = strstr(begin, "\n--self-test--");
	assert_non_null(end);
	assert_int_equal(end - begin, 68); /* the EICAR test file's size */
	digest = digest_memory(begin, (size_t)(end - begin));
	(void)snprintf(buf, size, "{\"parts\":[{\"sha256\":\"%s\"}]}",
	    digest_hex(&digest, hex));
}

struct world {
	struct wire_job job;
	char evidence[256];
};

static int
set_up(void **state)
{
	static struct world world;
	CLEANUP(close_fd) int fd = proof_message(&world.job);
	CLEANUP(free_ptr) char *text = NULL;
	size_t len;

	assert_true(fd >= 0 && memfd_is_sealed(fd));
	assert_int_equal(read_fd(fd, 65536, &text, &len), 0);
	assert_int_equal(len, world.job.bytes);
	evidence_of(text, world.evidence, sizeof(world.evidence));
	*state = &world;
	return 0;
}

static enum proof
proof(const struct world *w, const char *evidence, enum answer reading,
    int clamd, char *err, size_t err_size)
{
	struct wire_judgement j = {
	    .job = w->job.job, .evidence_bytes = (uint32_t)strlen(evidence)};

	assert_true(proof_is_mine(&j));
	answer_set(&j.answers[j.n_answers++], "reading", reading, "%s",
	    reading == ANSWER_CLEAN ? "" : "its cell died");
	if (clamd >= 0)
		answer_set(&j.answers[j.n_answers++], "clamd",
		    (enum answer)clamd, "%s", "");
	return proof_of(&j, evidence, err, err_size);
}

static void
test_a_shown_and_found_virus_is_a_proof(void **state)
{
	const struct world *w = *state;
	char err[256];

	assert_int_equal(
	    proof(w, w->evidence, ANSWER_CLEAN, ANSWER_HIT, err, sizeof(err)),
	    PROOF_HOLDS);
	assert_int_equal(
	    proof(w, w->evidence, ANSWER_CLEAN, -1, err, sizeof(err)),
	    PROOF_HOLDS);
}

static void
test_an_absent_clamd_is_no_failure(void **state)
{
	const struct world *w = *state;
	char err[256];

	assert_int_equal(proof(w, w->evidence, ANSWER_CLEAN,
			     ANSWER_UNKNOWN_SYSTEM, err, sizeof(err)),
	    PROOF_HOLDS);
}

static void
test_a_cell_that_shows_nothing_is_a_failure_with_its_reason(void **state)
{
	const struct world *w = *state;
	char err[256] = "";

	assert_int_equal(proof(w, "{\"parts\":[]}", ANSWER_CLEAN, ANSWER_HIT,
			     err, sizeof(err)),
	    PROOF_CELL_IS_BLIND);
	assert_non_null(strstr(err, "no such part"));
	assert_int_equal(
	    proof(w, "", ANSWER_UNKNOWN_MESSAGE, ANSWER_HIT, err, sizeof(err)),
	    PROOF_CELL_IS_BLIND);
	assert_non_null(strstr(err, "its cell died"));
}

static void
test_a_clamd_that_calls_it_clean_is_told_apart(void **state)
{
	const struct world *w = *state;
	char err[256] = "";

	assert_int_equal(
	    proof(w, w->evidence, ANSWER_CLEAN, ANSWER_CLEAN, err, sizeof(err)),
	    PROOF_CLAMD_IS_BLIND);
	assert_non_null(strstr(err, "signatures"));
}

static void
test_no_number_of_a_real_job_is_the_proofs(void **state)
{
	struct wire_judgement j = {.job = 1};

	(void)state;
	assert_false(proof_is_mine(&j));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_shown_and_found_virus_is_a_proof),
	    cmocka_unit_test(test_an_absent_clamd_is_no_failure),
	    cmocka_unit_test(
		test_a_cell_that_shows_nothing_is_a_failure_with_its_reason),
	    cmocka_unit_test(test_a_clamd_that_calls_it_clean_is_told_apart),
	    cmocka_unit_test(test_no_number_of_a_real_job_is_the_proofs),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
