/*
 * tests/fuzz/fuzz_flow_ask.c - any octets as a question about a flow.
 */
#include "flow/ask.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_end(void *arg, struct flow *flow, enum flow_end end)
{
	(void)arg;
	(void)flow;
	(void)end;
}

/* One record, that the questions of the corpus find. */
static struct flow_records *
records_of_one(void)
{
	struct flow_records *records = flow_records_new(4);
	struct flow_record record = {
	    .client_address = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1},
	    .client_port = 4000,
	    .ordinal = 1,
	    .has_queue = 1,
	    .has_id = 1};

	(void)flow_key_of_queue("ABCD", 4, &record.queue);
	(void)flow_key_of_id("<a@b>", 5, &record.id);
	flow_records_put(records, &record);
	return records;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct flow_limits limits = {
	    .ports = {25}, .n_ports = 1, .proven_max = 1, .unproven_max = 1};
	struct flow_records *records = records_of_one();
	struct flow_table *table = flow_table_new(&limits, on_end, NULL);
	struct flow_question question = {.not_before_nsec = 0};
	char answer[FLOW_ANSWER_MAX];
	enum flow_by by;

	if (flow_ask_parse((const char *)data, size, &question) == 0) {
		const size_t n =
		    flow_answer(table, records, &question, answer, &by);

		assert(n > 0 && n < sizeof(answer) && !memchr(answer, '\n', n));
		assert((memcmp(answer, "found ", 6) == 0) ==
		       (by >= FLOW_BY_CLIENT));
	}
	(void)flow_table_free(table);
	(void)flow_records_free(records);
	return 0;
}
