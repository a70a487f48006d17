/*
 * worker/mef/strings.c - printable strings and the words in them.
 *
 * Strings are those of strings(1), ASCII and UTF-16, cut at 64 characters so
 * that lists of others, which are cut there, have the same.  The lowest bits
 * of a string's hash say how long it is and what of, so that a model can
 * tell the shape of all strings from the bag alone.
 */
#include "worker/mef/extract_priv.h"
#include "worker/mef/shape.h"

#include <string.h>

#define LEAST          4u /* characters, as strings(1) */
#define MOST           64u
#define LEAST_OF_WORDS 5u /* shorter strings are machine code, mostly */

/* ASCII from blank to tilde, and tabulators.  Asked of every octet. */
static const bool printable[256] = {['\t'] = true, [' ' ... '~'] = true};

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_letter(char c)
{
	return is_lower(c) || is_upper(c);
}

unsigned int
shape_of(const char *text, size_t n)
{
	size_t letters = 0, lower = 0, digits = 0;
	unsigned int made_of, length = 0;

	for (size_t i = 0; i < n; i++) {
		letters += is_letter(text[i]);
		lower += is_lower(text[i]);
		digits += text[i] >= '0' && text[i] <= '9';
	}
	made_of = letters == n && lower + 1 >= n ? 0
		  : letters == n                 ? 1
		  : letters + digits == n        ? 2
		  : 10 * letters > 7 * n         ? 3
						 : 4;
	/* Half octaves from 4 on: 4, 5.7, 8, 11.3, ... 64. */
	for (size_t square = n * n; square >= 32 && length < SHAPE_LENGTHS - 1;
	     square /= 2)
		length++;
	return made_of * SHAPE_LENGTHS + length;
}

static void
add_word(struct mef_bag *bag, const char *text, size_t n)
{
	char word[MOST];

	for (size_t i = 0; i < n; i++)
		word[i] = (char)(is_upper(text[i]) ? text[i] | 0x20 : text[i]);
	/* Lists are published with links that nobody can click on. */
	if (n == 4 && memcmp(word, "http", 4) == 0)
		memcpy(word, "hxxp", 4);
	mef_bag_add(bag, MEF_WORDS, mef_hash(word, n));
}

/* One word of LoadLibraryExA from i on: "Load"; "GUID"; its end. */
static size_t
piece_end(const char *text, size_t i, size_t n)
{
	size_t end = i + 1;

	if (is_upper(text[i]) && end < n && is_upper(text[end])) {
		while (end < n && is_upper(text[end]))
			end++;
		if (end < n && is_lower(text[end]) && end - i > 1)
			end--; /* XMLReader: XML, Reader */
		return end;
	}
	while (end < n && is_lower(text[end]))
		end++;
	return end;
}

static void
words_of(struct mef_bag *bag, const char *text, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t end = i;

		while (end < n && is_letter(text[end]))
			end++;
		if (end - i < LEAST) {
			i = end + 1;
			continue;
		}
		while (i < end) {
			const size_t piece = piece_end(text, i, end);

			if (piece - i >= 3)
				add_word(bag, text + i, piece - i);
			i = piece;
		}
	}
}

void
strings_one(struct mef_bag *bag, const char *text, size_t n)
{
	if (n < LEAST)
		return;
	if (n > MOST)
		n = MOST;
	mef_bag_add(bag, MEF_STRINGS,
	    (mef_hash(text, n) & ~(uint64_t)(SHAPE_ROOM - 1)) |
		shape_of(text, n));
	if (n >= LEAST_OF_WORDS)
		words_of(bag, text, n);
}

/* UTF-16 from i on: how many characters, of which none is beyond ASCII. */
static size_t
wide_length(struct octets part, size_t i)
{
	size_t n = 0;

	while (i + 2 * n + 1 < part.n && printable[part.at[i + 2 * n]] &&
	       part.at[i + 2 * n + 1] == 0)
		n++;
	return n;
}

static void
read_wide(struct mef_bag *bag, struct octets part, size_t i, size_t n)
{
	char text[MOST];

	if (n > MOST)
		n = MOST;
	for (size_t k = 0; k < n; k++)
		text[k] = (char)part.at[i + 2 * k];
	strings_one(bag, text, n);
}

void
strings_read(struct mef_bag *bag, struct octets part)
{
	size_t i = 0;

	while (i < part.n) {
		size_t end = i, wide;

		while (end < part.n && printable[part.at[end]])
			end++;
		if (end == i) {
			i++;
			continue;
		}
		strings_one(bag, (const char *)part.at + i, end - i);
		i = end;
		wide = wide_length(part, end - 1);
		if (wide >= LEAST) {
			read_wide(bag, part, end - 1, wide);
			i = end - 1 + 2 * wide;
		}
	}
}
