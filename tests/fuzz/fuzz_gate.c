/*
 * tests/fuzz/fuzz_gate.c - the questions that sendmail asks the gate.
 *
 * Whatever comes: what is taken is a whole netstring with the number in it,
 * every part of it alone is a question that isn't complete yet, and nothing
 * is waited for beyond the longest question.
 */
#include "tools/sluice/gate_wire.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_taken(const char *text, size_t n, uint64_t bytes)
{
	uint64_t other, number;
	char copy[GATE_QUESTION_MAX + 1];

	assert(n <= GATE_QUESTION_MAX && text[n - 1] == ',');
	(void)memcpy(copy, text, n);
	copy[n - 1] = '\0';
	number = strtoull(strchr(copy, ' ') + 1, NULL, 10);
	assert(number == bytes);
	for (size_t i = 0; i < n; i++)
		assert(gate_question(text, i, &other) == -EAGAIN);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	while (size > 0) {
		uint64_t bytes = 0;
		int n = gate_question(text, size, &bytes);

		if (n == -EAGAIN)
			assert(size < GATE_QUESTION_MAX);
		if (n < 0) {
			assert(n == -EAGAIN || n == -EBADMSG);
			break;
		}
		assert(n > 0 && (size_t)n <= size);
		check_taken(text, (size_t)n, bytes);
		text += n;
		size -= (size_t)n;
	}
	return 0;
}
