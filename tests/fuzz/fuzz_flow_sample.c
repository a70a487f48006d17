/*
 * tests/fuzz/fuzz_flow_sample.c - any octets as a line of features: what is
 * taken is from 0 or null, and comes back the same after it was written.
 */
#include "flow/sample.h"

#include "common/cleanup.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_sample s, back;
	CLEANUP(free_ptr) char *text = NULL;
	char err[300] = "";
	json_t *json;

	if (flow_sample_read((const char *)data, size, &s, err, sizeof(err)) <
	    0) {
		assert(*err);
		return 0;
	}
	json = flow_sample_json(&s);
	text = json_dumps(json, JSON_REAL_PRECISION(17));
	json_decref(json);
	assert(text);
	if (flow_sample_read(text, strlen(text), &back, err, sizeof(err)) < 0)
		abort();
	assert(back.peer == s.peer);
	for (size_t f = 0; f < FLOW_FEATURES; f++)
		assert(isnan(s.x[f]) ? isnan(back.x[f])
				     : s.x[f] >= 0 && s.x[f] == back.x[f]);
	return 0;
}
