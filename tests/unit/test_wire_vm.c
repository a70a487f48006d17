/*
 * tests/unit/test_wire_vm.c - what the vmm role and engines may say to each
 * other; that each type is exactly itself: test_wire.c.
 */
#include "worker/wire.h"

#include "common/ipc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ipc_msg msg;
static const char *evidence;

/* Everything zero, but the number that each begins with. */
static void
fill(enum wire_type type, size_t len, int n_fds)
{
	const uint64_t one = 1;

	memset(&msg, 0, sizeof(msg));
	msg.type = type;
	msg.len = (uint32_t)len;
	msg.n_fds = n_fds;
	memcpy(msg.body, &one, sizeof(one));
}

static int
read_state(void)
{
	const struct wire_vm_state *s;

	return wire_vm_state(&msg, &s);
}

static int
read_answer(void)
{
	const struct wire_vm_answer *a;

	return wire_vm_answer(&msg, &a, &evidence);
}

static void
how_long_an_answer_may_be_waited_for_exists(void **state)
{
	struct wire_judgement *j = (void *)msg.body;
	struct wire_vm_answer *a = (void *)msg.body;
	const struct wire_judgement *read;

	(void)state;
	for (uint32_t i = 0; i <= ANSWER_WAITS; i++) {
		const int want = i < ANSWER_WAITS ? 0 : -EBADMSG;

		fill(WIRE_JUDGEMENT, sizeof(*j), 0);
		j->n_answers = 1;
		j->answers[0].wait = i;
		assert_int_equal(wire_judgement(&msg, &read, &evidence), want);
		fill(WIRE_VM_ANSWER, sizeof(*a), 0);
		a->answer.wait = i;
		assert_int_equal(read_answer(), want);
	}
}

static void
no_more_references_than_have_room_are_there(void **state)
{
	struct wire_vm_state *s = (void *)msg.body;
	struct wire_reference *last = &s->references[WIRE_REFERENCES - 1];

	(void)state;
	fill(WIRE_VM_STATE, sizeof(*s), 0);
	s->n = WIRE_REFERENCES;
	assert_int_equal(read_state(), 0);
	memset(last->context, 'x', sizeof(last->context));
	assert_int_equal(read_state(), -EBADMSG);
	s->n--; /* what isn't said doesn't count */
	assert_int_equal(read_state(), 0);
	fill(WIRE_VM_STATE, sizeof(*s), 0);
	s->n = WIRE_REFERENCES + 1;
	assert_int_equal(read_state(), -EBADMSG);
	s->n = UINT32_MAX;
	assert_int_equal(read_state(), -EBADMSG);
}

static void
a_run_has_a_number(void **state)
{
	const struct wire_vm_run *run;

	(void)state;
	fill(WIRE_VM_RUN, sizeof(*run), 1);
	assert_int_equal(wire_vm_run(&msg, &run), 0);
	memset(msg.body, 0, sizeof(run->run));
	assert_int_equal(wire_vm_run(&msg, &run), -EBADMSG);
}

static void
evidence_of_a_run_is_one_line_of_the_length_that_is_said(void **state)
{
	struct wire_vm_answer *a = (void *)msg.body;
	char *text = (char *)(a + 1);

	(void)state;
	fill(WIRE_VM_ANSWER, sizeof(*a) + WIRE_VM_EVIDENCE_MAX, 0);
	memset(text, 'e', WIRE_VM_EVIDENCE_MAX + 1);
	a->evidence_bytes = WIRE_VM_EVIDENCE_MAX;
	assert_int_equal(read_answer(), 0);
	assert_ptr_equal(evidence, text);
	for (size_t i = 0; i < 2; i++) {
		text[WIRE_VM_EVIDENCE_MAX - 1] = "\n"[i];
		assert_int_equal(read_answer(), -EBADMSG);
	}
	text[WIRE_VM_EVIDENCE_MAX - 1] = 'e';
	a->evidence_bytes--; /* one octet too many */
	assert_int_equal(read_answer(), -EBADMSG);
	a->evidence_bytes += 2; /* above the limit */
	msg.len++;
	assert_int_equal(read_answer(), -EBADMSG);
	a->evidence_bytes = UINT32_MAX - (uint32_t)sizeof(*a) + 1;
	msg.len = 0; /* what a sum of 32 bits would give */
	assert_int_equal(read_answer(), -EBADMSG);
}

static void
an_answer_exists(void **state)
{
	struct wire_vm_answer *a = (void *)msg.body;

	(void)state;
	fill(WIRE_VM_ANSWER, sizeof(*a), 0);
	a->answer.answer = ANSWER_COUNT - 1;
	assert_int_equal(read_answer(), 0);
	a->answer.answer = ANSWER_COUNT;
	assert_int_equal(read_answer(), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(how_long_an_answer_may_be_waited_for_exists),
	    cmocka_unit_test(no_more_references_than_have_room_are_there),
	    cmocka_unit_test(a_run_has_a_number),
	    cmocka_unit_test(
		evidence_of_a_run_is_one_line_of_the_length_that_is_said),
	    cmocka_unit_test(an_answer_exists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
