/*
 * tests/unit/test_wire.c - what the roles of a worker take from each other:
 * each message as it is sent, and then with one thing wrong.
 */
#include "worker/wire.h"

#include "common/cleanup.h"
#include "common/ipc.h"
#include "worker/table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ipc_msg msg;

static const void *out; /* what a decoder gave */

#define DECODER(fn, type) \
	static int read_##fn(void) \
	{ \
		const struct type *p = NULL; \
		const int r = fn(&msg, &p); \
\
		out = p; \
		return r; \
	} \
	struct sluice_swallow_semicolon

DECODER(wire_job, wire_job);
DECODER(wire_cell_want, wire_cell);
DECODER(wire_cell_kill, wire_cell);
DECODER(wire_cell_gone, wire_cell_gone);
DECODER(wire_task, wire_task);
DECODER(wire_long, wire_long);
DECODER(wire_vm_state, wire_vm_state);
DECODER(wire_vm_run, wire_vm_run);
DECODER(wire_vm_drop, wire_vm_drop);
DECODER(wire_fetch, wire_fetch);
DECODER(wire_fetched, wire_fetched);
DECODER(wire_kept, wire_kept);
DECODER(table_read_lookup, table_lookup);
DECODER(table_read_result, table_result);
DECODER(table_read_drop, table_drop);
DECODER(table_read_answer, table_answer);

static const char *evidence;

static int
read_wire_judgement(void)
{
	const struct wire_judgement *p = NULL;
	const int r = wire_judgement(&msg, &p, &evidence);

	out = p;
	return r;
}

static int
read_wire_vm_answer(void)
{
	const struct wire_vm_answer *p = NULL;
	const int r = wire_vm_answer(&msg, &p, &evidence);

	out = p;
	return r;
}

static int
read_wire_keep(void)
{
	const struct wire_keep *p = NULL;
	const int r = wire_keep(&msg, &p, &evidence);

	out = p;
	return r;
}

/* Every type in its least form that is right. */
static const struct row {
	uint32_t type;
	size_t len;
	int n_fds;
	int (*read)(void);
} rows[] = {
    {WIRE_JOB, sizeof(struct wire_job), 1, read_wire_job},
    {WIRE_JUDGEMENT, sizeof(struct wire_judgement), 0, read_wire_judgement},
    {WIRE_CELL_WANT, sizeof(struct wire_cell), 2, read_wire_cell_want},
    {WIRE_CELL_GONE, sizeof(struct wire_cell_gone), 0, read_wire_cell_gone},
    {WIRE_CELL_KILL, sizeof(struct wire_cell), 0, read_wire_cell_kill},
    {WIRE_TASK, sizeof(struct wire_task), 1, read_wire_task},
    {WIRE_LONG, sizeof(struct wire_long), 0, read_wire_long},
    {WIRE_VM_STATE, sizeof(struct wire_vm_state), 0, read_wire_vm_state},
    {WIRE_VM_RUN, sizeof(struct wire_vm_run), 1, read_wire_vm_run},
    {WIRE_VM_DROP, sizeof(struct wire_vm_drop), 0, read_wire_vm_drop},
    {WIRE_VM_ANSWER, sizeof(struct wire_vm_answer), 0, read_wire_vm_answer},
    {WIRE_FETCH, sizeof(struct wire_fetch), 0, read_wire_fetch},
    {WIRE_FETCHED, sizeof(struct wire_fetched), 0, read_wire_fetched},
    {WIRE_KEEP, sizeof(struct wire_keep), 1, read_wire_keep},
    {WIRE_KEPT, sizeof(struct wire_kept), 0, read_wire_kept},
    {TABLE_MSG_LOOKUP,
	offsetof(struct table_lookup, keys) + sizeof(struct digest), 0,
	read_table_read_lookup},
    {TABLE_MSG_RESULT, sizeof(struct table_result), 0, read_table_read_result},
    {TABLE_MSG_DROP, sizeof(struct table_drop), 0, read_table_read_drop},
    {TABLE_MSG_ANSWER,
	offsetof(struct table_answer, entries) + sizeof(struct table_entry), 0,
	read_table_read_answer},
};

