/*
 * common/words.h - a line of words, as the local sockets of sluice-flow and
 * sluice-learn answer: "found by=client ordinal=1 ...", taken apart in place.
 * Pure.
 */
#ifndef SLUICE_COMMON_WORDS_H
#define SLUICE_COMMON_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX 64 /* what comes behind so many is passed over */

struct words {
	const char *first; /* the first without a value: "found"; "": none */
	size_t n;
	const char *names[WORDS_MAX], *values[WORDS_MAX];
};

/*
 * Take "WORD NAME=VALUE ..." apart.  why= takes the rest of the line.
 *
 * text  is changed, and must outlive ret
 */
void words_of(char *text, struct words *ret);

/* NULL: it isn't there. */
const char *words_value(const struct words *words, const char *name);

/*
 * A decimal number, as JSON knows them too.  *ret is NAN for "null", which is
 * an answer, and when it returns false: it isn't there, or is none.
 */
bool words_number(const struct words *words, const char *name, double *ret);

/* The same of one text; "null" is none. */
bool word_is_number(const char *text, double *ret);

#endif
