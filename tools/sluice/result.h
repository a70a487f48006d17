/*
 * tools/sluice/result.h - the line of `sluice scan --json` for one file.
 */
#ifndef SLUICE_TOOLS_RESULT_H
#define SLUICE_TOOLS_RESULT_H

#include "worker/answer.h"
#include "worker/verdict.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct result {
	const char *file;
	enum verdict verdict;
	const char *reason;
	const struct engine_answer *answers;
	size_t n_answers;
	const char *evidence; /* JSON of the engines role, or NULL */
	size_t evidence_len;
	uint64_t usec;
};

/*
 * {"file", "verdict", "reason", "parts", ..., "engines", "ms"}: what else the
 * evidence says (ambiguity, reading) comes behind the parts.
 */
json_t *result_json(const struct result *result);

#endif