/* The first number of a body is a job or a pid: 1 is right for both. */
static void
fill(const struct row *row)
{
	struct table_lookup *lookup = (void *)msg.body;
	struct table_answer *answer = (void *)msg.body;
	uint64_t one = 1;

	memset(&msg, 0, sizeof(msg));
	msg.type = row->type;
	msg.len = (uint32_t)row->len;
	msg.n_fds = row->n_fds;
	if (row->type != TABLE_MSG_RESULT)
		memcpy(msg.body, &one, sizeof(one));
	if (row->type == TABLE_MSG_LOOKUP)
		lookup->n = 1;
	if (row->type == TABLE_MSG_ANSWER)
		answer->n = 1;
}

static const struct row *
row_of(uint32_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].type == type)
			return &rows[i];
	fail();
	return NULL;
}

static void
refused(const struct row *row)
{
	out = NULL;
	assert_int_equal(row->read(), -EBADMSG);
	assert_null(out); /* untouched on failure */
}

static void
taken(const struct row *row)
{
	assert_int_equal(row->read(), 0);
	assert_ptr_equal(out, msg.body);
}

static void
every_type_is_taken_as_it_is_sent(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fill(&rows[i]);
		taken(&rows[i]);
	}
}

static void
another_type_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t j = 0; j < ARRAY_SIZE(rows); j++) {
			fill(&rows[i]);
			msg.type = rows[j].type;
			if (i != j)
				refused(&rows[i]);
		}
}

static void
another_length_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const size_t wrong[] = {0, 1, 8, rows[i].len - 1,
		    rows[i].len + 1, rows[i].len + 8, IPC_MAX_BYTES};

		for (size_t j = 0; j < ARRAY_SIZE(wrong); j++) {
			fill(&rows[i]);
			msg.len = (uint32_t)wrong[j];
			if (wrong[j] != rows[i].len)
				refused(&rows[i]);
		}
	}
}

static void
another_number_of_descriptors_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int n = 0; n <= IPC_MAX_FDS; n++) {
			fill(&rows[i]);
			msg.n_fds = n;
			if (n != rows[i].n_fds)
				refused(&rows[i]);
		}
}

/* Where in which message a text of fixed size stands. */
#define TEXT(type, s, field) \
	{ \
		type, offsetof(struct s, field), \
		    sizeof(((struct s *)NULL)->field) \
	}

static void
a_text_without_its_end_is_refused(void **state)
{
	static const struct {
		uint32_t type;
		size_t at, size;
	} texts[] = {
	    TEXT(WIRE_JOB, wire_job, id),
	    TEXT(WIRE_FETCH, wire_fetch, url),
	    TEXT(WIRE_FETCHED, wire_fetched, name),
	    TEXT(WIRE_FETCHED, wire_fetched, type),
	    TEXT(WIRE_FETCHED, wire_fetched, disposition),
	    TEXT(WIRE_FETCHED, wire_fetched, text),
	    TEXT(WIRE_JOB, wire_job, sender),
	    TEXT(WIRE_JOB, wire_job, rcpt),
	    TEXT(WIRE_JOB, wire_job, client),
	    TEXT(WIRE_JUDGEMENT, wire_judgement, answers[0].engine),
	    TEXT(WIRE_JUDGEMENT, wire_judgement, answers[0].reason),
	    TEXT(WIRE_VM_STATE, wire_vm_state, text),
	    TEXT(WIRE_VM_STATE, wire_vm_state, references[0].name),
	    TEXT(WIRE_VM_STATE, wire_vm_state, references[0].context),
	    TEXT(WIRE_VM_RUN, wire_vm_run, reference),
	    TEXT(WIRE_VM_RUN, wire_vm_run, name),
	    TEXT(WIRE_VM_RUN, wire_vm_run, type),
	    TEXT(WIRE_VM_RUN, wire_vm_run, mail),
	    TEXT(WIRE_VM_ANSWER, wire_vm_answer, answer.engine),
	    TEXT(WIRE_VM_ANSWER, wire_vm_answer, answer.reason),
	    TEXT(TABLE_MSG_LOOKUP, table_lookup, engine),
	    TEXT(TABLE_MSG_LOOKUP, table_lookup, context),
	    TEXT(TABLE_MSG_RESULT, table_result, engine),
	    TEXT(TABLE_MSG_RESULT, table_result, context),
	    TEXT(TABLE_MSG_RESULT, table_result, name),
	    TEXT(TABLE_MSG_ANSWER, table_answer, entries[0].name),
	};
	struct wire_judgement *j = (void *)msg.body;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct row *row = row_of(texts[i].type);

		fill(row);
		if (row->type == WIRE_JUDGEMENT)
			j->n_answers = 1;
		memset(msg.body + texts[i].at, 'x', texts[i].size - 1);
		taken(row);
		msg.body[texts[i].at + texts[i].size - 1] = 'x';
		refused(row);
	}
}

