/*
 * tests/fuzz/fuzz_opinion.c - what the scanned table, or a list, says of a
 * file.  An opinion that is taken is sound in every number, and what is kept
 * of it is taken again.
 */
#include "worker/known.h"
#include "worker/opinion.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct opinion *o)
{
	char text[ANSWER_REASON_MAX], kept[TABLE_NAME_MAX];
	struct opinion again;

	assert(o->label <= MEF_IS_BORDERLINE && o->kind < MEF_KINDS);
	assert(o->p_malicious >= 0 && o->p_malicious <= 1);
	for (int f = 0; f < MEF_FAMILIES; f++)
		assert(isfinite(o->family[f]));
	assert(o->n_strongest == 0);
	opinion_text(o, text);
	opinion_keep(o, kept);
	assert(strlen(text) < sizeof(text));
	assert(opinion_kept(kept, &again) && again.label == o->label);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct known *known = NULL;
	struct opinion o;
	char err[200];

	if (opinion_kept(text, &o))
		check(&o);
	if (known_parse(
		(const char *)data, size, "f", &known, err, sizeof(err)) < 0)
		assert(strncmp(err, "f:", 2) == 0);
	(void)known_free(known);
	free(text);
	return 0;
}
