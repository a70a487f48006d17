/*
 * worker/mef/facts.c - facts of headers and imports as features.
 */
#include "worker/mef/extract_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MOST 256u

/* Octaves and quarters of them: 1000 and 1100 are about the same size. */
static unsigned int
magnitude(uint64_t value)
{
	const unsigned int octave =
	    value ? 63u - (unsigned int)__builtin_clzll(value) : 0;

	return 4 * octave +
	       (unsigned int)(octave >= 2 ? value >> (octave - 2) & 3 : 0);
}

static void
tell(const struct mef_bag *bag, enum mef_family family, const char *text,
    size_t n)
{
	if (bag->tell)
		bag->tell(bag->tell_arg, family, text, n);
}

static void
add_text(struct mef_bag *bag, const char *text, int n)
{
	if (n > 0 && n < (int)TEXT_MOST)
		mef_bag_add(bag, MEF_HEADER, mef_hash(text, (size_t)n));
}

static void
add_magnitudes(struct mef_bag *bag, const char *name, int n, uint64_t value)
{
	const unsigned int quarter = magnitude(value);
	char text[TEXT_MOST];

	add_text(bag, text,
	    snprintf(text, sizeof(text), "%.*s~%u", n, name, quarter / 4));
	add_text(bag, text,
	    snprintf(text, sizeof(text), "%.*s~~%u", n, name, quarter));
}

void
facts_number(struct mef_bag *bag, const char *name, uint64_t value)
{
	char text[TEXT_MOST];

	(void)snprintf(
	    text, sizeof(text), "%s=%llu", name, (unsigned long long)value);
	facts_add(bag, text, strlen(text));
}

void
facts_add(struct mef_bag *bag, const char *text, size_t n)
{
	const char *equals;
	char number[24], *end;
	unsigned long long value;

	if (n >= TEXT_MOST)
		n = TEXT_MOST - 1;
	add_text(bag, text, (int)n);
	tell(bag, MEF_HEADER, text, n);
	equals = memchr(text, '=', n); /* no text ends by a NUL */
	if (!equals || equals + 1 == text + n || equals[1] < '0' ||
	    equals[1] > '9')
		return;
	(void)snprintf(number, sizeof(number), "%.*s",
	    (int)(text + n - equals - 1), equals + 1);
	errno = 0;
	value = strtoull(number, &end, 10);
	/* A fraction keeps its first decimals: entropies are such. */
	if (errno == 0 && *end == '.')
		value = (unsigned long long)(strtod(number, &end) * 64);
	if (errno == 0 && *end == '\0')
		add_magnitudes(bag, text, (int)(equals - text), value);
}

void
imports_add(struct mef_bag *bag, const char *text, size_t n)
{
	char lower[TEXT_MOST];

	if (n >= sizeof(lower))
		n = sizeof(lower) - 1;
	for (size_t i = 0; i < n; i++)
		lower[i] =
		    (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20
							    : text[i]);
	mef_bag_add(bag, MEF_IMPORTS, mef_hash(lower, n));
	tell(bag, MEF_IMPORTS, text, n);
}