static void
no_cell_has_the_number_0(void **state)
{
	static const uint32_t types[] = {
	    WIRE_CELL_WANT, WIRE_CELL_GONE, WIRE_CELL_KILL};
	static const uint64_t none = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		fill(row_of(types[i]));
		memcpy(msg.body, &none, sizeof(none));
		refused(row_of(types[i]));
	}
}

static void
a_judgement_has_answers_that_exist(void **state)
{
	const struct row *row = row_of(WIRE_JUDGEMENT);
	struct wire_judgement *j = (void *)msg.body;

	(void)state;
	for (uint32_t i = 0; i < ANSWER_COUNT; i++) {
		fill(row);
		j->n_answers = WIRE_ANSWERS;
		j->answers[WIRE_ANSWERS - 1].answer = i;
		taken(row);
	}
	j->answers[WIRE_ANSWERS - 1].answer = ANSWER_COUNT;
	refused(row);
	j->n_answers = WIRE_ANSWERS - 1; /* what isn't said doesn't count */
	taken(row);
	j->answers[WIRE_ANSWERS - 1].answer = ANSWER_CLEAN;
	j->n_answers = WIRE_ANSWERS + 1;
	refused(row);
	j->n_answers = UINT32_MAX;
	refused(row);
}

static void
evidence_is_one_line_of_the_length_that_is_said(void **state)
{
	const struct row *row = row_of(WIRE_JUDGEMENT);
	struct wire_judgement *j = (void *)msg.body;
	char *text = (char *)(j + 1);

	(void)state;
	fill(row);
	memset(text, 'e', WIRE_EVIDENCE_MAX + 1);
	j->evidence_bytes = WIRE_EVIDENCE_MAX;
	msg.len = (uint32_t)(sizeof(*j) + WIRE_EVIDENCE_MAX);
	taken(row);
	assert_ptr_equal(evidence, text);
	for (size_t i = 0; i < 2; i++) {
		text[WIRE_EVIDENCE_MAX - 1] = "\n"[i];
		refused(row);
	}
	text[WIRE_EVIDENCE_MAX - 1] = 'e';
	j->evidence_bytes--;
	refused(row); /* one octet too many */
	j->evidence_bytes += 2;
	msg.len++;
	refused(row); /* above the limit */
	j->evidence_bytes = UINT32_MAX - (uint32_t)sizeof(*j) + 1;
	msg.len = 0; /* what a sum of 32 bits would give */
	refused(row);
}

