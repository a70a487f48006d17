/*
 * tests/fuzz/fuzz_evidence_parts.c - any text as evidence: what is given is
 * whole, and bounded where it says so.
 */
#include "worker/evidence_parts.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/utf8.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
look(void *arg, const struct evidence_part *part)
{
	const unsigned char *p = (const unsigned char *)part->name;

	++*(int *)arg;
	assert(part->bytes <= INT64_MAX);
	assert(strlen(part->verdict) <= EVIDENCE_WORD_MAX);
	assert(strlen(part->engine) <= EVIDENCE_WORD_MAX);
	while (*p) {
		size_t n = utf8_length(p, SIZE_MAX);

		assert(n > 0);
		p += n;
	}
	return *(int *)arg == 100;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free_ptr) char *text = xcalloc(size + 1, 1);
	int n = 0, r;

	if (size > 0)
		memcpy(text, data, size);
	r = evidence_parts(text, look, &n);
	assert(r == (n == 100));
	return 0;
}
