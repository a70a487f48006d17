/*
 * tests/fuzz/fuzz_spamd.c - the answers of spamd, rspamd and clamd.
 *
 * The first octet chooses the parser.  Whatever comes, each says one of the
 * known answers, and never "clean" of a text without the word for it.
 */
#include "worker/clamd_priv.h"
#include "worker/spam_priv.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
parse_clamd(const char *line)
{
	const char *text = clamd_answer_text(line, 3);
	struct engine_answer answer;

	(void)clamd_version_text(line, 1);
	if (!text)
		return;
	(void)clamd_probe_passed(text, &answer);
	if (clamd_answer_parse(text, &answer)) {
		assert(answer.answer < ANSWER_COUNT);
		assert(answer.answer != ANSWER_CLEAN || !strcmp(text, "OK"));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct engine_answer answer = {.answer = ANSWER_COUNT};
	const char *text = (const char *)data + 1;
	char *line;

	if (size < 2)
		return 0;
	switch (data[0] % 3) {
	case 0:
		spamd_parse(text, size - 1, &answer);
		assert(answer.answer < ANSWER_COUNT);
		assert(answer.answer != ANSWER_CLEAN ||
		       memmem(text, size - 1, "EX_OK", 5));
		break;
	case 1:
		rspamd_parse(200, text, size - 1, &answer);
		assert(answer.answer < ANSWER_COUNT);
		assert(answer.answer != ANSWER_CLEAN ||
		       memmem(text, size - 1, "action", 6) ||
		       memchr(text, '\\', size - 1));
		break;
	default:
		line = strndup(text, size - 1);
		parse_clamd(line);
		free(line);
	}
	return 0;
}