static void
a_lookup_has_a_job_and_its_keys(void **state)
{
	const struct row *row = row_of(TABLE_MSG_LOOKUP);
	struct table_lookup *l = (void *)msg.body;
	const size_t head = offsetof(struct table_lookup, keys);

	(void)state;
	fill(row);
	l->job = 0;
	refused(row);
	fill(row);
	l->n = 0;
	msg.len = (uint32_t)head;
	refused(row);
	fill(row);
	l->n = TABLE_KEYS_MAX;
	msg.len = (uint32_t)sizeof(*l);
	taken(row);
	l->n = TABLE_KEYS_MAX + 1;
	msg.len += (uint32_t)sizeof(l->keys[0]);
	refused(row);
}

static void
a_result_is_a_verdict_about_a_size(void **state)
{
	const struct row *row = row_of(TABLE_MSG_RESULT);
	struct table_result *r = (void *)msg.body;

	(void)state;
	fill(row);
	r->verdict = TABLE_UNKNOWN;
	r->bytes = INT64_MAX;
	taken(row);
	r->verdict = TABLE_VERDICTS;
	refused(row);
	r->verdict = TABLE_CLEAN;
	r->bytes = (uint64_t)INT64_MAX + 1; /* SQLite's are signed */
	refused(row);
}

static void
an_answer_is_about_keys_that_could_be_asked(void **state)
{
	const struct row *row = row_of(TABLE_MSG_ANSWER);
	struct table_answer *a = (void *)msg.body;

	(void)state;
	fill(row);
	a->entries[0].index = TABLE_KEYS_MAX - 1;
	taken(row);
	a->entries[0].index++;
	refused(row);
	fill(row);
	a->entries[0].state = TABLE_STATES;
	refused(row);
	fill(row);
	a->entries[0].verdict = TABLE_VERDICTS;
	refused(row);
	fill(row);
	a->n = TABLE_ANSWERS_MAX;
	msg.len = (uint32_t)sizeof(*a);
	taken(row);
	a->n++;
	msg.len += (uint32_t)sizeof(a->entries[0]);
	refused(row);
}

/* "Known to be unknown" would be taken for clean by who only looks for hits.
 */
static void
what_is_known_is_clean_or_a_hit(void **state)
{
	const struct row *row = row_of(TABLE_MSG_ANSWER);
	struct table_answer *a = (void *)msg.body;

	(void)state;
	fill(row);
	a->entries[0].state = TABLE_KNOWN;
	a->entries[0].verdict = TABLE_HIT;
	taken(row);
	a->entries[0].verdict = TABLE_UNKNOWN;
	refused(row);
	a->entries[0].state = TABLE_YOURS;
	taken(row);
}

static void
a_file_comes_with_its_descriptor_or_not_at_all(void **state)
{
	const struct row *row = row_of(WIRE_FETCHED);
	struct wire_fetched *f = (void *)msg.body;

	(void)state;
	fill(row);
	f->got = 1;
	refused(row);
	msg.n_fds = 1;
	taken(row);
	f->is_cut = 1;
	taken(row);
	f->is_cut = 2;
	refused(row);
	f->is_cut = 0;
	f->got = 2;
	refused(row);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_type_is_taken_as_it_is_sent),
	    cmocka_unit_test(another_type_is_refused),
	    cmocka_unit_test(another_length_is_refused),
	    cmocka_unit_test(another_number_of_descriptors_is_refused),
	    cmocka_unit_test(a_text_without_its_end_is_refused),
	    cmocka_unit_test(a_file_comes_with_its_descriptor_or_not_at_all),
	    cmocka_unit_test(no_cell_has_the_number_0),
	    cmocka_unit_test(a_judgement_has_answers_that_exist),
	    cmocka_unit_test(evidence_is_one_line_of_the_length_that_is_said),
	    cmocka_unit_test(a_lookup_has_a_job_and_its_keys),
	    cmocka_unit_test(a_result_is_a_verdict_about_a_size),
	    cmocka_unit_test(an_answer_is_about_keys_that_could_be_asked),
	    cmocka_unit_test(what_is_known_is_clean_or_a_hit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
