/*
 * tests/fuzz/fuzz_flow_dialogue.c - any octets as segments of an SMTP dialogue.
 *
 * Each is behind four octets: from the client or not, how far from where the
 * side is (so that segments overlap and leave holes), and two of its length.
 */
#include "flow/dialogue.h"

#include <assert.h>

#define BUDGET 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_ended(void *arg, unsigned int ordinal, const struct flow_key *id)
{
	(void)id;
	assert(ordinal == ++*(unsigned int *)arg);
}

static void
on_named(void *arg, unsigned int ordinal, const struct flow_key *queue)
{
	assert(queue && ordinal > 0 && ordinal <= *(unsigned int *)arg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int ended = 0;
	const struct dialogue_sink sink = {on_ended, on_named, &ended};
	struct dialogue dialogue = {NULL};
	struct flow_budget budget = {BUDGET};
	uint32_t next[2] = {1, 1};

	for (int side = 0; side < 2; side++) {
		const struct packet syn = {.flags = TCP_SYN};

		dialogue_segment(&dialogue, &syn, side, &budget, &sink);
	}
	for (size_t at = 0; at + 4 <= size;) {
		const bool is_in = data[at] & 1;
		uint32_t n = (uint32_t)(data[at + 2] << 8 | data[at + 3]);
		struct packet p = {.flags = TCP_ACK,
		    .seq = next[is_in] + (uint32_t)(int8_t)data[at + 1],
		    .payload = data + at + 4};

		at += 4;
		p.length = n;
		if (n > size - at)
			n = (uint32_t)(size - at);
		/* Some are cut by the capture. */
		if (!(data[at - 4] & 0x80))
			p.length = n;
		p.captured = n;
		dialogue_segment(&dialogue, &p, is_in, &budget, &sink);
		next[is_in] = p.seq + p.length;
		at += n;
	}
	assert(dialogue.answered <= dialogue.ended);
	dialogue_done(&dialogue, &budget);
	assert(budget.left_bytes == BUDGET);
	return 0;
}
