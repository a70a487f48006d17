/*
 * tests/fuzz/fuzz_look.c - any octets as what the reader of a sample leaves,
 * which a sample may have taken over.  What is taken of them is printable and
 * short: it goes to a terminal.
 */
#include "tools/sluice/repository_look.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct look look;
	const int r = look_parse((const char *)data, size, &look);
	size_t n = 0;

	assert(r == 0 || r == -EPROTO);
	if (r < 0)
		return 0;
	for (int k = 0; k < LOOK_KINDS; k++)
		for (size_t i = 0; i < look.n[k]; i++) {
			const char *text = look.at[k][i];

			assert(strlen(text) <= 256);
			for (const char *c = text; *c; c++)
				assert(*c >= ' ' && *c <= '~');
			n += strlen(text) + 3;
		}
	assert(n == size); /* nothing is lost */
	look_done(&look);
	return 0;
}
