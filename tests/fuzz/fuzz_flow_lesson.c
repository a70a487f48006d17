/*
 * tests/fuzz/fuzz_flow_lesson.c - any octets as a lesson for sluice-learn.
 */
#include "flow/lesson.h"

#include <assert.h>
#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken has numbers that a learner can bear. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lesson l;
	size_t n = 0;

	if (lesson_parse((const char *)data, size, &l) < 0)
		return 0;
	if (l.verb == LESSON_STATUS || l.verb == LESSON_RETRAIN) {
		/* Nothing but the word. */
		assert(size <= strlen("retrain"));
		return 0;
	}
	assert(size > strlen("judge ") && size <= LESSON_MAX);
	for (size_t f = 0; f < FLOW_FEATURES; f++) {
		assert(isnan(l.sample.x[f]) ||
		       (isfinite(l.sample.x[f]) && l.sample.x[f] >= 0));
		n += !isnan(l.sample.x[f]);
	}
	assert(n > 0 || memmem(data, size, "null", 4));
	assert(l.verb == LESSON_TEACH ||
	       isnan(l.content) == (l.verb == LESSON_JUDGE));
	assert(l.has_label == (l.verb == LESSON_TEACH));
	assert(isnan(l.ttl) || (l.ttl >= 0 && l.ttl <= UINT8_MAX));
	assert(!l.sample.is_spam || l.verb == LESSON_TEACH);
	return 0;
}
