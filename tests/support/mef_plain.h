/*
 * tests/support/mef_plain.h - windows, strings and words of octets, read as
 * plainly as can be: an octet at a time, every question asked of it alone.
 * What worker/mef/bytes.c and strings.c read faster is to be the same.
 */
#ifndef SLUICE_TESTS_MEF_PLAIN_H
#define SLUICE_TESTS_MEF_PLAIN_H

#include "worker/mef/bag.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN_MOST 64u /* characters of a string */

struct plain {
	uint64_t *at[MEF_FAMILIES];
	size_t n[MEF_FAMILIES];
};

static inline void
plain_add(struct plain *plain, enum mef_family family, uint64_t hash)
{
	const size_t n = plain->n[family]++;

	/* Once for each power of two. */
	if ((n & (n - 1)) == 0)
		plain->at[family] =
		    realloc(plain->at[family], (n ? 2 * n : 1) * sizeof(hash));
	plain->at[family][n] = hash;
}

static inline void
plain_done(struct plain *plain)
{
	for (int f = 0; f < MEF_FAMILIES; f++)
		free(plain->at[f]);
}

static inline int
plain_order(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static inline void
plain_finish(struct plain *plain)
{
	for (int f = 0; f < MEF_FAMILIES; f++) {
		size_t n = 0;

		if (plain->n[f] == 0)
			continue;
		qsort(plain->at[f], plain->n[f], sizeof(uint64_t), plain_order);
		for (size_t i = 0; i < plain->n[f]; i++)
			if (n == 0 || plain->at[f][n - 1] != plain->at[f][i])
				plain->at[f][n++] = plain->at[f][i];
		plain->n[f] = n;
	}
}

/* Hosts are little-endian. */
static inline void
plain_bytes(struct plain *plain, const unsigned char *octets, size_t n)
{
	const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t before = 0;

	for (size_t i = 0; i + 8 <= n; i++) {
		uint64_t window, product;

		memcpy(&window, octets + i, sizeof(window));
		product = (window ^ window >> 29) * factor;
		if (product >> 58 != 0 || window == before ||
		    window == (window >> 8 | window << 56))
			continue;
		before = window;
		plain_add(plain, MEF_BYTES, (product ^ product >> 31) * factor);
	}
}

static inline bool
plain_printable(unsigned char c)
{
	return c == '\t' || (c >= ' ' && c <= '~');
}

static inline bool
plain_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool
plain_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline unsigned int
plain_shape(const char *text, size_t n)
{
	size_t letters = 0, lower = 0, digits = 0;
	unsigned int made_of, length = 0;

	for (size_t i = 0; i < n; i++) {
		letters += plain_lower(text[i]) || plain_upper(text[i]);
		lower += plain_lower(text[i]);
		digits += text[i] >= '0' && text[i] <= '9';
	}
	if (letters == n)
		made_of = lower + 1 >= n ? 0 : 1;
	else if (letters + digits == n)
		made_of = 2;
	else
		made_of = 10 * letters > 7 * n ? 3 : 4;
	for (size_t square = n * n; square >= 32 && length < 8; square /= 2)
		length++;
	return made_of * 9 + length;
}

static inline void
plain_word(struct plain *plain, const char *text, size_t n)
{
	char word[PLAIN_MOST];

	for (size_t i = 0; i < n; i++)
		word[i] =
		    (char)(plain_upper(text[i]) ? text[i] | 0x20 : text[i]);
	if (n == 4 && memcmp(word, "http", 4) == 0)
		memcpy(word, "hxxp", 4);
	plain_add(plain, MEF_WORDS, mef_hash(word, n));
}

static inline size_t
plain_piece_end(const char *text, size_t i, size_t n)
{
	size_t end = i + 1;

	if (plain_upper(text[i]) && end < n && plain_upper(text[end])) {
		while (end < n && plain_upper(text[end]))
			end++;
		if (end < n && plain_lower(text[end]) && end - i > 1)
			end--;
		return end;
	}
	while (end < n && plain_lower(text[end]))
		end++;
	return end;
}

static inline void
plain_words(struct plain *plain, const char *text, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t end = i;

		while (end < n &&
		       (plain_lower(text[end]) || plain_upper(text[end])))
			end++;
		if (end - i < 4) {
			i = end + 1;
			continue;
		}
		while (i < end) {
			const size_t piece = plain_piece_end(text, i, end);

			if (piece - i >= 3)
				plain_word(plain, text + i, piece - i);
			i = piece;
		}
	}
}

static inline void
plain_string(struct plain *plain, const char *text, size_t n)
{
	if (n < 4)
		return;
	if (n > PLAIN_MOST)
		n = PLAIN_MOST;
	plain_add(plain, MEF_STRINGS,
	    (mef_hash(text, n) & ~UINT64_C(63)) | plain_shape(text, n));
	if (n >= 5)
		plain_words(plain, text, n);
}

/* UTF-16 from at on; returns how many characters. */
static inline size_t
plain_wide(
    const unsigned char *octets, size_t n, size_t at, char ret_text[PLAIN_MOST])
{
	size_t length = 0;

	for (; at + 1 < n && plain_printable(octets[at]) && octets[at + 1] == 0;
	     at += 2) {
		if (length < PLAIN_MOST)
			ret_text[length] = (char)octets[at];
		length++;
	}
	return length;
}

static inline void
plain_strings(struct plain *plain, const unsigned char *octets, size_t n)
{
	size_t i = 0;

	while (i < n) {
		char text[PLAIN_MOST];
		size_t end = i, wide;

		while (end < n && plain_printable(octets[end]))
			end++;
		if (end == i) {
			i++;
			continue;
		}
		plain_string(plain, (const char *)octets + i, end - i);
		i = end;
		wide = plain_wide(octets, n, end - 1, text);
		if (wide >= 4) {
			plain_string(plain, text, wide);
			i = end - 1 + 2 * wide;
		}
	}
}

#endif
